; expect: refuted ((i 3) (j 3))
; show: i j
; Swapping by adding and subtracting loses the value when both places are one.
(declare-const a (Array Int Int))
(declare-const i Int)
(declare-const j Int)
(define-fun b () (Array Int Int) (store a i (+ (select a i) (select a j))))
(define-fun c () (Array Int Int) (store b j (- (select b i) (select b j))))
(define-fun d () (Array Int Int) (store c i (- (select c i) (select c j))))
(assert (and (= i 3) (= (select a i) 1)))
(assert (not (= d (swap a i j))))
(check-sat)
