//! Why something of a named worker was refused, or not answered. Types only.

use farm_protocol::Named;
use std::fmt;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

pub(super) use farm_master::named::Crash as MachineCrash;

/// Why a worker ended that nobody had told to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// What happened, for people: how its process ended and its last words, or what a hook said.
    pub why: String,
    /// What it treated, as the kind's view shows it.
    pub during: Option<String>,
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.during {
            Some(request) => write!(f, "{} while it treated {request}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// When it was launched.
    pub birth: SystemTime,
    /// When it began to close.
    pub since: SystemTime,
    /// Why, if nobody had told it to.
    pub crash: Option<Crash>,
}

/// A hook, or a callback on the farm's loop, would wait for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a hook or a callback of the farm cannot wait for a named worker: what it waits for comes after it has returned; use a \
     call that does not wait (`try_push`, `trigger_shutdown`), or another thread"
)]
pub struct CalledFromHook;

/// What went wrong beside the worker's own answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// Why a name was not launched. The name is free, and nothing of the launch is left but a process that is being ended.
pub enum LaunchError<N: Named> {
    /// The name is taken, by a worker that launches, runs or closes.
    DuplicateName,
    /// So many workers live in the table already.
    TableFull {
        /// How many there may be.
        most: NonZeroU32,
    },
    /// No place for its process was free in time: workers of other kinds had all that the farm has.
    FarmFull {
        /// How long was waited.
        waited: Duration,
    },
    /// `on_launch` said no.
    Refused(N::LaunchError),
    /// No process could be started.
    Spawn(String),
    /// The process ended before `on_launch` had answered, or in it.
    Lost(Crash),
    /// `on_launch` did not answer in time.
    TimedOut {
        /// How long was waited.
        waited: Duration,
    },
    /// It was shut down meanwhile, or the farm is ending.
    Closed,
    /// Parameters or answer could not be encoded or decoded.
    Any(Fault),
    /// It would wait for itself.
    CalledFromHook(CalledFromHook),
}

impl<N: Named> fmt::Display for LaunchError<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateName => {
                f.write_str("the name is taken; shut its worker down first, or use another one")
            }
            Self::TableFull { most } => write!(
                f,
                "the table is full: {most} may live in it at once; give its pool more slots"
            ),
            Self::FarmFull { waited } => write!(
                f,
                "no place for its process was free within {waited:?}: the farm's workers are all taken; allow more of them"
            ),
            Self::Refused(error) => write!(f, "its `on_launch` refused: {error:?}"),
            Self::Spawn(error) => f.write_str(error),
            Self::Lost(crash) => write!(f, "its process was lost: {crash}"),
            Self::TimedOut { waited } => {
                write!(f, "its `on_launch` did not answer within {waited:?}")
            }
            Self::Closed => f.write_str("it was shut down, or the farm is ending"),
            Self::Any(fault) => fault.fmt(f),
            Self::CalledFromHook(called) => called.fmt(f),
        }
    }
}

impl<N: Named> fmt::Debug for LaunchError<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaunchError({self})")
    }
}

impl<N: Named> std::error::Error for LaunchError<N> {}

/// Why a request was not taken. It is handed back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushError<R> {
    /// There is no room in the mailbox.
    Full {
        /// The request.
        request: R,
        /// How many wait in it.
        queued: usize,
        /// How many may.
        most: usize,
    },
    /// There was no room in time.
    TimedOut {
        /// The request.
        request: R,
        /// How long was waited.
        waited: Duration,
    },
    /// The worker takes nothing more.
    Closed {
        /// The request.
        request: R,
        /// Why, if nobody had told it to.
        crash: Option<Crash>,
    },
    /// It would wait for itself.
    CalledFromHook {
        /// The request.
        request: R,
    },
}

impl<R> PushError<R> {
    /// The request, handed back.
    pub fn into_request(self) -> R {
        match self {
            Self::Full { request, .. }
            | Self::TimedOut { request, .. }
            | Self::Closed { request, .. }
            | Self::CalledFromHook { request } => request,
        }
    }
}

impl<R> fmt::Display for PushError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { queued, most, .. } => {
                write!(
                    f,
                    "the mailbox is full: {queued} of {most} wait; push later, or wait for room"
                )
            }
            Self::TimedOut { waited, .. } => write!(f, "the mailbox had no room within {waited:?}"),
            Self::Closed { crash: None, .. } => f.write_str("the worker is closed"),
            Self::Closed {
                crash: Some(crash), ..
            } => write!(f, "the worker crashed: {crash}"),
            Self::CalledFromHook { .. } => CalledFromHook.fmt(f),
        }
    }
}

impl<R: fmt::Debug> std::error::Error for PushError<R> {}

/// Why there is no answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageError<E> {
    /// The worker is closed; if nobody had told it to, this is why.
    Closed(Option<Crash>),
    /// The worker said no.
    Request(E),
    /// Something beside the worker's own answer went wrong.
    Any(Fault),
    /// Another request took its place in the mailbox.
    Displaced,
    /// It was cancelled.
    Cancelled {
        /// The reason given.
        reason: String,
        /// How its treatment came to rest.
        how: farm_master::HowStopped,
    },
    /// It would wait for itself. The request is in the mailbox, and is treated.
    CalledFromHook(CalledFromHook),
}

impl<E: fmt::Debug> fmt::Display for MessageError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(None) => f.write_str("the worker is closed"),
            Self::Closed(Some(crash)) => write!(f, "the worker crashed: {crash}"),
            Self::Request(error) => write!(f, "the worker said no: {error:?}"),
            Self::Any(fault) => fault.fmt(f),
            Self::Displaced => f.write_str("another request took its place in the mailbox"),
            Self::Cancelled { reason, how } => write!(f, "it was cancelled ({reason}; {how:?})"),
            Self::CalledFromHook(called) => called.fmt(f),
        }
    }
}

impl<E: fmt::Debug> std::error::Error for MessageError<E> {}

/// Why a wait ended without what was waited for.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The time is over.
    #[error("it did not end in time")]
    TimedOut,
    /// It would wait for itself.
    #[error(transparent)]
    CalledFromHook(#[from] CalledFromHook),
}
