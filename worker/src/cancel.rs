//! The cancel flag of one performer: a word to look at and a descriptor to wait on.
//!
//! Knows not who raises it or why. It is lowered between attempts by whoever owns it.

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Raised once per attempt at most; lowering is free when it was not raised.
#[derive(Debug)]
pub struct CancelFlag {
    raised: AtomicBool,
    fd: OwnedFd,
}

impl CancelFlag {
    /// A lowered flag.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            raised: AtomicBool::new(false),
            fd: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        })
    }

    /// Raises it: [`CancelFlag::is_raised`] says `true` and the descriptor is readable from now on.
    pub fn raise(&self) {
        if !self.raised.swap(true, Ordering::AcqRel) {
            let written = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
            written.expect("an eventfd counts from 0 to 1 without blocking");
        }
    }

    /// Whether it is raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Readable while it is raised. To be polled, never read.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Lowers it for the next attempt. Must not run beside [`CancelFlag::raise`]: its callers hold one lock.
    pub(crate) fn lower(&self) {
        if self.raised.load(Ordering::Acquire) {
            let mut count = [0; 8];
            let read = rustix::io::read(&self.fd, &mut count);
            read.expect("a raised eventfd has something to read");
            self.raised.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    //! Word and descriptor agree.
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    #[test]
    fn the_descriptor_follows_the_word() {
        let flag = CancelFlag::new().unwrap();
        let readable = || {
            let fd = flag.fd();
            let mut fds = [PollFd::new(&fd, PollFlags::IN)];
            poll(&mut fds, Some(&Timespec::default())).unwrap() == 1
        };
        assert!(!flag.is_raised() && !readable());
        for _ in 0..2 {
            flag.raise();
            flag.raise();
            assert!(flag.is_raised() && readable());
            flag.lower();
            flag.lower();
            assert!(!flag.is_raised() && !readable());
        }
    }
}
