(** Programs that do the same: laws of the language. *)

From Orchard Require Import Base Nats Maps Expr Conditions Programs.

#[export] Hint Constructors runs : core.

Lemma equivalent_refl : forall p, equivalent p p.
Proof. split; auto. Qed.

Lemma equivalent_sym : forall p q, equivalent p q -> equivalent q p.
Proof. unfold equivalent. intros. symmetry. auto. Qed.

Lemma equivalent_trans : forall p q r, equivalent p q -> equivalent q r -> equivalent p r.
Proof. unfold equivalent. intros. rewrite H. auto. Qed.

Lemma skip_left : forall p, equivalent (Seq Skip p) p.
Proof. split; intros H; [inv H; now inv H2 | eauto]. Qed.

Lemma skip_right : forall p, equivalent (Seq p Skip) p.
Proof. split; intros H; [inv H; now inv H5 | eauto]. Qed.

Lemma seq_group : forall p q r, equivalent (Seq (Seq p q) r) (Seq p (Seq q r)).
Proof. split; intros H; inv H; [inv H2 | inv H5]; eauto. Qed.

Lemma if_same : forall c p, equivalent (If c p p) p.
Proof.
  split; intros H; [inv H; auto|].
  destruct (holds s c) eqn:E; auto.
Qed.

Lemma if_not : forall c p q, equivalent (If (Not c) p q) (If c q p).
Proof.
  split; intros H; inv H; simpl in *;
    cases (holds s c); simpl in *; try discriminate; auto.
  - apply runs_if_no; simpl; auto. now rewrite E.
  - apply runs_if_yes; simpl; auto. now rewrite E.
Qed.

Lemma unroll : forall c p, equivalent (While c p) (If c (Seq p (While c p)) Skip).
Proof.
  split; intros H; inv H; eauto.
  - inv H6. eauto.
  - inv H6. auto.
Qed.

Lemma seq_same : forall p p' q q',
  equivalent p p' -> equivalent q q' -> equivalent (Seq p q) (Seq p' q').
Proof.
  intros p p' q q' P Q. split; intros H; inv H.
  - apply P in H2. apply Q in H5. eauto.
  - apply P in H2. apply Q in H5. eauto.
Qed.

Lemma if_inside : forall c p p' q q',
  equivalent p p' -> equivalent q q' -> equivalent (If c p q) (If c p' q').
Proof.
  intros c p p' q q' P Q. split; intros H; inv H.
  - apply P in H6. auto.
  - apply Q in H6. auto.
  - apply P in H6. auto.
  - apply Q in H6. auto.
Qed.

Lemma while_one_way : forall c p q s t, equivalent p q -> runs (While c p) s t -> runs (While c q) s t.
Proof.
  intros c p q s t E H. remember (While c p) as w eqn:W.
  induction H; inv W; auto.
  apply E in H0. eauto.
Qed.

Theorem while_inside : forall c p q, equivalent p q -> equivalent (While c p) (While c q).
Proof. split; apply while_one_way; auto. now apply equivalent_sym. Qed.
