; expect: proved
; uses: group-inverse-from-the-right
(declare-const x G)
(declare-const y G)
(assert group-inverse-from-the-right)
(assert group)
(assert (not (= (mul x (mul (inv x) y)) y)))
(check-sat)
