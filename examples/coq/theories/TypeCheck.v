(** A type checker, which finds the type exactly when there is one. *)

From Orchard Require Import Base Nats Maps Terms Typing.

Fixpoint equal (a b : type) : bool :=
  match a, b with
  | Natural, Natural => true
  | Truth, Truth => true
  | Arrow a b, Arrow c d => andb (equal a c) (equal b d)
  | _, _ => false
  end.

Lemma equal_same : forall a, equal a a = true.
Proof. induction a; simpl; auto. now rewrite IHa1, IHa2. Qed.

Lemma equal_eq : forall a b, equal a b = true -> a = b.
Proof.
  induction a; intros []; simpl; intros H; try discriminate; auto.
  apply andb_split in H as [H K]. f_equal; auto.
Qed.

Definition expect (a : type) (found : option type) : option type :=
  bind found (fun b => if equal a b then Some b else None).

Lemma expect_some : forall a f b, expect a f = Some b -> f = Some a /\ a = b.
Proof.
  intros a [c|] b H; simpl in H; [|discriminate].
  cases (equal a c); inv H. apply equal_eq in E. subst. auto.
Qed.

Fixpoint infer (g : context) (t : term) : option type :=
  match t with
  | Name x => g x
  | Fun x a b => bind (infer (set g x (Some a)) b) (fun c => Some (Arrow a c))
  | App f u =>
      bind (infer g f) (fun a =>
        match a with
        | Arrow a b => bind (expect a (infer g u)) (fun _ => Some b)
        | _ => None
        end)
  | Zero => Some Natural
  | Succ b => expect Natural (infer g b)
  | Positive b => bind (expect Natural (infer g b)) (fun _ => Some Truth)
  | True' | False' => Some Truth
  | Cond c a b =>
      bind (expect Truth (infer g c)) (fun _ =>
      bind (infer g a) (fun t => expect t (infer g b)))
  end.

Theorem infer_complete : forall g t a, typed g t a -> infer g t = Some a.
Proof.
  unfold expect.
  induction 1; simpl; auto; unfold expect;
    rewrite ?IHtyped, ?IHtyped1, ?IHtyped2, ?IHtyped3; simpl;
    rewrite ?IHtyped2; simpl; rewrite ?equal_same; simpl; rewrite ?equal_same; auto.
Qed.

Theorem infer_sound : forall t g a, infer g t = Some a -> typed g t a.
Proof.
  induction t; simpl; intros g a H.
  - auto.
  - apply bind_some in H as (b & A & B). inv B. auto.
  - apply bind_some in H as (b & A & B). destruct b; try discriminate.
    apply bind_some in B as (c & B & C). inv C. apply expect_some in B as [B _]. eauto.
  - inv H. auto.
  - apply expect_some in H as [H <-]. auto.
  - apply bind_some in H as (b & A & B). inv B. apply expect_some in A as [A _]. auto.
  - inv H. auto.
  - inv H. auto.
  - apply bind_some in H as (b & A & B). apply expect_some in A as [A _].
    apply bind_some in B as (c & B & C). apply expect_some in C as [C ->]. auto.
Qed.

Corollary infer_exact : forall g t a, infer g t = Some a <-> typed g t a.
Proof. split; [apply infer_sound | apply infer_complete]. Qed.
