; expect: proved
(define-fun lattice-join-commutes () Bool (forall ((x E) (y E)) (= (join x y) (join y x))))
(assert lattice)
(assert (not lattice-join-commutes))
(check-sat)
