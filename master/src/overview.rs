//! What is seen of a farm from outside at one moment: its lanes and its workers. Types only.

use crate::lane::Gate;
use farm_protocol::{AttemptId, Instant, KindId, Session, SlotId};
use std::fmt;
use std::time::Duration;

/// The life of a worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It was started and has not said hello.
    Launching,
    /// It takes requests.
    Running,
    /// It gets nothing new, and is on its way out.
    Closing,
    /// It has exited, and what it said last is still being read.
    Closed,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Launching => "launching",
            Self::Running => "running",
            Self::Closing => "closing",
            Self::Closed => "closed",
        })
    }
}

/// The lane of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneLine {
    /// Which kind.
    pub kind: KindId,
    /// What it admits and starts now.
    pub gate: Gate,
    /// How many tasks wait in it, also for needs, limits and delays.
    pub waiting: usize,
    /// How many tasks are with workers.
    pub in_flight: usize,
    /// How many were asked to stop and have not come to rest: they keep their workers.
    pub stopping: usize,
    /// How many may be with workers.
    pub max_in_flight: usize,
    /// How many may wait.
    pub max_queued: usize,
    /// How long half of the tasks that have ended had waited at most, and 99 of 100; `None` before one has.
    pub waits: Option<(Duration, Duration)>,
}

/// One worker process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerLine {
    /// Its place.
    pub slot: SlotId,
    /// Whose worker it is.
    pub kind: KindId,
    /// Which process of that place.
    pub session: Session,
    /// How far its life is.
    pub phase: Phase,
    /// What it executes, and when that was sent.
    pub task: Option<(AttemptId, Instant)>,
    /// How many requests it holds behind that one.
    pub held: usize,
    /// How many requests it has answered.
    pub done: u64,
    /// When it answered last; before that, when it said hello; before that, when it was started.
    pub last_answer: Instant,
}
