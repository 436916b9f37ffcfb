; expect: proved
; The step of an induction: with a 5 in hand two 3 replace it, else three 3 are replaced by two 5.
(declare-const threes Int)
(declare-const fives Int)
(assert (and (>= threes 0) (>= fives 0) (>= (+ (* 3 threes) (* 5 fives)) 8)))
(define-fun next-threes () Int (ite (> fives 0) (+ threes 2) (- threes 3)))
(define-fun next-fives () Int (ite (> fives 0) (- fives 1) (+ fives 2)))
(assert (not (and (>= next-threes 0) (>= next-fives 0)
  (= (+ (* 3 next-threes) (* 5 next-fives)) (+ 1 (* 3 threes) (* 5 fives))))))
(check-sat)
