; expect: proved
; uses: lattice-join-is-monotone lattice-join-commutes
(declare-const a E)
(declare-const b E)
(declare-const c E)
(declare-const d E)
(assert lattice-join-is-monotone)
(assert lattice-join-commutes)
(assert lattice)
(assert (and (below a b) (below c d)))
(assert (not (below (join a c) (join b d))))
(check-sat)
