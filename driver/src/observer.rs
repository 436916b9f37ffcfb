//! Whoever watches a farm: progress, logs, statistics. It is told, and changes nothing.

use farm_master::lane::Entry;
use farm_master::{AttemptReport, Gone, Refusal, Settlement};
use farm_protocol::{AttemptId, Instant, KindId, Progress, Session, SlotId, TaskId};

/// Told what happens, on the farm's loop: quick, never blocking. One that panics is told nothing more.
///
/// `now` is the farm's clock: monotonic, standing still while the farm is suspended.
#[expect(
    unused_variables,
    reason = "the names document the arguments of the empty defaults"
)]
pub trait Observer: Send {
    /// A task has come: somebody submitted it, a source gave it, or it follows from a response. Later exactly one of
    /// [`Observer::task_ended`] and [`Observer::refused`] is told of it; between the two it is in the farm.
    fn submitted(&mut self, now: Instant, task: TaskId, kind: KindId, entry: Entry) {}

    /// A task was not admitted.
    fn refused(&mut self, now: Instant, task: TaskId, refusal: &Refusal) {}

    /// An attempt was sent to the worker with this pid.
    fn started(&mut self, now: Instant, id: AttemptId, slot: SlotId, session: Session, pid: u32) {}

    /// An attempt has said how far it is (`Context::progress` in its worker), some twenty times a second at most.
    fn progress(&mut self, now: Instant, id: AttemptId, progress: &Progress) {}

    /// An attempt came to rest and its task goes on. The last attempt of a task is in what its waiter gets.
    fn attempt_ended(&mut self, now: Instant, task: TaskId, report: &AttemptReport) {}

    /// A task ended, also one that nobody waits for, such as a follow-up of another. Told before whoever waits is.
    fn task_ended(&mut self, now: Instant, settlement: &Settlement) {}

    /// A worker said hello. `pid` is what it says of itself.
    fn worker_ready(&mut self, now: Instant, slot: SlotId, session: Session, pid: u32) {}

    /// A worker is gone.
    fn worker_gone(&mut self, now: Instant, slot: SlotId, session: Session, gone: &Gone) {}

    /// Nothing that goes on will let this task start: no worker matches it, nor would a fresh one. Told once
    /// while it waits; a farm that drains ends it.
    fn unmatched(&mut self, now: Instant, task: TaskId) {}

    /// No token comes any more from the farm's [`Jobserver`](crate::Jobserver). Told once; the farm goes on with those
    /// it has, and then with one worker at a time.
    fn tokens_lost(&mut self, now: Instant, error: &str) {}

    /// Workers of a kind cannot be started; its pool has ended.
    fn pool_ended(&mut self, now: Instant, kind: KindId, error: &str) {}

    /// The loop has done what there was to do and is about to look again.
    fn turn(&mut self, now: Instant) {}

    /// When [`Observer::turn`] shall be called at the latest. Asked after each turn.
    fn deadline(&self) -> Option<Instant> {
        None
    }
}
