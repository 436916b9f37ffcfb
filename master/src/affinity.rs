//! Which worker a task is for, as far as the rules know it: keys, pins and the order of a queue. Types only.

use farm_protocol::{AffinityKey, Session, SlotId, TaskId};
use serde::{Deserialize, Serialize};

/// How many keys of one worker are looked at, in the order the kind names them. Each costs a look-up
/// whenever the worker is free.
pub const KEYS_PER_WORKER: usize = 64;

/// Which workers a task is for. `task_match` may narrow it further.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Affinity {
    /// Any worker.
    #[default]
    Any,
    /// Workers that hold this key before others. It never waits for one while another is free.
    Prefers(AffinityKey),
    /// Only workers that hold this key, and fresh ones. When there is neither, an idle worker is replaced.
    Requires(AffinityKey),
    /// This process and no other, as a follow-up is that is pinned to it. The task ends
    /// [`crate::Outcome::HolderGone`] when the process is gone, or about to go, before it has started; also when that is
    /// so at the submission. A process that never was, or is of another kind, is gone. Which process a task was with is
    /// in its [`crate::AttemptReport`]s.
    Worker {
        /// The slot it is in.
        slot: SlotId,
        /// Which of those that were in that slot.
        session: Session,
    },
}

/// Whom a task is to be matched with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whom {
    /// The worker in this slot.
    Worker(SlotId),
    /// A worker that is yet to be started.
    Fresh,
}

/// A follow-up task, already in `Kinds` under its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injected {
    /// Its id.
    pub task: TaskId,
    /// `None`: shared. Otherwise it is pinned to the worker that answered, and this is what becomes
    /// of it when that worker is gone before it has ended.
    pub pinned: Option<WhenGone>,
}

impl Injected {
    /// A follow-up that any worker may take.
    #[must_use]
    pub const fn shared(task: TaskId) -> Self {
        Self { task, pinned: None }
    }

    /// A follow-up for the worker that answered.
    #[must_use]
    pub const fn pinned(task: TaskId, when_gone: WhenGone) -> Self {
        Self {
            task,
            pinned: Some(when_gone),
        }
    }
}

/// What becomes of a pinned task whose worker is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhenGone {
    /// Any worker may take it.
    AnyWorker,
    /// The task that `Kinds` keeps for this case takes its place, under the same id.
    Substitute,
    /// It ends [`crate::Outcome::HolderGone`].
    Fail,
}

/// In which order tasks of equal priority start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueOrder {
    /// As they came.
    #[default]
    Arrival,
    /// The youngest first.
    Newest,
    /// By the rank that the kind gives each of them, the smaller first; equal ranks as they came.
    Ranked,
}
