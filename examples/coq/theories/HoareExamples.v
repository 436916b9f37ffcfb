(** Two programs proved with triples: exchanging two variables, and adding up. *)

From Orchard Require Import Base Nats Maps Expr Conditions Programs Hoare Interpreter.

Definition exchange : program :=
  Seq (Assign 2 (Var 0)) (Seq (Assign 0 (Var 1)) (Assign 1 (Var 2))).

Theorem exchange_exchanges : forall a b,
  triple (fun s => s 0 = a /\ s 1 = b) exchange (fun s => s 0 = b /\ s 1 = a).
Proof.
  intros a b. unfold exchange.
  apply triple_seq with (fun s => s 1 = b /\ s 2 = a).
  - eapply triple_weaken; [apply triple_assign | | intros s H; exact H].
    intros s [A B]. simpl. unfold set. simpl. auto.
  - apply triple_seq with (fun s => s 0 = b /\ s 2 = a).
    + eapply triple_weaken; [apply triple_assign | | intros s H; exact H].
      intros s [A B]. simpl. unfold set. simpl. auto.
    + eapply triple_weaken; [apply triple_assign | | intros s H; exact H].
      intros s [A B]. simpl. unfold set. simpl. auto.
Qed.

Fixpoint total (n : nat) : nat := match n with 0 => 0 | S m => n + total m end.

Lemma total_step : forall n, below 1 n = true -> n + total (n - 1) = total n.
Proof. intros [|n]; simpl; intros H; [discriminate|]. destruct n; reflexivity. Qed.

Lemma not_positive : forall n, below 1 n = false -> n = 0.
Proof. intros [|n]; simpl; intros; [reflexivity | destruct n; discriminate]. Qed.

Theorem adding_up_adds : forall n,
  triple (fun s => s 0 = n /\ s 1 = 0) adding_up (fun s => s 1 = total n).
Proof.
  intros n. unfold adding_up.
  eapply triple_weaken with
    (P' := fun s => s 1 + total (s 0) = total n)
    (Q' := fun s => s 1 + total (s 0) = total n /\ holds s (AtMost (Num 1) (Var 0)) = false).
  - apply triple_while. apply triple_seq with (fun s => s 1 + total (s 0 - 1) = total n).
    + eapply triple_weaken; [apply triple_assign | | intros s H; exact H].
      intros s [A B]. cbn [holds eval] in B. cbn [eval].
      change (s 1 + s 0 + total (s 0 - 1) = total n).
      rewrite add_group, total_step; auto.
    + eapply triple_weaken; [apply triple_assign | | intros s H; exact H].
      intros s A. exact A.
  - intros s [A B]. now rewrite A, B.
  - intros s [A B]. apply not_positive in B. simpl in B. rewrite B in A. simpl in A.
    now rewrite add_zero in A.
Qed.
