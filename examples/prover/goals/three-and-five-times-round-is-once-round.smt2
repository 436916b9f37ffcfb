; expect: proved
(declare-sort S 0)
(declare-fun f (S) S)
(declare-const a S)
(assert (= (f (f (f a))) a))
(assert (= (f (f (f (f (f a))))) a))
(assert (not (= (f a) a)))
(check-sat)
