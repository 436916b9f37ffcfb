; expect: proved
; z3 takes a while, cvc5 many times that.
(declare-const x (_ BitVec 32))
(declare-const y (_ BitVec 32))
(assert (not (= y #x00000000)))
(assert (not (bvule (bvudiv x y) x)))
(check-sat)
