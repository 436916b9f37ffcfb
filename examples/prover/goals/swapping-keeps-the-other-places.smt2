; expect: proved
(declare-const a (Array Int Int))
(declare-const i Int)
(declare-const j Int)
(declare-const k Int)
(assert (distinct k i))
(assert (distinct k j))
(assert (not (= (select (swap a i j) k) (select a k))))
(check-sat)
