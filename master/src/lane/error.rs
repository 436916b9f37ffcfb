//! Why a lane refuses. A refusal never changes the lane.

use super::{AdapterMode, Entry, Gate, Key};
use core::fmt;
use serde::Serialize;

/// A refusal of the lane. Whichever it is, the lane is as it was before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum LaneError {
    /// The key is in use, in whichever state. The lane is unchanged. It is free again after
    /// [`Lane::forget`](super::Lane::forget); a task that failed or was cancelled comes back by `retry`.
    DuplicateTask {
        /// The key in use.
        key: Key,
    },
    /// No place to wait is left. The lane is unchanged. A place is freed by the next start.
    QueueSaturated {
        /// The task refused.
        key: Key,
        /// How many wait.
        queued: usize,
        /// How many may.
        max_queued: usize,
    },
    /// As many injected tasks as are allowed beyond `max_queued` wait already. The lane is unchanged.
    InjectionRefused {
        /// The task refused.
        key: Key,
        /// How many injected tasks may wait beyond `max_queued`.
        limit: usize,
    },
    /// The lane has no task of this key. The lane is unchanged.
    UnknownTask {
        /// The key asked for.
        key: Key,
    },
    /// The task's state does not allow this. The lane is unchanged.
    InvalidTransition {
        /// The task.
        key: Key,
        /// The state it is in, as [`TaskState::label`](super::TaskState::label) says it.
        state: &'static str,
        /// What was asked, named like the function.
        action: &'static str,
    },
    /// Another attempt than the task's present one was meant. The lane is unchanged. This is normal: what comes from
    /// outside may be late; the caller drops and counts it.
    StaleAttempt {
        /// The task.
        key: Key,
        /// The attempt meant.
        attempt: u32,
        /// The task's present attempt; 0 when it was never started.
        current: u32,
    },
    /// The boundary's mode has no such way in. The lane is unchanged.
    ModeForbids {
        /// The task refused.
        key: Key,
        /// The lane's mode.
        mode: AdapterMode,
        /// The way it came.
        action: Entry,
    },
    /// The gate admits no such task now. The lane is unchanged.
    NotAdmitting {
        /// The task refused.
        key: Key,
        /// The gate.
        gate: Gate,
    },
    /// The gate starts nothing now. The lane is unchanged, the task keeps its place.
    NotStarting {
        /// The task not started.
        key: Key,
        /// The gate.
        gate: Gate,
    },
    /// As many tasks as may occupy workers do so. The lane is unchanged, the task keeps its place.
    NoRoom {
        /// The task not started.
        key: Key,
        /// How many may occupy workers.
        max_in_flight: usize,
    },
    /// The key is beyond what a lane keeps rows for. The lane is unchanged. Keys are dense: give freed ones out again.
    KeyTooLarge {
        /// The key refused.
        key: Key,
        /// The first key that is too large.
        limit: u32,
    },
}

impl fmt::Display for LaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::DuplicateTask { key } => write!(
                f,
                "task {key} was not enqueued: the lane has it already; retry it, or forget it first"
            ),
            Self::QueueSaturated {
                key,
                queued,
                max_queued,
            } => write!(
                f,
                "task {key} was not queued: {queued} tasks wait and {max_queued} may; \
                 wait for a start, or raise max_queued"
            ),
            Self::InjectionRefused { key, limit } => write!(
                f,
                "task {key} was not injected: {limit} injected tasks wait beyond max_queued already; \
                 inject fewer per response, or raise the injection limit"
            ),
            Self::UnknownTask { key } => write!(
                f,
                "the lane has no task {key}; it was never enqueued, or is forgotten"
            ),
            Self::InvalidTransition { key, state, action } => {
                write!(f, "cannot {action} task {key}: it is {state}")
            }
            Self::StaleAttempt {
                key,
                attempt,
                current,
            } => write!(
                f,
                "attempt {attempt} of task {key} is stale: the present one is {current}; drop what came"
            ),
            Self::ModeForbids { key, mode, action } => write!(
                f,
                "task {key} was not enqueued: a {} lane takes no {}; choose another mode for the boundary",
                mode.label(),
                action.label()
            ),
            Self::NotAdmitting { key, gate } => {
                write!(
                    f,
                    "task {key} was not queued: the lane is {} and admits no such task",
                    gate.label()
                )
            }
            Self::NotStarting { key, gate } => {
                write!(
                    f,
                    "task {key} was not started: the lane is {}",
                    gate.label()
                )
            }
            Self::NoRoom { key, max_in_flight } => write!(
                f,
                "task {key} was not started: {max_in_flight} tasks occupy workers and no more may; \
                 wait until one is settled"
            ),
            Self::KeyTooLarge { key, limit } => write!(
                f,
                "task {key} was not enqueued: keys end below {limit}; give the keys of forgotten tasks out again"
            ),
        }
    }
}

impl core::error::Error for LaneError {}
