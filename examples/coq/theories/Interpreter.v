(** Running programs with fuel: sound, complete, and monotone in the fuel. *)

From Orchard Require Import Base Nats Maps Expr Conditions Programs.

Fixpoint interpret (fuel : nat) (p : program) (s : state) : option state :=
  match fuel with
  | 0 => None
  | S fuel =>
      match p with
      | Skip => Some s
      | Assign x e => Some (set s x (eval s e))
      | Seq p q => bind (interpret fuel p s) (interpret fuel q)
      | If c p q => if holds s c then interpret fuel p s else interpret fuel q s
      | While c b => if holds s c then bind (interpret fuel b s) (interpret fuel p) else Some s
      end
  end.

Theorem interpret_sound : forall fuel p s t, interpret fuel p s = Some t -> runs p s t.
Proof.
  induction fuel; simpl; intros p s t H; [discriminate|].
  destruct p.
  - inv H. constructor.
  - inv H. constructor.
  - apply bind_some in H as (u & A & B). econstructor; eauto.
  - cases (holds s c); [apply runs_if_yes | apply runs_if_no]; auto.
  - cases (holds s c).
    + apply bind_some in H as (u & A & B). eapply runs_while_go; eauto.
    + inv H. now apply runs_while_end.
Qed.

Lemma more_fuel_one : forall fuel p s t, interpret fuel p s = Some t -> interpret (S fuel) p s = Some t.
Proof.
  induction fuel; intros p s t H; [discriminate|].
  destruct p; auto; simpl in H.
  - apply bind_some in H as (u & A & B). apply IHfuel in A. apply IHfuel in B.
    change (bind (interpret (S fuel) p1 s) (interpret (S fuel) p2) = Some t). now rewrite A.
  - change ((if holds s c then interpret (S fuel) p1 s else interpret (S fuel) p2 s) = Some t).
    destruct (holds s c); auto.
  - change ((if holds s c then bind (interpret (S fuel) p s) (interpret (S fuel) (While c p)) else Some s) = Some t).
    destruct (holds s c); auto.
    apply bind_some in H as (u & A & B). apply IHfuel in A. apply IHfuel in B. now rewrite A.
Qed.

Lemma more_fuel : forall more fuel p s t,
  interpret fuel p s = Some t -> interpret (more + fuel) p s = Some t.
Proof. induction more; intros; auto. change (S more + fuel) with (S (more + fuel)). apply more_fuel_one; auto. Qed.

Theorem interpret_complete : forall p s t, runs p s t -> exists fuel, interpret fuel p s = Some t.
Proof.
  induction 1.
  - exists 1. reflexivity.
  - exists 1. reflexivity.
  - destruct IHruns1 as [a A], IHruns2 as [b B]. exists (S (a + b)). simpl.
    apply (more_fuel b) in A. apply (more_fuel a) in B. rewrite add_swap in A. now rewrite A.
  - destruct IHruns as [a A]. exists (S a). simpl. now rewrite H.
  - destruct IHruns as [a A]. exists (S a). simpl. now rewrite H.
  - exists 1. simpl. now rewrite H.
  - destruct IHruns1 as [a A], IHruns2 as [b B]. exists (S (a + b)). simpl. rewrite H.
    apply (more_fuel b) in A. apply (more_fuel a) in B. rewrite add_swap in A. now rewrite A.
Qed.

(** Counting down from the first variable and adding up in the second. *)
Definition adding_up : program :=
  While (AtMost (Num 1) (Var 0))
    (Seq (Assign 1 (Plus (Var 1) (Var 0))) (Assign 0 (Minus (Var 0) (Num 1)))).

Example hundred :
  bind (interpret 1000 adding_up (set (empty 0) 0 100)) (fun s => Some (s 1)) = Some (50 * 101).
Proof. vm_compute. reflexivity. Qed.
