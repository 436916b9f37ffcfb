; expect: proved
(declare-const hour Int)
(declare-const rounds Int)
(assert (not (= (mod hour 12) (mod (+ hour (* 12 rounds)) 12))))
(check-sat)
