; expect: proved
(declare-const a (Array Int Int))
(declare-const b (Array Int Int))
(assert (forall ((i Int)) (= (select a i) (select b i))))
(assert (not (= a b)))
(check-sat)
