; expect: proved
(declare-fun hole (Int) Int)
(assert (and (<= 1 (hole 1) 3) (<= 1 (hole 2) 3) (<= 1 (hole 3) 3) (<= 1 (hole 4) 3)))
(assert (distinct (hole 1) (hole 2) (hole 3) (hole 4)))
(check-sat)
