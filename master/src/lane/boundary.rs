//! What limits a lane: the boundary's numbers, who may bring tasks, and the gate. Values only, no tasks.

use core::fmt;
use core::num::NonZeroUsize;
use serde::{Deserialize, Serialize};

/// Who may start a transfer into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AdapterMode {
    /// Callers push, and the farm pulls what pushes leave free.
    PushPull,
    /// Callers push; nothing is pulled, so the demand is always 0.
    PushOnly,
    /// The farm pulls from a source when it has room; a push is refused.
    PullOnly,
}

impl AdapterMode {
    /// The word used in signatures and errors.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::PushPull => "push_pull",
            Self::PushOnly => "push_only",
            Self::PullOnly => "pull_only",
        }
    }

    /// Whether tasks may come in this way.
    #[must_use]
    pub const fn permits(self, entry: Entry) -> bool {
        match (self, entry) {
            (Self::PushOnly, Entry::Pull) | (Self::PullOnly, Entry::Push) => false,
            (Self::PushPull, Entry::Push | Entry::Pull)
            | (Self::PushOnly, Entry::Push)
            | (Self::PullOnly, Entry::Pull)
            | (_, Entry::Inject) => true,
        }
    }
}

/// Who brought a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Entry {
    /// A caller submitted it.
    Push,
    /// The farm took it from a source, because there was demand.
    Pull,
    /// It follows from a response. It may exceed `max_queued` by the injection limit, because whoever injects is the
    /// one that frees places: making it wait for a place would be a deadlock.
    Inject,
}

impl Entry {
    /// The word used in errors.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Pull => "pull",
            Self::Inject => "inject",
        }
    }
}

/// What a lane does at the moment. Ends (succeed, fail, cancel, settle) and requeues pass in all four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Gate {
    /// Admits and starts.
    Running,
    /// Admits and starts nothing; nothing is pulled.
    Paused,
    /// Starts what is queued; admits only injected tasks and retries, which belong to work already admitted.
    Draining,
    /// Admits nothing and starts nothing.
    Closed,
}

impl Gate {
    /// The word used in signatures and errors.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Draining => "draining",
            Self::Closed => "closed",
        }
    }

    /// Whether queued tasks may start.
    #[must_use]
    pub const fn starts(self) -> bool {
        match self {
            Self::Running | Self::Draining => true,
            Self::Paused | Self::Closed => false,
        }
    }

    /// Whether a task may come in this way.
    #[must_use]
    pub const fn admits(self, entry: Entry) -> bool {
        match (self, entry) {
            (Self::Running | Self::Paused, _) | (Self::Draining, Entry::Inject) => true,
            (Self::Draining, Entry::Push | Entry::Pull) | (Self::Closed, _) => false,
        }
    }
}

/// The limits of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Boundary {
    /// Who may bring tasks.
    pub mode: AdapterMode,
    /// How many tasks may occupy workers: those in flight and those cancelled whose worker is not yet free.
    pub max_in_flight: NonZeroUsize,
    /// How many tasks may wait. 0 means hand-off: a task is taken only when nothing waits and a place in flight is free.
    pub max_queued: usize,
    /// From a cancel to the kill, in milliseconds. 0 kills at once.
    pub cancellation_budget_ms: u64,
}

/// The budget of [`Boundary::for_workers`], in milliseconds.
const DEFAULT_CANCELLATION_BUDGET_MS: u64 = 3_000;

/// The smallest queue of [`Boundary::for_workers`], in tasks: a few workers still find the next task waiting.
const FEWEST_QUEUED: usize = 16;

/// The largest queue of [`Boundary::for_workers`], in tasks.
const MOST_QUEUED: usize = 1_024;

impl Boundary {
    /// A boundary of given limits.
    ///
    /// # Errors
    /// [`BoundaryError::NothingInFlight`] when `max_in_flight` is 0.
    pub const fn new(
        mode: AdapterMode,
        max_in_flight: usize,
        max_queued: usize,
        cancellation_budget_ms: u64,
    ) -> Result<Self, BoundaryError> {
        let Some(max_in_flight) = NonZeroUsize::new(max_in_flight) else {
            return Err(BoundaryError::NothingInFlight);
        };
        Ok(Self {
            mode,
            max_in_flight,
            max_queued,
            cancellation_budget_ms,
        })
    }

    /// The default for a pool: push and pull, one task in flight per worker, the square of the workers (16 to 1,024)
    /// queued, and three seconds from a cancel to the kill.
    #[must_use]
    pub fn for_workers(workers: NonZeroUsize) -> Self {
        let square = workers.get().saturating_mul(workers.get());
        Self {
            mode: AdapterMode::PushPull,
            max_in_flight: workers,
            max_queued: square.clamp(FEWEST_QUEUED, MOST_QUEUED),
            cancellation_budget_ms: DEFAULT_CANCELLATION_BUDGET_MS,
        }
    }
}

/// Why limits make no boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundaryError {
    /// `max_in_flight` is 0: such a lane would take tasks and never start one.
    NothingInFlight,
}

impl fmt::Display for BoundaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingInFlight => f.write_str(
                "a boundary with max_in_flight 0 would never start a task; give at least 1, or pause the lane instead",
            ),
        }
    }
}

impl core::error::Error for BoundaryError {}
