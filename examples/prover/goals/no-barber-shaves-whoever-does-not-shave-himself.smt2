; expect: proved
(declare-sort S 0)
(declare-fun shaves (S S) Bool)
(declare-const barber S)
(assert (forall ((x S)) (= (shaves barber x) (not (shaves x x)))))
(check-sat)
