(** Search trees as maps: laws of storing and finding. *)

From Orchard Require Import Base Nats Sequences Trees.

Definition entry : Type := (nat * nat)%type.

Fixpoint find (x : nat) (t : tree entry) : option nat :=
  match t with
  | leaf => None
  | node l (y, a) r => if same x y then Some a else if below x y then find x l else find x r
  end.

Fixpoint store (x a : nat) (t : tree entry) : tree entry :=
  match t with
  | leaf => node leaf (x, a) leaf
  | node l (y, b) r =>
      if same x y then node l (y, a) r
      else if below x y then node (store x a l) (y, b) r
      else node l (y, b) (store x a r)
  end.

Theorem find_store : forall x a t, find x (store x a t) = Some a.
Proof.
  induction t as [|l IHl [y b] r IHr]; simpl; [now rewrite same_refl|].
  cases (same x y); [simpl; now rewrite E|].
  cases (below x y); simpl; now rewrite E, E0.
Qed.

Lemma same_swap : forall x y, same x y = same y x.
Proof. induction x; intros [|y]; simpl; auto. Qed.

Theorem find_store_other : forall x y a t, x <> y -> find y (store x a t) = find y t.
Proof.
  induction t as [|l IHl [z b] r IHr]; simpl; intros H.
  - assert (same y x = false) as -> by (apply same_neq; auto). destruct (below y x); reflexivity.
  - cases (same x z); simpl.
    + apply same_eq in E. subst z. assert (same y x = false) as -> by (apply same_neq; auto). reflexivity.
    + cases (below x z); simpl; rewrite ?IHl, ?IHr; auto.
Qed.

Theorem store_size : forall x a t, find x t <> None -> size (store x a t) = size t.
Proof.
  induction t as [|l IHl [y b] r IHr]; simpl; intros H; [congruence|].
  destruct (same x y); auto. destruct (below x y); simpl; auto.
Qed.

Fixpoint many (n k : nat) (t : tree entry) : tree entry :=
  match n with 0 => t | S n => many n (S k) (store (k * 7) k t) end.

Example found : find 350 (many 120 0 leaf) = Some 50.
Proof. vm_compute. reflexivity. Qed.
