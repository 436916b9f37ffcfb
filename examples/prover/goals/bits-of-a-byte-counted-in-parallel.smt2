; expect: proved
(declare-const x (_ BitVec 8))
(define-fun pairs () (_ BitVec 8) (bvsub x (bvand (bvlshr x #x01) #x55)))
(define-fun fours () (_ BitVec 8) (bvadd (bvand pairs #x33) (bvand (bvlshr pairs #x02) #x33)))
(define-fun all () (_ BitVec 8) (bvand (bvadd fours (bvlshr fours #x04)) #x0f))
(define-fun bit ((k (_ BitVec 8))) (_ BitVec 8) (bvand (bvlshr x k) #x01))
(assert (not (= all (bvadd (bit #x00) (bvadd (bit #x01) (bvadd (bit #x02) (bvadd (bit #x03)
  (bvadd (bit #x04) (bvadd (bit #x05) (bvadd (bit #x06) (bit #x07)))))))))))
(check-sat)
