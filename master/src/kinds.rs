//! The seam to user code: the machine holds ids only and reaches the kinds through [`Kinds`].
//!
//! The typed face over it is [`crate::TaskKind`]; [`crate::Registry`] is the one implementation
//! that holds typed tasks. A recording or replaying implementation needs no user code at all.

use crate::affinity::{Affinity, Injected, Whom};
use crate::event::Stream;
use crate::options::Cause;
use farm_protocol::{AffinityKey, AttemptId, MarshalError, SlotId, TaskId};
use serde::{Deserialize, Serialize};

/// A callback of a kind panicked. It costs the task it was about, never the farm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the kind's callback `{callback}` panicked: {message}")]
pub struct KindFault {
    /// Which callback.
    pub callback: String,
    /// The panic's message.
    pub message: String,
}

/// What became of the wish for a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestAnswer {
    /// The payload has been appended.
    Ready,
    /// The kind says that the task needs no request any more. Nothing was appended.
    Skip,
    /// The request cannot be encoded. Nothing was appended.
    NotMarshallable(MarshalError),
    /// The callback panicked. Nothing was appended.
    Fault(KindFault),
}

/// What the kind made of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseAnswer {
    /// The kind took it; `Kinds` keeps output or failure until the task is settled.
    Taken {
        /// What it is.
        judged: Judged,
        /// What happens with the worker.
        next: NextOfWorker,
        /// The keys that the worker holds from now on; at most [`crate::KEYS_PER_WORKER`] are looked at.
        keys: Vec<AffinityKey>,
        /// Follow-up tasks.
        injected: Vec<Injected>,
    },
    /// The bytes are no response of this kind.
    Garbled(MarshalError),
    /// The callback panicked.
    Fault(KindFault),
}

/// The kind's judgement of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Judged {
    /// An output.
    Done,
    /// A failure.
    Failed {
        /// For the decision whether it is retried.
        cause: Cause,
        /// Never retried, whatever the options say.
        fatal: bool,
    },
}

/// What happens with a worker after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NextOfWorker {
    /// It stays, old now.
    Stay,
    /// It is ended and replaced; this costs nobody anything.
    End,
}

/// A response, still encoded or decoded off the loop.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// The encoded response.
    Bytes(&'a [u8]),
    /// The number under which the decoded one lies.
    Decoded(u64),
}

/// The kinds, as the machine sees them. All calls are synchronous and must be quick.
pub trait Kinds {
    /// Which workers a task is for. Asked when it comes in, and again when its substitute takes its place.
    ///
    /// # Errors
    /// [`KindFault`] when the callback panicked.
    fn affinity(&mut self, task: TaskId) -> Result<Affinity, KindFault>;

    /// The rank of a task in a queue whose order is [`crate::QueueOrder::Ranked`].
    ///
    /// # Errors
    /// [`KindFault`] when the callback panicked.
    fn rank(&mut self, task: TaskId) -> Result<i64, KindFault>;

    /// Whether this worker may take `task`. Not asked about a task that is pinned to it.
    ///
    /// # Errors
    /// [`KindFault`] when the callback panicked.
    fn matches(&mut self, task: TaskId, whom: Whom) -> Result<bool, KindFault>;

    /// The worker that `task` was pinned to is gone: what is kept for this case takes its place.
    fn substitute(&mut self, task: TaskId);

    /// Appends the request of an attempt to `out`, at most `limit` bytes.
    fn request(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> RequestAnswer;

    /// Hands a response over.
    fn response(&mut self, id: AttemptId, slot: SlotId, payload: Payload<'_>) -> ResponseAnswer;

    /// Hands over the response of an attempt that had been asked to stop. It decides nothing any
    /// more; the kind may keep what it says.
    fn late(&mut self, id: AttemptId, bytes: &[u8]);

    /// Hands a feedback over.
    ///
    /// # Errors
    /// The message for people when it could not be decoded or the callback panicked; the machine counts it.
    fn feedback(&mut self, id: AttemptId, bytes: &[u8]) -> Result<(), String>;

    /// Hands over what a worker wrote to its own streams while these tasks were with it. With one
    /// task the output is exactly its own; with several it is shared among them.
    fn output(&mut self, tasks: &[TaskId], stream: Stream, bytes: &[u8]);

    /// A new process is in `slot`: its status is `Fresh`.
    fn fresh(&mut self, slot: SlotId);
}
