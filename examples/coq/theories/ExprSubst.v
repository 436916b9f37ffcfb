(** Putting an expression in the place of a variable. *)

From Orchard Require Import Base Nats Maps Expr.

Fixpoint subst (x : nat) (d e : expr) : expr :=
  match e with
  | Num n => Num n
  | Var y => if same x y then d else Var y
  | Plus a b => Plus (subst x d a) (subst x d b)
  | Minus a b => Minus (subst x d a) (subst x d b)
  | Times a b => Times (subst x d a) (subst x d b)
  end.

Theorem eval_subst : forall e x d s, eval s (subst x d e) = eval (set s x (eval s d)) e.
Proof.
  induction e; simpl; intros; auto.
  unfold set. destruct (same x n); reflexivity.
Qed.

Lemma subst_absent : forall e x d, occurs x e = false -> subst x d e = e.
Proof.
  induction e; simpl; intros x d H; auto;
    try (apply orb_none in H as [Ha Hb]; rewrite IHe1, IHe2; auto).
  now rewrite H.
Qed.

Lemma subst_itself : forall e x, subst x (Var x) e = e.
Proof.
  induction e; simpl; intros; try congruence.
  cases (same x n); auto. apply same_eq in E. congruence.
Qed.

Lemma occurs_subst : forall e x d, occurs x d = false -> occurs x (subst x d e) = false.
Proof.
  induction e; simpl; intros x d H; auto; try (rewrite IHe1, IHe2; auto).
  cases (same x n); simpl; auto.
Qed.

Theorem subst_subst : forall e x y c d,
  x <> y -> occurs x d = false ->
  subst y d (subst x c e) = subst x (subst y d c) (subst y d e).
Proof.
  induction e; simpl; intros x y c d H O; auto; try (rewrite IHe1, IHe2; auto).
  cases (same x n).
  - apply same_eq in E. subst n. assert (same y x = false) as -> by (apply same_neq; congruence).
    simpl. now rewrite same_refl.
  - cases (same y n); simpl; [rewrite E0 | rewrite E, E0; reflexivity].
    now rewrite subst_absent.
Qed.
