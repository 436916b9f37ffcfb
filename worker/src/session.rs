//! The rules of a worker's session: which request begins, what a cancellation or revocation comes to, what is answered.
//!
//! A machine without I/O: whoever drives it (the serve loop, the simulator) tells it what was read and what the
//! performer did, and performs its actions in their order. Requests behind the one that executes stay bytes at the
//! driver; the machine needs only their numbers. It knows no payload, no pipe, no clock and no other worker.
//!
//! The order of one attempt: [`Event::Request`] → [`Action::Begin`] → (perform) → [`Event::Finished`] →
//! [`Action::Answer`]. An answer queued by a call stands in front of everything queued by later calls.

pub mod frames;

use farm_protocol::{AttemptHeader, AttemptId, ReplyFlags, ReplyHeader, RequestHeader};
use std::collections::BTreeMap;

/// How many requests may be revoked and still be on their way at a time. Far above any credit a master gives; it
/// keeps a mad master from filling our memory.
pub const WITHDRAWN_MAX: usize = 1 << 16;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The performer is free and has read the head of the next request. Must not come while one executes.
    Request(RequestHeader),
    /// The attempt that executes is over. Must come exactly once after each [`Action::Begin`].
    Finished(Finished),
    /// Control pipe: give this attempt up.
    Cancel(AttemptHeader),
    /// Control pipe: hand this attempt back if it has not begun.
    Revoke(AttemptHeader),
    /// Requests pipe: nothing more will come.
    Stop,
}

/// How the attempt that executed is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// In which way.
    pub how: Finish,
    /// What the reply says besides the response.
    pub flags: ReplyFlags,
    /// How long it took, in nanoseconds of the worker's clock.
    pub ran_nanos: u64,
}

/// In which way an attempt is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// `perform` returned and its response is encoded; the payload is with the driver.
    Replied,
    /// The request could not be decoded; nothing was performed. Ends the session.
    Refused(String),
    /// `perform` returned and its response could not be encoded.
    Unmarshallable(String),
    /// The kind panicked. Ends the session: what its memory is worth now, nobody knows.
    Panicked(String),
}

/// A frame to the master, without the payload of the kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The response; its payload is with the driver.
    Reply(ReplyHeader),
    /// Has not begun and never will.
    Revoked(AttemptHeader),
    /// Could not be decoded.
    Refused(AttemptHeader, String),
    /// The response could not be encoded.
    Unmarshallable(AttemptHeader, String),
    /// The kind panicked.
    Panicked(AttemptHeader, String),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Perform this request now.
    Begin(RequestHeader),
    /// Drop the request just read: it was handed back earlier.
    Skip(RequestHeader),
    /// Tell the attempt that executes that it is cancelled.
    RaiseCancel,
    /// Append this frame to the answers.
    Answer(Answer),
    /// Send what is unsent, then end the process in this way. The last action of a session.
    End(Ending),
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The master said so.
    Stopped,
    /// A request could not be decoded: master and worker disagree about the types.
    Refused,
    /// The kind panicked.
    Panicked,
    /// The master broke the protocol.
    Fault(Fault),
}

/// How a master broke the protocol. The session ends: what it meant is anybody's guess.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Requests are numbered upwards from 1.
    #[error("request {got} came after request {last}; requests must be numbered upwards from 1")]
    NumberNotRising {
        /// The highest number before.
        last: u64,
        /// The number that came.
        got: u64,
    },
    /// A request was handed back under another attempt than it carries.
    #[error("request {number} is {got}, but was revoked or cancelled as {revoked}")]
    OtherAttempt {
        /// The number of the request.
        number: u64,
        /// What the revocation said.
        revoked: AttemptId,
        /// What the request says.
        got: AttemptId,
    },
    /// More revocations of requests that never came than [`WITHDRAWN_MAX`].
    #[error("more than {WITHDRAWN_MAX} requests were revoked and did not come")]
    TooManyWithdrawn,
    /// A frame that does not belong on this pipe, or is malformed.
    #[error("a bad frame on the {pipe} pipe: {what}")]
    BadFrame {
        /// Which pipe.
        pipe: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The performer is free.
    Idle,
    /// The performer is at work on this one.
    Executing {
        header: AttemptHeader,
        /// The flag has been raised; it is raised once.
        cancelled: bool,
    },
    /// `End` has been said. Everything later is stale.
    Ended,
}

/// The machine. One per worker process, from hello to end.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    /// The highest number begun or skipped; 0 before the first.
    last: u64,
    /// Handed back before they came. All numbers are above `last`.
    withdrawn: BTreeMap<u64, AttemptId>,
    kinds: u16,
    stale: u64,
}

impl Session {
    /// A session that can perform the first `kinds` kinds; its performer is free.
    #[must_use]
    pub const fn new(kinds: u16) -> Self {
        Self {
            phase: Phase::Idle,
            last: 0,
            withdrawn: BTreeMap::new(),
            kinds,
            stale: 0,
        }
    }

    /// The attempt that executes.
    #[must_use]
    pub const fn executing(&self) -> Option<AttemptHeader> {
        match self.phase {
            Phase::Executing { header, .. } => Some(header),
            Phase::Idle | Phase::Ended => None,
        }
    }

