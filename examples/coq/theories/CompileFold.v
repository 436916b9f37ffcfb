(** Folding before compiling: the same answer from code that is not longer. *)

From Orchard Require Import Base Nats Maps Sequences Expr ExprFold Stack Compile.

Definition compile_folded (e : expr) : list instruction := compile (fold e).

Theorem compile_folded_correct : forall e s, run s (compile_folded e) nil = Some (eval s e :: nil).
Proof. intros. unfold compile_folded. now rewrite compile_correct, eval_fold. Qed.

Theorem compile_folded_same : forall e s, run s (compile_folded e) nil = run s (compile e) nil.
Proof. intros. now rewrite compile_folded_correct, compile_correct. Qed.

Theorem compile_folded_short : forall e,
  below (length (compile_folded e)) (length (compile e)) = true.
Proof. intros. unfold compile_folded. rewrite !length_compile. apply weight_fold. Qed.

(** A large expression at work: a polynomial by Horner's scheme. *)
Fixpoint horner (n : nat) : expr :=
  match n with
  | 0 => Num 1
  | S n => Plus (Times (horner n) (Var 0)) (Plus (Num n) (Num 0))
  end.

Example folded_is_shorter :
  below (S (length (compile_folded (horner 200)))) (length (compile (horner 200))) = true.
Proof. vm_compute. reflexivity. Qed.

Example runs : run (set (empty 0) 0 2) (compile_folded (horner 10)) nil = Some (2037 :: nil).
Proof. vm_compute. reflexivity. Qed.
