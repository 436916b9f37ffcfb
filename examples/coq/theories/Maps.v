(** Total maps from numbers: what holds without comparing functions. *)

From Orchard Require Import Base Nats.

Definition map (A : Type) := nat -> A.

Definition empty {A} (a : A) : map A := fun _ => a.

Definition set {A} (m : map A) (x : nat) (a : A) : map A :=
  fun y => if same x y then a else m y.

Definition agree {A} (m n : map A) : Prop := forall x, m x = n x.

Lemma get_empty : forall A (a : A) x, empty a x = a.
Proof. reflexivity. Qed.

Lemma get_set : forall A (m : map A) x a, set m x a x = a.
Proof. intros. unfold set. now rewrite same_refl. Qed.

Lemma get_set_other : forall A (m : map A) x y a, x <> y -> set m x a y = m y.
Proof. intros A m x y a H. unfold set. apply same_neq in H. now rewrite H. Qed.

Lemma agree_refl : forall A (m : map A), agree m m.
Proof. red; auto. Qed.

Lemma agree_sym : forall A (m n : map A), agree m n -> agree n m.
Proof. unfold agree; auto. Qed.

Lemma agree_trans : forall A (m n o : map A), agree m n -> agree n o -> agree m o.
Proof. unfold agree. intros. now rewrite H. Qed.

Lemma set_agree : forall A (m n : map A) x a, agree m n -> agree (set m x a) (set n x a).
Proof. intros A m n x a H y. unfold set. destruct (same x y); auto. Qed.

Lemma set_shadow : forall A (m : map A) x a b, agree (set (set m x a) x b) (set m x b).
Proof. intros A m x a b y. unfold set. destruct (same x y); auto. Qed.

Lemma set_same : forall A (m : map A) x, agree (set m x (m x)) m.
Proof. intros A m x y. unfold set. cases (same x y); auto. apply same_eq in E. now subst. Qed.

Lemma set_swap : forall A (m : map A) x y a b,
  x <> y -> agree (set (set m x a) y b) (set (set m y b) x a).
Proof.
  intros A m x y a b H z. unfold set.
  cases (same y z); cases (same x z); auto.
  apply same_eq in E. apply same_eq in E0. congruence.
Qed.
