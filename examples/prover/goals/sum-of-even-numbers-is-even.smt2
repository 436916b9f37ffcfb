; expect: proved
(declare-const x Int)
(declare-const y Int)
(assert (= (mod x 2) 0))
(assert (= (mod y 2) 0))
(assert (not (= (mod (+ x y) 2) 0)))
(check-sat)
