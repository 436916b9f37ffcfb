; expect: proved
(define-fun group-idempotents-are-one () Bool (forall ((x G)) (! (=> (= (mul x x) x) (= x one)) :pattern ((mul x x)))))
(assert group)
(assert (not group-idempotents-are-one))
(check-sat)
