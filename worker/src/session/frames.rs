//! Between frames and the session: which frame is which event, which answer is which frame.
//!
//! Pure like the session, so that the simulator speaks in the very bytes of the real pipe.

use super::{Answer, Event, Fault};
use farm_protocol::{
    AttemptHeader, Frame, FrameError, FrameKind, FrameLimit, MarshalError, RequestHeader,
    attempt_frame, attempt_frame_body, decode, decode_prefix, encode_into, reply_frame,
};

/// Bytes a fault's message may have in a frame; the rest is cut off, so that the frame is sent whatever the message.
pub const MESSAGE_MAX: usize = 16 << 10;

/// What a reply's head takes at most, in bytes.
const HEAD_MAX: u32 = 128;

/// The longest payload that fits in a reply under `limit`, in bytes.
#[must_use]
pub const fn payload_max(limit: FrameLimit) -> usize {
    limit.0.saturating_sub(HEAD_MAX) as usize
}

/// What stands on the requests pipe.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// Perform this; the payload is the kind's.
    Request(RequestHeader, &'a [u8]),
    /// Nothing more will come.
    Stop,
}

/// Reads a frame of the requests pipe.
///
/// # Errors
/// [`Fault::BadFrame`].
pub fn incoming(frame: Frame<'_>) -> Result<Incoming<'_>, Fault> {
    let pipe = "requests";
    match frame.kind {
        FrameKind::Request => match decode_prefix(frame.body) {
            Ok((header, payload)) => Ok(Incoming::Request(header, payload)),
            Err(error) => Err(malformed(pipe, &error)),
        },
        FrameKind::Stop => Ok(Incoming::Stop),
        FrameKind::Cancel
        | FrameKind::Revoke
        | FrameKind::Hello
        | FrameKind::Reply
        | FrameKind::Feedback
        | FrameKind::Revoked
        | FrameKind::Refused
        | FrameKind::Unmarshallable
        | FrameKind::Panicked
        | FrameKind::Progress => Err(misplaced(pipe, frame.kind)),
    }
}

/// Reads a frame of the control pipe.
///
/// # Errors
/// [`Fault::BadFrame`].
pub fn control(frame: Frame<'_>) -> Result<Event, Fault> {
    let pipe = "control";
    let header =
        || -> Result<AttemptHeader, Fault> { decode(frame.body).map_err(|e| malformed(pipe, &e)) };
    match frame.kind {
        FrameKind::Cancel => Ok(Event::Cancel(header()?)),
        FrameKind::Revoke => Ok(Event::Revoke(header()?)),
        FrameKind::Request
        | FrameKind::Stop
        | FrameKind::Hello
        | FrameKind::Reply
        | FrameKind::Feedback
        | FrameKind::Revoked
        | FrameKind::Refused
        | FrameKind::Unmarshallable
        | FrameKind::Panicked
        | FrameKind::Progress => Err(misplaced(pipe, frame.kind)),
    }
}

/// The fault of a pipe whose bytes are no frames.
#[must_use]
pub fn garbled(pipe: &'static str, error: FrameError) -> Fault {
    let what = error.to_string();
    Fault::BadFrame { pipe, what }
}

fn malformed(pipe: &'static str, error: &MarshalError) -> Fault {
    let what = error.to_string();
    Fault::BadFrame { pipe, what }
}

fn misplaced(pipe: &'static str, kind: FrameKind) -> Fault {
    let what = format!("{kind:?} does not belong there");
    Fault::BadFrame { pipe, what }
}

/// Appends the frame of `answer`; `payload` is the encoded response and is used by a reply alone.
///
/// # Errors
/// A reply that exceeds `limit`; `out` is as before. Not with a payload up to [`payload_max`], nor with other answers.
pub fn append_answer(
    out: &mut Vec<u8>,
    answer: &Answer,
    payload: &[u8],
    limit: FrameLimit,
) -> Result<(), FrameError> {
    match answer {
        Answer::Reply(header) => {
            return reply_frame(out, header, limit, |out| {
                out.extend_from_slice(payload);
                Ok(())
            });
        }
        Answer::Revoked(header) => attempt_frame(out, FrameKind::Revoked, header),
        Answer::Refused(header, what) => message(out, FrameKind::Refused, header, what),
        Answer::Unmarshallable(header, what) => {
            message(out, FrameKind::Unmarshallable, header, what);
        }
        Answer::Panicked(header, what) => message(out, FrameKind::Panicked, header, what),
    }
    Ok(())
}

fn message(out: &mut Vec<u8>, kind: FrameKind, header: &AttemptHeader, what: &str) {
    let end = (0..=what.len().min(MESSAGE_MAX)).rfind(|at| what.is_char_boundary(*at));
    let what = &what[..end.unwrap_or(0)];
    let written = attempt_frame_body(out, kind, header, FrameLimit(u32::MAX), |out| {
        encode_into(what, out, usize::MAX).expect("a string always encodes");
        Ok::<(), FrameError>(())
    });
    written.expect("a cut message is below every limit");
}
