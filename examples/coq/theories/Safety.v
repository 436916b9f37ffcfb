(** Typed terms do not get stuck and keep their types. *)

From Orchard Require Import Base Nats Maps Terms Typing.

Lemma truth_values : forall v, value v -> typed closed v Truth -> v = True' \/ v = False'.
Proof. intros v V T. inv V; inv T; auto. Qed.

Lemma function_values : forall v a b, value v -> typed closed v (Arrow a b) -> exists x t, v = Fun x a t.
Proof. intros v a b V T. inv V; inv T; eauto. Qed.

Lemma natural_values : forall v, value v -> typed closed v Natural -> v = Zero \/ exists u, v = Succ u /\ value u.
Proof. intros v V T. inv V; inv T; eauto. Qed.

Theorem progress : forall t a, typed closed t a -> value t \/ exists u, reduces t u.
Proof.
  intros t a T. remember closed as g eqn:G.
  induction T; subst; auto using value.
  - discriminate.
  - destruct IHT1 as [V|[f' R]]; auto; [|right; eauto using reduces].
    destruct IHT2 as [W|[t' R]]; auto; [|right; eauto using reduces].
    destruct (function_values _ _ _ V T1) as (x & b' & ->). right. eauto using reduces.
  - destruct IHT as [V|[t' R]]; auto using value. right. eauto using reduces.
  - destruct IHT as [V|[t' R]]; auto; [|right; eauto using reduces].
    destruct (natural_values _ V T) as [->|(u & -> & U)]; right; eauto using reduces.
  - destruct IHT1 as [V|[c' R]]; auto; [|right; eauto using reduces].
    destruct (truth_values _ V T1) as [->| ->]; right; eauto using reduces.
Qed.

Theorem preservation : forall t u, reduces t u -> forall a, typed closed t a -> typed closed u a.
Proof.
  induction 1; intros k K; inv K; eauto.
  inv H3. eapply substitution; eauto.
Qed.

Inductive reaches : term -> term -> Prop :=
| reaches_none : forall t, reaches t t
| reaches_more : forall t u w, reduces t u -> reaches u w -> reaches t w.

Theorem safety : forall t u a,
  typed closed t a -> reaches t u -> value u \/ exists w, reduces u w.
Proof. intros t u a T R. induction R; eauto using progress, preservation. Qed.
