; expect: proved
(declare-const l Tree)
(declare-const r Tree)
(declare-const k Int)
(assert trees)
(assert (= (mirror (mirror l)) l))
(assert (= (mirror (mirror r)) r))
(assert (not (= (mirror (mirror (node l k r))) (node l k r))))
(check-sat)
