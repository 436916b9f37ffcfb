//! A kind some of whose tasks no worker takes, until somebody says so.

use crate::script::Script;
use crate::stage::{builder, order, pool};
use farm_driver::{Farm, TaskQueue};
use farm_master::{Response, TaskKind, Verdict, WorkerStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// From this number on, tasks are for nobody.
pub(crate) const NOBODY: u64 = 1_000_000;

/// The rank of this number panics.
pub(crate) const UNRANKED: u64 = 13;

/// The task of this number has a follow-up.
pub(crate) const FOLLOWED: u64 = 42;

/// The kind. It ranks larger numbers first.
#[derive(Debug, Default)]
pub(crate) struct Picky {
    /// Whether tasks for nobody are for everybody.
    open: Arc<AtomicBool>,
}

impl TaskKind for Picky {
    type Wire = Script;
    type Task = (String, u64);
    type Competence = ();
    type Output = String;
    type Failure = ();

    fn task_match(&self, _: &WorkerStatus<()>, task: &(String, u64)) -> bool {
        task.1 < NOBODY || self.open.load(Ordering::Relaxed)
    }

    fn rank(&self, task: &(String, u64)) -> i64 {
        assert_ne!(task.1, UNRANKED, "no rank for it");
        -i64::try_from(task.1).expect("a small number")
    }

    fn request_of_task(
        &mut self,
        _: &WorkerStatus<()>,
        task: &(String, u64),
    ) -> Option<(String, u64)> {
        Some(task.clone())
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        task: &(String, u64),
        response: Response<Self>,
    ) -> Verdict<Self> {
        let verdict = Verdict::done(response, ());
        if task.1 == FOLLOWED {
            verdict.inject(vec![order("double", 1)])
        } else {
            verdict
        }
    }
}

/// A farm of one pool of this kind; the last one opens it.
pub(crate) fn picky(slots: u32) -> (Farm, TaskQueue<Picky>, Arc<AtomicBool>) {
    let mut builder = builder();
    let kind = Picky::default();
    let open = Arc::clone(&kind.open);
    let kind = builder.kind(kind, pool("", slots));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, queue, open)
}
