; expect: proved
(define-fun group-unwinds-from-the-left () Bool
  (forall ((x G) (y G)) (! (= (mul (inv x) (mul x y)) y) :pattern ((mul x y)))))
(assert group)
(assert (not group-unwinds-from-the-left))
(check-sat)
