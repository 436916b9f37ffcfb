; expect: proved
; Nonlinear: z3 decides it, cvc5 does not come to an end.
(declare-const x Real)
(declare-const y Real)
(declare-const z Real)
(assert (< (+ (* x x) (* y y) (* z z)) (+ (* x y) (* y z) (* z x))))
(check-sat)
