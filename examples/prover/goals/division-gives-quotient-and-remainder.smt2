; expect: proved
(declare-const x Int)
(assert (not (and (= x (+ (* 7 (div x 7)) (mod x 7))) (<= 0 (mod x 7)) (< (mod x 7) 7))))
(check-sat)
