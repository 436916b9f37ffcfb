; expect: proved
(declare-const x (_ BitVec 16))
(declare-const y (_ BitVec 16))
(assert (not (= (bvslt x y) (bvslt ((_ sign_extend 16) x) ((_ sign_extend 16) y)))))
(check-sat)
