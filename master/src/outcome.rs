//! How a task ends: exactly one [`Outcome`], with a true cause. Types only; who decides stands in the machine.

use crate::evidence::MemoryVerdict;
use crate::kinds::KindFault;
use crate::options::TimeLimit;
use farm_protocol::{
    Attempt, Instant, MarshalError, ScopeId, Session, SlotId, TaskId, Termination,
};
use serde::Serialize;
use std::time::Duration;

/// How a task ended. `O` and `F` are the kind's output and failure; the machine itself, which
/// knows neither, uses `()` for both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Outcome<O = (), F = ()> {
    /// The kind took the response and made this of it.
    Done(O),
    /// The kind took the response and called it a failure.
    Failed(F),
    /// Never sent: the kind said no, or a needed task did not end as needed.
    Skipped(SkippedBy),
    /// A time limit passed.
    TimedOut {
        /// Which one.
        which: TimeLimit,
        /// How its attempt came to rest.
        how: HowStopped,
    },
    /// A limit of the attempt was exceeded.
    LimitExceeded {
        /// Which one.
        what: Resource,
        /// How its attempt came to rest.
        how: HowStopped,
        /// How much was seen, in bytes.
        used: u64,
        /// How much was allowed, in bytes.
        limit: u64,
    },
    /// Somebody asked for its end.
    Cancelled {
        /// Who.
        by: CancelledBy,
        /// How its attempt came to rest.
        how: HowStopped,
    },
    /// The request could not be encoded, or is too large. Nothing was sent.
    RequestNotMarshallable(MarshalError),
    /// The worker could not decode the request; the worker was replaced.
    RequestRefused(String),
    /// The worker could not encode the response; the worker stayed.
    ResponseNotMarshallable(String),
    /// The master could not decode the response; the worker was replaced.
    ResponseGarbled(MarshalError),
    /// A callback of the kind panicked in the master.
    KindFault(KindFault),
    /// It was pinned to a worker that is gone, and its fallback is to fail.
    HolderGone,
    /// Injected beyond the injection limit.
    InjectionRefused {
        /// The limit it met: injected tasks waiting beyond the lane's `max_queued`.
        limit: usize,
    },
    /// `perform` panicked in the worker; the worker was replaced.
    Panicked(Box<Death>),
    /// The worker died while it executed this task.
    WorkerLost(Box<Death>),
    /// It killed its workers once more than its crash limit allows, the last time alone in a fresh one.
    Poisoned(Vec<Death>),
    /// No worker of its kind could be started.
    SpawnFailed(String),
    /// The farm stopped before it began.
    Closed,
    /// A newer request took its place in a mailbox.
    Displaced,
}

/// Why a task was never sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SkippedBy {
    /// `request_of_task` answered `None`.
    Kind,
    /// This needed task did not end as needed.
    Need(TaskId),
    /// The farm drained, and there was no worker, nor could one be started, that the kind would have given it to.
    NoMatch,
}

/// Who asked for the end of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CancelledBy {
    /// A caller, with the reason given.
    Caller(String),
    /// The farm is stopping.
    Stopping,
    /// Its group, which was decided without it, or the group that its scope is in.
    Group(ScopeId),
    /// Somebody who cancelled this scope, which it is in.
    Scope {
        /// Which.
        scope: ScopeId,
        /// The reason given.
        reason: String,
    },
}

/// How an attempt that was asked to stop came to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum HowStopped {
    /// It had not begun.
    BeforeStart,
    /// The kind heeded the cancellation and answered; the worker stays.
    Acked,
    /// An answer came that took no notice of the cancellation; it is void, the worker stays.
    LateReply,
    /// The worker ended by itself.
    Exited,
    /// The worker ended after SIGTERM.
    Terminated,
    /// The worker was killed at the end of the budget.
    Killed,
}

/// A limited resource of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Resource {
    /// Resident memory of its worker and all processes below it. Processor time is a time: [`TimeLimit::Cpu`].
    Memory,
}

/// The death of a worker, as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Death {
    /// Which attempt it was executing.
    pub attempt: Attempt,
    /// Where.
    pub slot: SlotId,
    /// Which process.
    pub session: Session,
    /// How the process ended.
    pub termination: Termination,
    /// The last bytes it wrote to its stderr (to its stdout when stderr was silent).
    #[serde(with = "serde_bytes")]
    pub last_words: Vec<u8>,
    /// The most memory it and its collected children held, in bytes, when known.
    pub peak_bytes: Option<u64>,
    /// Whether the evidence says that memory ran out.
    pub memory: MemoryVerdict,
    /// How long the attempt had been executing.
    pub ran: Duration,
    /// The panic's message, when `perform` panicked.
    pub panic: Option<String>,
}

