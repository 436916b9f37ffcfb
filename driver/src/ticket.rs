//! What a submitter holds: it is resolved exactly once, with the task's end or the task itself.

use crate::answer::Answer;
use crate::message::{Learn, Message};
use crate::shared::Shared;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};
use farm_master::{Receive, Refusal, Settled, TaskKind};
use farm_protocol::{AttemptId, Progress, TaskId};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A task that was not admitted.
pub struct Refused<K: TaskKind> {
    /// The task, handed back.
    pub task: K::Task,
    /// Why.
    pub refusal: Refusal,
}

/// What a ticket is resolved with.
pub type Resolved<K> = Result<Settled<K>, Refused<K>>;

impl<K: TaskKind> fmt::Debug for Refused<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
}

impl<K: TaskKind> fmt::Display for Refused<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the task was not admitted: {}", self.refusal)
    }
}

impl<K: TaskKind> std::error::Error for Refused<K> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.refusal)
    }
}

/// Shared by a ticket and the loop, which answers into it.
pub(crate) struct Cell<K: TaskKind> {
    /// The id's word, or [`UNKNOWN`].
    id: AtomicU64,
    pub(crate) answer: Answer<Resolved<K>>,
    /// The newest that an attempt said.
    progress: Mutex<Option<Progress>>,
}

/// No task has it: it would be the last generation of the last place.
const UNKNOWN: u64 = u64::MAX;

impl<K: TaskKind> Cell<K> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            id: AtomicU64::new(UNKNOWN),
            answer: Answer::new(),
            progress: Mutex::new(None),
        })
    }
}

impl<K: TaskKind> Receive<K> for Cell<K> {
    fn settled(&self, settled: Settled<K>) {
        self.answer.give(Ok(settled));
    }

    fn refused(&self, task: K::Task, refusal: Refusal) {
        self.answer.give(Err(Refused { task, refusal }));
    }

    fn progress(&self, _: AttemptId, progress: &Progress) {
        *lock(&self.progress) = Some(progress.clone());
    }
}

impl<K: TaskKind> Learn for Cell<K> {
    fn learn(&self, id: TaskId) {
        self.id.store(id.to_bits(), Ordering::Relaxed);
    }

    fn id(&self) -> Option<TaskId> {
        let bits = self.id.load(Ordering::Relaxed);
        (bits != UNKNOWN).then(|| TaskId::from_bits(bits))
    }
}

/// The claim to a task's end. Dropping it changes nothing for the task.
#[must_use = "a dropped ticket's task runs, and nobody hears how it ended"]
pub struct Ticket<K: TaskKind> {
    pub(crate) cell: Arc<Cell<K>>,
    pub(crate) shared: Arc<Shared>,
}

impl<K: TaskKind> Ticket<K> {
    /// The task's id, once the loop has taken it in; an unresolved ticket may not have one yet.
    #[must_use]
    pub fn id(&self) -> Option<TaskId> {
        self.cell.id()
    }

    /// How far the task is, as its worker last said (`Context::progress`); `None` before it said anything. A later
    /// attempt begins anew.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        lock(&self.cell.progress).clone()
    }

    /// Waits for the end of the task.
    ///
    /// # Errors
    /// [`Refused`]: the task never was in the farm and is handed back.
    ///
    /// # Panics
    /// When the farm's loop has panicked, and on the farm's loop itself, where it would wait for ever.
    pub fn wait(self) -> Resolved<K> {
        self.wait_until(None)
            .unwrap_or_else(|_| unreachable!("without a deadline it waits on"))
    }

    /// Waits for the end of the task, at most this long.
    ///
    /// # Errors
    /// The ticket, when the time is over.
    ///
    /// # Panics
    /// As [`Ticket::wait`].
    pub fn wait_timeout(self, span: Duration) -> Result<Resolved<K>, Self> {
        self.wait_until(Instant::now().checked_add(span))
    }

    /// The end of the task, if it is there already.
    ///
    /// # Errors
    /// The ticket, when it is not.
    pub fn try_take(self) -> Result<Resolved<K>, Self> {
        self.cell.answer.take().ok_or(self)
    }

    /// Asks for the end of the task, with a reason for people. How it ends is still told by the
    /// ticket; it may be done before it hears of this.
    pub fn cancel(&self, reason: impl Into<String>) {
        let ticket = Arc::clone(&self.cell) as Arc<dyn Learn>;
        self.shared.post(Message::CancelTicket {
            ticket,
            reason: reason.into(),
        });
    }

    /// Whoever offered the task waits no more.
    pub(crate) fn withdraw(&self) {
        let ticket = Arc::clone(&self.cell) as Arc<dyn Learn>;
        self.shared.post(Message::Withdraw(ticket));
    }

    fn wait_until(self, deadline: Option<Instant>) -> Result<Resolved<K>, Self> {
        match self.sleep(deadline) {
            Ok(Some(resolved)) => Ok(resolved),
            Ok(None) => panic!("the farm's loop has panicked: how this task ended is not known"),
            Err(()) => Err(self),
        }
    }

    /// The answer; `None`: there will never be one; `Err`: the time is over.
    fn sleep(&self, deadline: Option<Instant>) -> Result<Option<Resolved<K>>, ()> {
        self.cell.answer.wait(&self.shared, deadline)
    }
}

impl<K: TaskKind> fmt::Debug for Ticket<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
