; expect: proved
(define-fun lattice-join-is-associative () Bool (forall ((x E) (y E) (z E)) (= (join (join x y) z) (join x (join y z)))))
(assert lattice)
(assert (not lattice-join-is-associative))
(check-sat)
