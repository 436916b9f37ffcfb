; expect: proved
(declare-const x (_ BitVec 32))
(assert (not (= ((_ rotate_right 5) ((_ rotate_left 5) x)) x)))
(check-sat)
