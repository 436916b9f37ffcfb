//! Tasks that are for some workers only: what is right about them passes, what is wrong is found.

use super::wrong::{Worker, found, plain};
use super::{Question, Squares, twenty};
use farm_master::{Affinity, Fallback, Outcome, TaskKind, Verdict, WorkerStatus};
use farm_protocol::AffinityKey;
use farm_sim::{Faults, names, sim_pair};
use farm_worker::{Context, Perform};
use std::collections::BTreeSet;

/// Small tasks load something into a worker; each has a follow-up that needs it there, in one way or another.
#[derive(Clone)]
struct Loads {
    how: How,
    asked: BTreeSet<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    /// Pinned; if the worker is gone, it is loaded again.
    PinnedOrAgain,
    /// Pinned, and lost with its worker, which is known.
    PinnedOrLost,
    /// Pinned, or done by any worker, though those know nothing.
    PinnedOrAnyone,
    /// Told to no worker in particular.
    Matched,
    /// By a key.
    Keyed,
}

/// What was loaded, and what is to be done with it.
const FOLLOW_UP: u64 = 1_000;

fn loads(how: How) -> impl Fn() -> Loads + Clone {
    move || Loads {
        how,
        asked: BTreeSet::new(),
    }
}

impl TaskKind for Loads {
    type Wire = Squares;
    type Task = u64;
    type Competence = Vec<u64>;
    type Output = u64;
    type Failure = ();
    fn affinity(&self, task: &u64) -> Affinity {
        match self.how {
            How::Keyed if *task >= FOLLOW_UP => Affinity::Requires(AffinityKey(*task - FOLLOW_UP)),
            _ => Affinity::Any,
        }
    }
    fn keys_of(&self, held: &Vec<u64>) -> Vec<AffinityKey> {
        held.iter().map(|key| AffinityKey(*key)).collect()
    }
    fn task_match(&self, status: &WorkerStatus<Vec<u64>>, task: &u64) -> bool {
        let holds = |held: &Vec<u64>| held.contains(&(task % FOLLOW_UP));
        match (self.how, status) {
            (How::Matched, WorkerStatus::Old(held)) => *task < FOLLOW_UP || holds(held),
            (How::Matched, WorkerStatus::Fresh) => *task < FOLLOW_UP,
            _ => true,
        }
    }
    fn request_of_task(&mut self, status: &WorkerStatus<Vec<u64>>, task: &u64) -> Option<Question> {
        self.asked.insert(*task);
        let held = match status {
            WorkerStatus::Fresh => &[][..],
            WorkerStatus::Old(held) => &held[..],
        };
        // A worker that is asked for what it does not hold is told to load it first, where that is known.
        let loaded = held.contains(&(task % FOLLOW_UP));
        Some(Question {
            number: *task,
            believed: u64::from(loaded || self.how == How::PinnedOrAnyone),
        })
    }
    fn use_response(
        &mut self,
        status: &WorkerStatus<Vec<u64>>,
        task: &u64,
        square: u64,
    ) -> Verdict<Self> {
        let mut held = match status {
            WorkerStatus::Fresh => Vec::new(),
            WorkerStatus::Old(held) => held.clone(),
        };
        held.push(task % FOLLOW_UP);
        let verdict = Verdict::done(square, held);
        if *task >= FOLLOW_UP {
            return verdict;
        }
        let next = FOLLOW_UP + task;
        match self.how {
            How::PinnedOrAgain => verdict.pin(next, Fallback::Instead(2 * FOLLOW_UP + task)),
            How::PinnedOrLost => verdict.pin(next, Fallback::Fail),
            How::PinnedOrAnyone => verdict.pin(next, Fallback::AnyWorker),
            How::Matched | How::Keyed => verdict.inject(vec![next]),
        }
    }
}

/// What it has loaded.
#[derive(Clone, Default)]
struct Loaded(BTreeSet<u64>);

impl Perform for Loaded {
    type Wire = Squares;
    fn perform(&mut self, question: Question, _: &Context<'_, Squares>) -> u64 {
        let what = question.number % FOLLOW_UP;
        let new = self.0.insert(what);
        let needed = question.number >= FOLLOW_UP && question.believed == 1;
        assert!(!(needed && new), "it is not loaded here");
        what
    }
}

#[test]
fn pinned_tasks_find_their_worker_or_what_is_meant_for_that_case() {
    for how in [How::PinnedOrAgain, How::PinnedOrLost, How::Keyed] {
        sim_pair(loads(how)(), Loaded::default())
            .tasks(twenty())
            .schedules(200)
            .check();
    }
}

#[test]
fn workers_that_are_replaced_are_seen() {
    let seen = std::rc::Rc::new(std::cell::Cell::new((false, false)));
    let (lost, again) = (seen.clone(), seen.clone());
    sim_pair(loads(How::PinnedOrLost)(), Loaded::default())
        .tasks(twenty())
        .schedules(100)
        .verify(move |end| {
            let gone = |(_, outcome): &(_, Outcome)| *outcome == Outcome::HolderGone;
            lost.set((lost.get().0 | end.injected.iter().any(gone), lost.get().1));
        })
        .check();
    sim_pair(loads(How::PinnedOrAgain)(), Loaded::default())
        .tasks(twenty())
        .schedules(100)
        .verify(move |end| {
            let substitute = end.kind.asked.iter().any(|task| *task >= 2 * FOLLOW_UP);
            again.set((again.get().0, again.get().1 | substitute));
        })
        .check();
    assert_eq!(seen.get(), (true, true));
}

#[test]
fn any_worker_is_not_the_one_that_answered() {
    let make = || sim_pair(loads(How::PinnedOrAnyone)(), Loaded::default()).tasks(twenty());
    found("any worker holds it", make, names::PERFORM);
}

#[test]
fn the_only_worker_that_matches_dies() {
    let make = || sim_pair(loads(How::Matched)(), Loaded::default()).tasks(twenty());
    let failure = found("the only worker that matches dies", make, names::NO_MATCH);
    assert!(
        failure.detail().starts_with("follow-up of task "),
        "{failure}"
    );
    sim_pair(loads(How::Matched)(), Loaded::default())
        .tasks(twenty())
        .faults(Faults::None)
        .check();
}

#[test]
fn nobody_loses_a_pinned_task() {
    let make = || {
        sim_pair(loads(How::PinnedOrLost)(), Loaded::default())
            .tasks(twenty())
            .verify(|end| {
                let gone = |(_, outcome): &(_, Outcome)| *outcome == Outcome::HolderGone;
                assert!(!end.injected.iter().any(gone));
            })
    };
    found("nobody loses a pinned task", make, names::VERIFY);
}

/// No worker may take one of the tasks, ever.
#[derive(Clone)]
struct Refuses;

impl TaskKind for Refuses {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn task_match(&self, _: &WorkerStatus<()>, task: &u64) -> bool {
        *task != 5
    }
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        Some(plain(*task))
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, square: u64) -> Verdict<Self> {
        Verdict::done(square, ())
    }
}

#[test]
fn a_task_that_no_worker_takes() {
    let make = || sim_pair(Refuses, Worker).tasks(twenty());
    let failure = found("no worker takes it", make, names::NO_MATCH);
    assert!(
        failure.detail().starts_with("task 5 (t5) waits"),
        "{failure}"
    );
}
