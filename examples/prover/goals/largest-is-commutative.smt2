; expect: proved
(declare-const x Int)
(declare-const y Int)
(assert (not (= (largest x y) (largest y x))))
(check-sat)
