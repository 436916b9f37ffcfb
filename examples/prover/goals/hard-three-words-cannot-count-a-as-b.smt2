; expect: proved
; Both sides hold the same letters but one: cvc5 compares, z3 unfolds.
(declare-const x String)
(declare-const y String)
(declare-const z String)
(assert (= (str.++ x y "a" z) (str.++ z "b" y x)))
(check-sat)
