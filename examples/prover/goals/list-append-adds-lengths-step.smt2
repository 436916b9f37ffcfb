; expect: proved
; The step of an induction over the first list.
(declare-const x Int)
(declare-const l List)
(assert lists)
(assert (forall ((m List)) (! (= (len (app l m)) (+ (len l) (len m))) :pattern ((app l m)))))
(assert (not (forall ((m List)) (= (len (app (cons x l) m)) (+ (len (cons x l)) (len m))))))
(check-sat)
