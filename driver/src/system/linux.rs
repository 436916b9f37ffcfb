//! What only Linux has: the exit of a process as a readable descriptor, and a page without a name.
//!
//! `portable.rs` offers the same items where these do not exist.

mod family;
mod forked;

pub(crate) use family::{
    MEASURES, family_use, is_child, kill_strays, memory_and_children, thread_time,
};
pub(crate) use forked::{Handle, Received, TEMPLATES, TemplateLink};

use crate::message::Post;
use crate::process::Place;
use farm_protocol::page::{self, Noted};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// Reports the exit of one process through the poll.
#[derive(Debug)]
pub(crate) struct ExitWatch {
    pidfd: OwnedFd,
}

impl ExitWatch {
    pub(crate) fn new(
        pid: Pid,
        _place: Place,
        token: Token,
        registry: &Registry,
        _post: &Post,
    ) -> io::Result<Self> {
        Self::of(pidfd_open(pid, PidfdFlags::empty())?, token, registry)
    }

    /// The same by a descriptor of the process.
    pub(crate) fn of(pidfd: OwnedFd, token: Token, registry: &Registry) -> io::Result<Self> {
        registry.register(&mut SourceFd(&pidfd.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { pidfd })
    }

    pub(crate) fn leave(&self, registry: &Registry) {
        // It fails only for what was never registered, which `new` excludes.
        let _gone = registry.deregister(&mut SourceFd(&self.pidfd.as_raw_fd()));
    }
}

/// The master's view of a worker's page.
///
/// It is read by system calls and not through a mapping: a worker may cut its page short, and a
/// mapping would then kill the reader. It is read seldom: with output and at deaths.
#[derive(Debug)]
pub(crate) struct Page {
    file: File,
}

impl Page {
    /// A page on which nothing executes, and the descriptor for the worker.
    pub(crate) fn create() -> io::Result<Option<(Self, OwnedFd)>> {
        let fd = memfd_create("farm-page", MemfdFlags::CLOEXEC)?;
        let file = File::from(fd);
        file.set_len(page::BYTES as u64)?;
        file.write_all_at(&page::NOTHING.to_ne_bytes(), offset(page::TASK))?;
        let theirs = file.as_fd().try_clone_to_owned()?;
        Ok(Some((Self { file }, theirs)))
    }

    pub(crate) fn noted(&self) -> Noted {
        page::read(|word| {
            let mut bytes = [0; 8];
            match self.file.read_exact_at(&mut bytes, offset(word)) {
                Ok(()) => u64::from_ne_bytes(bytes),
                Err(_) if word == page::TASK => page::NOTHING,
                Err(_) => 0,
            }
        })
    }
}

const fn offset(word: usize) -> u64 {
    8 * word as u64
}

#[cfg(test)]
mod tests {
    //! What a worker writes is read, and a page cut short says nothing.
    use super::*;
    use farm_protocol::{Attempt, AttemptId, TaskId};

    #[test]
    fn a_page() {
        let (page, theirs) = Page::create().expect("memfd").expect("Linux has pages");
        assert_eq!(page.noted(), Noted::default());
        let theirs = File::from(theirs);
        for (word, value) in [
            (page::TASK, 5_u64),
            (page::ATTEMPT, 2),
            (page::STARTED, 9),
            (page::PEAK, 7),
        ] {
            theirs
                .write_all_at(&value.to_ne_bytes(), offset(word))
                .expect("written");
        }
        let id = AttemptId {
            task: TaskId::new(5, 0),
            attempt: Attempt(2),
        };
        let noted = Noted {
            executing: Some(id),
            started_nanos: 9,
            peak_bytes: 7,
        };
        assert_eq!(page.noted(), noted);
        theirs.set_len(0).expect("cut");
        assert_eq!(page.noted(), Noted::default());
    }
}
