; expect: proved
(declare-const x (_ BitVec 64))
(assert (not (= (bvneg x) (bvadd (bvnot x) #x0000000000000001))))
(check-sat)
