//! Templates: processes that were warmed once and fork workers. One per kind that asks for it, started with its first
//! worker.
//!
//! A template takes one order at a time and the loop never waits for it: its answers come through the poll. It is given
//! a time for each; one that does not keep it is killed. What was ordered of one that has ended are start failures, and
//! the next worker has another template. Its workers live on.

use crate::body::{Forked, TemplateId};
use crate::dying::Dying;
use crate::link::{Incoming, LastWords, Reading};
use crate::process::{Place, Process};
use crate::reap::Reaped;
use crate::spawn::{OurEnds, TemplateParts, TheirEnds};
use crate::system::{ExitWatch, Handle, Received, TemplateLink, is_child};
use farm_protocol::{
    Instant, KindId, PREAMBLE, TEMPLATE_MESSAGE_MAX, TemplateAnswer, TemplateOrder, Termination,
    WorkerName, decode, encode,
};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// How long a warm template may take for an answer. A fork of many gigabytes takes a part of a second.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// How much of what it printed last an error quotes, in bytes.
const QUOTED: usize = 512;

/// How much of its output is read before others have their turn, in bytes.
const OUTPUT_AT_ONCE: usize = 16 << 10;

/// How much of it is read when it has ended, in bytes: as much as a pipe holds at most.
const OUTPUT_MOST: usize = 1 << 20;

/// What of a template the poll reports about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Link,
    Output,
    Exit,
}

impl Part {
    const ALL: [Self; 3] = [Self::Link, Self::Output, Self::Exit];

    /// A role that no worker's token has, in the numbering of [`crate::process::Role`].
    const ROLE: usize = 6;
    const STRIDE: usize = 8;

    pub(crate) const fn token(self, kind: KindId) -> Token {
        let number = kind.0 as usize * Self::ALL.len() + self as usize;
        Token(number * Self::STRIDE + Self::ROLE)
    }

    pub(crate) fn of(token: Token) -> Option<(KindId, Self)> {
        if token.0 % Self::STRIDE != Self::ROLE {
            return None;
        }
        let number = token.0 / Self::STRIDE;
        let kind = u16::try_from(number / Self::ALL.len()).ok()?;
        Some((KindId(kind), Self::ALL[number % Self::ALL.len()]))
    }
}

/// A worker that is to be forked.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) place: Place,
    pub(crate) name: WorkerName,
    /// Until they have been sent: a copy here would keep the worker's pipes from ending.
    pub(crate) theirs: Option<TheirEnds>,
    pub(crate) ours: OurEnds,
    /// The machine wants its end; it is killed as soon as there is somebody to kill.
    pub(crate) unwanted: bool,
}

/// What a template is to do.
#[derive(Debug)]
pub(crate) enum Order {
    Fork(Box<Expected>),
    /// It has exited, and everything it wrote has been read.
    Collect(Box<Process>),
    /// It was forked and is no worker, so it was killed, if it could be. Nobody asks how it ended.
    Bury(Pid, Option<Handle>),
}

/// What a template said.
#[derive(Debug)]
pub(crate) enum Heard {
    Nothing,
    HungUp,
    /// It is not to be believed any more, and why.
    Nonsense(String),
    Warm,
    Forked(Box<Expected>, Pid, Forked),
    /// It has forked the worker, but the descriptor of it could not be taken.
    Unheld(Box<Expected>, Pid),
    NotForked(Box<Expected>, String),
    Collected(Box<Process>, Reaped),
    Buried,
}

/// A template process and what is expected of it.
#[derive(Debug)]
pub(crate) struct Template {
    id: TemplateId,
    pid: Pid,
    handle: Handle,
    watch: Option<ExitWatch>,
    link: TemplateLink,
    output: Incoming,
    words: LastWords,
    /// It has said that it is warm. Nothing is sent to it before.
    warm: bool,
    /// The first one is with the template if `owes_since` is there.
    orders: VecDeque<Order>,
    /// Since when it owes an answer; while it is not warm, the word that it is.
    owes_since: Option<Instant>,
    /// How long it may take to be warm.
    patience: Duration,
    /// The farm is to be killed: it has no longer than this for anything.
    hurried: Option<Duration>,
}

