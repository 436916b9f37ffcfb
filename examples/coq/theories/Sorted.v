(** Sorted lists of numbers, and why a sorted permutation is unique. *)

From Orchard Require Import Base Nats Sequences Permutations.

Definition at_least (x y : nat) : Prop := below x y = true.

Fixpoint Sorted (l : list nat) : Prop :=
  match l with nil => True | x :: l => All (at_least x) l /\ Sorted l end.

Definition sorts (f : list nat -> list nat) : Prop :=
  forall l, Sorted (f l) /\ Perm l (f l).

Lemma at_least_All : forall x y l, at_least x y -> All (at_least y) l -> All (at_least x) l.
Proof. intros x y l H. apply All_weaken. unfold at_least in *. intros. eapply below_trans; eauto. Qed.

Lemma Sorted_app : forall l m,
  Sorted l -> Sorted m -> (forall x y, In x l -> In y m -> at_least x y) -> Sorted (l ++ m).
Proof.
  induction l; simpl; intros m Hl Hm H; auto.
  destruct Hl as [Ha Hl]. split.
  - apply All_app. split; auto. apply All_In. intros. apply H; auto.
  - apply IHl; auto.
Qed.

Lemma head_least : forall x y l m,
  Sorted (x :: l) -> Perm (x :: l) (y :: m) -> at_least x y.
Proof.
  intros x y l m [H _] P.
  assert (In y (x :: l)) as [->|I] by (eapply perm_In; [apply perm_sym, P | simpl; auto]).
  - apply below_same.
  - eapply All_In in H; eauto.
Qed.

Lemma count_tail : forall x l m, (forall n, count n (x :: l) = count n (x :: m)) -> forall n, count n l = count n m.
Proof.
  intros x l m H n. specialize (H n). simpl in H.
  destruct (same n x); simpl in H; congruence.
Qed.

Lemma count_positive : forall x l, count x (x :: l) = S (count x l).
Proof. intros. simpl. now rewrite same_refl. Qed.

Lemma count_In : forall n l k, count n l = S k -> In n l.
Proof.
  induction l; simpl; intros; [discriminate|].
  cases (same n a); [left; symmetry; now apply same_eq | right; eauto].
Qed.

Theorem sorted_by_count : forall l m,
  Sorted l -> Sorted m -> (forall n, count n l = count n m) -> l = m.
Proof.
  induction l; intros [|b m] Hl Hm H; auto.
  - specialize (H b). rewrite count_positive in H. discriminate.
  - specialize (H a). rewrite count_positive in H. discriminate.
  - assert (a = b).
    { apply below_anti.
      - assert (In b (a :: l)) as [->|I] by (eapply count_In; rewrite H; apply count_positive).
        + apply below_same.
        + destruct Hl as [Hl _]. apply (proj1 (All_In _ l) Hl); auto.
      - assert (In a (b :: m)) as [->|I] by (eapply count_In; rewrite <- H; apply count_positive).
        + apply below_same.
        + destruct Hm as [Hm _]. apply (proj1 (All_In _ m) Hm); auto. }
    subst. f_equal. apply IHl; simpl in *; intuition. now apply count_tail with b.
Qed.

Corollary sorts_agree : forall f g, sorts f -> sorts g -> forall l, f l = g l.
Proof.
  intros f g F G l. destruct (F l) as [Sf Pf], (G l) as [Sg Pg].
  apply sorted_by_count; auto.
  intros. rewrite <- (perm_count _ _ Pf). apply perm_count; auto.
Qed.
