//! The end of a task without the types of its kind: what it gave in a form that reports take, and who waits for it.

use super::desk::{SharedDesk, lock};
use crate::exec::CommandResponse;
use crate::taskfile::TaskSpec;
use farm_master::{AttemptReport, Outcome, Receive, Refusal, Settled, TaskKind, WorkerOutput};
use farm_protocol::Instant;
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// A kind whose tasks come from a file and whose ends go into reports.
pub(crate) trait Filed: TaskKind {
    /// The task that a line of the file describes.
    ///
    /// # Errors
    /// Why it describes none, in words. The reader has read it once, so this is not expected.
    fn task(spec: &Arc<TaskSpec>) -> Result<Self::Task, String>;

    /// What a task that is done gave.
    fn done(output: Self::Output) -> Product;

    /// What a task that failed gave.
    fn failed(failure: Self::Failure) -> Product;
}

/// What a task gave.
#[derive(Debug)]
pub(crate) enum Product {
    /// A command: how it ended and what it said.
    Command(Box<CommandResponse>),
    /// A task of another kind: JSON text, or why there is none.
    Json(Result<Box<str>, String>),
}

impl Product {
    /// What a kind gave, as JSON.
    pub(crate) fn json(given: &impl Serialize) -> Self {
        // The kind's own code: whoever waits for the task must hear of its end even if this panics.
        let text = catch_unwind(AssertUnwindSafe(|| serde_json::to_string(given)));
        Self::Json(match text {
            Ok(Ok(text)) => Ok(text.into_boxed_str()),
            Ok(Err(error)) => Err(format!("it cannot be written as JSON: {error}")),
            Err(_) => Err("the kind panicked while it wrote it as JSON".to_owned()),
        })
    }
}

/// A settled task.
#[derive(Debug)]
pub(super) struct End {
    pub(super) outcome: Outcome<Product, Product>,
    pub(super) attempts: Vec<AttemptReport>,
    pub(super) submitted: Instant,
    pub(super) started: Option<Instant>,
    pub(super) finished: Instant,
    /// Until its first attempt began.
    pub(super) waited: Option<Duration>,
    /// What its worker printed itself.
    pub(super) printed: WorkerOutput,
}

/// Waits for one task and tells the desk.
pub(super) struct Waiter {
    pub(super) desk: SharedDesk,
    pub(super) spec: Arc<TaskSpec>,
}

impl<K: Filed> Receive<K> for Waiter {
    fn settled(&self, settled: Settled<K>) {
        let end = End {
            waited: settled.waited(),
            outcome: settled.outcome.map(K::done, K::failed),
            attempts: settled.attempts,
            submitted: settled.submitted,
            started: settled.started,
            finished: settled.finished,
            printed: settled.output,
        };
        lock(&self.desk).settled(&self.spec, end);
    }

    fn refused(&self, _: K::Task, refusal: Refusal) {
        lock(&self.desk).refused(&self.spec, &refusal);
    }
}
