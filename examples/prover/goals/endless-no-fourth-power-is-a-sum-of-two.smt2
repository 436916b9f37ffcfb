; expect: timeout
; seconds: 1
; Fermat proved it. Neither solver finds the descent, and neither gives up.
(declare-const x Int)
(declare-const y Int)
(declare-const z Int)
(assert (and (> x 0) (> y 0) (> z 0)))
(assert (= (+ (* x x x x) (* y y y y)) (* z z z z)))
(check-sat)
