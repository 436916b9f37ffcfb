; expect: proved
(declare-const x (_ BitVec 16))
(define-fun gray ((n (_ BitVec 16))) (_ BitVec 16) (bvxor n (bvlshr n #x0001)))
(define-fun difference () (_ BitVec 16) (bvxor (gray x) (gray (bvadd x #x0001))))
(assert (or (= difference #x0000) (not (= (bvand difference (bvsub difference #x0001)) #x0000))))
(check-sat)
