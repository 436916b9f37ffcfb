(** Insertion sort sorts. *)

From Orchard Require Import Base Nats Sequences Permutations Sorted.

Fixpoint insert (x : nat) (l : list nat) : list nat :=
  match l with
  | nil => x :: nil
  | y :: m => if below x y then x :: l else y :: insert x m
  end.

Fixpoint insertion_sort (l : list nat) : list nat :=
  match l with nil => nil | x :: l => insert x (insertion_sort l) end.

Lemma insert_perm : forall x l, Perm (x :: l) (insert x l).
Proof.
  induction l; simpl; [apply perm_refl|].
  destruct (below x a); [apply perm_refl|].
  eapply perm_trans; [apply perm_swap | now apply perm_skip].
Qed.

Lemma insert_sorted : forall x l, Sorted l -> Sorted (insert x l).
Proof.
  induction l; simpl; intros H; auto.
  destruct H as [Ha H]. cases (below x a); simpl.
  - repeat split; auto. eapply at_least_All; eauto.
  - split; auto. eapply perm_All; [apply insert_perm|]. simpl. split; auto. now apply below_total.
Qed.

Theorem insertion_sort_sorts : sorts insertion_sort.
Proof.
  unfold sorts. induction l; simpl; [split; [exact I | constructor]|].
  destruct IHl as [S P]. split; [now apply insert_sorted|].
  eapply perm_trans; [apply perm_skip, P | apply insert_perm].
Qed.
