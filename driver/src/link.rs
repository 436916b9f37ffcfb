//! The master's ends of a worker's pipes: buffered writing, bounded reading, never blocking.
//!
//! They know no frame. What is buffered for writing is bounded by whoever appends: the machine
//! sends a worker no more than its credit allows.

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::ioctl_fionread;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// An emptied buffer larger than this is given back: one large request must not cost its size for ever.
const KEEP_BUFFER: usize = 1 << 20;

fn nonblocking(fd: OwnedFd) -> io::Result<File> {
    let flags = fcntl_getfl(&fd)?;
    fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
    Ok(File::from(fd))
}

/// A pipe to a worker.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// `None` once the reader is gone: what is appended then is swallowed.
    file: Option<File>,
    buffer: Vec<u8>,
    /// How much of the buffer has been written.
    start: usize,
    /// The pipe was full when last written to; writing again is pointless before it is writable.
    full: bool,
    /// A write has found that the reader is gone: from there on nothing has been read.
    broken: bool,
}

impl Outgoing {
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            file: Some(nonblocking(fd)?),
            buffer: Vec::new(),
            start: 0,
            full: false,
            broken: false,
        })
    }

    pub(crate) fn raw(&self) -> Option<RawFd> {
        self.file.as_ref().map(AsRawFd::as_raw_fd)
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        if self.file.is_some() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The pipe has room again.
    pub(crate) const fn writable(&mut self) {
        self.full = false;
    }

    /// Writes what is buffered, as far as the pipe takes it in one write. A partial write means
    /// that the pipe is full, so that the system will report it writable later.
    pub(crate) fn flush(&mut self) {
        if self.full || self.start == self.buffer.len() {
            return;
        }
        let Some(file) = &mut self.file else { return };
        loop {
            match file.write(&self.buffer[self.start..]) {
                Ok(count) => self.start += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => {
                    // The reader is gone. Its exit is on its way and says more than this error.
                    // The file stays open until then: it is still registered with the poll.
                    self.start = self.buffer.len();
                    self.broken = true;
                }
            }
            break;
        }
        self.full = self.start < self.buffer.len();
        if self.full && self.start > KEEP_BUFFER {
            // A pipe that is never empty must not keep what it has swallowed.
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        if !self.full {
            self.start = 0;
            self.buffer.clear();
            if self.buffer.capacity() > KEEP_BUFFER {
                self.buffer = Vec::new();
            }
        }
    }

    /// Whether something of what was appended has surely not been read: it was not written, or waits in the pipe. Where
    /// the system does not say what waits in a pipe, that is nothing.
    pub(crate) fn has_unread(&self) -> bool {
        let waits = self.file.as_ref().map_or(Ok(0), ioctl_fionread);
        self.broken || self.start < self.buffer.len() || waits.is_ok_and(|bytes| bytes > 0)
    }
}

/// How a reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The pipe is empty for now; the system reports when it is not.
    Drained,
    /// The space given was filled; there may be more, and nobody will report it.
    More,
    /// Every writer has closed the pipe and it is empty.
    Ended,
}

/// A pipe from a worker.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// `None` once it has ended.
    file: Option<File>,
    /// The writers are gone: a short reading no longer means that the next bytes will be reported.
    hung_up: bool,
}

impl Incoming {
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            file: Some(nonblocking(fd)?),
            hung_up: false,
        })
    }

    /// One that has ended before it began.
    pub(crate) const fn none() -> Self {
        Self {
            file: None,
            hung_up: true,
        }
    }

    pub(crate) fn raw(&self) -> Option<RawFd> {
        self.file.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// The system reported that the writers are gone.
    pub(crate) const fn hang_up(&mut self) {
        self.hung_up = true;
    }

    /// The pipe is never read again. The caller has taken it out of the poll.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    /// Reads into `space` until the pipe is empty or the space full.
    pub(crate) fn read(&mut self, space: &mut [u8]) -> (usize, Reading) {
        let Some(file) = &mut self.file else {
            return (0, Reading::Ended);
        };
        let mut filled = 0;
        while filled < space.len() {
            match file.read(&mut space[filled..]) {
                Ok(0) => return (filled, Reading::Ended),
                Ok(count) => {
                    filled += count;
                    // A short count: the pipe was empty at that moment, and what is written
                    // later is reported as new. This saves the read that would say so.
                    if filled < space.len() && !self.hung_up {
                        return (filled, Reading::Drained);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return (filled, Reading::Drained);
                }
                Err(error) => {
                    log::warn!("reading a worker's pipe failed ({error}); it counts as closed");
                    return (filled, Reading::Ended);
                }
            }
        }
        (filled, Reading::More)
    }
}

/// The last bytes that came over a stream.
#[derive(Debug, Default)]
pub(crate) struct LastWords(Vec<u8>);

impl LastWords {
    /// How much is kept, in bytes.
    pub(crate) const KEPT: usize = 4096;

    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(Self::KEPT)..];
        let surplus = (self.0.len() + bytes.len()).saturating_sub(Self::KEPT);
        self.0.drain(..surplus);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests;
