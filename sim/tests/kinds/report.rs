//! What somebody sees whose kind is wrong.

use super::wrong::{InOrder, Worker};
use super::{Question, Squares, twenty};
use farm_master::{TaskKind, Verdict, WorkerStatus};
use farm_sim::{Faults, SimRun, SimToken, names, sim, sim_pair};
use farm_worker::{Context, Perform};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn words(run: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
    panic
        .downcast_ref::<String>()
        .expect("with a text")
        .to_owned()
}

fn in_order() -> SimRun<InOrder> {
    sim_pair(InOrder::default(), Worker)
        .tasks((0..4).collect())
        .faults(Faults::None)
}

#[test]
fn a_report_says_what_where_and_how_to_see_it_again() {
    let report = words(|| in_order().check());
    let failure = in_order().run().expect_err("again");
    assert_eq!(report, failure.to_string());
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(
        lines[0],
        format!("the kind `squares` in a simulated farm: {}", names::KIND)
    );
    assert!(
        lines[1].starts_with("  `use_response` of task "),
        "{report}"
    );
    assert!(lines[1].contains("wrong.rs:"), "{report}");
    assert!(lines[1].contains(": responses come in order: "), "{report}");
    let number = failure.token().number;
    assert_eq!(
        lines[2],
        format!(
            "  in schedule {number} (portfolio, seed 1), after {} steps",
            failure.steps()
        )
    );
    assert_eq!(lines[3], "  made again, it fails in the same way");
    let token = failure.token().to_string();
    assert_eq!(lines[4], format!("  to see it again: .replay(\"{token}\")"));
    assert_eq!(lines[5], "");
    for wanted in [
        "kind: request_of_task of task 0 (t0), attempt 1, for slot ",
        "perform of t0#1: Replied",
        "kind: use_response panics: responses come in order: ",
    ] {
        assert!(failure.trace().contains(wanted), "{wanted}\n{report}");
    }
    assert_eq!(words(|| in_order().replay(&token).check()), report);
}

#[test]
fn without_tasks_it_says_what_is_missing() {
    let said = words(|| sim_pair(InOrder::default(), Worker).check());
    assert!(said.contains("give the kind `squares` tasks"), "{said}");
}

#[test]
fn a_token_of_something_else_is_told() {
    let said = words(|| drop(in_order().replay("lk1.pool.random.1.0.-.00000000")));
    assert!(said.contains("cannot be replayed"), "{said}");
    let failure = in_order().run().expect_err("it is wrong");
    let token = SimToken {
        kind: "cubes".into(),
        build: farm_sim::Build(1),
        tasks: 5,
        ..failure.token().clone()
    };
    let report = words(|| in_order().replay(&token.to_string()).check());
    for wanted in [
        "the token is of build 00000001",
        "of the kind `cubes`",
        "of 5 tasks, and there are 4",
    ] {
        assert!(report.contains(wanted), "{wanted}\n{report}");
    }
}

/// Depends on something outside: how often it was asked in all schedules.
#[derive(Clone)]
struct Shared(Arc<AtomicU64>);

impl TaskKind for Shared {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        let asked = self.0.fetch_add(1, Ordering::Relaxed);
        assert_ne!(asked, 700, "somewhere in the middle");
        Some(Question {
            number: *task,
            believed: 0,
        })
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, square: u64) -> Verdict<Self> {
        Verdict::done(square, ())
    }
}

impl Perform for Shared {
    type Wire = Squares;
    fn perform(&mut self, question: Question, _: &Context<'_, Squares>) -> u64 {
        question.number + self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_kind_that_is_not_deterministic_is_told_so() {
    let run = |from| {
        sim(Shared(Arc::new(AtomicU64::new(from))))
            .tasks(twenty())
            .run()
    };
    let failure = run(0).expect_err("it is met once");
    assert!(!failure.is_deterministic());
    let report = failure.to_string();
    assert!(report.contains("the kind is not deterministic"), "{report}");
    let summary = run(701).expect("it is not met");
    assert!(!summary.deterministic);
    assert!(summary.to_string().contains("not deterministic"));
}
