; expect: vacuous empty not-empty
; `pop` was given the caller's condition and, by a slip, that of `push` on a queue of one place.
(declare-const size-now Int)
(declare-const places Int)
(assert (! (>= places 1) :named has-places))
(assert (! (<= 0 size-now places) :named within))
(assert (! (> size-now 0) :named not-empty))
(assert (! (= size-now 0) :named empty))
(check-sat)
(assert (! (not (= (- size-now 1) places)) :named goal))
(check-sat)
