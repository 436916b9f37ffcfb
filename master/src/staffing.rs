//! How many workers a kind keeps, and when a healthy one is replaced. Settings only; the rules are the machine's.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::time::Duration;

/// Shorter spans than this are raised to it: workers that were replaced faster than they start would do nothing else.
pub const SHORTEST_LIFE: Duration = Duration::from_millis(100);

/// A kind's start is dear when the last one took this long from spawn to hello. Below it a spare gains nothing.
pub const DEAR_START: Duration = Duration::from_millis(50);

/// How many workers a kind keeps beside those that have work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staffing {
    /// So many are started with the farm and kept, whether there is work or not. At most the kind's `slots`.
    pub least: u32,
    /// So many slots are numbered, for a later [`crate::Event::Resize`] beyond `slots`; less than `slots` says nothing.
    pub ceiling: u32,
    /// A worker beyond the least that has done nothing for this long ends. `None`: it stays.
    pub idle: Option<Duration>,
    /// While the kind's start is dear ([`DEAR_START`]) and a worker is busy, so many more are kept ready, as far as
    /// `slots` and the farm's workers allow.
    pub spares: u32,
    /// When a healthy worker is replaced.
    pub recycle: Recycle,
    /// Workers of this pool are somebody, from the first task that they have done. Whoever is somebody, or is at work,
    /// is never ended by the farm's own housekeeping while he is healthy: not to make room for a task that wants a
    /// fresh worker, nor for another kind, not by a resize, and not for idling; `recycle` says nothing here. Fresh
    /// workers may go. One whose first task came to nothing is nobody, and is ended at once.
    ///
    /// What needs a place that somebody has waits for it ([`crate::Why::NoSlot`], [`crate::Why::FarmFull`]); in a farm
    /// that drains it ends [`crate::Outcome::Closed`] when nothing else goes on. Spares are kept beside somebody as
    /// beside busy workers. When workers cannot be started the pool does not end: what waits for a fresh one ends
    /// [`crate::Outcome::SpawnFailed`], and what comes later is tried anew.
    pub named: bool,
}

/// When a healthy worker is replaced: with the first of these, after what it executes, and after what is pinned to it.
/// It costs no task anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recycle {
    /// After so many answered requests.
    pub tasks: Option<NonZeroU32>,
    /// Each worker's own number of tasks is less by something drawn from 0 to this, so that workers that were started
    /// together are not replaced together.
    pub jitter: u32,
    /// So long after its hello.
    pub age: Option<Duration>,
    /// When it has done nothing for this long; also one of the least, which is then started anew.
    pub idle: Option<Duration>,
    /// When it and its descendants hold more than this many bytes. It must be more than what a worker holds when it
    /// has said hello, its baseline; else the kind's pool ends, with an error that says both.
    pub memory: Option<u64>,
    /// When it and its descendants hold so many bytes more than its baseline.
    pub growth: Option<u64>,
}

impl Recycle {
    /// Whether a worker's memory has to be measured.
    #[must_use]
    pub const fn weighs(&self) -> bool {
        self.memory.is_some() || self.growth.is_some()
    }
}