/// What is left of a template that was ended.
#[derive(Debug)]
pub(crate) struct Remains {
    /// What was ordered of it.
    pub(crate) orders: VecDeque<Order>,
    /// Why nothing comes of that.
    pub(crate) why: String,
    pub(crate) dying: Dying,
}

impl Template {
    pub(crate) fn new(
        id: TemplateId,
        parts: TemplateParts,
        now: Instant,
        patience: Duration,
    ) -> Self {
        Self {
            id,
            pid: parts.pid,
            handle: parts.handle,
            watch: None,
            link: parts.link,
            output: parts.output,
            words: LastWords::default(),
            warm: false,
            orders: VecDeque::new(),
            owes_since: Some(now),
            patience,
            hurried: None,
        }
    }

    pub(crate) const fn id(&self) -> TemplateId {
        self.id
    }

    pub(crate) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        let kind = self.id.kind;
        let link = self.link.raw();
        registry.register(
            &mut SourceFd(&link),
            Part::Link.token(kind),
            Interest::READABLE,
        )?;
        if let Some(output) = self.output.raw() {
            let token = Part::Output.token(kind);
            registry.register(&mut SourceFd(&output), token, Interest::READABLE)?;
        }
        let token = Part::Exit.token(kind);
        self.watch = Some(ExitWatch::of(self.handle.copy()?, token, registry)?);
        Ok(())
    }

    pub(crate) fn has_exited(&self) -> bool {
        self.handle.has_exited()
    }

    /// Takes it out of the poll; closing alone would not do, as for a worker. Its exit is reported still.
    pub(crate) fn leave(&self, registry: &Registry) {
        let link = self.link.raw();
        for fd in [Some(link), self.output.raw()].into_iter().flatten() {
            // It fails only for what is not registered, and then there is nothing to do.
            let _gone = registry.deregister(&mut SourceFd(&fd));
        }
    }

    /// How long it may take for what it owes.
    fn time(&self) -> Duration {
        let own = if self.warm {
            ANSWERS_WITHIN
        } else {
            self.patience
        };
        self.hurried.map_or(own, |hurried| hurried.min(own))
    }

    /// The farm is to be killed, and waits for nothing longer than this.
    pub(crate) const fn hurry(&mut self, span: Duration) {
        self.hurried = Some(span);
    }

    /// When it has taken too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.owes_since.map(|since| since.after(self.time()))
    }

    /// Why it is to be killed at its deadline.
    pub(crate) fn overdue(&self) -> String {
        let time = self.time();
        if self.warm || self.hurried.is_some() {
            format!("it did not answer within {time:?}, so it was killed")
        } else {
            format!(
                "it was not warm within {time:?}, so it was killed; if that takes its time, raise `Pool::hello_timeout`"
            )
        }
    }

    pub(crate) fn order(&mut self, order: Order) {
        self.orders.push_back(order);
    }

    /// Sends the next order, if it owes nothing. The workers that cannot be ordered, with the reason.
    pub(crate) fn pump(&mut self, now: Instant) -> Vec<(Place, String)> {
        let mut failed = Vec::new();
        while self.owes_since.is_none() {
            let Some(order) = self.orders.front_mut() else {
                break;
            };
            match (send(&self.link, order), order) {
                // A template that is gone answers nothing. Its exit is on its way, or its time runs out.
                (Ok(()), _) | (Err(_), Order::Collect(_) | Order::Bury(..)) => {
                    self.owes_since = Some(now);
                }
                (Err(error), Order::Fork(expected)) => {
                    failed.push((expected.place, format!("it cannot be asked: {error}")));
                    self.orders.pop_front();
                }
            }
        }
        failed
    }

    /// The socket has ended: nothing is answered any more, and its exit is on its way.
    pub(crate) fn hung_up(&mut self, now: Instant) {
        self.owes_since.get_or_insert(now);
    }

    /// One look at the socket.
    pub(crate) fn hear(&mut self) -> Heard {
        let mut bytes = [0; TEMPLATE_MESSAGE_MAX];
        match self.link.receive(&mut bytes) {
            Received::Nothing => Heard::Nothing,
            Received::Ended => Heard::HungUp,
            Received::Message(count, pidfd) => self.understand(&bytes[..count], Ok(pidfd)),
            Received::Cut(count) => self.understand(&bytes[..count], Err(Lost)),
        }
    }

    fn understand(&mut self, bytes: &[u8], brought: Result<Option<OwnedFd>, Lost>) -> Heard {
        if !self.warm {
            if bytes != PREAMBLE {
                let why = "it speaks another version of the protocol than this farm: rebuild it";
                return Heard::Nonsense(why.to_owned());
            }
            self.warm = true;
            self.owes_since = None;
            return Heard::Warm;
        }
        let nonsense = || Heard::Nonsense("its answer made no sense".to_owned());
        let (Ok(answer), Some(_)) = (decode(bytes), self.owes_since.take()) else {
            return nonsense();
        };
        match (self.orders.pop_front(), answer) {
            (Some(Order::Fork(expected)), TemplateAnswer::Forked { pid, shared_bytes }) => {
                let pid = i32::try_from(pid).ok().filter(|pid| *pid > 1);
                let handle = brought.map(|pidfd| pidfd.map(Handle::new));
                match (pid.and_then(Pid::from_raw), handle) {
                    (Some(pid), Ok(Some(handle))) if handle.may_be_of(pid) => {
                        let forked = Forked {
                            handle,
                            template: self.id,
                            shared_bytes,
                        };
                        Heard::Forked(expected, pid, forked)
                    }
                    (Some(pid), Err(Lost)) => Heard::Unheld(expected, pid),
                    (Some(_), Ok(_)) | (None, _) => {
                        self.orders.push_front(Order::Fork(expected));
                        nonsense()
                    }
                }
            }
            (Some(Order::Fork(expected)), TemplateAnswer::NotForked { why }) => {
                Heard::NotForked(expected, why)
            }
            (
                Some(Order::Collect(process)),
                TemplateAnswer::Collected {
                    termination,
                    peak_bytes,
                },
            ) => {
                let reaped = Reaped {
                    termination,
                    peak_bytes,
                };
                Heard::Collected(process, reaped)
            }
            (Some(Order::Bury(..)), TemplateAnswer::Collected { .. }) => Heard::Buried,
            (
                order,
                TemplateAnswer::Forked { .. }
                | TemplateAnswer::NotForked { .. }
                | TemplateAnswer::Collected { .. },
            ) => {
                self.orders.extend(order);
                nonsense()
            }
        }
    }

    /// Reads of what it has printed. What is left is reported again: nobody else would say so, and it waits in a write
    /// while its pipe is full.
    pub(crate) fn listen(&mut self, registry: &Registry) {
        match read_some(&mut self.output, &mut self.words) {
            Reading::Drained | Reading::Ended => {}
            Reading::More => {
                let token = Part::Output.token(self.id.kind);
                let fd = self.output.raw();
                let again =
                    fd.map(|fd| registry.reregister(&mut SourceFd(&fd), token, Interest::READABLE));
                if let Some(Err(error)) = again {
                    log::warn!("cannot listen to a template any more: {error}");
                }
            }
        }
    }

    /// The worker of this place is not wanted any more. Answers whether that is all: it was not with the template yet.
    pub(crate) fn withdraw(&mut self, place: Place) -> bool {
        let sent = usize::from(self.warm && self.owes_since.is_some());
        let of_place =
            |order: &Order| matches!(order, Order::Fork(expected) if expected.place == place);
        let Some(at) = self.orders.iter().position(of_place) else {
            return false;
        };
        if at >= sent {
            self.orders.remove(at);
            return true;
        }
        if let Some(Order::Fork(expected)) = self.orders.get_mut(at) {
            expected.unwanted = true;
        }
        false
    }

    /// Why a worker that it was to fork is given up before it was asked.
    pub(crate) fn unasked(&self) -> String {
        let how_far = if self.warm {
            "it has not come to it"
        } else {
            "it is not warm; if that takes its time, raise `Pool::hello_timeout`"
        };
        quoting(&self.words, how_far.to_owned())
    }

    /// What it has forked is not to be a worker: kills it, if it is there to be killed, and has it collected. Its pipes
    /// have ended, so it goes by itself as well.
    pub(crate) fn bury(&mut self, pid: Pid, handle: Option<Handle>) {
        // Asked after there is a descriptor: so it is that child and nobody else.
        let found = || Handle::open(pid).ok().filter(|_| is_child(self.pid, pid));
        let handle = handle.or_else(found);
        if let Some(handle) = &handle {
            // It fails when it has gone.
            let _gone = handle.signal_group(pid, Signal::KILL);
        }
        self.order(Order::Bury(pid, handle));
    }

    /// Kills it, and waits for nothing.
    pub(crate) fn end(mut self, why: Option<String>) -> Remains {
        // Not collected, so its number is its own. Whom it forked has a group of its own.
        let _gone = kill_process_group(self.pid, Signal::KILL);
        let mut dying = Dying::new(self.pid, self.handle, self.watch);
        let gone = dying.collect();
        self.output.hang_up();
        // No more than a pipe can hold: somebody who has its end may go on writing.
        let mut pieces = 0..OUTPUT_MOST / OUTPUT_AT_ONCE;
        let (output, words) = (&mut self.output, &mut self.words);
        while pieces.next().is_some() && read_some(output, words) == Reading::More {}
        let why = why.unwrap_or_else(|| {
            let how = gone.map_or(Termination::Lost, |gone| gone.termination);
            if self.warm {
                format!("it has ended: {how}")
            } else {
                format!(
                    "it ended before it was warm: {how}; does the program's `main` call the worker's entry first?"
                )
            }
        });
        Remains {
            orders: self.orders,
            why: quoting(&self.words, why),
            dying,
        }
    }
}

