//! What reaches the loop from other threads.

use crate::mailbox::Mailbox;
use crate::process::Place;
use crate::source::AnySource;
use crate::sync::Sender;
use crate::sync::atomic::AtomicBool;
use farm_master::lane::Gate;
use farm_master::{Shut, TaskOptions};
use farm_protocol::{AttemptId, KindId, MarshalError, SlotId, TaskId};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// The way to the loop.
pub(crate) type Post = Arc<Mailbox<Message>>;

/// A response as its decoder left it.
pub(crate) type Decoded = Result<Box<dyn Any + Send>, MarshalError>;

/// Learns the id of a task when the loop has taken it in.
pub(crate) trait Learn: Send + Sync {
    fn learn(&self, id: TaskId);
    /// The id, once learned.
    fn id(&self) -> Option<TaskId>;
}

/// A task on its way in.
pub(crate) struct Submission {
    pub(crate) kind: KindId,
    /// A `Held` of that kind.
    pub(crate) held: Box<dyn Any + Send>,
    pub(crate) options: Option<Box<TaskOptions>>,
    pub(crate) ticket: Option<Arc<dyn Learn>>,
}

/// Somebody wants something of the loop.
pub(crate) enum Message {
    Submit(Submission),
    /// Through the same mailbox as the submission, so the ticket has learned its id before.
    CancelTicket {
        ticket: Arc<dyn Learn>,
        reason: String,
    },
    Cancel {
        task: TaskId,
        reason: String,
    },
    SetGate {
        kind: KindId,
        gate: Gate,
    },
    Shut(Shut),
    Suspend {
        done: Sender<()>,
    },
    Resume {
        done: Sender<()>,
    },
    WorkerPids {
        answer: Sender<Vec<(SlotId, u32)>>,
    },
    Feed {
        kind: KindId,
        source: Box<dyn AnySource>,
        woken: Arc<AtomicBool>,
    },
    /// Some source has something to say again; `woken` of its feed says which.
    SourceWoken,
    Decoded {
        place: Place,
        id: AttemptId,
        decoded: Decoded,
    },
    /// A process has exited and is not reaped.
    #[cfg_attr(
        all(target_os = "linux", not(feature = "portable")),
        expect(dead_code, reason = "on Linux the poll itself reports exits")
    )]
    Exited(Place),
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submit(_) => "Submit",
            Self::CancelTicket { .. } => "CancelTicket",
            Self::Cancel { .. } => "Cancel",
            Self::SetGate { .. } => "SetGate",
            Self::Shut(_) => "Shut",
            Self::Suspend { .. } => "Suspend",
            Self::Resume { .. } => "Resume",
            Self::WorkerPids { .. } => "WorkerPids",
            Self::Feed { .. } => "Feed",
            Self::SourceWoken => "SourceWoken",
            Self::Decoded { .. } => "Decoded",
            Self::Exited(_) => "Exited",
        })
    }
}
