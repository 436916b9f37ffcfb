; expect: proved
(declare-const x Int)
(declare-const y Int)
(declare-const l List)
(declare-const m List)
(assert (= (cons x l) (cons y m)))
(assert (not (and (= x y) (= l m))))
(check-sat)
