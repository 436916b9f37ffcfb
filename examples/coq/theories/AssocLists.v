(** Lists of pairs as partial maps, with their laws. *)

From Orchard Require Import Base Nats Sequences.
From Orchard Require Maps.

Definition assoc (A : Type) := list (nat * A).

Fixpoint find {A} (x : nat) (l : assoc A) : option A :=
  match l with
  | nil => None
  | (y, a) :: l => if same y x then Some a else find x l
  end.

Definition add {A} (x : nat) (a : A) (l : assoc A) : assoc A := (x, a) :: l.

Fixpoint remove {A} (x : nat) (l : assoc A) : assoc A :=
  match l with
  | nil => nil
  | (y, a) :: l => if same y x then remove x l else (y, a) :: remove x l
  end.

Section Laws.
  Context {A : Type}.
  Implicit Types l : assoc A.

  Lemma find_add : forall x a l, find x (add x a l) = Some a.
  Proof. intros. simpl. now rewrite same_refl. Qed.

  Lemma find_add_other : forall x y a l, x <> y -> find y (add x a l) = find y l.
  Proof. intros x y a l H. simpl. apply same_neq in H. now rewrite H. Qed.

  Lemma find_remove : forall x l, find x (remove x l) = None.
  Proof. induction l as [|[y a] l]; simpl; auto. cases (same y x); auto. simpl. now rewrite E. Qed.

  Lemma find_remove_other : forall x y l, x <> y -> find y (remove x l) = find y l.
  Proof.
    induction l as [|[z a] l]; simpl; intros; auto.
    cases (same z x); simpl.
    - rewrite IHl; auto. cases (same z y); auto.
      apply same_eq in E. apply same_eq in E0. congruence.
    - rewrite IHl; auto.
  Qed.

  Lemma find_app : forall x l m, find x (l ++ m) = match find x l with Some a => Some a | None => find x m end.
  Proof. induction l as [|[y a] l]; simpl; intros; auto. destruct (same y x); auto. Qed.

  Lemma find_In : forall x a l, find x l = Some a -> In (x, a) l.
  Proof.
    induction l as [|[y b] l]; simpl; intros; [discriminate|].
    cases (same y x); [|auto]. apply same_eq in E. left. congruence.
  Qed.

  Definition meaning l : Maps.map (option A) := fun x => find x l.

  Lemma meaning_add : forall x a l, Maps.agree (meaning (add x a l)) (Maps.set (meaning l) x (Some a)).
  Proof. intros x a l y. unfold meaning, Maps.set. simpl. reflexivity. Qed.

  Lemma meaning_remove : forall x l, Maps.agree (meaning (remove x l)) (Maps.set (meaning l) x None).
  Proof.
    intros x l y. unfold meaning, Maps.set. cases (same x y).
    - apply same_eq in E. subst. apply find_remove.
    - apply find_remove_other. now apply same_neq.
  Qed.
End Laws.
