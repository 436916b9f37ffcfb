; expect: proved
; uses: group-inverse-from-the-right group-unit-from-the-right group-cancels-from-the-left
(declare-const x G)
(declare-const y G)
(assert group-inverse-from-the-right)
(assert group-unit-from-the-right)
(assert group-cancels-from-the-left)
(assert group)
(assert (not (= (inv (mul x y)) (mul (inv y) (inv x)))))
(check-sat)
