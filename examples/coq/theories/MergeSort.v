(** Merge sort, bottom up over a stack of sorted lists, sorts; and it is insertion sort. *)

From Orchard Require Import Base Nats Sequences Permutations Sorted InsertionSort.

Fixpoint merge (l : list nat) : list nat -> list nat :=
  match l with
  | nil => fun m => m
  | x :: l' =>
      fix onto (m : list nat) : list nat :=
        match m with
        | nil => x :: l'
        | y :: m' => if below x y then x :: merge l' m else y :: onto m'
        end
  end.

Lemma merge_step : forall x l y m,
  merge (x :: l) (y :: m) = if below x y then x :: merge l (y :: m) else y :: merge (x :: l) m.
Proof. reflexivity. Qed.

Lemma merge_nil : forall l, merge l nil = l.
Proof. destruct l; reflexivity. Qed.

Lemma merge_perm : forall l m, Perm (l ++ m) (merge l m).
Proof.
  induction l; [intros; apply perm_refl|].
  induction m; [rewrite merge_nil, app_nil; apply perm_refl|].
  rewrite merge_step. destruct (below a a0).
  - apply perm_skip, IHl.
  - eapply perm_trans; [apply perm_sym, (perm_middle _ a0 (a :: l) m) | apply perm_skip, IHm].
Qed.

Lemma merge_sorted : forall l m, Sorted l -> Sorted m -> Sorted (merge l m).
Proof.
  induction l; [auto|].
  induction m; intros Hl Hm; [rewrite merge_nil; auto|].
  rewrite merge_step. cases (below a a0).
  - destruct Hl as [Ha Hl]. split; [|now apply IHl].
    eapply perm_All; [apply merge_perm|]. apply All_app. split; auto.
    destruct Hm as [Hb Hm]. split; auto. eapply at_least_All; eauto.
  - destruct Hm as [Hb Hm]. split; [|now apply IHm].
    apply below_total in E.
    eapply perm_All; [apply merge_perm|]. apply All_app. split; auto.
    destruct Hl as [Ha Hl]. split; auto. eapply at_least_All; eauto.
Qed.

(** A stack like a binary number: at each place a list or none. *)
Fixpoint push (l : list nat) (stack : list (option (list nat))) : list (option (list nat)) :=
  match stack with
  | nil => Some l :: nil
  | None :: stack => Some l :: stack
  | Some m :: stack => None :: push (merge m l) stack
  end.

Fixpoint contents (stack : list (option (list nat))) : list nat :=
  match stack with
  | nil => nil
  | None :: stack => contents stack
  | Some l :: stack => l ++ contents stack
  end.

Definition piece_sorted (piece : option (list nat)) : Prop :=
  match piece with Some l => Sorted l | None => True end.

Lemma push_perm : forall stack l, Perm (l ++ contents stack) (contents (push l stack)).
Proof.
  induction stack as [|[m|] stack]; simpl; intros; [apply perm_refl| |apply perm_refl].
  eapply perm_trans; [|apply IHstack].
  rewrite <- app_group. apply perm_app_right.
  eapply perm_trans; [apply perm_app_swap | apply merge_perm].
Qed.

Lemma push_sorted : forall stack l,
  Sorted l -> All piece_sorted stack -> All piece_sorted (push l stack).
Proof.
  induction stack as [|[m|] stack]; simpl; intuition.
  apply IHstack; auto. now apply merge_sorted.
Qed.

Fixpoint push_all (l : list nat) (stack : list (option (list nat))) :=
  match l with nil => stack | x :: l => push_all l (push (x :: nil) stack) end.

Fixpoint merge_all (stack : list (option (list nat))) : list nat :=
  match stack with
  | nil => nil
  | None :: stack => merge_all stack
  | Some l :: stack => merge l (merge_all stack)
  end.

Definition merge_sort (l : list nat) : list nat := merge_all (push_all l nil).

Lemma push_all_perm : forall l stack, Perm (l ++ contents stack) (contents (push_all l stack)).
Proof.
  induction l; simpl; intros; [apply perm_refl|].
  eapply perm_trans; [|apply IHl].
  eapply perm_trans; [apply (perm_middle _ a l (contents stack))|].
  apply perm_app_left, (push_perm stack (a :: nil)).
Qed.

Lemma push_all_sorted : forall l stack, All piece_sorted stack -> All piece_sorted (push_all l stack).
Proof. induction l; simpl; intros; auto. apply IHl, push_sorted; simpl; auto. Qed.

Lemma merge_all_perm : forall stack, Perm (contents stack) (merge_all stack).
Proof.
  induction stack as [|[l|] stack]; simpl; auto; [constructor|].
  eapply perm_trans; [apply perm_app_left, IHstack | apply merge_perm].
Qed.

Lemma merge_all_sorted : forall stack, All piece_sorted stack -> Sorted (merge_all stack).
Proof. induction stack as [|[l|] stack]; simpl; intuition. now apply merge_sorted. Qed.

Theorem merge_sort_sorts : sorts merge_sort.
Proof.
  intros l. unfold merge_sort. split.
  - apply merge_all_sorted, push_all_sorted. exact I.
  - eapply perm_trans; [|apply merge_all_perm].
    rewrite <- (app_nil l) at 1. apply (push_all_perm l nil).
Qed.

Corollary merge_sort_is_insertion_sort : forall l, merge_sort l = insertion_sort l.
Proof. apply sorts_agree; [apply merge_sort_sorts | apply insertion_sort_sorts]. Qed.
