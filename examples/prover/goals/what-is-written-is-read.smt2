; expect: proved
(declare-const a (Array Int Int))
(declare-const i Int)
(assert (not (= (select (store a i 7) i) 7)))
(check-sat)
