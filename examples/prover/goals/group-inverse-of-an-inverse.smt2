; expect: proved
; uses: group-inverse-from-the-right group-cancels-from-the-left
(define-fun group-inverse-of-an-inverse () Bool (forall ((x G)) (= (inv (inv x)) x)))
(assert group-inverse-from-the-right)
(assert group-cancels-from-the-left)
(assert group)
(assert (not group-inverse-of-an-inverse))
(check-sat)
