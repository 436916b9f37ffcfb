; expect: proved
(declare-const a (Array Int Int))
(declare-const i Int)
(declare-const most Int)
(assert (forall ((k Int)) (=> (and (<= 0 k) (< k i)) (<= (select a k) most))))
(assert (not (forall ((k Int)) (=> (and (<= 0 k) (< k (+ i 1))) (<= (select a k) (largest most (select a i)))))))
(check-sat)
