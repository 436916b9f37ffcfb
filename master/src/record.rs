//! The inputs of a machine in a real run, written down and played back: with them a run replays without user code.
//!
//! [`Recording`] passes every call of the kinds on and keeps what was answered; [`Replaying`] answers the same
//! again, in the same order. [`RunEncoder`] turns a whole run into bytes, [`RunDecoder`] reads
//! them back, [`Replayer`] feeds them to the same machine and compares what it says. None of them
//! knows what a task is, or where the bytes lie.
//!
//! # The format
//!
//! ```text
//! "farmrec" version │ head │ call │ call │ … │ end
//! every entry: length, 4 bytes LE │ check, 4 bytes LE │ body: tag, then postcard
//!   head (1): build, `Config`
//!   call (2): now, `Event`, each answer as `Some(KindAnswer)`, `None`, what the machine made of it
//!   end  (3): how many calls, how many actions
//! ```
//!
//! The length counts the body, the check is its folded FNV-1a. What the machine made of a call is
//! `Some` of the number of its actions and their digest ([`Made`]), or `None` when it panicked. A
//! call comes after its answers, so that a reader holds one call at a time. A record without an
//! end was cut off; it replays up to there.

mod decode;
mod digest;
mod encode;
mod replay;

pub use decode::{Call, Head, RecordError, Recorded, RunDecoder};
pub use digest::{Fnv, Made};
pub use encode::{EntryTooLong, RunEncoder};
pub use replay::{Difference, Replayed, Replayer, Step};

