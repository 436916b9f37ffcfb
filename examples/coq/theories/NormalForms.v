(** Pushing negations inwards: conditions in negation normal form mean the same. *)

From Orchard Require Import Base Nats Maps Expr Conditions.

Inductive literal : Type :=
| LAtMost : bool -> expr -> expr -> literal
| LEqual : bool -> expr -> expr -> literal.

Inductive form : Type :=
| Const : bool -> form
| Lit : literal -> form
| And : form -> form -> form
| Or : form -> form -> form.

Definition sign (b c : bool) : bool := if b then c else negb c.

Definition meets (s : state) (l : literal) : bool :=
  match l with
  | LAtMost b x y => sign b (below (eval s x) (eval s y))
  | LEqual b x y => sign b (same (eval s x) (eval s y))
  end.

Fixpoint meaning (s : state) (f : form) : bool :=
  match f with
  | Const b => b
  | Lit l => meets s l
  | And f g => andb (meaning s f) (meaning s g)
  | Or f g => orb (meaning s f) (meaning s g)
  end.

Fixpoint push (b : bool) (c : cond) : form :=
  match c with
  | Yes => Const b
  | No => Const (negb b)
  | AtMost x y => Lit (LAtMost b x y)
  | Equal x y => Lit (LEqual b x y)
  | Not c => push (negb b) c
  | Both c d => if b then And (push b c) (push b d) else Or (push b c) (push b d)
  end.

Theorem push_meaning : forall c b s, meaning s (push b c) = sign b (holds s c).
Proof.
  induction c; intros b s; try (destruct b; reflexivity).
  - simpl. rewrite IHc. destruct b; simpl; now rewrite ?negb_twice.
  - destruct b; simpl; rewrite IHc1, IHc2; simpl; auto. now rewrite negb_and.
Qed.

Definition normal : cond -> form := push true.

Corollary normal_meaning : forall c s, meaning s (normal c) = holds s c.
Proof. intros. apply push_meaning. Qed.

(** Distributing into clauses. *)
Fixpoint distribute (f g : form) : form :=
  match f with
  | And a b => And (distribute a g) (distribute b g)
  | _ =>
      (fix inner (g : form) : form :=
         match g with
         | And a b => And (inner a) (inner b)
         | g => Or f g
         end) g
  end.

Lemma distribute_meaning : forall f g s, meaning s (distribute f g) = orb (meaning s f) (meaning s g).
Proof.
  assert (booleans : forall a b c, andb (orb a b) (orb a c) = orb a (andb b c)) by (intros [] [] []; reflexivity).
  assert (other : forall a b c, andb (orb a c) (orb b c) = orb (andb a b) c) by (intros [] [] []; reflexivity).
  induction f; intros g s; try (induction g; simpl in *; auto; rewrite IHg1, IHg2; apply booleans).
  simpl. rewrite IHf1, IHf2. apply other.
Qed.

Fixpoint clauses (f : form) : form :=
  match f with
  | And f g => And (clauses f) (clauses g)
  | Or f g => distribute (clauses f) (clauses g)
  | f => f
  end.

Theorem clauses_meaning : forall f s, meaning s (clauses f) = meaning s f.
Proof.
  induction f; simpl; intros; auto; [now rewrite IHf1, IHf2|].
  now rewrite distribute_meaning, IHf1, IHf2.
Qed.
