; expect: proved
(declare-const lo Int)
(declare-const hi Int)
(assert (< lo hi))
(assert (not (and (<= lo (div (+ lo hi) 2)) (< (div (+ lo hi) 2) hi))))
(check-sat)
