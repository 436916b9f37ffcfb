(** Two lists with the same elements, in whatever order. *)

From Orchard Require Import Base Nats Sequences.

Inductive Perm {A} : list A -> list A -> Prop :=
| perm_nil : Perm nil nil
| perm_skip : forall x l m, Perm l m -> Perm (x :: l) (x :: m)
| perm_swap : forall x y l, Perm (x :: y :: l) (y :: x :: l)
| perm_trans : forall l m k, Perm l m -> Perm m k -> Perm l k.

Lemma perm_refl : forall A (l : list A), Perm l l.
Proof. induction l; constructor; auto. Qed.

Lemma perm_sym : forall A (l m : list A), Perm l m -> Perm m l.
Proof. induction 1; eauto using @Perm. Qed.

Lemma perm_app_left : forall A (k l m : list A), Perm l m -> Perm (k ++ l) (k ++ m).
Proof. induction k; simpl; intros; [auto | apply perm_skip; auto]. Qed.

Lemma perm_app_right : forall A (l m k : list A), Perm l m -> Perm (l ++ k) (m ++ k).
Proof. induction 1; simpl; eauto using @Perm, perm_refl. Qed.

Lemma perm_app : forall A (l l' m m' : list A), Perm l l' -> Perm m m' -> Perm (l ++ m) (l' ++ m').
Proof. intros. eapply perm_trans; [apply perm_app_right | apply perm_app_left]; eauto. Qed.

Lemma perm_middle : forall A (x : A) l m, Perm (x :: l ++ m) (l ++ x :: m).
Proof.
  induction l; simpl; intros; [apply perm_refl|].
  eapply perm_trans; [apply perm_swap | apply perm_skip, IHl].
Qed.

Lemma perm_app_swap : forall A (l m : list A), Perm (l ++ m) (m ++ l).
Proof.
  induction l; simpl; intros; [rewrite app_nil; apply perm_refl|].
  eapply perm_trans; [apply perm_skip, IHl | apply perm_middle].
Qed.

Lemma perm_rev : forall A (l : list A), Perm l (rev l).
Proof.
  induction l; simpl; [constructor|].
  eapply perm_trans; [apply perm_skip, IHl|].
  apply (perm_app_swap A (a :: nil) (rev l)).
Qed.

Lemma perm_length : forall A (l m : list A), Perm l m -> length l = length m.
Proof. induction 1; simpl; congruence. Qed.

Lemma perm_In : forall A (l m : list A) x, Perm l m -> In x l -> In x m.
Proof. induction 1; simpl; intuition. Qed.

Lemma perm_All : forall A (P : A -> Prop) l m, Perm l m -> All P l -> All P m.
Proof. intros. apply All_In. intros. eapply All_In; eauto. eapply perm_In; [apply perm_sym|]; eauto. Qed.

(** How often a number is in a list; what a permutation keeps. *)
Fixpoint count (n : nat) (l : list nat) : nat :=
  match l with nil => 0 | m :: l => (if same n m then 1 else 0) + count n l end.

Lemma count_app : forall n l m, count n (l ++ m) = count n l + count n m.
Proof. induction l; simpl; intros; auto. now rewrite IHl, add_group. Qed.

Lemma perm_count : forall l m, Perm l m -> forall n, count n l = count n m.
Proof.
  induction 1 as [|x l m _ IH|x y l|l m k _ IH _ IH']; simpl; intros n; [reflexivity| | |].
  - now rewrite IH.
  - rewrite <- !add_group. f_equal. apply add_swap.
  - now rewrite IH.
Qed.
