//! The vocabulary of the table: what is to be done, what has come of it, and why something is refused. Types only.

use super::{RequestId, WorkerId};
use crate::outcome::HowStopped;
use std::num::NonZeroU32;
use std::sync::Arc;

/// What the table wants done. In this order, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Have a process started that executes `on_launch`; the answer is [`Table::launched`](super::Table::launched) or
    /// [`Table::launch_failed`](super::Table::launch_failed).
    Launch {
        /// Whose.
        worker: WorkerId,
    },
    /// Whoever launched it goes on: it runs.
    Launched {
        /// Who.
        worker: WorkerId,
    },
    /// Whoever launched it goes on: it failed, and the name is free. Why is known to who said so.
    NotLaunched {
        /// Who.
        worker: WorkerId,
    },
    /// Ask the source of its requests for the next one; the answer is [`Table::pulled`](super::Table::pulled).
    Pull {
        /// Whose source.
        worker: WorkerId,
    },
    /// Have its process treat this request; the answer is [`Table::treated`](super::Table::treated).
    Send {
        /// Whose.
        worker: WorkerId,
        /// Which.
        request: RequestId,
    },
    /// Have its process stop treating this request, by the ladder.
    Stop {
        /// Whose.
        worker: WorkerId,
        /// Which.
        request: RequestId,
        /// Why, for people.
        reason: String,
    },
    /// An answer has come: run `on_completion` or `on_error`; the answer is [`Table::judged`](super::Table::judged).
    Judge {
        /// Whose.
        worker: WorkerId,
        /// Of which request.
        request: RequestId,
        /// Whether the worker said that it went well.
        ok: bool,
    },
    /// It has had no request for as long as was said: run `on_idle`.
    Idle {
        /// Who.
        worker: WorkerId,
    },
    /// Whoever waited to bring this request goes on: it is in the mailbox.
    Admitted {
        /// Which.
        request: RequestId,
    },
    /// Whoever waits for this request is told. Once for each request that was ever issued.
    Resolve {
        /// Which.
        request: RequestId,
        /// What.
        with: Resolution,
    },
    /// Fire its canceler, and with it everything that is tied to its life.
    Cancel {
        /// Whose.
        worker: WorkerId,
    },
    /// End its process, or withdraw its start: what it executes is asked to stop by the ladder. The answer is
    /// [`Table::gone`](super::Table::gone), or for a start [`Table::launch_failed`](super::Table::launch_failed).
    End {
        /// Whose.
        worker: WorkerId,
    },
    /// Its process is gone: run `on_close`; the answer is [`Table::closed`](super::Table::closed).
    Close {
        /// Whose.
        worker: WorkerId,
    },
    /// The name is free. Whoever waits for the end goes on.
    Closed {
        /// Whose.
        worker: WorkerId,
        /// Why, if it did not end as it was told.
        crash: Option<Arc<Crash>>,
    },
}

/// What whoever waits for a request is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The answer that came, good or bad.
    Answer,
    /// The worker closes; if it did not end as it was told, this is why.
    Closed(Option<Arc<Crash>>),
    /// A newer request took its place in the mailbox, or an older one kept it.
    Displaced,
    /// It was cancelled.
    Cancelled {
        /// Why, for people.
        reason: String,
        /// How its treatment came to rest.
        how: HowStopped,
    },
    /// Something beside the worker's own answer went wrong with it: it could not be encoded, ran out of time, or a hook
    /// panicked.
    Fault(String),
}

/// What came of [`Action::Send`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treated {
    /// It answered, and lives.
    Answered {
        /// Whether it said that it went well.
        ok: bool,
    },
    /// It stopped because it was asked to, and lives.
    Stopped(HowStopped),
    /// There is no answer. `crash`: nor is there a process, for this reason.
    Fault {
        /// What went wrong.
        fault: String,
        /// `None`: the process lives.
        crash: Option<Crash>,
    },
    /// It was asked to stop, and its process ended of that.
    Killed(HowStopped),
    /// Its process died while it treated this.
    Died(Crash),
    /// The farm is ending, and it was not sent, or was stopped for that.
    FarmOver,
}

/// Why a worker ended that nobody had told to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// What happened, for people.
    pub why: String,
    /// What it treated, if it treated something.
    pub during: Option<RequestId>,
}

/// What a hook wants after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The next request.
    Continue,
    /// The worker ends, as if somebody had shut it down.
    Shutdown,
    /// The worker ends, and this is why.
    Crash(String),
}

/// How a worker is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Now: what waits is dropped, what is treated is asked to stop.
    Drop,
    /// What waits is treated first, until the moment given; then as `Drop`.
    Drain {
        /// Until when.
        until: farm_protocol::Instant,
    },
}

/// Why a launch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchRefused {
    /// The name is taken, by one that launches, runs or closes.
    DuplicateName,
    /// So many workers are in the table.
    Full {
        /// How many there may be.
        most: NonZeroU32,
    },
}

/// There is no room in the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// How many wait in it.
    pub queued: usize,
    /// How many may.
    pub most: usize,
}

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushRefused {
    /// There is no room, and it was not to wait.
    Full(Full),
    /// The worker takes nothing more; if it did not end as it was told, this is why.
    Closed(Option<Arc<Crash>>),
}

/// What becomes of a request that meets another one in a dropbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The new one stands; who waits for the old one is told that it was displaced.
    Newest,
    /// The old one stands; who brought the new one is told that it was displaced.
    Oldest,
    /// One request stands for both, in the place and under the id of the old one, and both are told its answer. It counts as
    /// brought when the old one was.
    Combined,
    /// Neither stands; both are told that they were displaced.
    Empty,
}
