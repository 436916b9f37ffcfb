//! The headers inside frames: which attempt a frame is about, and what came of it.

use crate::frame::{FrameError, FrameKind, FrameLimit, begin_frame, finish_frame};
use crate::id::{AttemptId, KindId};
use crate::marshal::encode_into;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Head of a `Request` frame; the payload of the kind follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHeader {
    /// The position of this request in its session, from 1. Requests are performed in this order,
    /// which is how the worker knows whether a revocation comes too late.
    pub number: u64,
    /// What is sent.
    pub id: AttemptId,
    /// Whose payload it is.
    pub kind: KindId,
}

/// Body of `Cancel` and `Revoke`, and head of `Feedback`, `Progress`, `Revoked`, `Refused`, `Unmarshallable` and `Panicked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptHeader {
    /// The position of its request in the session.
    pub number: u64,
    /// What it is about.
    pub id: AttemptId,
}

/// The rest of `Refused`, `Unmarshallable` and `Panicked`: what went wrong, for people.
pub type FaultBody = String;

/// How far an attempt is: the rest of `Progress`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// How much is done, in whatever the kind counts.
    pub done: u64,
    /// Out of how much, when that is known.
    pub total: Option<u64>,
    /// What it is at, for people; at most [`Progress::NOTE_MAX`] bytes.
    pub note: String,
}

impl Progress {
    /// The longest note, in bytes. It is a line for people; what is longer belongs into feedback.
    pub const NOTE_MAX: usize = 256;

    /// With a note that is cut to [`Progress::NOTE_MAX`], between two characters.
    #[must_use]
    pub fn new(done: u64, total: Option<u64>, note: &str) -> Self {
        let end = (0..=note.len().min(Self::NOTE_MAX)).rfind(|at| note.is_char_boundary(*at));
        let note = String::from(&note[..end.unwrap_or(0)]);
        Self { done, total, note }
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.total == Some(self.done)
    }
}

/// What else a reply says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyFlags {
    /// The kind saw that it was cancelled before it answered.
    pub heeded_cancel: bool,
    /// The attempt left processes behind; this worker must be replaced so that they are collected.
    pub left_behind: bool,
}

/// Head of a `Reply` frame; the payload of the kind follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyHeader {
    /// What it answers.
    pub id: AttemptId,
    /// What else it says.
    pub flags: ReplyFlags,
    /// How long `perform` ran, in nanoseconds of the worker's clock.
    pub ran_nanos: u64,
}

impl ReplyHeader {
    /// How long `perform` ran.
    #[must_use]
    pub const fn ran(&self) -> Duration {
        Duration::from_nanos(self.ran_nanos)
    }
}

/// Headers are a few integers: whatever the limit of frames, they fit.
const HEADER_LIMIT: usize = 128;

/// What a payload writer says of itself, passed through unchanged.
type Payload<E> = Result<(), E>;

fn framed<E: From<FrameError>>(
    out: &mut Vec<u8>,
    kind: FrameKind,
    header: &impl Serialize,
    limit: FrameLimit,
    payload: impl FnOnce(&mut Vec<u8>) -> Payload<E>,
) -> Result<(), E> {
    let start = begin_frame(out, kind);
    encode_into(header, out, HEADER_LIMIT).expect("a header of integers always encodes");
    if let Err(error) = payload(out) {
        out.truncate(start);
        return Err(error);
    }
    Ok(finish_frame(out, start, limit)?)
}

/// Appends a `Request` frame whose payload `payload` appends.
///
/// # Errors
/// What `payload` says, or a frame over the limit; `out` is as before.
pub fn request_frame<E: From<FrameError>>(
    out: &mut Vec<u8>,
    header: &RequestHeader,
    limit: FrameLimit,
    payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    framed(out, FrameKind::Request, header, limit, payload)
}

/// Appends a `Reply` frame whose payload `payload` appends.
///
/// # Errors
/// As [`request_frame`].
pub fn reply_frame<E: From<FrameError>>(
    out: &mut Vec<u8>,
    header: &ReplyHeader,
    limit: FrameLimit,
    payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    framed(out, FrameKind::Reply, header, limit, payload)
}

/// Appends a frame that is only an [`AttemptHeader`].
pub fn attempt_frame(out: &mut Vec<u8>, kind: FrameKind, header: &AttemptHeader) {
    attempt_frame_body(out, kind, header, FrameLimit(u32::MAX), |_| {
        Ok::<(), FrameError>(())
    })
    .expect("a header alone is below every limit");
}

/// Appends a frame that begins with an [`AttemptHeader`] and goes on with what `body` appends.
///
/// # Errors
/// As [`request_frame`].
pub fn attempt_frame_body<E: From<FrameError>>(
    out: &mut Vec<u8>,
    kind: FrameKind,
    header: &AttemptHeader,
    limit: FrameLimit,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    framed(out, kind, header, limit, body)
}

#[cfg(test)]
mod tests {
    //! A note is cut between two characters.
    use super::*;

    #[test]
    fn a_long_note_is_cut() {
        assert_eq!(Progress::new(1, None, "half").note, "half");
        let progress = Progress::new(2, Some(2), &"€".repeat(Progress::NOTE_MAX));
        assert_eq!(progress.note, "€".repeat(Progress::NOTE_MAX / 3));
        assert!(progress.is_complete());
        assert!(!Progress::new(1, Some(2), "").is_complete());
        assert!(!Progress::new(1, None, "").is_complete());
    }
}
