; expect: proved
(declare-const k Int)
(declare-const y Int)
(assert (not (= (mod (* 2 k y) 2) 0)))
(check-sat)
