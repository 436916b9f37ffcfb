; expect: refuted ((lo 4) (hi 5))
; show: lo hi
; Rounded up, the middle of two neighbours is the upper one: the search would never end.
(declare-const lo Int)
(declare-const hi Int)
(assert (and (< lo hi) (= lo 4)))
(assert (not (< (div (+ lo hi 1) 2) hi)))
(check-sat)
