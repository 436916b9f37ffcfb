//! What reaches the loop from other threads.

use crate::entrance::Way;
use crate::graph::Node;
use crate::group::GroupAnswer;
use crate::mailbox::Mailbox;
use crate::process::{Place, Process};
use crate::source::AnySource;
use crate::spawn::SpawnFault;
use crate::sync::Sender;
use crate::sync::atomic::AtomicBool;
use crate::turn::Loop;
use farm_master::lane::Gate;
use farm_master::{Rule, ScopeRefusal, Shut, TaskOptions, Ties};
use farm_protocol::{AttemptId, KindId, MarshalError, ScopeId, SlotId, TaskId};
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    pub(crate) scope: Option<ScopeId>,
    pub(crate) way: Way,
}

/// A scope on its way in.
pub(crate) struct Opening {
    pub(crate) scope: ScopeId,
    pub(crate) parent: Option<ScopeId>,
    pub(crate) rule: Option<(Rule, Ties)>,
    pub(crate) limit: Option<Duration>,
    /// Where its end is told.
    pub(crate) answer: Option<GroupAnswer>,
    /// Who is in it from the beginning.
    pub(crate) members: Vec<Submission>,
    /// Whether these are all.
    pub(crate) closed: bool,
}

impl Opening {
    /// A scope without a rule.
    pub(crate) const fn plain(scope: ScopeId, parent: Option<ScopeId>) -> Self {
        Self {
            scope,
            parent,
            rule: None,
            limit: None,
            answer: None,
            members: Vec::new(),
            closed: false,
        }
    }

    /// Nobody will hear of it any more: who waits is told so, and the members are to be handed back.
    pub(crate) fn too_late(self) -> Vec<Submission> {
        if let Some(answer) = self.answer {
            answer.give(Err(ScopeRefusal::FarmOver));
        }
        self.members
    }
}

/// Somebody wants something of the loop.
pub(crate) enum Message {
    Submit(Submission),
    /// Each needs only such as stand before it.
    SubmitGraph(Vec<Node>),
    OpenScope(Box<Opening>),
    CloseScope(ScopeId),
    CancelScope {
        scope: ScopeId,
        reason: String,
    },
    /// Through the same mailbox as the submission, so the ticket has learned its id before.
    CancelTicket {
        ticket: Arc<dyn Learn>,
        reason: String,
    },
    /// Whoever offered a task waits no more.
    Withdraw(Arc<dyn Learn>),
    Cancel {
        task: TaskId,
        reason: String,
    },
    SetGate {
        kind: KindId,
        gate: Gate,
    },
    Shut(Shut),
    /// What the loop does on its own data, between two events. User code in it is contained.
    Do(Box<dyn FnOnce(&mut Loop) + Send>),
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
    /// A worker that was ordered has been started, or could not be.
    Spawned {
        place: Place,
        started: Result<Box<Process>, SpawnFault>,
    },
    /// A worker has exited and is not collected. Of processes the poll itself reports it on Linux.
    Exited(Place),
}

impl Message {
    /// The loop is over, and nobody will do this: who waits for a group is told so, and the tasks are to be handed back.
    pub(crate) fn too_late(self) -> Vec<Submission> {
        match self {
            Self::Submit(submission) => vec![submission],
            Self::SubmitGraph(nodes) => nodes.into_iter().map(|node| node.submission).collect(),
            Self::OpenScope(opening) => opening.too_late(),
            Self::CloseScope(_)
            | Self::CancelScope { .. }
            | Self::CancelTicket { .. }
            | Self::Withdraw(_)
            | Self::Cancel { .. }
            | Self::SetGate { .. }
            | Self::Shut(_)
            | Self::Do(_)
            | Self::Suspend { .. }
            | Self::Resume { .. }
            | Self::WorkerPids { .. }
            | Self::Feed { .. }
            | Self::SourceWoken
            | Self::Decoded { .. }
            // Killed and collected by its drop.
            | Self::Spawned { .. }
            | Self::Exited(_) => Vec::new(),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submit(_) => "Submit",
            Self::SubmitGraph(_) => "SubmitGraph",
            Self::OpenScope(_) => "OpenScope",
            Self::CloseScope(_) => "CloseScope",
            Self::CancelScope { .. } => "CancelScope",
            Self::CancelTicket { .. } => "CancelTicket",
            Self::Withdraw(_) => "Withdraw",
            Self::Cancel { .. } => "Cancel",
            Self::SetGate { .. } => "SetGate",
            Self::Shut(_) => "Shut",
            Self::Do(_) => "Do",
            Self::Suspend { .. } => "Suspend",
            Self::Resume { .. } => "Resume",
            Self::WorkerPids { .. } => "WorkerPids",
            Self::Feed { .. } => "Feed",
            Self::SourceWoken => "SourceWoken",
            Self::Decoded { .. } => "Decoded",
            Self::Spawned { .. } => "Spawned",
            Self::Exited(_) => "Exited",
        })
    }
}
