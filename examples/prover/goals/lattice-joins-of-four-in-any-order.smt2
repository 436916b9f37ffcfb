; expect: proved
; uses: lattice-join-commutes lattice-join-is-associative
(declare-const a E)
(declare-const b E)
(declare-const c E)
(declare-const d E)
(assert lattice-join-commutes)
(assert lattice-join-is-associative)
(assert (not (= (join (join a b) (join c d)) (join (join d b) (join c a)))))
(check-sat)
