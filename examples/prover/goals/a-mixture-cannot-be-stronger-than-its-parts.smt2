; expect: proved
(declare-const a Real)
(declare-const b Real)
(declare-const c Real)
(assert (and (< a 1.0) (< b 1.0) (< c 1.0)))
(assert (not (< (+ (* 0.5 a) (* 0.25 b) (* 0.25 c)) 1.0)))
(check-sat)
