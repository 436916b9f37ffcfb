; expect: proved
(declare-const x Int)
(assert lists)
(assert (not (= (len (cons x (cons x (cons x nil)))) 3)))
(check-sat)
