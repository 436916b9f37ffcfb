//! One worker process from spawn to reaping: its group, its pipes, its page, what was seen of it.
//!
//! It decides nothing. One that is dropped is killed and collected first.

use crate::body::Body;
use crate::link::{Incoming, LastWords, Outgoing};
use crate::reap::Reaped;
use crate::system::Page;
use farm_protocol::page::Noted;
use farm_protocol::{Session, SlotId};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::process::Signal;
use std::io;
use std::os::fd::RawFd;

/// Which process: the place and the fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) slot: SlotId,
    pub(crate) session: Session,
}

/// What of a worker the poll reports about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Requests,
    Control,
    Answers,
    Stdout,
    Stderr,
    Exit,
}

impl Role {
    const ALL: [Self; 6] = [
        Self::Requests,
        Self::Control,
        Self::Answers,
        Self::Stdout,
        Self::Stderr,
        Self::Exit,
    ];

    /// Roles per slot in the numbering of tokens.
    const STRIDE: usize = 8;

    pub(crate) const fn token(self, slot: SlotId) -> Token {
        Token(slot.0 as usize * Self::STRIDE + self as usize)
    }

    /// Whose token it is. It may be of a process that is gone while another has its slot: whoever
    /// acts on it looks at the process first, and finds nothing to read.
    pub(crate) fn of(token: Token) -> Option<(SlotId, Self)> {
        let role = Self::ALL.get(token.0 % Self::STRIDE)?;
        Some((SlotId(u32::try_from(token.0 / Self::STRIDE).ok()?), *role))
    }
}

/// A worker process and the master's ends of everything it holds.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) place: Place,
    pub(crate) requests: Outgoing,
    pub(crate) control: Outgoing,
    pub(crate) answers: Incoming,
    pub(crate) stdout: Incoming,
    pub(crate) stderr: Incoming,
    pub(crate) stdout_words: LastWords,
    pub(crate) stderr_words: LastWords,
    /// Something is appended to a pipe and the turn's end will flush it.
    pub(crate) unflushed: bool,
    /// A pipe was left with bytes in it; nobody will report them again.
    pub(crate) unread: bool,
    /// A report of the poll about answers may be on its way that were read already.
    pub(crate) surplus: bool,
    /// Since when.
    pub(crate) surplus_since: farm_protocol::Instant,
    /// `Eof` has been told.
    pub(crate) eof_told: bool,
    /// We sent SIGKILL while it ran.
    pub(crate) our_kill: bool,
    /// It has been weighed, at its hello.
    pub(crate) weighed: bool,
    /// The peak of the master at the spawn: the system hands it on to the child as the child's own.
    pub(crate) inherited_peak: u64,
    pub(crate) body: Body,
    pub(crate) page: Option<Page>,
}

/// The parts of a new process.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) body: Body,
    pub(crate) page: Option<Page>,
    pub(crate) requests: Outgoing,
    pub(crate) control: Outgoing,
    pub(crate) answers: Incoming,
    pub(crate) stdout: Incoming,
    pub(crate) stderr: Incoming,
}

impl Process {
    pub(crate) fn new(place: Place, parts: Parts, inherited_peak: u64) -> Self {
        Self {
            place,
            requests: parts.requests,
            control: parts.control,
            answers: parts.answers,
            stdout: parts.stdout,
            stderr: parts.stderr,
            stdout_words: LastWords::default(),
            stderr_words: LastWords::default(),
            unflushed: false,
            unread: false,
            surplus: false,
            surplus_since: farm_protocol::Instant::START,
            eof_told: false,
            our_kill: false,
            weighed: false,
            inherited_peak,
            body: parts.body,
            page: parts.page,
        }
    }

    /// In which process it runs.
    pub(crate) fn number(&self) -> u32 {
        self.body.number()
    }

    pub(crate) fn noted(&self) -> Noted {
        self.page.as_ref().map(Page::noted).unwrap_or_default()
    }

    /// What it executed when it died, as far as that is known: what its page says. One without a page holds one request
    /// at most, and has executed nothing if it has not read that.
    pub(crate) fn last_noted(&self) -> Option<Noted> {
        let by_page = self.page.as_ref().map(Page::noted);
        by_page.or_else(|| self.requests.has_unread().then(Noted::default))
    }

