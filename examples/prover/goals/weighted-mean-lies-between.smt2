; expect: proved
(declare-const x Real)
(declare-const y Real)
(declare-const w Real)
(assert (and (<= x y) (<= 0.0 w 1.0)))
(assert (not (<= x (+ (* (- 1.0 w) x) (* w y)) y)))
(check-sat)
