(** The same language step by step. *)

From Orchard Require Import Base Nats Maps Expr Conditions Programs.

Inductive step : program * state -> program * state -> Prop :=
| step_assign : forall s x e, step (Assign x e, s) (Skip, set s x (eval s e))
| step_seq : forall p p' q s t, step (p, s) (p', t) -> step (Seq p q, s) (Seq p' q, t)
| step_next : forall q s, step (Seq Skip q, s) (q, s)
| step_if : forall c p q s, step (If c p q, s) (if holds s c then p else q, s)
| step_while : forall c p s, step (While c p, s) (If c (Seq p (While c p)) Skip, s).

Inductive steps : program * state -> program * state -> Prop :=
| steps_none : forall a, steps a a
| steps_more : forall a b c, step a b -> steps b c -> steps a c.

Lemma steps_trans : forall a b c, steps a b -> steps b c -> steps a c.
Proof. induction 1; intros; auto. econstructor; eauto. Qed.

Lemma steps_seq : forall p q p' s t, steps (p, s) (p', t) -> steps (Seq p q, s) (Seq p' q, t).
Proof.
  intros p q p' s t H. remember (p, s) as a eqn:A. remember (p', t) as b eqn:B.
  revert p s A. induction H; intros; subst.
  - inv A. constructor.
  - destruct b as [r u]. econstructor; [apply step_seq; eauto | auto].
Qed.

Theorem step_once : forall a b, step a b -> forall c, step a c -> b = c.
Proof.
  induction 1; intros d D; inv D; auto.
  - apply IHstep in H4. congruence.
  - inv H.
  - inv H3.
Qed.

Theorem not_stuck : forall p s, p = Skip \/ exists b, step (p, s) b.
Proof.
  induction p; intros s; auto; right; try solve [eexists; econstructor].
  destruct (IHp1 s) as [->|[[p' t] H]]; eexists; [apply step_next | apply step_seq, H].
Qed.
