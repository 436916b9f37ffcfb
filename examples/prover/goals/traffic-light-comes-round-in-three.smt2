; expect: proved
(declare-const l Light)
(assert (not (= (next (next (next l))) l)))
(check-sat)
