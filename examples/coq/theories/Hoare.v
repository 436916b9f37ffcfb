(** Triples: what holds before and after a program, and rules to prove them by. *)

From Orchard Require Import Base Nats Maps Expr Conditions Programs.

Definition assertion := state -> Prop.

Definition triple (P : assertion) (p : program) (Q : assertion) : Prop :=
  forall s t, runs p s t -> P s -> Q t.

Lemma triple_skip : forall P, triple P Skip P.
Proof. intros P s t R H. now inv R. Qed.

Lemma triple_assign : forall Q x e, triple (fun s => Q (set s x (eval s e))) (Assign x e) Q.
Proof. intros Q x e s t R H. now inv R. Qed.

Lemma triple_seq : forall P Q R p q, triple P p Q -> triple Q q R -> triple P (Seq p q) R.
Proof. intros P Q R p q A B s t H K. inv H. eapply B; eauto. Qed.

Lemma triple_if : forall P Q c p q,
  triple (fun s => P s /\ holds s c = true) p Q ->
  triple (fun s => P s /\ holds s c = false) q Q ->
  triple P (If c p q) Q.
Proof. intros P Q c p q A B s t H K. inv H; [eapply A | eapply B]; eauto. Qed.

Lemma triple_while : forall P c p,
  triple (fun s => P s /\ holds s c = true) p P ->
  triple P (While c p) (fun s => P s /\ holds s c = false).
Proof.
  intros P c p B s t H. remember (While c p) as w eqn:W.
  induction H; inv W; auto.
  intros K. apply IHruns2; auto. eapply B; eauto.
Qed.

Lemma triple_weaken : forall (P P' Q Q' : assertion) p,
  triple P' p Q' -> (forall s, P s -> P' s) -> (forall s, Q' s -> Q s) -> triple P p Q.
Proof. intros P P' Q Q' p T A B s t R H. eauto. Qed.

Lemma triple_and : forall P Q P' Q' p,
  triple P p Q -> triple P' p Q' -> triple (fun s => P s /\ P' s) p (fun s => Q s /\ Q' s).
Proof. intros P Q P' Q' p A B s t R [H K]. eauto. Qed.

(** The weakest condition before, and that it is one. *)
Definition before (p : program) (Q : assertion) : assertion := fun s => forall t, runs p s t -> Q t.

Theorem before_is_one : forall p Q, triple (before p Q) p Q.
Proof. intros p Q s t R H. auto. Qed.

Theorem before_is_weakest : forall P p Q, triple P p Q -> forall s, P s -> before p Q s.
Proof. intros P p Q T s H t R. eauto. Qed.
