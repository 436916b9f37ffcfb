//! How many tasks ended how: the sums of a kind, and the report of a drain. Types only; who counts is the machine.

use crate::outcome::Outcome;
use std::ops::{Add, Sub};

/// How many tasks of a kind ended in which way. Each task is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// [`Outcome::Done`].
    pub done: u64,
    /// The kind, or marshalling, called it a failure.
    pub failed: u64,
    /// [`Outcome::Skipped`].
    pub skipped: u64,
    /// [`Outcome::TimedOut`].
    pub timed_out: u64,
    /// [`Outcome::LimitExceeded`].
    pub exceeded: u64,
    /// Cancelled, or displaced by another request.
    pub cancelled: u64,
    /// Its worker died, panicked, or answered garbage.
    pub crashed: u64,
    /// [`Outcome::Poisoned`].
    pub quarantined: u64,
    /// It never began: closed, no worker could be started, or injected beyond the limit.
    pub not_run: u64,
    /// It never was in the farm, and was handed back to who brought it.
    pub refused: u64,
}

impl Ends {
    /// How many tasks that were in the farm have ended: all but the refused ones.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.done
            + self.failed
            + self.skipped
            + self.timed_out
            + self.exceeded
            + self.cancelled
            + self.crashed
            + self.quarantined
            + self.not_run
    }

    /// Counts one end, as [`Outcome::status`] calls it.
    pub(crate) const fn count(&mut self, outcome: &Outcome) {
        let sum = match outcome {
            Outcome::Done(()) => &mut self.done,
            Outcome::Failed(())
            | Outcome::RequestNotMarshallable(_)
            | Outcome::RequestRefused(_)
            | Outcome::ResponseNotMarshallable(_)
            | Outcome::KindFault(_)
            | Outcome::HolderGone => &mut self.failed,
            Outcome::Skipped(_) => &mut self.skipped,
            Outcome::TimedOut { .. } => &mut self.timed_out,
            Outcome::LimitExceeded { .. } => &mut self.exceeded,
            Outcome::Cancelled { .. } | Outcome::Displaced => &mut self.cancelled,
            Outcome::ResponseGarbled(_) | Outcome::Panicked(_) | Outcome::WorkerLost(_) => {
                &mut self.crashed
            }
            Outcome::Poisoned(_) => &mut self.quarantined,
            Outcome::InjectionRefused { .. } | Outcome::SpawnFailed(_) | Outcome::Closed => {
                &mut self.not_run
            }
        };
        *sum += 1;
    }

    fn with(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            done: of(self.done, other.done),
            failed: of(self.failed, other.failed),
            skipped: of(self.skipped, other.skipped),
            timed_out: of(self.timed_out, other.timed_out),
            exceeded: of(self.exceeded, other.exceeded),
            cancelled: of(self.cancelled, other.cancelled),
            crashed: of(self.crashed, other.crashed),
            quarantined: of(self.quarantined, other.quarantined),
            not_run: of(self.not_run, other.not_run),
            refused: of(self.refused, other.refused),
        }
    }
}

impl Add for Ends {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }
}

impl Sub for Ends {
    type Output = Self;

    /// What has come since `other` was taken.
    fn sub(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }
}

/// What stands in the lane of a kind, and what has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneSums {
    /// Tasks with a worker, executing, held or stopping.
    pub running: u64,
    /// Tasks in the lane that are with no worker, those that wait for a retry included.
    pub queued: u64,
    /// Tasks that wait for room in the lane.
    pub offered: u64,
    /// Tasks that ever came into the farm, follow-ups included. Always `running` + `queued` + `ends.total()`.
    pub came: u64,
    /// How those that are not there any more have ended.
    pub ends: Ends,
}

impl Add for LaneSums {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            running: self.running + other.running,
            queued: self.queued + other.queued,
            offered: self.offered + other.offered,
            came: self.came + other.came,
            ends: self.ends + other.ends,
        }
    }
}
