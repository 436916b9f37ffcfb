//! What the author of a kind of named workers implements for the master's side.

use super::error::Closed;
use super::handle::WorkerRef;
use farm_master::named::Verdict;
use farm_protocol::Named;
use std::time::{Duration, SystemTime};

/// When a request was brought, sent to its worker, and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// When it was brought; of a merged one the oldest.
    pub pushed: SystemTime,
    /// When its worker was sent it.
    pub started: SystemTime,
    /// When its answer had come.
    pub finished: SystemTime,
}

impl Timing {
    /// How long it waited in the mailbox.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.started.duration_since(self.pushed).unwrap_or_default()
    }

    /// How long its treatment took.
    #[must_use]
    pub fn treated(&self) -> Duration {
        self.finished
            .duration_since(self.started)
            .unwrap_or_default()
    }
}

/// The master's half of a kind of named workers; the worker's half is `Resident`, over the same [`Named`].
///
/// The hooks run on the table's own thread, one after the other, and may take their time: other tables and the farm go on,
/// only this table waits. A hook must not wait for a named worker, of this table or of another: what would is refused with
/// [`CalledFromHook`](super::CalledFromHook). A hook that panics costs the worker that it was about, as a crash.
///
/// What the master remembers of a worker, its competence, begins with the [`Named::Welcome`] that `on_launch` answered, and is
/// read and changed by [`WorkerRef::with_state`].
#[expect(
    unused_variables,
    reason = "the names document the arguments of the empty defaults"
)]
pub trait WorkerKind: Send + Sync + Sized + 'static {
    /// What it shares with the worker's half.
    type Named: Named;

    /// A request went well. Whoever waits for its answer is told it after this has returned.
    fn on_completion(
        &self,
        worker: &WorkerRef<Self>,
        request: &<Self::Named as Named>::Request,
        response: &<Self::Named as Named>::Response,
        timing: &Timing,
    ) -> Verdict {
        Verdict::Continue
    }

    /// The worker said no to a request. Whoever waits for it is told so after this has returned, whatever it says.
    fn on_error(
        &self,
        worker: &WorkerRef<Self>,
        request: &<Self::Named as Named>::Request,
        error: &<Self::Named as Named>::RequestError,
        timing: &Timing,
    ) -> Verdict {
        Verdict::Continue
    }

    /// The worker has had no request for as long as its launch said, again.
    fn on_idle(&self, worker: &WorkerRef<Self>) {}

    /// The worker is closed: its process is collected, and its name is still taken. Once for each that was launched.
    fn on_close(&self, worker: &WorkerRef<Self>, closed: &Closed) {}
}
