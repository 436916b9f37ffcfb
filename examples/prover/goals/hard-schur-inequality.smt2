; expect: proved
; Nonlinear: z3 decides it, cvc5 does not come to an end.
(declare-const x Real)
(declare-const y Real)
(declare-const z Real)
(assert (and (>= x y z) (> z 0.0)))
(assert (< (+ (* x (- x y) (- x z)) (* y (- y z) (- y x)) (* z (- z x) (- z y))) 0.0))
(check-sat)
