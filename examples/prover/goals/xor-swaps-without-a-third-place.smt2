; expect: proved
(declare-const x (_ BitVec 32))
(declare-const y (_ BitVec 32))
(define-fun x1 () (_ BitVec 32) (bvxor x y))
(define-fun y1 () (_ BitVec 32) (bvxor x1 y))
(assert (not (and (= y1 x) (= (bvxor x1 y1) y))))
(check-sat)
