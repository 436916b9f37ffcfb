; What every goal may speak of: each solver process reads it once, before its first goal. It assumes nothing, so that
; what is false can be refuted by a finite counterexample; a goal about groups begins by assuming `group`.
(set-option :produce-models true)
(set-option :produce-unsat-cores true)
(set-logic ALL)

(define-fun largest ((x Int) (y Int)) Int (ite (< x y) y x))
(define-fun size ((x Int)) Int (ite (< x 0) (- x) x))
(define-fun swap ((a (Array Int Int)) (i Int) (j Int)) (Array Int Int)
  (store (store a i (select a j)) j (select a i)))

; A group, by few axioms: that the unit and inverses also work from the right is for the goals to prove.
(declare-sort G 0)
(declare-const one G)
(declare-fun mul (G G) G)
(declare-fun inv (G) G)
(define-fun group () Bool (and
  (forall ((x G) (y G) (z G)) (! (= (mul (mul x y) z) (mul x (mul y z)))
    :pattern ((mul (mul x y) z)) :pattern ((mul x (mul y z)))))
  (forall ((x G)) (= (mul one x) x))
  (forall ((x G)) (= (mul (inv x) x) one))))

; A partial order with least upper bounds.
(declare-sort E 0)
(declare-fun below (E E) Bool)
(declare-fun join (E E) E)
(define-fun lattice () Bool (and
  (forall ((x E)) (below x x))
  (forall ((x E) (y E)) (=> (and (below x y) (below y x)) (= x y)))
  (forall ((x E) (y E) (z E)) (=> (and (below x y) (below y z)) (below x z)))
  (forall ((x E) (y E)) (and (below x (join x y)) (below y (join x y))))
  (forall ((x E) (y E) (z E)) (=> (and (below x z) (below y z)) (below (join x y) z)))))

; Lists and trees of integers, with functions that solvers know by their equations alone.
(declare-datatypes ((List 0)) (((nil) (cons (head Int) (tail List)))))
(declare-fun len (List) Int)
(declare-fun app (List List) List)
(define-fun lists () Bool (and
  (= (len nil) 0)
  (forall ((x Int) (l List)) (! (= (len (cons x l)) (+ 1 (len l))) :pattern ((cons x l))))
  (forall ((m List)) (! (= (app nil m) m) :pattern ((app nil m))))
  (forall ((x Int) (l List) (m List)) (! (= (app (cons x l) m) (cons x (app l m))) :pattern ((app (cons x l) m))))))
(declare-datatypes ((Tree 0)) (((leaf) (node (left Tree) (key Int) (right Tree)))))
(declare-fun mirror (Tree) Tree)
(define-fun trees () Bool (and
  (= (mirror leaf) leaf)
  (forall ((l Tree) (k Int) (r Tree)) (! (= (mirror (node l k r)) (node (mirror r) k (mirror l))) :pattern ((node l k r))))))
(declare-datatypes ((Light 0)) (((red) (green) (amber))))
(define-fun next ((l Light)) Light (ite (= l red) green (ite (= l green) amber red)))
