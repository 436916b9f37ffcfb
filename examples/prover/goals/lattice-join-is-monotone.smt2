; expect: proved
(define-fun lattice-join-is-monotone () Bool (forall ((x E) (y E) (z E)) (=> (below x y) (below (join x z) (join y z)))))
(assert lattice)
(assert (not lattice-join-is-monotone))
(check-sat)
