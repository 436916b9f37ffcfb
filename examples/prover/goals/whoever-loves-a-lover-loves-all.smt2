; expect: proved
; Everybody loves whoever loves somebody; one love is enough for all.
(declare-sort S 0)
(declare-fun loves (S S) Bool)
(declare-const romeo S)
(declare-const juliet S)
(declare-const anna S)
(declare-const bert S)
(assert (forall ((x S) (y S) (z S)) (=> (loves y z) (loves x y))))
(assert (loves romeo juliet))
(assert (not (loves anna bert)))
(check-sat)
