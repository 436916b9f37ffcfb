; expect: refuted ((x (- 1)))
; show: x
; Somebody's `is_odd`: in C the remainder of -1 by 2 is -1.
(declare-const x Int)
(define-fun remainder () Int (ite (>= x 0) (mod x 2) (- (mod (- x) 2))))
(assert (<= (- 2) x 0))
(assert (not (= (= remainder 1) (= (mod x 2) 1))))
(check-sat)
