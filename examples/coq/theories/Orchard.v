(** Everything, and that nothing was assumed. *)

From Orchard Require Base Nats Sequences Permutations Sorted InsertionSort MergeSort TreeSort SortTests.
From Orchard Require Maps AssocLists Trees SearchTrees SearchMaps Heaps Binary Queues Folds.
From Orchard Require Expr ExprFold ExprSubst Stack Compile CompileFold Conditions NormalForms Pipeline.
From Orchard Require Programs Determinism Equivalence Interpreter Hoare HoareExamples SmallStep BigAndSmall.
From Orchard Require Terms Typing Safety TypeCheck.

Print Assumptions TreeSort.all_three_agree.
Print Assumptions CompileFold.compile_folded_correct.
Print Assumptions BigAndSmall.same_semantics.
Print Assumptions Safety.safety.
Print Assumptions TypeCheck.infer_exact.
