; expect: proved
; uses: group-unit-from-the-right
(declare-const x G)
(declare-const y G)
(assert group-unit-from-the-right)
(assert group)
(assert (forall ((x G)) (= (mul x x) one)))
(assert (not (= (mul x y) (mul y x))))
(check-sat)
