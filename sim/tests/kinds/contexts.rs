//! Kinds with warm contexts, progress and limits: what the farm promises of them holds in every schedule.

use super::twenty;
use farm_master::{
    AttemptEnd, Retries, RetryOn, TaskKind, TaskOptions, TimeLimit, Verdict, WorkerStatus,
};
use farm_protocol::{AffinityKey, ContextBody, ContextUpdate, Never, Wire};
use farm_sim::{names, sim_pair};
use farm_worker::{Context, Perform};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

/// A task names its library and needs it loaded.
struct Words;

impl Wire for Words {
    const NAME: &'static str = "libraries";
    const VERSION: u32 = 1;
    /// The library that must be there.
    type Request = u64;
    /// The worker's own name.
    type Response = String;
    type Feedback = Never;
    /// The libraries to be added.
    type Context = Vec<u64>;
}

#[derive(Clone, Default)]
struct Libraries {
    whole: u32,
    differences: u32,
    workers: BTreeSet<String>,
}

impl TaskKind for Libraries {
    type Wire = Words;
    type Task = u64;
    type Competence = ();
    type Output = ();
    type Failure = ();
    fn context_of_task(&self, task: &u64) -> Option<AffinityKey> {
        Some(AffinityKey(task % 4))
    }
    fn context(&mut self, key: AffinityKey, held: Option<AffinityKey>) -> ContextBody<Vec<u64>> {
        match held {
            // Of a later library only what is new.
            Some(held) if held.0 < key.0 => {
                self.differences += 1;
                ContextBody::Difference((held.0 + 1..=key.0).collect())
            }
            Some(_) | None => {
                self.whole += 1;
                ContextBody::Whole((0..=key.0).collect())
            }
        }
    }
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<u64> {
        Some(task % 4)
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, worker: String) -> Verdict<Self> {
        self.workers.insert(worker);
        Verdict::done((), ())
    }
}

#[derive(Clone, Default)]
struct Loader(Vec<u64>);

impl Perform for Loader {
    type Wire = Words;
    fn perform(&mut self, library: u64, context: &Context<'_, Words>) -> String {
        context.progress(1, Some(1), "looked up");
        let wanted: Vec<u64> = (0..=library).collect();
        assert_eq!(self.0, wanted, "the libraries that are loaded");
        context.worker().to_owned()
    }
    fn take_context(&mut self, update: ContextUpdate<Vec<u64>>, _: &Context<'_, Words>) {
        match update.body {
            ContextBody::Whole(all) => self.0 = all,
            ContextBody::Difference(more) => self.0.extend(more),
        }
    }
}

#[test]
fn a_worker_holds_the_context_that_its_task_needs() {
    let seen = Rc::new(RefCell::new((0, 0, BTreeSet::new())));
    let sink = Rc::clone(&seen);
    let summary = sim_pair(Libraries::default(), Loader::default())
        .tasks(twenty())
        .verify(move |end| {
            let mut seen = sink.borrow_mut();
            seen.0 += end.kind.whole;
            seen.1 += end.kind.differences;
            seen.2.extend(end.kind.workers.iter().cloned());
        })
        .run()
        .unwrap_or_else(|failure| panic!("{failure}"));
    // Names of workers are the same again, too.
    assert!(summary.deterministic, "{summary}");
    let seen = seen.borrow();
    assert!(seen.0 > 500 && seen.1 > 500, "{seen:?}");
    assert!(seen.2.contains("sim1w"), "{seen:?}");
}

/// A worker that forgets what it was sent when it is cancelled.
#[derive(Clone, Default)]
struct Forgets(Loader);

impl Perform for Forgets {
    type Wire = Words;
    fn perform(&mut self, library: u64, context: &Context<'_, Words>) -> String {
        if context.cancelled() {
            self.0 = Loader::default();
            return String::new();
        }
        self.0.perform(library, context)
    }
    fn take_context(&mut self, update: ContextUpdate<Vec<u64>>, context: &Context<'_, Words>) {
        self.0.take_context(update, context);
    }
}

#[test]
fn a_context_that_is_forgotten_is_missed() {
    let run = sim_pair(Libraries::default(), Forgets::default()).tasks(twenty());
    let failure = run.run().expect_err("it is missed");
    assert_eq!(failure.violation(), names::PERFORM, "{failure}");
    assert!(
        failure.detail().contains("the libraries that are loaded"),
        "{failure}"
    );
}

#[test]
fn a_stall_is_met() {
    let options = TaskOptions {
        stall: Some(Duration::from_millis(100)),
        retries: Retries {
            on: RetryOn::ALL,
            ..Retries::immediate(1)
        },
        ..TaskOptions::default()
    };
    let stalled = Rc::new(RefCell::new(0));
    let sink = Rc::clone(&stalled);
    sim_pair(Libraries::default(), Loader::default())
        .tasks(twenty())
        .options(options)
        .verify(move |end| {
            let attempts = end.settled.iter().flat_map(|settled| &settled.attempts);
            let stalls = attempts.filter(|it| it.end == AttemptEnd::TimedOut(TimeLimit::Stall));
            *sink.borrow_mut() += stalls.count();
        })
        .check();
    assert!(*stalled.borrow() > 10);
}
