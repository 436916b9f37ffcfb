//! Frames: a length, a kind, a body. The length has a hard cap, so a corrupt one costs an error and no memory.
//!
//! ```text
//! ┌────────────────────┬──────┬───────────────┐
//! │ length, 4 bytes LE │ kind │ body          │   length counts the kind and the body
//! └────────────────────┴──────┴───────────────┘
//! ```

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Length and kind together.
const HEADER: usize = 5;

/// The default cap of one frame: 64 MiB. A kind with larger payloads passes a path, not the bytes.
pub const DEFAULT_FRAME_LIMIT: FrameLimit = FrameLimit(64 << 20);

/// An empty buffer keeps at most this much memory, in bytes.
const KEEP: usize = 1 << 20;

/// Above this many consumed bytes the decoder's buffer is moved back to its beginning.
const COMPACT_ABOVE: usize = 64 << 10;

/// The largest length a frame may state, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameLimit(pub u32);

/// What a frame is. The numbers are the wire format of [`crate::PROTOCOL_VERSION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// To the worker, requests pipe: perform this.
    Request = 1,
    /// To the worker, requests pipe: nothing more will come; end yourself when this is read.
    Stop = 2,
    /// To the worker, control pipe: give this attempt up if it has not begun, else end it soon.
    Cancel = 3,
    /// To the worker, control pipe: hand this attempt back if it has not begun.
    Revoke = 4,
    /// From the worker, first frame: who it is.
    Hello = 16,
    /// From the worker: the response of an attempt.
    Reply = 17,
    /// From the worker: something the kind says while an attempt executes.
    Feedback = 18,
    /// From the worker: this attempt has not begun and never will.
    Revoked = 19,
    /// From the worker: the request of this attempt could not be decoded.
    Refused = 20,
    /// From the worker: the response of this attempt could not be encoded.
    Unmarshallable = 21,
    /// From the worker: `perform` panicked; the worker ends after this frame.
    Panicked = 22,
    /// From the worker: how far an attempt is.
    Progress = 23,
}

impl FrameKind {
    /// The kind a byte stands for, if any.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Request,
            2 => Self::Stop,
            3 => Self::Cancel,
            4 => Self::Revoke,
            16 => Self::Hello,
            17 => Self::Reply,
            18 => Self::Feedback,
            19 => Self::Revoked,
            20 => Self::Refused,
            21 => Self::Unmarshallable,
            22 => Self::Panicked,
            23 => Self::Progress,
            _ => return None,
        })
    }
}

/// One whole frame, borrowed from the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: FrameKind,
    /// Its body, still encoded.
    pub body: &'a [u8],
}

/// Why the bytes of a link are no frames. The link cannot be used again: where the next frame begins is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A frame says that it is longer than the cap.
    #[error("a frame claims {length} bytes, the limit is {limit}")]
    TooLong {
        /// What the frame claims, in bytes.
        length: u32,
        /// The cap, in bytes.
        limit: u32,
    },
    /// A frame of length zero, which has not even a kind.
    #[error("a frame of length zero")]
    Empty,
    /// A kind of frame this version does not have.
    #[error("a frame of unknown kind {0}")]
    UnknownKind(u8),
}

/// Cuts a stream of bytes into frames. Holds at most one incomplete frame plus what was pushed with it.
#[derive(Debug)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    start: usize,
    limit: FrameLimit,
}

impl FrameDecoder {
    /// An empty decoder for frames up to `limit`.
    #[must_use]
    pub const fn new(limit: FrameLimit) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            limit,
        }
    }

    /// Adds bytes as they came from the link; chunks need not respect frames.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            // One huge frame must not hold its memory for as long as the link lives.
            self.buffer.shrink_to(KEEP);
        } else if self.start > COMPACT_ABOVE {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`FrameError`]; the same error again at every further call.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let pending = &self.buffer[self.start..];
        let Some(length) = pending.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length);
        if length == 0 {
            return Err(FrameError::Empty);
        }
        if length > self.limit.0 {
            return Err(FrameError::TooLong {
                length,
                limit: self.limit.0,
            });
        }
        let Some(&kind) = pending.get(4) else {
            return Ok(None);
        };
        let kind = FrameKind::from_byte(kind).ok_or(FrameError::UnknownKind(kind))?;
        let end = 4 + length as usize;
        if pending.len() < end {
            return Ok(None);
        }
        let body = self.start + HEADER..self.start + end;
        self.start += end;
        Ok(Some(Frame {
            kind,
            body: &self.buffer[body],
        }))
    }

    /// Bytes of an incomplete frame that are waiting for the rest.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }
}

/// Begins a frame at the end of `out`; the body is appended by the caller, then [`finish_frame`] is told the answer.
#[must_use = "the frame has no length until finish_frame is called with this position"]
pub fn begin_frame(out: &mut Vec<u8>, kind: FrameKind) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, kind as u8]);
    start
}

/// Writes the length of the frame begun at `start`.
///
/// # Errors
/// [`FrameError::TooLong`]; the frame is removed from `out` again.
pub fn finish_frame(out: &mut Vec<u8>, start: usize, limit: FrameLimit) -> Result<(), FrameError> {
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if length > limit.0 {
        out.truncate(start);
        return Err(FrameError::TooLong {
            length,
            limit: limit.0,
        });
    }
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests;
