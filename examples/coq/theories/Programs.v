(** A language of while-programs and how they run, as a relation. *)

From Orchard Require Import Base Nats Maps Expr Conditions.

Inductive program : Type :=
| Skip : program
| Assign : nat -> expr -> program
| Seq : program -> program -> program
| If : cond -> program -> program -> program
| While : cond -> program -> program.

Inductive runs : program -> state -> state -> Prop :=
| runs_skip : forall s, runs Skip s s
| runs_assign : forall s x e, runs (Assign x e) s (set s x (eval s e))
| runs_seq : forall p q s t u, runs p s t -> runs q t u -> runs (Seq p q) s u
| runs_if_yes : forall c p q s t, holds s c = true -> runs p s t -> runs (If c p q) s t
| runs_if_no : forall c p q s t, holds s c = false -> runs q s t -> runs (If c p q) s t
| runs_while_end : forall c p s, holds s c = false -> runs (While c p) s s
| runs_while_go : forall c p s t u,
    holds s c = true -> runs p s t -> runs (While c p) t u -> runs (While c p) s u.

Definition equivalent (p q : program) : Prop := forall s t, runs p s t <-> runs q s t.

(** While the condition holds after each round there is no end. *)
Theorem forever : forall p s t, ~ runs (While Yes p) s t.
Proof.
  intros p s t H. remember (While Yes p) as w eqn:W.
  induction H; inv W; auto; discriminate.
Qed.

Theorem while_ends_false : forall c p s t, runs (While c p) s t -> holds t c = false.
Proof.
  intros c p s t H. remember (While c p) as w eqn:W.
  induction H; inv W; auto.
Qed.
