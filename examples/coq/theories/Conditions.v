(** Conditions over expressions, and their meaning. *)

From Orchard Require Import Base Nats Maps Expr.

Inductive cond : Type :=
| Yes | No : cond
| AtMost : expr -> expr -> cond
| Equal : expr -> expr -> cond
| Not : cond -> cond
| Both : cond -> cond -> cond.

Fixpoint holds (s : state) (c : cond) : bool :=
  match c with
  | Yes => true
  | No => false
  | AtMost a b => below (eval s a) (eval s b)
  | Equal a b => same (eval s a) (eval s b)
  | Not c => negb (holds s c)
  | Both c d => andb (holds s c) (holds s d)
  end.

Definition Either (c d : cond) : cond := Not (Both (Not c) (Not d)).

Lemma holds_agree : forall c s t, agree s t -> holds s c = holds t c.
Proof.
  induction c; simpl; intros s t H; auto;
    rewrite ?(eval_agree _ _ _ H), ?(IHc _ _ H), ?(IHc1 _ _ H), ?(IHc2 _ _ H); auto.
Qed.

Lemma holds_either : forall s c d, holds s (Either c d) = orb (holds s c) (holds s d).
Proof. intros. simpl. now rewrite negb_and, !negb_twice. Qed.

Lemma both_swap : forall s c d, holds s (Both c d) = holds s (Both d c).
Proof. intros. simpl. destruct (holds s c), (holds s d); reflexivity. Qed.

Lemma both_group : forall s a b c, holds s (Both (Both a b) c) = holds s (Both a (Both b c)).
Proof. intros. simpl. destruct (holds s a); reflexivity. Qed.

Theorem either_both : forall s a b c,
  holds s (Either a (Both b c)) = holds s (Both (Either a b) (Either a c)).
Proof. intros. simpl. destruct (holds s a), (holds s b), (holds s c); reflexivity. Qed.
