; expect: proved
(declare-const a (Array Int Int))
(declare-const i Int)
(declare-const j Int)
(assert (not (= (swap (swap a i j) i j) a)))
(check-sat)
