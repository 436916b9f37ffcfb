(** Leaning heaps: merging keeps the least on top and loses nothing. *)

From Orchard Require Import Base Nats Sequences Permutations Sorted Trees SearchTrees.

Fixpoint Heap (t : tree nat) : Prop :=
  match t with
  | leaf => True
  | node l x r => AllT (at_least x) l /\ AllT (at_least x) r /\ Heap l /\ Heap r
  end.

(** The heavier side goes left. *)
Definition lean (l : tree nat) (x : nat) (r : tree nat) : tree nat :=
  if below (size r) (size l) then node l x r else node r x l.

Fixpoint meld (t : tree nat) : tree nat -> tree nat :=
  match t with
  | leaf => fun u => u
  | node l x r =>
      fix onto (u : tree nat) : tree nat :=
        match u with
        | leaf => t
        | node l' y r' => if below x y then lean l x (meld r u) else lean l' y (onto r')
        end
  end.

Lemma meld_leaf : forall t, meld t leaf = t.
Proof. destruct t; reflexivity. Qed.

Lemma meld_step : forall l x r l' y r',
  meld (node l x r) (node l' y r') =
  if below x y then lean l x (meld r (node l' y r')) else lean l' y (meld (node l x r) r').
Proof. reflexivity. Qed.

Lemma lean_AllT : forall (P : nat -> Prop) l x r, AllT P (lean l x r) <-> AllT P l /\ P x /\ AllT P r.
Proof. intros. unfold lean. destruct (below (size r) (size l)); simpl; tauto. Qed.

Lemma lean_Heap : forall l x r,
  AllT (at_least x) l -> AllT (at_least x) r -> Heap l -> Heap r -> Heap (lean l x r).
Proof. intros. unfold lean. destruct (below (size r) (size l)); simpl; tauto. Qed.

Lemma AllT_weaken : forall (P Q : nat -> Prop) t, (forall x, P x -> Q x) -> AllT P t -> AllT Q t.
Proof. induction t; simpl; intuition. Qed.

Lemma meld_AllT : forall (P : nat -> Prop) t u, AllT P t -> AllT P u -> AllT P (meld t u).
Proof.
  induction t as [|l IHl x r IHr]; [auto|].
  induction u as [|l' IHl' y r' IHr']; intros Ht Hu; [rewrite meld_leaf; auto|].
  rewrite meld_step. simpl in Ht. destruct (below x y); apply lean_AllT.
  - repeat split; try tauto. apply IHr; tauto.
  - simpl in Hu. repeat split; try tauto. apply IHr'; simpl; tauto.
Qed.

Theorem meld_Heap : forall t u, Heap t -> Heap u -> Heap (meld t u).
Proof.
  induction t as [|l IHl x r IHr]; [auto|].
  induction u as [|l' IHl' y r' IHr']; intros Ht Hu; [rewrite meld_leaf; auto|].
  rewrite meld_step. pose proof Ht as (L & R & Hl & Hr). pose proof Hu as (L' & R' & Hl' & Hr').
  assert (further : forall a b v, at_least a b -> AllT (at_least b) v -> AllT (at_least a) v).
  { intros a b v H. apply AllT_weaken. unfold at_least in *. intros. eapply below_trans; eauto. }
  cases (below x y).
  - apply lean_Heap; auto. apply meld_AllT; auto. simpl. repeat split; eauto.
  - apply below_total in E. apply lean_Heap; auto. apply meld_AllT; auto. simpl. repeat split; eauto.
Qed.

Lemma lean_perm : forall l x r, Perm (x :: inorder l ++ inorder r) (inorder (lean l x r)).
Proof.
  intros. unfold lean. destruct (below (size r) (size l)); simpl.
  - apply perm_middle.
  - eapply perm_trans; [|apply perm_middle]. apply perm_skip, perm_app_swap.
Qed.

Theorem meld_perm : forall t u, Perm (inorder t ++ inorder u) (inorder (meld t u)).
Proof.
  induction t as [|l IHl x r IHr]; [intros; apply perm_refl|].
  induction u as [|l' IHl' y r' IHr']; [rewrite meld_leaf; simpl; rewrite app_nil; apply perm_refl|].
  rewrite meld_step. destruct (below x y).
  - eapply perm_trans; [|apply lean_perm].
    eapply perm_trans; [apply perm_app_right, perm_sym, perm_middle|]. simpl.
    apply perm_skip. rewrite app_group. apply perm_app_left, (IHr (node l' y r')).
  - eapply perm_trans; [|apply lean_perm].
    eapply perm_trans; [apply perm_app_left, perm_sym, perm_middle|].
    eapply perm_trans; [apply perm_sym, perm_middle|]. apply perm_skip.
    rewrite <- app_group. eapply perm_trans; [apply perm_app_right, perm_app_swap|].
    rewrite app_group. apply perm_app_left, IHr'.
Qed.
