(** Sorting by planting into a search tree is sorting, and gives what the other two give. *)

From Orchard Require Import Base Nats Sequences Permutations Sorted InsertionSort MergeSort Trees SearchTrees.

Fixpoint orchard (l : list nat) : tree nat :=
  match l with nil => leaf | x :: l => plant x (orchard l) end.

Definition tree_sort (l : list nat) : list nat := inorder_onto (orchard l) nil.

Lemma orchard_Search : forall l, Search (orchard l).
Proof. induction l; simpl; auto using plant_Search. Qed.

Lemma orchard_perm : forall l, Perm l (inorder (orchard l)).
Proof.
  induction l; simpl; [constructor|].
  eapply perm_trans; [apply perm_skip, IHl | apply plant_perm].
Qed.

Theorem tree_sort_sorts : sorts tree_sort.
Proof.
  intros l. unfold tree_sort. rewrite inorder_onto_is, app_nil.
  split; [apply Search_sorted, orchard_Search | apply orchard_perm].
Qed.

Corollary all_three_agree : forall l, tree_sort l = insertion_sort l /\ tree_sort l = merge_sort l.
Proof. split; apply sorts_agree; auto using tree_sort_sorts, insertion_sort_sorts, merge_sort_sorts. Qed.
