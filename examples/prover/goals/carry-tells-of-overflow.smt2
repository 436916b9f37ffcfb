; expect: proved
(declare-const x (_ BitVec 32))
(declare-const y (_ BitVec 32))
(assert (not (= (bvult (bvadd x y) x) (= ((_ extract 32 32) (bvadd ((_ zero_extend 1) x) ((_ zero_extend 1) y))) #b1))))
(check-sat)
