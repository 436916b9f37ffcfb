; expect: refuted ((year 1900))
; show: year
(declare-const year Int)
(define-fun leap () Bool (and (= (mod year 4) 0) (or (not (= (mod year 100) 0)) (= (mod year 400) 0))))
(assert (<= 1804 year 1999))
(assert (not (= leap (= (mod year 4) 0))))
(check-sat)
