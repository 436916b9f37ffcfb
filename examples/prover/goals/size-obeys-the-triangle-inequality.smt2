; expect: proved
(declare-const x Int)
(declare-const y Int)
(assert (> (size (+ x y)) (+ (size x) (size y))))
(check-sat)
