//! Answers that are appended and not yet written.
//!
//! Writes without blocking and knows not when: that is the port's decision.

use rustix::io::Errno;
use std::os::fd::BorrowedFd;

/// Memory above this is given back when everything is written, in bytes.
const KEEP_BYTES: usize = 1 << 20;

/// How a write went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing is left.
    All,
    /// The pipe is full; try again when it is writable.
    Some,
    /// Nobody reads any more.
    Broken,
}

/// Bytes of whole frames in the order they will be read.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) bytes: Vec<u8>,
    start: usize,
    /// When the first unwritten byte came, in nanoseconds of the monotonic clock, where somebody noted it.
    pub(super) since: Option<u64>,
}

impl Outbox {
    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Whether a write stopped in the middle because the pipe was full.
    pub(super) const fn stuck(&self) -> bool {
        self.start > 0
    }

    /// Writes as much as fits.
    pub(super) fn write(&mut self, answers: BorrowedFd<'_>) -> Written {
        while !self.is_empty() {
            match rustix::io::write(answers, &self.bytes[self.start..]) {
                Ok(count) => self.start += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Written::Some,
                Err(_) => return Written::Broken,
            }
        }
        self.start = 0;
        self.bytes.clear();
        self.bytes.shrink_to(KEEP_BYTES);
        self.since = None;
        Written::All
    }
}
