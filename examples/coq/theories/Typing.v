(** Which terms have which types, and the lemma of substitution. *)

From Orchard Require Import Base Nats Maps Terms.

Definition context := map (option type).

Definition closed : context := empty None.

Inductive typed : context -> term -> type -> Prop :=
| t_name : forall g x a, g x = Some a -> typed g (Name x) a
| t_fun : forall g x a t b, typed (set g x (Some a)) t b -> typed g (Fun x a t) (Arrow a b)
| t_app : forall g f t a b, typed g f (Arrow a b) -> typed g t a -> typed g (App f t) b
| t_zero : forall g, typed g Zero Natural
| t_succ : forall g t, typed g t Natural -> typed g (Succ t) Natural
| t_positive : forall g t, typed g t Natural -> typed g (Positive t) Truth
| t_true : forall g, typed g True' Truth
| t_false : forall g, typed g False' Truth
| t_cond : forall g c t u a, typed g c Truth -> typed g t a -> typed g u a -> typed g (Cond c t u) a.

#[export] Hint Constructors typed : core.

Definition inside (g h : context) : Prop := forall x a, g x = Some a -> h x = Some a.

Lemma inside_set : forall g h x a, inside g h -> inside (set g x a) (set h x a).
Proof. intros g h x a I y b. unfold set. destruct (same x y); auto. Qed.

Lemma weakening : forall g t a, typed g t a -> forall h, inside g h -> typed h t a.
Proof. induction 1; intros h I; eauto using inside_set. Qed.

Lemma of_closed : forall t a g, typed closed t a -> typed g t a.
Proof. intros. eapply weakening; eauto. intros x b E. discriminate. Qed.

Lemma inside_agree : forall g h, agree g h -> inside g h.
Proof. intros g h A x a E. now rewrite <- A. Qed.

Theorem substitution : forall t g x a v b,
  typed (set g x (Some a)) t b -> typed closed v a -> typed g (subst x v t) b.
Proof.
  induction t; simpl; intros g x a v b T V; inv T; eauto.
  - cases (same x n).
    + apply same_eq in E. subst. rewrite get_set in H1. inv H1. now apply of_closed.
    + apply same_neq in E. rewrite get_set_other in H1; auto.
  - cases (same x n).
    + apply same_eq in E. subst. constructor.
      eapply weakening; eauto. apply inside_agree, set_shadow.
    + apply same_neq in E. constructor. eapply IHt; eauto.
      eapply weakening; eauto. apply inside_agree, set_swap; auto.
Qed.

Theorem one_type : forall g t a, typed g t a -> forall b, typed g t b -> a = b.
Proof.
  induction 1; intros d T; inv T; auto; try congruence.
  - f_equal. auto.
  - apply IHtyped1 in H4. congruence.
Qed.
