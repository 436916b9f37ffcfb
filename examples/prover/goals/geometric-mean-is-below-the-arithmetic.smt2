; expect: proved
; Easy for z3, endless for cvc5.
(declare-const x Real)
(declare-const y Real)
(assert (< (* (+ x y) (+ x y)) (* 4.0 x y)))
(check-sat)
