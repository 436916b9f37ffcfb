//! The fall-back of `linux.rs`: a thread per worker notices its exit, and there is no page.

use crate::message::{Message, Post};
use crate::process::Place;
use crate::sync::thread;
use crate::usage::Used;
use farm_protocol::page::Noted;
use mio::{Registry, Token};
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// A thread waits for it only, needs little, and there may be many.
const STACK_BYTES: usize = 64 << 10;

/// Reports the exit of one process through the loop's mailbox.
#[derive(Debug)]
pub(crate) struct ExitWatch;

impl ExitWatch {
    pub(crate) fn new(
        pid: Pid,
        place: Place,
        _token: Token,
        _registry: &Registry,
        post: &Post,
    ) -> io::Result<Self> {
        let post = post.clone();
        // Nobody joins it: it ends with the process, which nobody reaps before it has reported.
        let watch = thread::Builder::new()
            .name("farm-exit".to_owned())
            .stack_size(STACK_BYTES);
        watch.spawn(move || {
            let only_look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), only_look) {}
            // Without a listener nobody needs to know.
            let _gone = post.push(Message::Exited(place));
        })?;
        Ok(Self)
    }

    pub(crate) const fn leave(&self, _registry: &Registry) {}
}

/// The page that is not there.
#[derive(Debug)]
pub(crate) enum Page {}

impl Page {
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as on Linux")]
    pub(crate) const fn create() -> io::Result<Option<(Self, OwnedFd)>> {
        Ok(None)
    }

    pub(crate) const fn noted(&self) -> Noted {
        match *self {}
    }
}

/// Whether [`family_use`] says anything here. It does not: tasks with limits on what they use are refused.
pub(crate) const MEASURES: bool = false;

/// Nothing, where nobody says whose child a process is. Never asked: nothing that is limited comes in.
pub(crate) fn family_use(_leader: Pid) -> Used {
    Used::default()
}

/// Nothing, likewise.
pub(crate) const fn thread_time(_tid: Pid) -> Duration {
    Duration::ZERO
}

/// Where nobody says whose child a process is, those that left a worker's group are left to themselves.
pub(crate) const fn kill_strays(_leader: Pid) {}
