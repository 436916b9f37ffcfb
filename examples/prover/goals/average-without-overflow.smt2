; expect: proved
(declare-const x (_ BitVec 16))
(declare-const y (_ BitVec 16))
(define-fun exact () (_ BitVec 17) (bvlshr (bvadd ((_ zero_extend 1) x) ((_ zero_extend 1) y)) (_ bv1 17)))
(assert (not (= ((_ zero_extend 1) (bvadd (bvand x y) (bvlshr (bvxor x y) #x0001))) exact)))
(check-sat)
