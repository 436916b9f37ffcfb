; expect: proved
(declare-sort S 0)
(declare-fun less (S S) Bool)
(assert (forall ((x S)) (not (less x x))))
(assert (forall ((x S) (y S) (z S)) (=> (and (less x y) (less y z)) (less x z))))
(assert (not (forall ((x S) (y S)) (=> (less x y) (not (less y x))))))
(check-sat)