/// This process could not take a descriptor that was sent to it.
#[derive(Debug)]
struct Lost;

fn quoting(words: &LastWords, mut text: String) -> String {
    let words = words.bytes();
    let tail = String::from_utf8_lossy(&words[words.len().saturating_sub(QUOTED)..]);
    let tail = tail.trim();
    if !tail.is_empty() {
        // Writing to a text does not fail.
        let _done = write!(text, "; its last words: {tail}");
    }
    text
}

fn read_some(output: &mut Incoming, words: &mut LastWords) -> Reading {
    let mut space = [0; OUTPUT_AT_ONCE];
    let (count, reading) = output.read(&mut space);
    words.hear(&space[..count]);
    reading
}

/// Sends an order, as far as there is somebody to take it.
fn send(link: &TemplateLink, order: &mut Order) -> io::Result<()> {
    let (order, ends) = match order {
        Order::Fork(expected) => {
            let theirs = expected.theirs.take();
            let order = TemplateOrder::Fork {
                name: expected.name,
                page: theirs.as_ref().is_some_and(TheirEnds::has_page),
                through: theirs.as_ref().is_some_and(TheirEnds::has_through),
            };
            (order, theirs)
        }
        Order::Collect(process) => {
            let pid = process.number();
            (TemplateOrder::Collect { pid }, None)
        }
        Order::Bury(pid, _) => {
            let pid = pid.as_raw_nonzero().get().unsigned_abs();
            (TemplateOrder::Collect { pid }, None)
        }
    };
    let bytes = encode(&order, TEMPLATE_MESSAGE_MAX).expect("an order has a few bytes");
    let fds = ends.as_ref().map(TheirEnds::in_order).unwrap_or_default();
    match link.send(&bytes, &fds) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
        done => done,
    }
}

#[cfg(all(test, target_os = "linux", not(feature = "portable")))]
mod tests;
