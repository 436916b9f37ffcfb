; expect: proved
; Both count all ways; z3 is several times faster.
(declare-fun hole (Int) Int)
(assert (and (<= 1 (hole 1) 6) (<= 1 (hole 2) 6) (<= 1 (hole 3) 6) (<= 1 (hole 4) 6)
  (<= 1 (hole 5) 6) (<= 1 (hole 6) 6) (<= 1 (hole 7) 6)))
(assert (distinct (hole 1) (hole 2) (hole 3) (hole 4) (hole 5) (hole 6) (hole 7)))
(check-sat)
