(** Running at once and running step by step are the same. *)

From Orchard Require Import Base Nats Maps Expr Conditions Programs SmallStep.

Theorem big_to_small : forall p s t, runs p s t -> steps (p, s) (Skip, t).
Proof.
  induction 1.
  - constructor.
  - eapply steps_more; [apply step_assign | constructor].
  - eapply steps_trans; [apply steps_seq; eauto|]. eapply steps_more; [apply step_next | auto].
  - econstructor; [constructor|]. now rewrite H.
  - econstructor; [constructor|]. now rewrite H.
  - econstructor; [constructor|]. econstructor; [constructor|]. rewrite H. constructor.
  - econstructor; [constructor|]. econstructor; [constructor|]. rewrite H.
    eapply steps_trans; [apply steps_seq; eauto|]. eapply steps_more; [apply step_next | auto].
Qed.

Lemma one_before : forall a b, step a b -> forall u, runs (fst b) (snd b) u -> runs (fst a) (snd a) u.
Proof.
  induction 1; simpl in *; intros u R.
  - inv R. constructor.
  - inv R. econstructor; eauto.
  - eapply runs_seq; [constructor | auto].
  - cases (holds s c); [apply runs_if_yes | apply runs_if_no]; auto.
  - inv R.
    + inv H5. eapply runs_while_go; eauto.
    + inv H5. now apply runs_while_end.
Qed.

Theorem small_to_big : forall p s t, steps (p, s) (Skip, t) -> runs p s t.
Proof.
  intros p s t H. remember (p, s) as a eqn:A. remember (Skip, t) as b eqn:B.
  revert p s A. induction H; intros p s A; subst.
  - inv A. constructor.
  - destruct b as [q u]. apply (one_before _ _ H). simpl. auto.
Qed.

Corollary same_semantics : forall p s t, runs p s t <-> steps (p, s) (Skip, t).
Proof. split; [apply big_to_small | apply small_to_big]. Qed.
