(** From a condition over expressions to code that decides it: folding, compiling, comparing. *)

From Orchard Require Import Base Nats Maps Sequences Expr ExprFold ExprSubst Stack Compile CompileFold Conditions.

Definition decide (s : state) (test : nat -> nat -> bool) (a b : expr) : option bool :=
  bind (run s (compile_folded a ++ compile_folded b) nil) (fun k =>
    match k with y :: x :: nil => Some (test x y) | _ => None end).

Lemma decide_is : forall s test a b, decide s test a b = Some (test (eval s a) (eval s b)).
Proof.
  intros. unfold decide, compile_folded.
  rewrite compile_run, !eval_fold.
  rewrite <- (app_nil (compile (fold b))), compile_run, eval_fold. reflexivity.
Qed.

Fixpoint judge (s : state) (c : cond) : option bool :=
  match c with
  | Yes => Some true
  | No => Some false
  | AtMost a b => decide s below a b
  | Equal a b => decide s same a b
  | Not c => bind (judge s c) (fun b => Some (negb b))
  | Both c d => bind (judge s c) (fun a => bind (judge s d) (fun b => Some (andb a b)))
  end.

Theorem judge_correct : forall c s, judge s c = Some (holds s c).
Proof.
  induction c; simpl; intros; auto; rewrite ?decide_is; auto.
  - now rewrite IHc.
  - now rewrite IHc1, IHc2.
Qed.

Corollary judge_subst : forall s x d a b,
  judge s (AtMost (subst x d a) (subst x d b)) = judge (set s x (eval s d)) (AtMost a b).
Proof. intros. rewrite !judge_correct. simpl. now rewrite !eval_subst. Qed.
