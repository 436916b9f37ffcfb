(** Arithmetic expressions with variables, and what they mean. *)

From Orchard Require Import Base Nats Maps.

Inductive expr : Type :=
| Num : nat -> expr
| Var : nat -> expr
| Plus : expr -> expr -> expr
| Minus : expr -> expr -> expr
| Times : expr -> expr -> expr.

Definition state := map nat.

Fixpoint eval (s : state) (e : expr) : nat :=
  match e with
  | Num n => n
  | Var x => s x
  | Plus a b => eval s a + eval s b
  | Minus a b => eval s a - eval s b
  | Times a b => eval s a * eval s b
  end.

Lemma eval_agree : forall e s t, agree s t -> eval s e = eval t e.
Proof. induction e; simpl; intros s t H; auto. Qed.

(** Whether a variable occurs. *)
Fixpoint occurs (x : nat) (e : expr) : bool :=
  match e with
  | Num _ => false
  | Var y => same x y
  | Plus a b | Minus a b | Times a b => orb (occurs x a) (occurs x b)
  end.

Lemma orb_none : forall a b, orb a b = false <-> a = false /\ b = false.
Proof. intros [] []; simpl; intuition discriminate. Qed.

Lemma eval_absent : forall e s x n, occurs x e = false -> eval (set s x n) e = eval s e.
Proof.
  induction e; simpl; intros s x m H; auto;
    try (apply orb_none in H as [Ha Hb]; rewrite IHe1, IHe2; auto).
  apply same_neq in H. now apply get_set_other.
Qed.

Fixpoint weight (e : expr) : nat :=
  match e with
  | Num _ | Var _ => 1
  | Plus a b | Minus a b | Times a b => S (weight a + weight b)
  end.

Lemma weight_positive : forall e, below 1 (weight e) = true.
Proof. destruct e; reflexivity. Qed.
