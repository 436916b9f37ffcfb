//! How a run stands, as it is said over the socket and printed by `farm status --json`. Types only; every field stays.
//!
//! Times are seconds. A field that a later version adds is left out by none that reads an earlier one's.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a run as a whole does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It starts tasks.
    Running,
    /// It starts none until it is told to; what runs goes on.
    Paused,
    /// It starts nothing any more; what runs goes on to its end.
    Finishing,
    /// What runs was asked to end.
    Stopping,
    /// Every task has ended; the last output is being written.
    Ending,
}

impl State {
    /// The word for people, which is that of the JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finishing => "finishing",
            Self::Stopping => "stopping",
            Self::Ending => "ending",
        }
    }
}

/// A run at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) v: u32,
    pub(crate) pid: u32,
    /// The program that runs the tasks.
    pub(crate) program: String,
    /// The task file as it was named; `-`: standard input.
    pub(crate) file: String,
    /// The folder it runs in.
    pub(crate) folder: String,
    /// When it began, RFC 3339.
    pub(crate) started: String,
    pub(crate) running_s: f64,
    pub(crate) state: State,
    /// For how long it has been paused; `null` unless it is.
    pub(crate) paused_s: Option<f64>,
    /// Nothing is started because a reader of our output is too far behind.
    pub(crate) held_back: bool,
    /// The last task of the input has gone in.
    pub(crate) all_read: bool,
    pub(crate) tasks: TaskCounts,
    pub(crate) lanes: Vec<LaneStatus>,
    pub(crate) workers: Vec<WorkerStatus>,
    /// The first of the tasks that wait, in the order in which they would start.
    pub(crate) waiting: Vec<WaitingTask>,
}

/// How many tasks stand where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskCounts {
    /// All tasks of the input; `null` while it is being read line by line.
    pub(crate) total: Option<u64>,
    pub(crate) ended: u64,
    /// Those of `ended` that went wrong.
    pub(crate) failed: u64,
    /// With workers, also such as were asked to stop.
    pub(crate) running: u64,
    /// In the farm's queues.
    pub(crate) waiting: u64,
    /// Read or still to be read, and not in the farm's queues yet; `null` when that is not known.
    pub(crate) outside: Option<u64>,
    /// How many ended in which way, by the words of the results.
    pub(crate) statuses: BTreeMap<String, u64>,
}

/// The lane of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LaneStatus {
    pub(crate) kind: String,
    /// `running`, `paused`, `draining` or `closed`.
    pub(crate) gate: String,
    pub(crate) waiting: u64,
    pub(crate) in_flight: u64,
    /// Asked to stop, and not at rest.
    pub(crate) stopping: u64,
    /// How many may be with workers.
    pub(crate) limit: u64,
    /// How many may wait here.
    pub(crate) queue_limit: u64,
    /// How long those that have ended had waited; `null` before one has.
    #[serde(default)]
    pub(crate) waits: Option<Waited>,
}

/// Half of the tasks did not wait longer, and 99 of 100.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waited {
    pub(crate) p50_s: f64,
    pub(crate) p99_s: f64,
}

/// One worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkerStatus {
    /// Its number, from 1, as in the results.
    pub(crate) worker: u32,
    pub(crate) kind: String,
    /// `null` for a thread inside the run.
    pub(crate) pid: Option<u32>,
    /// `launching`, `running`, `closing` or `closed`.
    pub(crate) phase: String,
    /// What it executes; `null`: nothing.
    pub(crate) task: Option<Held>,
    /// How many requests it holds behind that one.
    pub(crate) held: u64,
    /// How many requests it has answered.
    pub(crate) done: u64,
    /// How long ago it answered, said hello, or was started, whichever came last.
    pub(crate) last_s: f64,
}

/// What a worker executes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) id: String,
    /// What people call it: its name, or what it does.
    pub(crate) label: String,
    pub(crate) attempt: u32,
    pub(crate) for_s: f64,
}

/// A task that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WaitingTask {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) kind: String,
    /// Attempts so far.
    pub(crate) attempts: u32,
    pub(crate) for_s: f64,
    /// Why, in words.
    pub(crate) why: String,
}
