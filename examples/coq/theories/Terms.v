(** A typed language of functions: terms, values, substitution of closed values, steps. *)

From Orchard Require Import Base Nats Maps.

Inductive type : Type :=
| Natural : type
| Truth : type
| Arrow : type -> type -> type.

Inductive term : Type :=
| Name : nat -> term
| Fun : nat -> type -> term -> term
| App : term -> term -> term
| Zero : term
| Succ : term -> term
| Positive : term -> term
| True' | False' : term
| Cond : term -> term -> term -> term.

Inductive value : term -> Prop :=
| value_fun : forall x a t, value (Fun x a t)
| value_zero : value Zero
| value_succ : forall t, value t -> value (Succ t)
| value_true : value True'
| value_false : value False'.

Fixpoint subst (x : nat) (v t : term) : term :=
  match t with
  | Name y => if same x y then v else t
  | Fun y a b => if same x y then t else Fun y a (subst x v b)
  | App f b => App (subst x v f) (subst x v b)
  | Zero => Zero
  | Succ b => Succ (subst x v b)
  | Positive b => Positive (subst x v b)
  | True' => True'
  | False' => False'
  | Cond c a b => Cond (subst x v c) (subst x v a) (subst x v b)
  end.

Inductive reduces : term -> term -> Prop :=
| r_app : forall x a t v, value v -> reduces (App (Fun x a t) v) (subst x v t)
| r_app_left : forall f g t, reduces f g -> reduces (App f t) (App g t)
| r_app_right : forall f t u, value f -> reduces t u -> reduces (App f t) (App f u)
| r_succ : forall t u, reduces t u -> reduces (Succ t) (Succ u)
| r_positive_zero : reduces (Positive Zero) False'
| r_positive_succ : forall v, value v -> reduces (Positive (Succ v)) True'
| r_positive : forall t u, reduces t u -> reduces (Positive t) (Positive u)
| r_cond_true : forall t u, reduces (Cond True' t u) t
| r_cond_false : forall t u, reduces (Cond False' t u) u
| r_cond : forall c d t u, reduces c d -> reduces (Cond c t u) (Cond d t u).

Lemma value_stays : forall v, value v -> forall t, ~ reduces v t.
Proof. induction 1; intros u R; inv R. eapply IHvalue; eauto. Qed.

Theorem reduces_once : forall t u, reduces t u -> forall w, reduces t w -> u = w.
Proof.
  induction 1; intros w R; inv R; auto; f_equal; auto;
    try (exfalso; match goal with
      | H : reduces (Fun _ _ _) _ |- _ => inv H
      | H : reduces Zero _ |- _ => inv H
      | H : reduces True' _ |- _ => inv H
      | H : reduces False' _ |- _ => inv H
      | V : value ?v, H : reduces ?v _ |- _ => eapply (value_stays v); eauto
      | V : value ?v, H : reduces (Succ ?v) _ |- _ => eapply (value_stays (Succ v)); eauto using value
      end).
Qed.
