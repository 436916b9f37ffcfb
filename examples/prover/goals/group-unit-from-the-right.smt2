; expect: proved
; uses: group-inverse-from-the-right
(define-fun group-unit-from-the-right () Bool (forall ((x G)) (= (mul x one) x)))
(assert group-inverse-from-the-right)
(assert group)
(assert (not group-unit-from-the-right))
(check-sat)
