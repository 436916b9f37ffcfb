; expect: proved
; A knight tells the truth and a knave lies; each is one of them.
(declare-const knight Bool)
(assert (= knight (not knight)))
(check-sat)
