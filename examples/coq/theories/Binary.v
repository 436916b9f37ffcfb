(** Binary numerals, lowest digit first: what they mean, counting up, adding. *)

From Orchard Require Import Base Nats Sequences.

Fixpoint value (b : list bool) : nat :=
  match b with
  | nil => 0
  | false :: b => double (value b)
  | true :: b => S (double (value b))
  end.

Fixpoint up (b : list bool) : list bool :=
  match b with
  | nil => true :: nil
  | false :: b => true :: b
  | true :: b => false :: up b
  end.

Lemma value_up : forall b, value (up b) = S (value b).
Proof. induction b as [|[|] b]; simpl; auto. now rewrite IHb, double_succ. Qed.

Fixpoint write (n : nat) : list bool :=
  match n with 0 => nil | S n => up (write n) end.

Theorem value_write : forall n, value (write n) = n.
Proof. induction n; simpl; auto. now rewrite value_up, IHn. Qed.

(** Addition with a carry. *)
Fixpoint plus (c : bool) (a b : list bool) : list bool :=
  match a, b with
  | nil, _ => if c then up b else b
  | _, nil => if c then up a else a
  | x :: a, y :: b =>
      match x, y with
      | true, true => c :: plus true a b
      | false, false => c :: plus false a b
      | _, _ => negb c :: plus c a b
      end
  end.

Definition digit (c : bool) : nat := if c then 1 else 0.

Lemma double_add : forall n m, double (n + m) = double n + double m.
Proof.
  intros. unfold double. rewrite !add_group. f_equal.
  rewrite <- !add_group. f_equal. apply add_swap.
Qed.

Lemma double_digit : forall c, double (digit c) = digit c + digit c.
Proof. intros []; reflexivity. Qed.

Theorem value_plus : forall a b c, value (plus c a b) = digit c + value a + value b.
Proof.
  induction a as [|x a]; intros b c.
  - destruct c; simpl; auto using value_up.
  - destruct b as [|y b].
    + transitivity (value (if c then up (x :: a) else x :: a)); [reflexivity|].
      change (value nil) with 0. destruct c; rewrite ?value_up, add_zero; reflexivity.
    + destruct c, x, y; simpl; rewrite IHa; simpl;
        rewrite ?double_succ, ?double_add, ?add_succ, ?add_zero; simpl; rewrite ?add_succ; reflexivity.
Qed.

Theorem write_plus : forall n m, value (plus false (write n) (write m)) = n + m.
Proof. intros. now rewrite value_plus, !value_write. Qed.

Lemma even_digit : forall b, even (value b) = match b with true :: _ => false | _ => true end.
Proof. destruct b as [|[|] b]; simpl; auto; now rewrite double_even. Qed.