    /// Whether [`Action::End`] has been said.
    #[must_use]
    pub const fn ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// How many cancellations and revocations came too late or named nothing here. Normal: they cross the answers.
    #[must_use]
    pub const fn stale(&self) -> u64 {
        self.stale
    }

    /// Takes in what happened and appends what to do. After [`Action::End`] everything is stale.
    ///
    /// # Panics
    /// When its driver breaks the order of one attempt: a `Request` while one executes, a `Finished` while none does.
    pub fn handle(&mut self, event: Event, actions: &mut Vec<Action>) {
        if self.ended() {
            self.stale += 1;
            return;
        }
        match event {
            Event::Request(header) => self.request(header, actions),
            Event::Finished(finished) => self.finished(finished, actions),
            Event::Cancel(header) => self.give_back(header, true, actions),
            Event::Revoke(header) => self.give_back(header, false, actions),
            Event::Stop => self.end(Ending::Stopped, actions),
        }
    }

    /// Ends the session because the bytes of a pipe make no sense.
    pub fn fail(&mut self, fault: Fault, actions: &mut Vec<Action>) {
        if !self.ended() {
            self.end(Ending::Fault(fault), actions);
        }
    }

    fn request(&mut self, header: RequestHeader, actions: &mut Vec<Action>) {
        assert!(
            matches!(self.phase, Phase::Idle),
            "a request is read when the performer is free"
        );
        let RequestHeader { number, id, kind } = header;
        if number <= self.last {
            let last = self.last;
            return self.fail(Fault::NumberNotRising { last, got: number }, actions);
        }
        self.last = number;
        let revoked = self.forget_below(number);
        if let Some(revoked) = revoked {
            if revoked == id {
                actions.push(Action::Skip(header));
            } else {
                let got = id;
                self.fail(
                    Fault::OtherAttempt {
                        number,
                        revoked,
                        got,
                    },
                    actions,
                );
            }
            return;
        }
        let header_only = AttemptHeader { number, id };
        if kind.0 >= self.kinds {
            let kinds = self.kinds;
            let message = format!("the request is for {kind}, this worker has {kinds} kinds");
            actions.push(Action::Answer(Answer::Refused(header_only, message)));
            return self.end(Ending::Refused, actions);
        }
        self.phase = Phase::Executing {
            header: header_only,
            cancelled: false,
        };
        actions.push(Action::Begin(header));
    }

    /// Drops what was withdrawn up to `number`, and answers what was withdrawn under exactly this one. Numbers that
    /// were passed over can never come, so remembering them would only leak.
    fn forget_below(&mut self, number: u64) -> Option<AttemptId> {
        while let Some(entry) = self.withdrawn.first_entry() {
            if *entry.key() > number {
                return None;
            }
            let (found, id) = entry.remove_entry();
            if found == number {
                return Some(id);
            }
        }
        None
    }

    fn finished(&mut self, finished: Finished, actions: &mut Vec<Action>) {
        let Phase::Executing { header, .. } = self.phase else {
            panic!("an attempt is finished only after it began");
        };
        self.phase = Phase::Idle;
        let Finished {
            how,
            flags,
            ran_nanos,
        } = finished;
        match how {
            Finish::Replied => {
                let id = header.id;
                let header = ReplyHeader {
                    id,
                    flags,
                    ran_nanos,
                };
                actions.push(Action::Answer(Answer::Reply(header)));
            }
            Finish::Unmarshallable(what) => {
                actions.push(Action::Answer(Answer::Unmarshallable(header, what)));
            }
            Finish::Refused(what) => {
                actions.push(Action::Answer(Answer::Refused(header, what)));
                self.end(Ending::Refused, actions);
            }
            Finish::Panicked(what) => {
                actions.push(Action::Answer(Answer::Panicked(header, what)));
                self.end(Ending::Panicked, actions);
            }
        }
    }

    fn give_back(&mut self, header: AttemptHeader, cancel: bool, actions: &mut Vec<Action>) {
        let AttemptHeader { number, id } = header;
        if number > self.last {
            if self.withdrawn.contains_key(&number) {
                self.stale += 1;
                return;
            }
            if self.withdrawn.len() >= WITHDRAWN_MAX {
                return self.fail(Fault::TooManyWithdrawn, actions);
            }
            // Answered before the request itself is read: it may stand in the pipe behind an hour of work.
            self.withdrawn.insert(number, id);
            actions.push(Action::Answer(Answer::Revoked(header)));
        } else if cancel && self.executing() == Some(header) {
            self.raise_cancel(actions);
        } else {
            self.stale += 1;
        }
    }

    fn raise_cancel(&mut self, actions: &mut Vec<Action>) {
        match &mut self.phase {
            Phase::Executing { cancelled, .. } if !*cancelled => {
                *cancelled = true;
                actions.push(Action::RaiseCancel);
            }
            Phase::Executing { .. } | Phase::Idle | Phase::Ended => self.stale += 1,
        }
    }

    fn end(&mut self, ending: Ending, actions: &mut Vec<Action>) {
        self.phase = Phase::Ended;
        actions.push(Action::End(ending));
    }
}

#[cfg(test)]
mod tests;
