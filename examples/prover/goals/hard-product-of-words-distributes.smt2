; expect: proved
; z3 multiplies out; cvc5 builds a circuit of 64 bits.
(declare-const x (_ BitVec 64))
(declare-const y (_ BitVec 64))
(assert (not (= (bvmul (bvadd x y) (bvsub x y)) (bvsub (bvmul x x) (bvmul y y)))))
(check-sat)
