; expect: proved
(declare-const x Int)
(declare-const y Int)
(declare-const z Int)
(assert (not (= (largest x (largest y z)) (largest (largest x y) z))))
(check-sat)
