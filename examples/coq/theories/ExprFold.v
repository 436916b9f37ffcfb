(** Folding constants and dropping what does nothing: the meaning stays, the weight never grows. *)

From Orchard Require Import Base Nats Maps Expr.

Definition smart_plus (a b : expr) : expr :=
  match a, b with
  | Num n, Num m => Num (n + m)
  | Num 0, b => b
  | a, Num 0 => a
  | a, b => Plus a b
  end.

Definition smart_minus (a b : expr) : expr :=
  match a, b with
  | Num n, Num m => Num (n - m)
  | a, Num 0 => a
  | a, b => Minus a b
  end.

Definition smart_times (a b : expr) : expr :=
  match a, b with
  | Num n, Num m => Num (n * m)
  | Num 0, _ => Num 0
  | _, Num 0 => Num 0
  | Num 1, b => b
  | a, Num 1 => a
  | a, b => Times a b
  end.

Fixpoint fold (e : expr) : expr :=
  match e with
  | Num n => Num n
  | Var x => Var x
  | Plus a b => smart_plus (fold a) (fold b)
  | Minus a b => smart_minus (fold a) (fold b)
  | Times a b => smart_times (fold a) (fold b)
  end.

Lemma minus_zero : forall n, n - 0 = n.
Proof. destruct n; reflexivity. Qed.

Lemma eval_smart_plus : forall s a b, eval s (smart_plus a b) = eval s a + eval s b.
Proof.
  intros s a b. unfold smart_plus.
  destruct a as [[|n]| | | |]; destruct b as [[|m]| | | |]; simpl; rewrite ?add_zero; reflexivity.
Qed.

Lemma eval_smart_minus : forall s a b, eval s (smart_minus a b) = eval s a - eval s b.
Proof.
  intros s a b. unfold smart_minus.
  destruct a as [n| | | |]; destruct b as [[|m]| | | |]; simpl; rewrite ?minus_zero; reflexivity.
Qed.

Lemma eval_smart_times : forall s a b, eval s (smart_times a b) = eval s a * eval s b.
Proof.
  intros s a b. unfold smart_times.
  destruct a as [[|[|n]]| | | |]; destruct b as [[|[|m]]| | | |];
    simpl; rewrite ?mul_zero, ?mul_one, ?add_zero; reflexivity.
Qed.

Theorem eval_fold : forall e s, eval s (fold e) = eval s e.
Proof.
  induction e; simpl; intros; auto.
  - now rewrite eval_smart_plus, IHe1, IHe2.
  - now rewrite eval_smart_minus, IHe1, IHe2.
  - now rewrite eval_smart_times, IHe1, IHe2.
Qed.

Lemma below_both : forall a b c d, below a b = true -> below c d = true -> below (a + c) (b + d) = true.
Proof.
  induction a; simpl; intros b c d H K.
  - eapply below_trans; [exact K|]. rewrite add_swap. apply below_add.
  - destruct b; [discriminate|]. simpl. auto.
Qed.

Definition bound (f : expr -> expr -> expr) : Prop :=
  forall a b, below (weight (f a b)) (S (weight a + weight b)) = true.

Ltac light :=
  first [ reflexivity
        | apply below_same
        | apply below_succ, below_succ, below_same
        | apply below_succ; rewrite ?add_succ, ?add_zero; apply below_succ, below_same ].

Lemma weight_smart_plus : bound smart_plus.
Proof.
  intros a b. unfold smart_plus.
  destruct a as [[|n]| | | |]; destruct b as [[|m]| | | |]; simpl; try reflexivity;
    rewrite ?add_succ, ?add_zero; light.
Qed.

Lemma weight_smart_minus : bound smart_minus.
Proof.
  intros a b. unfold smart_minus.
  destruct a as [n| | | |]; destruct b as [[|m]| | | |]; simpl; try reflexivity;
    rewrite ?add_succ, ?add_zero; light.
Qed.

Lemma weight_smart_times : bound smart_times.
Proof.
  intros a b. unfold smart_times.
  destruct a as [[|[|n]]| | | |]; destruct b as [[|[|m]]| | | |]; simpl; try reflexivity;
    rewrite ?add_succ, ?add_zero; light.
Qed.

Theorem weight_fold : forall e, below (weight (fold e)) (weight e) = true.
Proof.
  induction e; simpl; auto.
  - eapply below_trans; [apply weight_smart_plus | now apply (below_both _ _ _ _ IHe1)].
  - eapply below_trans; [apply weight_smart_minus | now apply (below_both _ _ _ _ IHe1)].
  - eapply below_trans; [apply weight_smart_times | now apply (below_both _ _ _ _ IHe1)].
Qed.
