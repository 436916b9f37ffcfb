; expect: proved
(declare-const n Int)
(declare-const x Int)
(assert (< n x (+ n 1)))
(check-sat)
