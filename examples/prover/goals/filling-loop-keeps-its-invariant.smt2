; expect: proved
(declare-const a (Array Int Int))
(declare-const i Int)
(assert (forall ((k Int)) (=> (and (<= 0 k) (< k i)) (= (select a k) 0))))
(assert (not (forall ((k Int)) (=> (and (<= 0 k) (< k (+ i 1))) (= (select (store a i 0) k) 0)))))
(check-sat)
