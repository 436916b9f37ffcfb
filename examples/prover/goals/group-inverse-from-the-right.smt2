; expect: proved
; uses: group-idempotents-are-one
(define-fun group-inverse-from-the-right () Bool (forall ((x G)) (= (mul x (inv x)) one)))
(assert group-idempotents-are-one)
(assert group)
(assert (not group-inverse-from-the-right))
(check-sat)
