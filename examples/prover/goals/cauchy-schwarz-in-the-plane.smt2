; expect: proved
; Easy for z3, endless for cvc5.
(declare-const a Real)
(declare-const b Real)
(declare-const c Real)
(declare-const d Real)
(assert (> (* (+ (* a c) (* b d)) (+ (* a c) (* b d))) (* (+ (* a a) (* b b)) (+ (* c c) (* d d)))))
(check-sat)
