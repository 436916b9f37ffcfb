; expect: proved
(declare-sort S 0)
(declare-fun f (S) S)
(declare-fun g (S) S)
(assert (forall ((x S) (y S)) (=> (= (f x) (f y)) (= x y))))
(assert (forall ((x S) (y S)) (=> (= (g x) (g y)) (= x y))))
(assert (not (forall ((x S) (y S)) (=> (= (f (g x)) (f (g y))) (= x y)))))
(check-sat)
