(** Folds: from the left, from the right, and when they are the same. *)

From Orchard Require Import Base Nats Sequences Permutations.

Fixpoint fold_right {A B} (f : A -> B -> B) (b : B) (l : list A) : B :=
  match l with nil => b | x :: l => f x (fold_right f b l) end.

Fixpoint fold_left {A B} (f : B -> A -> B) (l : list A) (b : B) : B :=
  match l with nil => b | x :: l => fold_left f l (f b x) end.

Lemma fold_right_app : forall A B (f : A -> B -> B) b l m,
  fold_right f b (l ++ m) = fold_right f (fold_right f b m) l.
Proof. induction l; simpl; intros; congruence. Qed.

Lemma fold_left_app : forall A B (f : B -> A -> B) l m b,
  fold_left f (l ++ m) b = fold_left f m (fold_left f l b).
Proof. induction l; simpl; auto. Qed.

Theorem fold_left_rev : forall A B (f : B -> A -> B) l b,
  fold_left f l b = fold_right (fun x y => f y x) b (rev l).
Proof. induction l; simpl; intros; auto. now rewrite IHl, fold_right_app. Qed.

Section Monoid.
  Context {A : Type} (op : A -> A -> A) (one : A).
  Hypothesis op_group : forall a b c, op (op a b) c = op a (op b c).
  Hypothesis one_left : forall a, op one a = a.
  Hypothesis one_right : forall a, op a one = a.

  Lemma fold_left_out : forall l a, fold_left op l a = op a (fold_left op l one).
  Proof.
    induction l; simpl; intros; [now rewrite one_right|].
    rewrite (IHl (op a0 a)), (IHl (op one a)), one_left. apply op_group.
  Qed.

  Theorem folds_agree : forall l, fold_left op l one = fold_right op one l.
  Proof. induction l; simpl; auto. now rewrite fold_left_out, one_left, IHl. Qed.

  Theorem fold_perm : (forall a b, op a b = op b a) ->
    forall l m, Perm l m -> fold_right op one l = fold_right op one m.
  Proof.
    intros swap. induction 1; simpl; congruence.
  Qed.
End Monoid.

Definition sum := fold_right Nat.add 0.

Theorem sum_perm : forall l m, Perm l m -> sum l = sum m.
Proof. apply fold_perm; intros; auto using add_group, add_swap. Qed.

Theorem sum_left : forall l, fold_left Nat.add l 0 = sum l.
Proof. apply folds_agree; intros; auto using add_group, add_zero. Qed.

Theorem sum_rev : forall l, sum (rev l) = sum l.
Proof. intros. apply sum_perm, perm_sym, perm_rev. Qed.
