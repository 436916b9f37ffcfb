//! What the master wants done. The driver performs actions in their order.

use crate::lane::{AdapterMode, Entry, Gate, LaneError};
use crate::outcome::{AttemptReport, Settlement};
use crate::scope::{ScopeEnd, ScopeRefusal};
use farm_protocol::{AttemptId, KindId, Progress, ScopeId, Session, SlotId, TaskId, Termination};
use serde::Serialize;
use std::ops::Range;
use std::time::Duration;

/// Something is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// Start a worker process. Answered by `Spawned` or `SpawnFailed`.
    Spawn {
        /// Where.
        slot: SlotId,
        /// What the process is called from now on.
        session: Session,
        /// The kind whose worker program it is.
        kind: KindId,
    },
    /// Append bytes to a pipe of a worker. A worker that is gone swallows them.
    Send {
        /// Where.
        slot: SlotId,
        /// To which process.
        session: Session,
        /// Over which pipe.
        link: Link,
        /// Where in [`Actions::bytes`] they stand.
        bytes: Range<usize>,
    },
    /// Signal the process group of a worker. A process that is gone or collected is not touched.
    Signal {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// Which signal.
        signal: Signal,
    },
    /// Decode a large response off the loop. Answered by `Decoded`.
    Decode {
        /// Where it came from.
        slot: SlotId,
        /// From which process.
        session: Session,
        /// Whose response it is.
        id: AttemptId,
        /// Its kind.
        kind: KindId,
        /// The encoded response.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// An attempt was sent. For observers; the `Send` precedes it.
    Started {
        /// What.
        id: AttemptId,
        /// Where.
        slot: SlotId,
        /// To which process.
        session: Session,
    },
    /// Measure some twenty times a second what the processes of a worker use while an attempt executes, and
    /// tell it as `Usage` whenever it is beyond one of these. Processor time used before does not count.
    Watch {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// For which attempt.
        id: AttemptId,
        /// More processor time than this is told.
        cpu: Option<Duration>,
        /// More memory than this is told, in bytes.
        memory: Option<u64>,
    },
    /// Measure once, now, what a worker and its descendants hold. Answered by `Weighed`, unless it is gone.
    Weigh {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
    },
    /// Nobody wants to know any more what this attempt uses.
    Unwatch {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// For which attempt.
        id: AttemptId,
    },
    /// How far an attempt in flight is, as its worker says. For whoever waits, and for observers.
    Progress {
        /// What.
        id: AttemptId,
        /// How far.
        progress: Progress,
    },
    /// An attempt that executed came to rest and the task goes on. For observers; the last attempt
    /// of a task is in its settlement.
    AttemptEnded {
        /// Whose.
        task: TaskId,
        /// How.
        report: AttemptReport,
    },
    /// A task has ended: tell whoever waits, and forget it.
    Settle(Settlement),
    /// A task was not admitted: hand it back. It was never in the farm.
    Refuse {
        /// Which.
        task: TaskId,
        /// Why.
        refusal: Refusal,
    },
    /// Nothing that goes on will let this task start: no worker matches it, nor would a fresh one.
    /// It goes on waiting, for a caller to change that or to cancel it; when the farm drains it ends. For observers.
    Unmatched {
        /// Which.
        task: TaskId,
    },
    /// A scope is over: it is closed or cancelled, and everything in it is at rest. Exactly once for
    /// each that was opened, after the ends of its tasks and of the scopes inside it.
    ScopeEnded {
        /// Which.
        scope: ScopeId,
        /// What it came to.
        end: ScopeEnd,
    },
    /// A scope was not opened.
    RefuseScope {
        /// Which.
        scope: ScopeId,
        /// Why.
        refusal: ScopeRefusal,
    },
    /// About the tokens of the jobserver.
    Token(TokenAction),
    /// Workers of a kind cannot be started; its pool has ended, and what waits is settled `SpawnFailed`.
    PoolEnded {
        /// Which kind.
        kind: KindId,
        /// The last failure, with what to do.
        error: String,
    },
    /// A worker said hello and is ready. For observers.
    WorkerReady {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// The pid it states, for people.
        pid: u32,
    },
    /// A worker is gone and its session over. For observers.
    WorkerGone {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// How and why.
        gone: Gone,
    },
    /// After a `Shut`: nothing is in flight and no worker lives. The last action.
    Stopped,
    /// A task that was offered, and had to wait for room, has come into the farm.
    Admitted {
        /// Which.
        task: TaskId,
    },
}

/// A list of actions is written and moved at every event. The largest is the end of a task, of which there is one for
/// each, so that a box for it would cost an allocation per task; nothing rarer may be larger.
const _: () = assert!(size_of::<Action>() <= 128 && size_of::<Settlement>() <= 128);

/// What is to be done about the tokens of the jobserver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TokenAction {
    /// One is wanted: as soon as it is to be had, take it and tell `TokenCame`. One at a time.
    Want,
    /// None is wanted any more.
    WantNone,
    /// One of those that came goes back to the jobserver, now.
    GiveBack,
    /// Nobody works: make good in our own jobserver what was lost, or added, by others. Answered by `TokensCounted`.
    Count,
    /// None comes any more. The farm goes on with those that are held, until they would go back, and then with one
    /// worker at a time. For observers.
    Lost {
        /// Why, as it was told.
        error: String,
    },
}