    /// Its last words: of stderr, or of stdout when stderr was silent. A thread has others.
    pub(crate) fn last_words(&self) -> &[u8] {
        if let Body::Thread(thread) = &self.body {
            return thread.words();
        }
        let words = self.stderr_words.bytes();
        if words.is_empty() {
            self.stdout_words.bytes()
        } else {
            words
        }
    }

    /// Whether it has exited; looks, and collects nothing.
    pub(crate) fn has_exited(&mut self) -> bool {
        self.body.has_exited()
    }

    /// Whether it was told to go, cannot be killed, and has not gone.
    pub(crate) fn lingers(&self) -> bool {
        match &self.body {
            Body::Child(_) => false,
            Body::Thread(thread) => thread.lingers(),
        }
    }

    /// Signals its group, unless its pid may be somebody else's.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.our_kill |= self.body.signal(signal, self.place.slot);
    }

    /// Collects it, waiting for its end if need be and it can be ended. Its group is signalled first, while it still
    /// has its number.
    pub(crate) fn collect(&mut self) -> Reaped {
        self.signal(Signal::KILL);
        self.body.collect()
    }

    /// The most memory it held of its own doing, as far as somebody knows; `of_system`: what the system says of it.
    ///
    /// What the system says of our child counts the moment between its creation and its program, when it was a copy of
    /// the master: a figure not above the master's own peak says nothing. One that a template has forked is a copy of
    /// that, by the system and by its own account: it is charged with what it took beyond.
    pub(crate) fn peak_bytes(&self, of_system: u64) -> Option<u64> {
        let of_itself = self.noted().peak_bytes;
        if let Some(forked) = self.body.forked() {
            let beyond = of_system.max(of_itself).checked_sub(forked.shared_bytes);
            return beyond.filter(|peak| *peak > 0);
        }
        let of_system = Some(of_system).filter(|peak| *peak > self.inherited_peak);
        of_system.max(Some(of_itself).filter(|peak| *peak > 0))
    }

    /// Has the poll report about its pipes.
    pub(crate) fn register(&self, registry: &Registry) -> io::Result<()> {
        let slot = self.place.slot;
        for (role, fd) in self.pipes() {
            let interest = match role {
                Role::Requests | Role::Control => Interest::WRITABLE,
                Role::Answers | Role::Stdout | Role::Stderr | Role::Exit => Interest::READABLE,
            };
            registry.register(&mut SourceFd(&fd), role.token(slot), interest)?;
        }
        Ok(())
    }

    /// Takes everything of it out of the poll. Closing alone would not do: a process that another
    /// thread has just forked may hold copies until it executes its program.
    pub(crate) fn leave(&self, registry: &Registry) {
        for (_, fd) in self.pipes() {
            // It fails only for what is not registered, and then there is nothing to do.
            let _gone = registry.deregister(&mut SourceFd(&fd));
        }
        self.body.leave(registry);
    }

    fn pipes(&self) -> impl Iterator<Item = (Role, RawFd)> {
        let ends = [
            (Role::Requests, self.requests.raw()),
            (Role::Control, self.control.raw()),
            (Role::Answers, self.answers.raw()),
            (Role::Stdout, self.stdout.raw()),
            (Role::Stderr, self.stderr.raw()),
        ];
        ends.into_iter().filter_map(|(role, fd)| Some((role, fd?)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Only when the loop ends in a panic or is told to forget everything: no process is left.
        if !self.body.is_collected() {
            let _how = self.collect();
        }
    }
}

#[cfg(test)]
mod tests {
    //! Tokens go there and back.
    use super::*;

    #[test]
    fn tokens() {
        for slot in [SlotId(0), SlotId(1), SlotId(77)] {
            for role in Role::ALL {
                assert_eq!(Role::of(role.token(slot)), Some((slot, role)));
            }
        }
        assert_eq!(Role::of(Token(6)), None);
        assert_eq!(Role::of(Token(usize::MAX)), None);
    }
}
