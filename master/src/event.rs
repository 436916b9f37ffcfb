//! What the master is told. Every variant is a fact that has happened; nothing is asked here.

use crate::affinity::QueueOrder;
use crate::evidence::MemoryEvidence;
use crate::group::{Rule, Ties};
use crate::lane::{Entry, Gate};
use crate::options::TaskOptions;
use farm_protocol::page::Noted;
use farm_protocol::{AttemptId, KindId, ScopeId, Session, SlotId, TaskId, Termination};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Something happened.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event<'a> {
    /// A task wants to enter the lane of its kind. The task is in `Kinds` under this id already;
    /// the answer is nothing, or [`crate::Action::Refuse`].
    Submit {
        /// Its id, never used before.
        task: TaskId,
        /// Its kind.
        kind: KindId,
        /// Who brings it.
        entry: Entry,
        /// Its options; `None`: the kind's defaults.
        options: Option<Box<TaskOptions>>,
        /// The scope it belongs to. One that takes nothing any more refuses it: so whoever submits
        /// hears the same, whether the scope has just been cancelled or is long over.
        scope: Option<ScopeId>,
    },
    /// A scope begins; the answer is nothing, or [`crate::Action::RefuseScope`].
    OpenScope {
        /// Its id, never used before.
        scope: ScopeId,
        /// The scope it is in, and is cancelled with.
        parent: Option<ScopeId>,
        /// The rule and the tie rule of a group; `None`: a scope that only holds its tasks together.
        rule: Option<(Rule, Ties)>,
        /// The longest time from now until all of it is at rest.
        limit: Option<Duration>,
    },
    /// A scope gets no further members and no further scopes inside it. Unknown and ended ones are ignored.
    CloseScope {
        /// Which.
        scope: ScopeId,
    },
    /// Everything in a scope and in those inside it shall end, and nothing more comes into them.
    /// Unknown and ended ones are ignored.
    CancelScope {
        /// Which.
        scope: ScopeId,
        /// Why, for people.
        reason: String,
    },
    /// A caller wants a task to end. Unknown and ended tasks are ignored.
    Cancel {
        /// Which.
        task: TaskId,
        /// Why, for people.
        reason: String,
    },
    /// A caller wants all tasks to end, of one kind or of all. Workers that do nothing are not touched.
    CancelAll {
        /// `None`: of every kind.
        kind: Option<KindId>,
        /// Why, for people.
        reason: String,
    },
    /// A task is more, or less, urgent than it was said to be. It counts while it waits and for its
    /// further attempts. Unknown and ended tasks are ignored.
    SetPriority {
        /// Which.
        task: TaskId,
        /// Larger first.
        priority: i32,
    },
    /// What waits starts in another order from now on.
    SetOrder {
        /// Whose queue.
        kind: KindId,
        /// Which order.
        order: QueueOrder,
    },
    /// Something that `task_match` or `rank` looks at has changed outside of the farm: everything
    /// that waits is looked at again.
    Broadcast {
        /// Whose queue.
        kind: KindId,
    },
    /// A kind shall have another number of workers from now on. Those beyond it end when they have answered what
    /// they execute.
    Resize {
        /// Which kind.
        kind: KindId,
        /// So many are kept; more than `most` means `most`.
        least: u32,
        /// So many at most; none means one, and more than there are slots numbered means those.
        most: u32,
    },
    /// Whoever talks to this worker needs it no more: it ends when it has answered what it executes, which costs nobody
    /// anything. What is for it alone ends as if it were gone. Ignored when it is gone.
    EndWorker {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
    },
    /// A lane is paused, resumed or told to admit nothing.
    SetGate {
        /// Whose lane.
        kind: KindId,
        /// How it shall be.
        gate: Gate,
    },
    /// The farm shall end. A stronger wish replaces a weaker one, never the other way round.
    Shut(Shut),
    /// [`crate::Action::Spawn`] succeeded: the process exists.
    Spawned {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// Whether it has a page; without one it gets one request at a time.
        page: bool,
    },
    /// [`crate::Action::Spawn`] failed: there is no process, and no further event of this session.
    SpawnFailed {
        /// Where.
        slot: SlotId,
        /// Which it would have been.
        session: Session,
        /// What was attempted on what and why it failed.
        error: String,
    },
    /// Bytes came over a worker's answers pipe.
    Bytes {
        /// From where.
        slot: SlotId,
        /// From which process.
        session: Session,
        /// As they came.
        #[serde(borrow, with = "serde_bytes")]
        bytes: &'a [u8],
    },
    /// A worker wrote to its own stdout or stderr. Delivered before the `Bytes` of answers that
    /// were written after it.
    Output {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// Which stream.
        stream: Stream,
        /// What the page said when the output was read.
        noted: Noted,
        /// As they came.
        #[serde(borrow, with = "serde_bytes")]
        bytes: &'a [u8],
    },
    /// The answers pipe of a worker has been read to its end. Exactly once per session, before or after `Exited`.
    Eof {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
    },
    /// A worker process is gone and collected. Exactly once per session.
    Exited {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// How.
        #[serde(borrow)]
        exit: Exit<'a>,
    },
    /// [`crate::Action::Decode`] is done.
    Decoded {
        /// Where it came from.
        slot: SlotId,
        /// From which process.
        session: Session,
        /// Whose response it is.
        id: AttemptId,
        /// Under which number `Kinds` finds what was decoded.
        handle: u64,
    },
    /// What the processes of a worker use, measured because of [`crate::Action::Watch`], and beyond what that names.
    Usage {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// For which attempt it was measured.
        id: AttemptId,
        /// What was measured.
        sample: Sample,
    },
    /// [`crate::Action::Weigh`] is done.
    Weighed {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// What it and its descendants hold, in bytes.
        memory: u64,
    },
    /// A token has come after [`crate::TokenAction::Want`]. One that nobody wants any more is given back at once.
    TokenCame,
    /// No tokens will come any more: the jobserver cannot be read. Those that are held are still held.
    TokensLost {
        /// What was attempted and why it failed.
        error: String,
    },
    /// [`crate::TokenAction::Count`] is done. Nobody begins to work before.
    TokensCounted,
    /// A deadline fell, or nothing happened at all.
    Wake,
    /// As [`Event::Submit`] of a caller, but where the lane has no room the task waits for some, behind those that wait
    /// already. Then the answer is [`crate::Action::Admitted`] or [`crate::Action::Refuse`], or its end if somebody
    /// cancels it before.
    Offer {
        /// Its id, never used before.
        task: TaskId,
        /// Its kind.
        kind: KindId,
        /// Its options; `None`: the kind's defaults.
        options: Option<Box<TaskOptions>>,
    },
    /// Whoever offered a task waits no more: it is refused, unless it was admitted or refused before.
    Withdraw {
        /// Which.
        task: TaskId,
    },
    /// Nothing of a kind starts any more: what waits ends [`crate::Outcome::Closed`], what runs goes on and has no
    /// further attempt, and the lane is closed. [`Event::SetGate`] takes it back. Without effect once the farm ends.
    Finish {
        /// Which kind.
        kind: KindId,
    },
}

/// How a worker process went.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit<'a> {
    /// What the system says.
    pub termination: Termination,
    /// What its page said when it was dead. Without a page: that it executed nothing, where it surely has not read what
    /// it was sent last; otherwise `None`.
    pub noted: Option<Noted>,
    /// What was seen around it; its last words are in it.
    #[serde(borrow)]
    pub evidence: MemoryEvidence<'a>,
}

/// What a worker and everything below it was seen to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Processor time since the attempt was sent.
    pub cpu: Duration,
    /// Memory held at that moment, in bytes.
    pub memory: u64,
    /// What the page said at that moment: a sample may be of the next attempt.
    pub noted: Noted,
}

/// One of a process's two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// How the farm shall end, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Shut {
    /// Admit nothing new, run what is queued, then close.
    Drain,
    /// Start nothing new, end what runs, then close.
    Finish,
    /// Start nothing new, cancel what runs (each with its own budget), then close.
    Stop,
    /// Kill everything now.
    Kill,
}
