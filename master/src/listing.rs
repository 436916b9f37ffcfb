//! A task as a listing shows it: where it stands, and why it waits. Types only.

use crate::options::LimitId;
use farm_protocol::{Attempt, Instant, KindId, Session, SlotId, TaskId};
use std::fmt;

/// One task that is in the farm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskLine {
    /// Its id.
    pub task: TaskId,
    /// Its kind.
    pub kind: KindId,
    /// How urgent it is now.
    pub priority: i32,
    /// Its last attempt; 0 before the first.
    pub attempt: Attempt,
    /// When it came in.
    pub submitted: Instant,
    /// Where it stands.
    pub stands: Stands,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It waits for a worker.
    Waits(Why),
    /// A worker has it and does nothing else before it.
    Runs {
        /// Where.
        slot: SlotId,
        /// In which process.
        session: Session,
        /// When it was sent.
        since: Instant,
    },
    /// A worker has it, behind another one.
    Held {
        /// Where.
        slot: SlotId,
        /// In which process.
        session: Session,
    },
    /// It was asked to stop, and its worker has not come to rest.
    Stops {
        /// Where.
        slot: SlotId,
        /// In which process.
        session: Session,
    },
}

/// Why a task waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Other tasks must end first.
    Needs {
        /// How many.
        unmet: usize,
    },
    /// No worker matches it, nor would a fresh one.
    NoMatch,
    /// All workers that could take it, or make room for one, are busy.
    NoSlot,
    /// Workers of other kinds have all the places of the farm; one will be made free.
    FarmFull,
    /// It is for the worker in this slot, which is busy.
    Holder(SlotId),
    /// A worker for it is being started.
    Starting,
    /// Its named limit is reached.
    Limit(LimitId),
    /// A pause has to pass: before it is tried again, or before a worker is started again.
    BackOff {
        /// When it is over.
        until: Instant,
    },
    /// As many workers are at work as there are tokens.
    NoToken,
    /// Its lane starts nothing now.
    Paused,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Needs { unmet } => write!(f, "needs {unmet} others"),
            Self::NoMatch => f.write_str("no match"),
            Self::NoSlot => f.write_str("no slot"),
            Self::FarmFull => f.write_str("farm full"),
            Self::Holder(slot) => write!(f, "for {slot}, which is busy"),
            Self::Starting => f.write_str("starting"),
            Self::Limit(limit) => write!(f, "limit {}", limit.0),
            Self::BackOff { until } => write!(f, "back-off until {until}"),
            Self::NoToken => f.write_str("no token"),
            Self::Paused => f.write_str("paused"),
        }
    }
}
