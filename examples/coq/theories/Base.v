(** What every file uses: two tactics and a few facts about booleans and options. *)

From Coq Require Export Setoid.

Ltac inv H := inversion H; subst; clear H.

Ltac cases e := let E := fresh "E" in destruct e eqn:E.

Lemma andb_split : forall a b, andb a b = true <-> a = true /\ b = true.
Proof. intros [] []; simpl; split; intuition discriminate. Qed.

Lemma negb_twice : forall b, negb (negb b) = b.
Proof. intros []; reflexivity. Qed.

Lemma negb_and : forall a b, negb (andb a b) = orb (negb a) (negb b).
Proof. intros [] []; reflexivity. Qed.

Lemma negb_or : forall a b, negb (orb a b) = andb (negb a) (negb b).
Proof. intros [] []; reflexivity. Qed.

Definition bind {A B} (o : option A) (f : A -> option B) : option B :=
  match o with Some a => f a | None => None end.

Lemma bind_some : forall A B (o : option A) (f : A -> option B) b,
  bind o f = Some b -> exists a, o = Some a /\ f a = Some b.
Proof. intros A B [a|] f b H; simpl in H; [exists a; auto | discriminate]. Qed.

Lemma bind_assoc : forall A B C (o : option A) (f : A -> option B) (g : B -> option C),
  bind (bind o f) g = bind o (fun a => bind (f a) g).
Proof. intros A B C [a|] f g; reflexivity. Qed.
