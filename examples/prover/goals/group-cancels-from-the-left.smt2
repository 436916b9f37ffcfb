; expect: proved
; uses: group-unwinds-from-the-left
(define-fun group-cancels-from-the-left () Bool (forall ((x G) (y G) (z G)) (=> (= (mul x y) (mul x z)) (= y z))))
(assert group-unwinds-from-the-left)
(assert (not group-cancels-from-the-left))
(check-sat)