/// The end of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// How its process ended.
    pub termination: Termination,
    /// Whose doing it was.
    pub whose: WhoseDoing,
    /// Both, and its last words, for people.
    pub why: String,
}

/// Whose doing the end of a worker was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum WhoseDoing {
    /// The farm needed it no more.
    Finished,
    /// The farm replaced it though it was healthy.
    Replaced,
    /// The farm killed it: an attempt did not stop in time, or it said nonsense.
    Killed,
    /// Its own, or somebody else's.
    Died,
}

/// A pipe from master to worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Link {
    /// What is to be performed, in order.
    Requests,
    /// What must be heard at once.
    Control,
}

/// A signal of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
}

/// Why a task was not admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
pub enum Refusal {
    /// The lane refuses it for another reason than those below.
    #[error(transparent)]
    Lane(LaneError),
    /// It needs a task that is not in the farm: never submitted, or ended already.
    #[error(
        "it needs {0}, which is not in the farm (it was never submitted, or has ended already)"
    )]
    UnknownNeed(TaskId),
    /// It names a limit the configuration does not have.
    #[error("its limit is not in the configuration")]
    UnknownLimit,
    /// It has a limit on what its attempts use, and nobody measures that here.
    #[error(
        "it has a limit on processor time or memory, which cannot be measured on this system; leave the limit out"
    )]
    Unmeasured,
    /// The pool of its kind has ended because its workers cannot be started.
    #[error("no worker can be started: {0}")]
    PoolEnded(String),
    /// The lane of its kind is draining or closed, or the farm is over.
    #[error("its lane is {} and admits nothing", .0.label())]
    NotAdmitting(Gate),
    /// Its scope is cancelled, closed or over, or was never opened.
    #[error("its scope {0} takes nothing any more (it was cancelled, closed, or never opened)")]
    ScopeOver(ScopeId),
    /// Its group has as many members as a group may have. It has not become one.
    #[error("its group has {limit} members, and no group may have more")]
    GroupFull {
        /// The limit.
        limit: usize,
    },
    /// No place to wait is left in its lane, and it was to be refused then.
    #[error(
        "its lane is full: {queued} tasks wait and {max_queued} may; wait for room, or raise max_queued"
    )]
    Saturated {
        /// How many wait.
        queued: usize,
        /// How many may.
        max_queued: usize,
    },
    /// It waited for room in its lane as long as it might.
    #[error(
        "its lane had no room in time: {queued} tasks wait and {max_queued} may; wait longer, or raise max_queued"
    )]
    TimedOut {
        /// How many wait.
        queued: usize,
        /// How many may.
        max_queued: usize,
    },
    /// Its lane only pulls.
    #[error("its lane is {} and takes no push; feed it, or choose another mode for the boundary", .mode.label())]
    ModeForbids {
        /// The lane's mode.
        mode: AdapterMode,
    },
}

impl From<LaneError> for Refusal {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::QueueSaturated {
                queued, max_queued, ..
            } => Self::Saturated { queued, max_queued },
            LaneError::NotAdmitting { gate, .. } => Self::NotAdmitting(gate),
            LaneError::ModeForbids {
                mode,
                action: Entry::Push,
                ..
            } => Self::ModeForbids { mode },
            LaneError::ModeForbids { .. }
            | LaneError::DuplicateTask { .. }
            | LaneError::InjectionRefused { .. }
            | LaneError::UnknownTask { .. }
            | LaneError::InvalidTransition { .. }
            | LaneError::StaleAttempt { .. }
            | LaneError::NotStarting { .. }
            | LaneError::NoRoom { .. }
            | LaneError::KeyTooLarge { .. } => Self::Lane(error),
        }
    }
}

/// The out-parameter of the machine: one ordered list, and the bytes that `Send`s refer to.
/// Reused from call to call so that the hot path allocates nothing.
#[derive(Debug, Default)]
pub struct Actions {
    list: Vec<Action>,
    /// What `Send`s refer to.
    pub bytes: Vec<u8>,
}

impl Actions {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an action.
    pub fn push(&mut self, action: Action) {
        self.list.push(action);
    }

    /// Appends a `Send` of everything in `bytes` from `start` on. Bytes for the same pipe as the
    /// action before become one `Send`.
    pub fn send_from(&mut self, slot: SlotId, session: Session, link: Link, start: usize) {
        let end = self.bytes.len();
        self.list.push(Action::Send {
            slot,
            session,
            link,
            bytes: start..end,
        });
    }

    /// The actions so far.
    #[must_use]
    pub fn as_slice(&self) -> &[Action] {
        &self.list
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes the actions out, in order; the bytes stay until [`Actions::clear`].
    pub fn drain(&mut self) -> std::vec::Drain<'_, Action> {
        self.list.drain(..)
    }

    /// Moves the list out so that it can be walked while `self.bytes` is read; give it back with [`Actions::restore`].
    #[must_use]
    pub fn take_list(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.list)
    }

    /// Gives back a walked list, for its memory.
    pub fn restore(&mut self, mut list: Vec<Action>) {
        list.clear();
        if self.list.is_empty() {
            self.list = list;
        }
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.bytes.clear();
    }
}
