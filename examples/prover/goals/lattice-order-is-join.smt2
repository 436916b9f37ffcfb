; expect: proved
(declare-const x E)
(declare-const y E)
(assert lattice)
(assert (not (= (below x y) (= (join x y) y))))
(check-sat)
