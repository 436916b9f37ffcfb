; expect: proved
(declare-const x (_ BitVec 32))
(declare-const y (_ BitVec 32))
(assert (not (= (bvnot (bvand x y)) (bvor (bvnot x) (bvnot y)))))
(check-sat)
