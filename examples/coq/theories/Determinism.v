(** A program that ends does so in one state. *)

From Orchard Require Import Base Nats Maps Expr Conditions Programs.

Theorem runs_once : forall p s t, runs p s t -> forall u, runs p s u -> t = u.
Proof.
  induction 1; intros v R; inv R; auto; try congruence.
  - assert (t = t0) by auto. subst. auto.
  - assert (t = t0) by auto. subst. auto.
Qed.

Corollary equivalent_ends : forall p q s t u,
  equivalent p q -> runs p s t -> runs q s u -> t = u.
Proof. intros p q s t u E P Q. apply E in P. eapply runs_once; eauto. Qed.

Corollary not_both : forall p s t u x, runs p s t -> runs p s u -> t x <> u x -> False.
Proof. intros. apply H1. now rewrite (runs_once _ _ _ H _ H0). Qed.
