; expect: proved
(declare-const x E)
(assert lattice)
(assert (not (= (join x x) x)))
(check-sat)
