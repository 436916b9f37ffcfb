//! Kinds with a wrong assumption: each is found within the schedules that are made by default, whatever the seed.

use super::{Question, Squares, twenty};
use farm_lockstep::Spec;
use farm_master::{Outcome, Retries, TaskKind, TaskOptions, Verdict, WorkerStatus};
use farm_sim::{Faults, SimFailure, SimRun, names, sim_pair};
use farm_worker::{Context, Perform};
use std::collections::BTreeSet;

/// The seeds with which each must be found.
const SEEDS: [u64; 8] = [1, 2, 3, 4, 5, 1_000, 77_777, u64::MAX];

/// Finds it with every seed, and in the same way when it is made again. How many schedules it took is printed.
pub(super) fn found<K: TaskKind>(
    what: &str,
    make: impl Fn() -> SimRun<K>,
    violation: &str,
) -> SimFailure {
    let mut took = Vec::new();
    let mut last = None;
    for seed in SEEDS {
        let failure = make()
            .seed(seed)
            .run()
            .expect_err("a wrong assumption is found");
        assert_eq!(failure.violation(), violation, "{failure}");
        assert!(failure.is_deterministic(), "{failure}");
        took.push(failure.token().number + 1);
        let token = failure.token().to_string();
        let again = make().replay(&token).run().expect_err("it is found again");
        assert_eq!(again.detail(), failure.detail());
        assert_eq!(again.trace(), failure.trace());
        last = Some(failure);
    }
    print(&format!("{what}: found in schedule {took:?}"));
    last.expect("there are seeds")
}

#[expect(clippy::print_stdout, reason = "figures, shown with --nocapture")]
fn print(line: &str) {
    println!("{line}");
}

/// Computes squares, and nothing else.
#[derive(Clone, Debug)]
pub(super) struct Worker;

impl Perform for Worker {
    type Wire = Squares;
    fn perform(&mut self, question: Question, _: &Context<'_, Squares>) -> u64 {
        question.number * question.number
    }
}

pub(super) const fn plain(number: u64) -> Question {
    Question {
        number,
        believed: 0,
    }
}

/// Assumes that responses come in the order of submission.
#[derive(Clone, Default)]
pub(super) struct InOrder {
    next: u64,
}

impl TaskKind for InOrder {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        Some(plain(*task))
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, task: &u64, square: u64) -> Verdict<Self> {
        let next = self.next;
        assert!(
            *task == next,
            "responses come in order: {task} and not {next}"
        );
        self.next += 1;
        Verdict::done(square, ())
    }
}

#[test]
fn order_of_submission() {
    let make = || sim_pair(InOrder::default(), Worker).tasks(twenty());
    let failure = found("order", make, names::KIND);
    assert!(
        failure.detail().contains("responses come in order"),
        "{failure}"
    );
}

#[test]
fn order_of_submission_without_faults() {
    let make = || {
        sim_pair(InOrder::default(), Worker)
            .tasks(twenty())
            .faults(Faults::None)
            .strategy(Spec::Urw)
    };
    found("order, no faults", make, names::KIND);
}

#[test]
fn order_of_two_tasks() {
    let make = || sim_pair(InOrder::default(), Worker).tasks(vec![0, 1]);
    found("order of two tasks", make, names::KIND);
}

/// Builds its state from the response before: what it has at the end depends on the order.
#[derive(Clone, Default)]
struct Chained {
    last: u64,
}

impl TaskKind for Chained {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        Some(plain(*task))
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, square: u64) -> Verdict<Self> {
        self.last = self.last.wrapping_mul(31).wrapping_add(square);
        Verdict::done(self.last, ())
    }
}

#[test]
fn state_from_the_response_before() {
    let make = || {
        sim_pair(Chained::default(), Worker)
            .tasks(twenty())
            .verify(|end| {
                let mut wanted = 0_u64;
                for settled in end.settled {
                    if settled.outcome.is_done() && settled.task < 3 {
                        wanted += 1;
                    }
                }
                let chained =
                    (0..20_u64).fold(0, |all: u64, n| all.wrapping_mul(31).wrapping_add(n * n));
                let all = end.settled.iter().all(|settled| settled.outcome.is_done());
                assert!(!all || end.kind.last == chained, "after {wanted}");
            })
    };
    found("state from the response before", make, names::VERIFY);
}

/// Assumes that whatever a slot's worker has learned is still there: it keeps its own books by worker instead of using
/// the status that it is told.
#[derive(Clone, Default)]
struct Remembers {
    taught: BTreeSet<u32>,
}

