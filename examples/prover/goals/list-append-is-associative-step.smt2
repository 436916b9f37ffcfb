; expect: proved
(declare-const x Int)
(declare-const l List)
(declare-const m List)
(declare-const n List)
(assert lists)
(assert (= (app (app l m) n) (app l (app m n))))
(assert (not (= (app (app (cons x l) m) n) (app (cons x l) (app m n)))))
(check-sat)
