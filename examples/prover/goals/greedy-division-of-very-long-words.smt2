; expect: resource
; megabytes: 150
; True for any words, but both solvers write down a dividing circuit for 12,000 bits first.
(declare-const x (_ BitVec 12000))
(declare-const y (_ BitVec 12000))
(assert (not (= (bvurem x y) (bvsub x (bvmul y (bvudiv x y))))))
(check-sat)
