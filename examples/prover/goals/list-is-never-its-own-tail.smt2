; expect: proved
(declare-const x Int)
(declare-const y Int)
(declare-const l List)
(assert (= l (cons x (cons y l))))
(check-sat)
