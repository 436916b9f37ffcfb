(** Search trees of numbers: the invariant, insertion, membership. *)

From Orchard Require Import Base Nats Sequences Permutations Sorted Trees.

Fixpoint AllT (P : nat -> Prop) (t : tree nat) : Prop :=
  match t with leaf => True | node l x r => AllT P l /\ P x /\ AllT P r end.

Fixpoint Search (t : tree nat) : Prop :=
  match t with
  | leaf => True
  | node l x r => AllT (fun y => at_least y x) l /\ AllT (at_least x) r /\ Search l /\ Search r
  end.

Fixpoint plant (x : nat) (t : tree nat) : tree nat :=
  match t with
  | leaf => node leaf x leaf
  | node l y r => if below x y then node (plant x l) y r else node l y (plant x r)
  end.

Lemma AllT_inorder : forall (P : nat -> Prop) t, AllT P t <-> All P (inorder t).
Proof.
  induction t as [|t1 IHt1 n t2 IHt2]; simpl; [tauto|].
  rewrite IHt1, IHt2, All_app. simpl. tauto.
Qed.

Lemma plant_AllT : forall (P : nat -> Prop) x t, P x -> AllT P t -> AllT P (plant x t).
Proof. induction t as [|t1 IHt1 n t2 IHt2]; simpl; intros; [tauto|]. destruct (below x n); simpl; tauto. Qed.

Theorem plant_Search : forall x t, Search t -> Search (plant x t).
Proof.
  induction t as [|t1 IHt1 n t2 IHt2]; simpl; [tauto|]. intros (L & R & Sl & Sr).
  cases (below x n); simpl; repeat split; auto.
  - apply plant_AllT; auto.
  - apply plant_AllT; auto. now apply below_total.
Qed.

Theorem plant_perm : forall x t, Perm (x :: inorder t) (inorder (plant x t)).
Proof.
  induction t as [|t1 IHt1 n t2 IHt2]; simpl; [apply perm_refl|].
  destruct (below x n); simpl.
  - apply (perm_app_right _ (x :: inorder t1)), IHt1.
  - eapply perm_trans; [apply perm_middle|]. apply perm_app_left.
    eapply perm_trans; [apply perm_swap|]. apply perm_skip, IHt2.
Qed.

Theorem Search_sorted : forall t, Search t -> Sorted (inorder t).
Proof.
  induction t as [|t1 IHt1 n t2 IHt2]; simpl; auto. intros (L & R & Sl & Sr).
  rewrite AllT_inorder in L, R.
  apply Sorted_app; simpl; auto.
  intros x y Hx [<-|Hy].
  - eapply All_In in L; eauto.
  - eapply All_In in L; eauto. eapply All_In in R; eauto.
    unfold at_least in *. eapply below_trans; eauto.
Qed.

Fixpoint member (x : nat) (t : tree nat) : bool :=
  match t with
  | leaf => false
  | node l y r => if same x y then true else if below x y then member x l else member x r
  end.

Theorem member_In : forall x t, Search t -> (member x t = true <-> In x (inorder t)).
Proof.
  induction t as [|t1 IHt1 n t2 IHt2]; simpl; [intuition discriminate|]. intros (L & R & Sl & Sr).
  rewrite AllT_inorder in L, R. rewrite In_app. simpl.
  cases (same x n).
  - apply same_eq in E. subst. tauto.
  - apply same_neq in E. cases (below x n).
    + rewrite IHt1; auto. split; [tauto|]. intros [H|[H|H]]; auto; [congruence|].
      eapply All_In in R; eauto. elim E. apply below_anti; auto.
    + rewrite IHt2; auto. split; [tauto|]. intros [H|[H|H]]; auto; [|congruence].
      eapply All_In in L; eauto. unfold at_least in L. congruence.
Qed.
