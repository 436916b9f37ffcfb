(** The three sorts at work, by computation. *)

From Orchard Require Import Base Nats Sequences Sorted InsertionSort MergeSort TreeSort.

Fixpoint rest (n m d : nat) : nat :=
  match n with 0 => m - S d | S n => match d with 0 => rest n m (m - 1) | S d => rest n m d end end.

(** Numbers in disorder: multiples of 37 modulo 101. *)
Fixpoint disorder (n k : nat) : list nat :=
  match n with 0 => nil | S n => let k := rest (k + 37) 101 100 in k :: disorder n k end.

Fixpoint in_order (l : list nat) : bool :=
  match l with
  | nil => true
  | x :: m => match m with nil => true | y :: _ => andb (below x y) (in_order m) end
  end.

Definition sample := disorder 400 5.

Example insertion : in_order (insertion_sort sample) = true.
Proof. vm_compute. reflexivity. Qed.

Example merging : in_order (merge_sort sample) = true.
Proof. vm_compute. reflexivity. Qed.

Example planting : in_order (tree_sort sample) = true.
Proof. vm_compute. reflexivity. Qed.

Example disorderly : in_order sample = false.
Proof. vm_compute. reflexivity. Qed.