use crate::affinity::{Affinity, Whom};
use crate::event::Stream;
use crate::kinds::{KindFault, Kinds, Payload, RequestAnswer, ResponseAnswer};
use farm_protocol::{AttemptId, SlotId, TaskId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What a kind answered to one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KindAnswer {
    /// To `affinity`.
    Affinity(Result<Affinity, KindFault>),
    /// To `rank`.
    Rank(Result<i64, KindFault>),
    /// To `matches`.
    Matches(Result<bool, KindFault>),
    /// To `request`, with the payload that was appended.
    Request(RequestAnswer, #[serde(with = "serde_bytes")] Vec<u8>),
    /// To `response`.
    Response(ResponseAnswer),
    /// To `feedback`.
    Feedback(Result<(), String>),
}

/// Takes each answer as it is given.
pub trait Recorder {
    /// One more answer, in the order of the calls.
    fn record(&mut self, answer: KindAnswer);
}

impl Recorder for Vec<KindAnswer> {
    fn record(&mut self, answer: KindAnswer) {
        self.push(answer);
    }
}

/// Kinds whose answers are written down.
pub struct Recording<'a> {
    kinds: &'a mut dyn Kinds,
    recorder: &'a mut dyn Recorder,
}

impl<'a> Recording<'a> {
    /// Passes calls on to `kinds` and answers to `recorder`.
    pub fn new(kinds: &'a mut dyn Kinds, recorder: &'a mut dyn Recorder) -> Self {
        Self { kinds, recorder }
    }
}

impl std::fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

impl Kinds for Recording<'_> {
    fn affinity(&mut self, task: TaskId) -> Result<Affinity, KindFault> {
        let answer = self.kinds.affinity(task);
        self.recorder.record(KindAnswer::Affinity(answer.clone()));
        answer
    }

    fn rank(&mut self, task: TaskId) -> Result<i64, KindFault> {
        let answer = self.kinds.rank(task);
        self.recorder.record(KindAnswer::Rank(answer.clone()));
        answer
    }

    fn matches(&mut self, task: TaskId, whom: Whom) -> Result<bool, KindFault> {
        let answer = self.kinds.matches(task, whom);
        self.recorder.record(KindAnswer::Matches(answer.clone()));
        answer
    }

    fn substitute(&mut self, task: TaskId) {
        self.kinds.substitute(task);
    }

    fn request(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> RequestAnswer {
        let start = out.len();
        let answer = self.kinds.request(id, slot, out, limit);
        let payload = out[start..].to_vec();
        self.recorder
            .record(KindAnswer::Request(answer.clone(), payload));
        answer
    }

    fn response(&mut self, id: AttemptId, slot: SlotId, payload: Payload<'_>) -> ResponseAnswer {
        let answer = self.kinds.response(id, slot, payload);
        self.recorder.record(KindAnswer::Response(answer.clone()));
        answer
    }

    fn late(&mut self, id: AttemptId, bytes: &[u8]) {
        self.kinds.late(id, bytes);
    }

    fn feedback(&mut self, id: AttemptId, bytes: &[u8]) -> Result<(), String> {
        let answer = self.kinds.feedback(id, bytes);
        self.recorder.record(KindAnswer::Feedback(answer.clone()));
        answer
    }

    fn output(&mut self, tasks: &[TaskId], stream: Stream, bytes: &[u8]) {
        self.kinds.output(tasks, stream, bytes);
    }

    fn fresh(&mut self, slot: SlotId) {
        self.kinds.fresh(slot);
    }
}

/// Kinds that answer what was answered before.
#[derive(Debug)]
pub struct Replaying {
    answers: VecDeque<KindAnswer>,
    /// The first call that was not the recorded one, in words.
    diverged: Option<String>,
}

impl Replaying {
    /// Answers these, in their order.
    #[must_use]
    pub fn new(answers: impl IntoIterator<Item = KindAnswer>) -> Self {
        Self {
            answers: answers.into_iter().collect(),
            diverged: None,
        }
    }

    /// The first call for which nothing, or something else, was recorded. From there on the
    /// answers are made up (no match, skip, garbled), and the replay proves nothing.
    #[must_use]
    pub fn diverged(&self) -> Option<&str> {
        self.diverged.as_deref()
    }

    /// How many recorded answers were not asked for.
    #[must_use]
    pub fn left(&self) -> usize {
        self.answers.len()
    }

    /// The next recorded answer, if it is one to this call; `pick` gives back what is none.
    fn take<T>(
        &mut self,
        call: std::fmt::Arguments<'_>,
        pick: impl FnOnce(KindAnswer) -> Result<T, KindAnswer>,
    ) -> Option<T> {
        if self.diverged.is_some() {
            return None;
        }
        let recorded = match self.answers.pop_front().map(pick) {
            Some(Ok(picked)) => return Some(picked),
            Some(Err(other)) => Some(other),
            None => None,
        };
        self.diverged = Some(format!(
            "{call} was called where the record has {recorded:?}"
        ));
        None
    }
}

impl Kinds for Replaying {
    fn affinity(&mut self, task: TaskId) -> Result<Affinity, KindFault> {
        let call = format_args!("affinity({task})");
        self.take(call, |answer| match answer {
            KindAnswer::Affinity(answer) => Ok(answer),
            other => Err(other),
        })
        .unwrap_or(Ok(Affinity::Any))
    }

    fn rank(&mut self, task: TaskId) -> Result<i64, KindFault> {
        let call = format_args!("rank({task})");
        self.take(call, |answer| match answer {
            KindAnswer::Rank(answer) => Ok(answer),
            other => Err(other),
        })
        .unwrap_or(Ok(0))
    }

    fn matches(&mut self, task: TaskId, whom: Whom) -> Result<bool, KindFault> {
        let call = format_args!("matches({task}, {whom:?})");
        self.take(call, |answer| match answer {
            KindAnswer::Matches(answer) => Ok(answer),
            other => Err(other),
        })
        .unwrap_or(Ok(false))
    }

    fn substitute(&mut self, _: TaskId) {}

    fn request(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        out: &mut Vec<u8>,
        _: usize,
    ) -> RequestAnswer {
        let call = format_args!("request({id}, {slot})");
        let recorded = self.take(call, |answer| match answer {
            KindAnswer::Request(answer, payload) => Ok((answer, payload)),
            other => Err(other),
        });
        let Some((answer, payload)) = recorded else {
            return RequestAnswer::Skip;
        };
        out.extend_from_slice(&payload);
        answer
    }

    fn response(&mut self, id: AttemptId, slot: SlotId, _: Payload<'_>) -> ResponseAnswer {
        let call = format_args!("response({id}, {slot})");
        self.take(call, |answer| match answer {
            KindAnswer::Response(answer) => Ok(answer),
            other => Err(other),
        })
        .unwrap_or_else(|| {
            ResponseAnswer::Garbled(farm_protocol::MarshalError::Decode("no record".to_string()))
        })
    }

    fn late(&mut self, _: AttemptId, _: &[u8]) {}

    fn feedback(&mut self, id: AttemptId, _: &[u8]) -> Result<(), String> {
        let call = format_args!("feedback({id})");
        self.take(call, |answer| match answer {
            KindAnswer::Feedback(answer) => Ok(answer),
            other => Err(other),
        })
        .unwrap_or(Ok(()))
    }

    fn output(&mut self, _: &[TaskId], _: Stream, _: &[u8]) {}

    fn fresh(&mut self, _: SlotId) {}
}

/// The first bytes of a record; the last one is the version of the format. It rises whenever an
/// event, a configuration or an action is written in another way, which old digests would not survive.
const MAGIC: [u8; 8] = *b"farmrec\x05";

/// The longest body of an entry, in bytes: a call with everything that was sent and answered in
/// it. It only stops what can be no record; a reader holds what has come, not what is claimed.
pub const ENTRY_LIMIT: u32 = 1 << 30;

/// Length and check of an entry, in bytes.
const ENTRY_HEADER: usize = 8;

const HEAD: u8 = 1;
const CALL: u8 = 2;
const END: u8 = 3;

#[cfg(test)]
mod tests;
