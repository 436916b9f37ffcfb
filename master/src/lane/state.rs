//! What a lane knows of one task, as callers see it and as the lane keeps it, and the sums over all tasks.

use super::Seq;
use super::cancel::Ladder;

/// The state of a task, as a view that costs no copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState<'a> {
    /// It waits; no worker knows it.
    Queued {
        /// Its place in the order.
        seq: Seq,
    },
    /// It is with a worker, executing or held.
    InFlight {
        /// Its place in the order, kept if it must go back.
        seq: Seq,
        /// When it was handed over, in milliseconds of the caller's clock.
        started_ms: u64,
    },
    /// It ended well.
    Succeeded {
        /// The place it had.
        seq: Seq,
    },
    /// It ended badly; `retry` brings it back.
    Failed {
        /// The place it had.
        seq: Seq,
        /// As the caller gave it.
        reason: &'a str,
    },
    /// It was given up. Its worker may still be busy with it: see [`Lane::is_settled`](super::Lane::is_settled).
    Cancelled {
        /// The place it had.
        seq: Seq,
        /// As the caller gave it.
        reason: &'a str,
    },
}

impl TaskState<'_> {
    /// The word used in signatures and errors.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::InFlight { .. } => "in_flight",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// The task's place in the order.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        match *self {
            Self::Queued { seq }
            | Self::InFlight { seq, .. }
            | Self::Succeeded { seq }
            | Self::Failed { seq, .. }
            | Self::Cancelled { seq, .. } => seq,
        }
    }
}

/// The sums over a lane's tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tasks that wait.
    pub queued: usize,
    /// Tasks with a worker and not cancelled.
    pub in_flight: usize,
    /// Tasks that keep a worker from others: `in_flight` and the cancelled ones not yet settled. The limit is on these.
    pub occupied: usize,
    /// Tasks that succeeded, failed or were cancelled (settled or not) and are not forgotten.
    pub terminal: usize,
}

/// What the lane keeps of a key. 32 bytes, so that two share a cache line: a lane of a million tasks is walked at the
/// speed of memory.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The place of the present or last life of the key.
    pub(super) seq: Seq,
    /// How many times it was started in this life.
    pub(super) attempts: u32,
    /// Whether it came by injection and so may stand beyond `max_queued`.
    pub(super) injected: bool,
    /// Where it is. Changed by `Tally::change` alone, which keeps the sums.
    pub(super) state: State,
}

const _: () = assert!(size_of::<Row>() <= 32, "a row outgrew half a cache line");

impl Row {
    /// A key that is not in use.
    pub(super) const VACANT: Self = Self {
        seq: Seq::FIRST,
        attempts: 0,
        injected: false,
        state: State::Absent,
    };

    /// The view of callers; none for a vacant row.
    pub(super) fn view(&self) -> Option<TaskState<'_>> {
        let seq = self.seq;
        match &self.state {
            State::Absent => None,
            State::Queued => Some(TaskState::Queued { seq }),
            State::InFlight { started_ms } => Some(TaskState::InFlight {
                seq,
                started_ms: *started_ms,
            }),
            State::Succeeded => Some(TaskState::Succeeded { seq }),
            State::Failed(Ended { reason }) => Some(TaskState::Failed { seq, reason }),
            State::Stopping(stopping) => Some(TaskState::Cancelled {
                seq,
                reason: &stopping.reason,
            }),
            State::Cancelled(Ended { reason }) => Some(TaskState::Cancelled { seq, reason }),
        }
    }
}

/// Where a task is. Unlike [`TaskState`] it tells a cancelled task that still holds a worker from one that does not.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// The key is not in use.
    Absent,
    /// It stands in the order.
    Queued,
    /// A worker has it.
    InFlight {
        /// When the worker got it.
        started_ms: u64,
    },
    /// Ended well, nothing held.
    Succeeded,
    /// Ended badly, nothing held.
    Failed(Ended),
    /// Cancelled while in flight: void for callers, but its worker is not free.
    Stopping(Box<Stopping>),
    /// Cancelled and nothing held.
    Cancelled(Ended),
}

impl State {
    /// Whether it has ended and holds no worker, so that it may be forgotten.
    pub(super) const fn is_over(&self) -> bool {
        match self {
            Self::Succeeded | Self::Failed(_) | Self::Cancelled(_) => true,
            Self::Absent | Self::Queued | Self::InFlight { .. } | Self::Stopping(_) => false,
        }
    }
}

/// Why a task ended. Behind two pointers, to keep [`Row`] small: only tasks that ended badly pay.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) reason: Box<Box<str>>,
}

impl Ended {
    pub(super) fn new(reason: Box<str>) -> Self {
        Self {
            reason: Box::new(reason),
        }
    }
}

/// A cancelled task whose worker is being stopped.
#[derive(Clone, Debug)]
pub(super) struct Stopping {
    pub(super) reason: Box<str>,
    pub(super) ladder: Ladder,
}

/// The sums that the lane keeps up to date, so that no step counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) queued: usize,
    /// Of the queued, those that were injected.
    pub(super) injected: usize,
    pub(super) in_flight: usize,
    /// Cancelled, worker not yet free.
    pub(super) stopping: usize,
    /// Ended and nothing held.
    pub(super) over: usize,
}

impl Tally {
    pub(super) const EMPTY: Self = Self {
        queued: 0,
        injected: 0,
        in_flight: 0,
        stopping: 0,
        over: 0,
    };

    /// The one place where a state changes, so that the sums are always those of the states.
    ///
    /// Always inlined: where the caller has just looked at the old state, the sums and the drop of what the old state
    /// held come down to a few additions. As a call it was a third of the cost of a step.
    #[inline(always)]
    pub(super) fn change(&mut self, row: &mut Row, to: State) {
        self.leave(row);
        row.state = to;
        self.enter(row);
    }

    #[inline(always)]
    fn leave(&mut self, row: &Row) {
        match row.state {
            State::Absent => {}
            State::Queued => {
                self.queued -= 1;
                self.injected -= usize::from(row.injected);
            }
            State::InFlight { .. } => self.in_flight -= 1,
            State::Stopping(_) => self.stopping -= 1,
            State::Succeeded | State::Failed(_) | State::Cancelled(_) => self.over -= 1,
        }
    }

    /// Counts a row in.
    #[inline(always)]
    pub(super) fn enter(&mut self, row: &Row) {
        match row.state {
            State::Absent => {}
            State::Queued => {
                self.queued += 1;
                self.injected += usize::from(row.injected);
            }
            State::InFlight { .. } => self.in_flight += 1,
            State::Stopping(_) => self.stopping += 1,
            State::Succeeded | State::Failed(_) | State::Cancelled(_) => self.over += 1,
        }
    }

    /// Workers that are not free.
    #[inline]
    pub(super) const fn occupied(&self) -> usize {
        self.in_flight + self.stopping
    }
}
