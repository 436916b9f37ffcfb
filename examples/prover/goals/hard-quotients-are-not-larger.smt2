; expect: proved
; z3 takes a while, cvc5 many times that.
(declare-const x (_ BitVec 24))
(declare-const y (_ BitVec 24))
(assert (not (= y #x000000)))
(assert (not (bvule (bvudiv x y) x)))
(check-sat)
