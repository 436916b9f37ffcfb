; expect: proved
(declare-const a Bool)
(declare-const b Bool)
(declare-const c Bool)
(assert (and (distinct a b) (distinct b c) (distinct c a)))
(check-sat)
