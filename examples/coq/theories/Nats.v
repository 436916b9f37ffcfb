(** Natural numbers from their definition: addition, order as a boolean, parity. *)

From Orchard Require Import Base.

Lemma add_zero : forall n, n + 0 = n.
Proof. induction n; simpl; congruence. Qed.

Lemma add_succ : forall n m, n + S m = S (n + m).
Proof. induction n; simpl; intros; congruence. Qed.

Lemma add_swap : forall n m, n + m = m + n.
Proof. induction n; simpl; intros; [now rewrite add_zero | rewrite add_succ; congruence]. Qed.

Lemma add_group : forall a b c, a + b + c = a + (b + c).
Proof. induction a; simpl; intros; congruence. Qed.

Lemma mul_zero : forall n, n * 0 = 0.
Proof. induction n; auto. Qed.

Lemma mul_one : forall n, n * 1 = n.
Proof. induction n; simpl; congruence. Qed.

Fixpoint below (n m : nat) : bool :=
  match n, m with
  | 0, _ => true
  | S _, 0 => false
  | S n, S m => below n m
  end.

Lemma below_same : forall n, below n n = true.
Proof. induction n; auto. Qed.

Lemma below_trans : forall a b c, below a b = true -> below b c = true -> below a c = true.
Proof. induction a; intros [|b] [|c]; simpl; intros; try discriminate; eauto. Qed.

Lemma below_total : forall a b, below a b = false -> below b a = true.
Proof. induction a; intros [|b]; simpl; intros; try discriminate; auto. Qed.

Lemma below_anti : forall a b, below a b = true -> below b a = true -> a = b.
Proof. induction a; intros [|b]; simpl; intros; try discriminate; auto using f_equal. Qed.

Lemma below_succ : forall n m, below n m = true -> below n (S m) = true.
Proof. induction n; intros [|m]; simpl; intros; try discriminate; auto. Qed.

Lemma below_add : forall n m, below n (n + m) = true.
Proof. induction n; simpl; auto. Qed.

Fixpoint same (n m : nat) : bool :=
  match n, m with
  | 0, 0 => true
  | S n, S m => same n m
  | _, _ => false
  end.

Lemma same_refl : forall n, same n n = true.
Proof. induction n; auto. Qed.

Lemma same_eq : forall n m, same n m = true <-> n = m.
Proof.
  split; [|intros ->; apply same_refl].
  revert m; induction n; intros [|m]; simpl; intros; try discriminate; auto using f_equal.
Qed.

Lemma same_neq : forall n m, same n m = false <-> n <> m.
Proof.
  split.
  - intros H E. subst. rewrite same_refl in H. discriminate.
  - intros H. cases (same n m); auto. apply same_eq in E. contradiction.
Qed.

Fixpoint even (n : nat) : bool :=
  match n with 0 => true | S n => negb (even n) end.

Lemma even_add : forall n m, even (n + m) = if even n then even m else negb (even m).
Proof.
  induction n; simpl; intros; auto.
  rewrite IHn. destruct (even n), (even m); reflexivity.
Qed.

Definition double n := n + n.

Lemma double_even : forall n, even (double n) = true.
Proof. intros n. unfold double. rewrite even_add. destruct (even n) eqn:E; rewrite ?E; reflexivity. Qed.

Lemma double_succ : forall n, double (S n) = S (S (double n)).
Proof. intros. unfold double. simpl. now rewrite add_succ. Qed.