/// A worker that has to be taught once.
#[derive(Clone, Default)]
struct Pupil {
    taught: bool,
}

impl TaskKind for Remembers {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn request_of_task(&mut self, _: &WorkerStatus<()>, _: &u64) -> Option<Question> {
        unreachable!("it is asked for attempts")
    }
    fn request_of_attempt(
        &mut self,
        sending: farm_master::Sending,
        _: &WorkerStatus<()>,
        task: &u64,
    ) -> Option<Question> {
        let believed = u64::from(!self.taught.insert(sending.slot.0));
        Some(Question {
            number: *task,
            believed,
        })
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, square: u64) -> Verdict<Self> {
        Verdict::done(square, ())
    }
}

impl Perform for Pupil {
    type Wire = Squares;
    fn perform(&mut self, question: Question, _: &Context<'_, Squares>) -> u64 {
        assert!(
            self.taught || question.believed == 0,
            "this worker was never taught"
        );
        self.taught = true;
        question.number * question.number
    }
}

#[test]
fn competence_of_a_dead_worker() {
    let make = || sim_pair(Remembers::default(), Pupil::default()).tasks(twenty());
    found("competence of a dead worker", make, names::PERFORM);
}

/// Assumes that each task is asked for once.
#[derive(Clone, Default)]
struct Counts {
    requests: usize,
    asked: BTreeSet<u64>,
    in_flight: BTreeSet<u64>,
}

impl TaskKind for Counts {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        self.requests += 1;
        self.asked.insert(*task);
        self.in_flight.insert(*task);
        Some(plain(*task))
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, task: &u64, square: u64) -> Verdict<Self> {
        self.in_flight.remove(task);
        Verdict::done(square, ())
    }
}

#[test]
fn one_request_per_task() {
    let make = || {
        sim_pair(Counts::default(), Worker)
            .tasks(twenty())
            .verify(|end| assert_eq!(end.kind.requests, end.kind.asked.len()))
    };
    found("one request per task", make, names::VERIFY);
}

#[test]
fn a_response_for_every_request() {
    let make = || {
        sim_pair(Counts::default(), Worker)
            .tasks(twenty())
            .verify(|end| assert!(end.kind.in_flight.is_empty(), "{:?}", end.kind.in_flight))
    };
    found("a response for every request", make, names::VERIFY);
}

/// Assumes that nobody cancels: with every way of ending but this it can live.
#[test]
fn nobody_cancels() {
    let make = || {
        sim_pair(Counts::default(), Worker)
            .tasks(twenty())
            .verify(|end| {
                let cancelled = |outcome: &Outcome<u64, ()>| {
                    matches!(outcome, Outcome::Cancelled { .. } | Outcome::Closed)
                };
                assert!(!end.settled.iter().any(|it| cancelled(&it.outcome)));
            })
    };
    found("nobody cancels", make, names::VERIFY);
}

/// Assumes that a failure is the end, though its tasks are retried.
#[derive(Clone, Default)]
struct GivesUp {
    given_up: BTreeSet<u64>,
}

impl TaskKind for GivesUp {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = u64;
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        assert!(!self.given_up.contains(task), "it has failed for good");
        Some(plain(*task))
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, task: &u64, square: u64) -> Verdict<Self> {
        if task.is_multiple_of(7) {
            self.given_up.insert(*task);
            return Verdict::failed(square, ());
        }
        Verdict::done(square, ())
    }
}

#[test]
fn a_failure_is_the_end() {
    let options = TaskOptions {
        retries: Retries::immediate(2),
        ..TaskOptions::default()
    };
    let make = || {
        sim_pair(GivesUp::default(), Worker)
            .tasks(twenty())
            .options(options.clone())
    };
    found("a failure is the end", make, names::KIND);
    let once = sim_pair(GivesUp::default(), Worker).tasks(twenty());
    once.check();
}

/// Follow-ups without end.
#[derive(Clone)]
struct Hydra;

impl TaskKind for Hydra {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        Some(plain(*task))
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, task: &u64, square: u64) -> Verdict<Self> {
        Verdict::done(square, ()).inject(vec![*task])
    }
}

#[test]
fn follow_ups_without_end() {
    // One seed: such a schedule goes on to its last step.
    let run = sim_pair(Hydra, Worker).tasks(vec![1]).faults(Faults::None);
    let failure = run.run().expect_err("it has no end");
    assert_eq!(failure.violation(), names::I7, "{failure}");
    assert!(
        failure.detail().contains("follow-up of task 0 (t"),
        "{failure}"
    );
}
