//! The fall-back of `linux.rs`: a thread per worker notices its exit, and there is no page.

use crate::message::{Message, Post};
use crate::process::Place;
use crate::sync::thread;
use crate::usage::Used;
use farm_protocol::Termination;
use farm_protocol::page::Noted;
use mio::{Registry, Token};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
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

    /// Never asked: nobody has such a descriptor here.
    pub(crate) fn of(_pidfd: OwnedFd, _token: Token, _registry: &Registry) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
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

/// Nothing, likewise.
pub(crate) const fn memory_and_children(_member: Pid) -> (u64, Vec<Pid>) {
    (0, Vec::new())
}

/// Never asked: nobody has a template here.
pub(crate) const fn is_child(_parent: Pid, _child: Pid) -> bool {
    false
}

/// Whether there are templates here. There are not: a farm that asks for one is refused.
pub(crate) const TEMPLATES: bool = false;

/// A process that a template has forked. There is none: nobody has such a descriptor here.
#[derive(Debug)]
pub(crate) struct Handle(OwnedFd);

impl Handle {
    pub(crate) fn open(_pid: Pid) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) const fn new(pidfd: OwnedFd) -> Self {
        Self(pidfd)
    }

    pub(crate) fn copy(&self) -> io::Result<OwnedFd> {
        self.0.try_clone()
    }

    pub(crate) const fn has_exited(&self) -> bool {
        true
    }

    pub(crate) const fn wait(&self) {}

    pub(crate) const fn wait_for(&self, _span: Duration) -> bool {
        true
    }

    pub(crate) const fn may_be_of(&self, _pid: Pid) -> bool {
        true
    }

    pub(crate) const fn collect_inherited(&self) -> Option<Termination> {
        None
    }

    pub(crate) const fn signal_group(&self, _pid: Pid, _signal: Signal) -> Result<(), Errno> {
        Err(Errno::SRCH)
    }
}

/// What a look at a socket would have found.
#[expect(dead_code, reason = "there is no socket to look at")]
#[derive(Debug)]
pub(crate) enum Received {
    Nothing,
    Ended,
    Message(usize, Option<OwnedFd>),
    Cut(usize),
}

/// The socket to a template that is not there.
#[derive(Debug)]
pub(crate) enum TemplateLink {}

impl TemplateLink {
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) const fn raw(&self) -> RawFd {
        match *self {}
    }

    pub(crate) fn send(&self, _bytes: &[u8], _fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        match *self {}
    }

    pub(crate) const fn receive(&self, _bytes: &mut [u8]) -> Received {
        match *self {}
    }
}
