; expect: proved
(declare-const x (_ BitVec 32))
(assert (not (= (bvand x (bvsub x #x00000001)) (bvsub x (bvand x (bvneg x))))))
(check-sat)
