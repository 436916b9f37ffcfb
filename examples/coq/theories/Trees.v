(** Binary trees: size, height, mirror image, and their inorder listing. *)

From Orchard Require Import Base Nats Sequences.

Inductive tree (A : Type) : Type :=
| leaf : tree A
| node : tree A -> A -> tree A -> tree A.
Arguments leaf {A}.
Arguments node {A} _ _ _.

Fixpoint size {A} (t : tree A) : nat :=
  match t with leaf => 0 | node l _ r => S (size l + size r) end.

Fixpoint most (n m : nat) : nat :=
  match n, m with
  | 0, _ => m
  | _, 0 => n
  | S n, S m => S (most n m)
  end.

Fixpoint height {A} (t : tree A) : nat :=
  match t with leaf => 0 | node l _ r => S (most (height l) (height r)) end.

Fixpoint mirror {A} (t : tree A) : tree A :=
  match t with leaf => leaf | node l x r => node (mirror r) x (mirror l) end.

Fixpoint inorder {A} (t : tree A) : list A :=
  match t with leaf => nil | node l x r => inorder l ++ x :: inorder r end.

Fixpoint inorder_onto {A} (t : tree A) (acc : list A) : list A :=
  match t with leaf => acc | node l x r => inorder_onto l (x :: inorder_onto r acc) end.

Lemma most_swap : forall n m, most n m = most m n.
Proof. induction n; intros [|m]; simpl; auto. Qed.

Lemma most_below_add : forall n m, below (most n m) (n + m) = true.
Proof.
  induction n; intros [|m]; simpl; auto.
  - apply below_same.
  - rewrite add_zero. apply below_same.
  - rewrite add_succ. apply below_succ, IHn.
Qed.

Section Facts.
  Context {A : Type}.
  Implicit Types t : tree A.

  Lemma mirror_twice : forall t, mirror (mirror t) = t.
  Proof. induction t; simpl; congruence. Qed.

  Lemma size_mirror : forall t, size (mirror t) = size t.
  Proof. induction t; simpl; auto. rewrite IHt1, IHt2. f_equal. apply add_swap. Qed.

  Lemma height_mirror : forall t, height (mirror t) = height t.
  Proof. induction t; simpl; auto. rewrite IHt1, IHt2. f_equal. apply most_swap. Qed.

  Lemma inorder_mirror : forall t, inorder (mirror t) = rev (inorder t).
  Proof.
    induction t; simpl; auto.
    rewrite IHt1, IHt2, rev_app. simpl. now rewrite app_group.
  Qed.

  Lemma length_inorder : forall t, length (inorder t) = size t.
  Proof. induction t; simpl; auto. rewrite length_app. simpl. rewrite add_succ. congruence. Qed.

  Lemma inorder_onto_is : forall t acc, inorder_onto t acc = inorder t ++ acc.
  Proof. induction t; simpl; intros; auto. now rewrite IHt2, IHt1, app_group. Qed.

  Lemma below_both : forall a b c d, below a b = true -> below c d = true -> below (a + c) (b + d) = true.
  Proof.
    induction a; simpl; intros b c d H K.
    - eapply below_trans; [exact K|]. rewrite add_swap. apply below_add.
    - destruct b; [discriminate|]. simpl. auto.
  Qed.

  Lemma height_below_size : forall t, below (height t) (size t) = true.
  Proof.
    induction t; simpl; auto.
    eapply below_trans; [apply most_below_add | now apply below_both].
  Qed.
End Facts.

Fixpoint grow (n : nat) : tree nat :=
  match n with 0 => leaf | S n => node (grow n) n (grow n) end.

Fixpoint power (n : nat) : nat := match n with 0 => 1 | S n => double (power n) end.

Theorem size_grow : forall n, S (size (grow n)) = power n.
Proof. induction n; simpl; auto. unfold double. rewrite <- IHn. simpl. now rewrite add_succ. Qed.
