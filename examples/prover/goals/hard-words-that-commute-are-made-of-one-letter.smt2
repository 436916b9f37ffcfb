; expect: proved
; cvc5 sees at once that `a` would have to be `b`; z3 unfolds the words for ever.
(declare-const x String)
(declare-const y String)
(assert (= (str.++ x "a" y) (str.++ y "b" x)))
(check-sat)
