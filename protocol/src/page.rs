//! The layout of the page of shared memory in which a worker notes what it executes.
//!
//! One page per worker, words of 64 bits. The worker is the only writer; the master reads it when
//! the worker is dead or has written to its own streams. Order of writing: attempt and start first, the task
//! last; clearing stores [`NOTHING`] into the task. A reader that finds the same task before and
//! after reading the rest has read one consistent note.

use crate::id::{Attempt, AttemptId, TaskId};
use serde::{Deserialize, Serialize};

/// Size of the page, in bytes.
pub const BYTES: usize = 4096;

/// Word of the task that executes, or [`NOTHING`].
pub const TASK: usize = 0;
/// Word of the attempt.
pub const ATTEMPT: usize = 1;
/// Word of the start: nanoseconds of the system's monotonic clock.
pub const STARTED: usize = 2;
/// Word of the worker's own peak resident memory, in bytes, as it last looked.
pub const PEAK: usize = 3;
/// How many words are in use.
pub const WORDS: usize = 4;

/// Stands in [`TASK`] while nothing executes. As a task id it would be the last generation of the last place.
pub const NOTHING: u64 = u64::MAX;

/// How often a reader tries again when the worker writes at the same moment.
const READ_AGAIN: usize = 8;

/// What the page says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The attempt that executes; `None` between two.
    pub executing: Option<AttemptId>,
    /// When it began, in nanoseconds of the system's monotonic clock; 0 when nothing executes.
    pub started_nanos: u64,
    /// Peak resident memory of the worker itself, in bytes; 0 when it never looked.
    pub peak_bytes: u64,
}

/// Reads a note through `word`, which loads one word of the page.
pub fn read(word: impl Fn(usize) -> u64) -> Noted {
    for _ in 0..READ_AGAIN {
        let task = word(TASK);
        let attempt = word(ATTEMPT);
        let started_nanos = word(STARTED);
        let peak_bytes = word(PEAK);
        if word(TASK) != task {
            continue;
        }
        if task == NOTHING {
            return Noted {
                executing: None,
                started_nanos: 0,
                peak_bytes,
            };
        }
        let attempt = Attempt(u32::try_from(attempt).unwrap_or(u32::MAX));
        let executing = Some(AttemptId {
            task: TaskId::from_bits(task),
            attempt,
        });
        return Noted {
            executing,
            started_nanos,
            peak_bytes,
        };
    }
    // Only a live worker that finishes tasks faster than four loads take can bring us here: it
    // is between tasks as often as in one, and nothing is decided on a live worker's note alone.
    Noted {
        executing: None,
        started_nanos: 0,
        peak_bytes: word(PEAK),
    }
}
