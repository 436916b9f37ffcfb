(** A queue of two lists is a queue: it gives back in the order in which it took. *)

From Orchard Require Import Base Nats Sequences.

Definition queue (A : Type) : Type := (list A * list A)%type.

Definition listing {A} (q : queue A) : list A := let (front, back) := q in front ++ rev back.

Definition none {A} : queue A := (nil, nil).

Definition join {A} (q : queue A) (x : A) : queue A := let (front, back) := q in (front, x :: back).

Definition serve {A} (q : queue A) : option (A * queue A) :=
  match q with
  | (x :: front, back) => Some (x, (front, back))
  | (nil, back) =>
      match rev back with
      | nil => None
      | x :: front => Some (x, (front, nil))
      end
  end.

Section Laws.
  Context {A : Type}.
  Implicit Types q : queue A.

  Lemma listing_none : listing (@none A) = nil.
  Proof. reflexivity. Qed.

  Lemma listing_join : forall q x, listing (join q x) = listing q ++ x :: nil.
  Proof. intros [front back] x. simpl. now rewrite app_group. Qed.

  Lemma serve_some : forall q x q', serve q = Some (x, q') -> listing q = x :: listing q'.
  Proof.
    intros [[|y front] back] x q' H; simpl in *.
    - cases (rev back); inv H. simpl. now rewrite app_nil.
    - inv H. reflexivity.
  Qed.

  Lemma serve_none : forall q, serve q = None <-> listing q = nil.
  Proof.
    intros [[|y front] back]; simpl; [|split; discriminate].
    cases (rev back); split; congruence.
  Qed.

  Fixpoint join_all q (l : list A) : queue A :=
    match l with nil => q | x :: l => join_all (join q x) l end.

  Theorem listing_join_all : forall l q, listing (join_all q l) = listing q ++ l.
  Proof.
    induction l; simpl; intros; [now rewrite app_nil|].
    rewrite IHl, listing_join, app_group. reflexivity.
  Qed.

  Fixpoint serve_all (n : nat) q : option (list A) :=
    match n with
    | 0 => Some nil
    | S n => bind (serve q) (fun p => bind (serve_all n (snd p)) (fun l => Some (fst p :: l)))
    end.

  Lemma serve_all_is : forall l q, listing q = l -> serve_all (length l) q = Some l.
  Proof.
    induction l; simpl; intros q H; auto.
    cases (serve q).
    - destruct p as [x q']. apply serve_some in E. rewrite H in E. inv E.
      simpl. rewrite IHl; auto.
    - apply serve_none in E. congruence.
  Qed.

  Corollary first_in_first_out : forall l, serve_all (length l) (join_all none l) = Some l.
  Proof. intros. apply serve_all_is. now rewrite listing_join_all. Qed.
End Laws.