/// One attempt that executed, as results list it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttemptReport {
    /// Its number.
    pub attempt: Attempt,
    /// Where it executed.
    pub slot: SlotId,
    /// In which process.
    pub session: Session,
    /// When it was sent.
    pub started: Instant,
    /// When it came to rest.
    pub finished: Instant,
    /// How.
    pub end: AttemptEnd,
}

/// How one attempt came to rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum AttemptEnd {
    /// The kind took its response as an output.
    Done,
    /// The kind took its response as a failure.
    Failed,
    /// A time limit passed.
    TimedOut(TimeLimit),
    /// A resource limit was exceeded.
    LimitExceeded(Resource),
    /// It was cancelled.
    Cancelled(HowStopped),
    /// Its worker died, and it was charged.
    Died(Termination),
    /// `perform` panicked.
    Panicked,
    /// Request, response or a callback was at fault.
    Fault,
}

/// A task's end with everything the machine knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settlement {
    /// The task.
    pub task: TaskId,
    /// The scope that it, or the task that it follows from, was submitted into.
    pub scope: Option<ScopeId>,
    /// How it ended.
    pub outcome: Outcome,
    /// The attempts that executed, in order.
    pub attempts: Vec<AttemptReport>,
    /// When it was submitted.
    pub submitted: Instant,
    /// When its last attempt was sent; `None` when none was. When the first began: [`Settlement::waited`].
    pub started: Option<Instant>,
    /// Now.
    pub finished: Instant,
}

impl Settlement {
    /// How long it waited: from its submission to the start of its first attempt that executed (or, if none did, of the
    /// last that was sent). `None`: it was never sent.
    #[must_use]
    pub fn waited(&self) -> Option<Duration> {
        waited(self.submitted, &self.attempts, self.started)
    }
}

/// See [`Settlement::waited`].
pub(crate) fn waited(
    submitted: Instant,
    attempts: &[AttemptReport],
    started: Option<Instant>,
) -> Option<Duration> {
    let began = attempts.first().map(|first| first.started).or(started)?;
    Some(began.since(submitted))
}

impl<O, F> Outcome<O, F> {
    /// The word of the closed list that stands in results.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Done(_) => "ok",
            Self::Failed(_)
            | Self::RequestNotMarshallable(_)
            | Self::RequestRefused(_)
            | Self::ResponseNotMarshallable(_)
            | Self::KindFault(_)
            | Self::HolderGone => "failed",
            Self::Skipped(_) => "skipped",
            Self::TimedOut { .. } => "timeout",
            Self::LimitExceeded { .. } => "resource",
            Self::Cancelled { .. } | Self::Displaced => "cancelled",
            Self::ResponseGarbled(_) | Self::Panicked(_) | Self::WorkerLost(_) => "crashed",
            Self::Poisoned(_) => "quarantined",
            Self::InjectionRefused { .. } | Self::SpawnFailed(_) | Self::Closed => "not_run",
        }
    }

    /// Whether the task did what it was meant to do.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// The same outcome over other types: `done` and `failed` give what the machine does not hold.
    pub fn map<P, G>(
        self,
        done: impl FnOnce(O) -> P,
        failed: impl FnOnce(F) -> G,
    ) -> Outcome<P, G> {
        match self {
            Self::Done(output) => Outcome::Done(done(output)),
            Self::Failed(failure) => Outcome::Failed(failed(failure)),
            Self::Skipped(by) => Outcome::Skipped(by),
            Self::TimedOut { which, how } => Outcome::TimedOut { which, how },
            Self::LimitExceeded {
                what,
                how,
                used,
                limit,
            } => Outcome::LimitExceeded {
                what,
                how,
                used,
                limit,
            },
            Self::Cancelled { by, how } => Outcome::Cancelled { by, how },
            Self::RequestNotMarshallable(error) => Outcome::RequestNotMarshallable(error),
            Self::RequestRefused(message) => Outcome::RequestRefused(message),
            Self::ResponseNotMarshallable(message) => Outcome::ResponseNotMarshallable(message),
            Self::ResponseGarbled(error) => Outcome::ResponseGarbled(error),
            Self::KindFault(fault) => Outcome::KindFault(fault),
            Self::HolderGone => Outcome::HolderGone,
            Self::InjectionRefused { limit } => Outcome::InjectionRefused { limit },
            Self::Panicked(death) => Outcome::Panicked(death),
            Self::WorkerLost(death) => Outcome::WorkerLost(death),
            Self::Poisoned(deaths) => Outcome::Poisoned(deaths),
            Self::SpawnFailed(error) => Outcome::SpawnFailed(error),
            Self::Closed => Outcome::Closed,
            Self::Displaced => Outcome::Displaced,
        }
    }
}
