; expect: proved
(declare-const x (_ BitVec 32))
(assert (not (= (bvshl x #x00000003) (bvmul x #x00000008))))
(check-sat)
