; expect: proved
(declare-sort S 0)
(declare-fun drinks (S) Bool)
(assert (not (exists ((x S)) (=> (drinks x) (forall ((y S)) (drinks y))))))
(check-sat)
