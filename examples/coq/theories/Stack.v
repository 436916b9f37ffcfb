(** A stack machine: its instructions, and how programs run. *)

From Orchard Require Import Base Nats Maps Sequences Expr.

Inductive instruction : Type :=
| Push : nat -> instruction
| Load : nat -> instruction
| Add | Sub | Mul : instruction.

Definition stack := list nat.

Definition step (s : state) (i : instruction) (k : stack) : option stack :=
  match i, k with
  | Push n, k => Some (n :: k)
  | Load x, k => Some (s x :: k)
  | Add, m :: n :: k => Some (n + m :: k)
  | Sub, m :: n :: k => Some (n - m :: k)
  | Mul, m :: n :: k => Some (n * m :: k)
  | _, _ => None
  end.

Fixpoint run (s : state) (p : list instruction) (k : stack) : option stack :=
  match p with
  | nil => Some k
  | i :: p => bind (step s i k) (run s p)
  end.

Lemma run_app : forall p q s k, run s (p ++ q) k = bind (run s p k) (run s q).
Proof.
  induction p; simpl; intros; auto.
  rewrite bind_assoc. destruct (step s a k); simpl; auto.
Qed.

(** How much a program takes from the stack and leaves there, known before it runs. *)
Fixpoint depth (p : list instruction) (d : nat) : option nat :=
  match p with
  | nil => Some d
  | i :: p =>
      match i, d with
      | (Push _ | Load _), d => depth p (S d)
      | (Add | Sub | Mul), S (S d) => depth p (S d)
      | _, _ => None
      end
  end.

Theorem depth_run : forall p s k d,
  depth p (length k) = Some d -> exists k', run s p k = Some k' /\ length k' = d.
Proof.
  induction p as [|i p IH]; simpl; intros s k d H.
  - inv H. exists k; auto.
  - destruct i; try (now apply IH; simpl);
      destruct k as [|m [|n k]]; try discriminate; now apply IH.
Qed.
