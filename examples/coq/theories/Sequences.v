(** Lists: append, reverse, map, membership, all. *)

From Orchard Require Import Base Nats.

Inductive list (A : Type) : Type :=
| nil : list A
| cons : A -> list A -> list A.
Arguments nil {A}.
Arguments cons {A} _ _.

Infix "::" := cons (at level 60, right associativity).

Fixpoint app {A} (l m : list A) : list A :=
  match l with nil => m | x :: l => x :: app l m end.

Infix "++" := app (at level 60, right associativity).

Fixpoint length {A} (l : list A) : nat :=
  match l with nil => 0 | _ :: l => S (length l) end.

Fixpoint rev {A} (l : list A) : list A :=
  match l with nil => nil | x :: l => rev l ++ (x :: nil) end.

Fixpoint rev_onto {A} (l acc : list A) : list A :=
  match l with nil => acc | x :: l => rev_onto l (x :: acc) end.

Fixpoint map {A B} (f : A -> B) (l : list A) : list B :=
  match l with nil => nil | x :: l => f x :: map f l end.

Fixpoint In {A} (x : A) (l : list A) : Prop :=
  match l with nil => False | y :: l => y = x \/ In x l end.

Fixpoint All {A} (P : A -> Prop) (l : list A) : Prop :=
  match l with nil => True | x :: l => P x /\ All P l end.

Section Facts.
  Context {A B : Type}.
  Implicit Types l m : list A.

  Lemma app_nil : forall l, l ++ nil = l.
  Proof. induction l; simpl; congruence. Qed.

  Lemma app_group : forall l m k, (l ++ m) ++ k = l ++ m ++ k.
  Proof. induction l; simpl; intros; congruence. Qed.

  Lemma length_app : forall l m, length (l ++ m) = length l + length m.
  Proof. induction l; simpl; intros; congruence. Qed.

  Lemma rev_app : forall l m, rev (l ++ m) = rev m ++ rev l.
  Proof. induction l; simpl; intros; [now rewrite app_nil | now rewrite IHl, app_group]. Qed.

  Lemma rev_twice : forall l, rev (rev l) = l.
  Proof. induction l; simpl; auto. rewrite rev_app, IHl. reflexivity. Qed.

  Lemma length_rev : forall l, length (rev l) = length l.
  Proof. induction l; simpl; auto. rewrite length_app, IHl. simpl. now rewrite add_swap. Qed.

  Lemma rev_onto_rev : forall l m, rev_onto l m = rev l ++ m.
  Proof. induction l; simpl; intros; auto. now rewrite IHl, app_group. Qed.

  Lemma map_app : forall (f : A -> B) l m, map f (l ++ m) = map f l ++ map f m.
  Proof. induction l; simpl; intros; congruence. Qed.

  Lemma map_rev : forall (f : A -> B) l, map f (rev l) = rev (map f l).
  Proof. induction l; simpl; auto. rewrite map_app, IHl. reflexivity. Qed.

  Lemma length_map : forall (f : A -> B) l, length (map f l) = length l.
  Proof. induction l; simpl; congruence. Qed.

  Lemma In_app : forall x l m, In x (l ++ m) <-> In x l \/ In x m.
  Proof. induction l; simpl; intros; [|rewrite IHl]; intuition. Qed.

  Lemma All_app : forall (P : A -> Prop) l m, All P (l ++ m) <-> All P l /\ All P m.
  Proof. induction l; simpl; intros; [|rewrite IHl]; intuition. Qed.

  Lemma All_In : forall (P : A -> Prop) l, All P l <-> forall x, In x l -> P x.
  Proof.
    induction l; simpl; [intuition|].
    rewrite IHl. split.
    - intros [Pa Q] x [<-|H]; auto.
    - intros H; split; auto.
  Qed.

  Lemma All_weaken : forall (P Q : A -> Prop) l, (forall x, P x -> Q x) -> All P l -> All Q l.
  Proof. induction l; simpl; intuition. Qed.
End Facts.

Lemma map_map : forall A B C (f : A -> B) (g : B -> C) l,
  map g (map f l) = map (fun x => g (f x)) l.
Proof. induction l; simpl; congruence. Qed.
