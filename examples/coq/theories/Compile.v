(** Compiling expressions for the stack machine, and that the compiler is right. *)

From Orchard Require Import Base Nats Maps Sequences Expr Stack.

Fixpoint compile (e : expr) : list instruction :=
  match e with
  | Num n => Push n :: nil
  | Var x => Load x :: nil
  | Plus a b => compile a ++ compile b ++ Add :: nil
  | Minus a b => compile a ++ compile b ++ Sub :: nil
  | Times a b => compile a ++ compile b ++ Mul :: nil
  end.

Lemma compile_run : forall e s p k,
  run s (compile e ++ p) k = run s p (eval s e :: k).
Proof.
  induction e; simpl; intros; auto; rewrite !app_group, IHe1, IHe2; reflexivity.
Qed.

Theorem compile_correct : forall e s, run s (compile e) nil = Some (eval s e :: nil).
Proof. intros. rewrite <- (app_nil (compile e)), compile_run. reflexivity. Qed.

Theorem length_compile : forall e, length (compile e) = weight e.
Proof.
  induction e; simpl; auto;
    rewrite !length_app; simpl; rewrite IHe1, IHe2, !add_succ, add_zero; reflexivity.
Qed.

Lemma depth_compile : forall e p d, depth (compile e ++ p) d = depth p (S d).
Proof. induction e; simpl; intros; auto; rewrite !app_group, IHe1, IHe2; reflexivity. Qed.

Theorem never_stuck : forall e, depth (compile e) 0 = Some 1.
Proof. intros. rewrite <- (app_nil (compile e)), depth_compile. reflexivity. Qed.

(** Back from code to the expression. *)
Fixpoint decompile (p : list instruction) (k : list expr) : option (list expr) :=
  match p with
  | nil => Some k
  | Push n :: p => decompile p (Num n :: k)
  | Load x :: p => decompile p (Var x :: k)
  | i :: p =>
      match k with
      | b :: a :: k =>
          match i with
          | Add => decompile p (Plus a b :: k)
          | Sub => decompile p (Minus a b :: k)
          | Mul => decompile p (Times a b :: k)
          | _ => None
          end
      | _ => None
      end
  end.

Lemma decompile_app : forall e p k, decompile (compile e ++ p) k = decompile p (e :: k).
Proof. induction e; simpl; intros; auto; rewrite !app_group, IHe1, IHe2; reflexivity. Qed.

Theorem compile_injective : forall a b, compile a = compile b -> a = b.
Proof.
  intros a b H. pose proof (decompile_app a nil nil) as A. pose proof (decompile_app b nil nil) as B.
  rewrite H in A. rewrite A in B. simpl in B. congruence.
Qed.
