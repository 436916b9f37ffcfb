//! How a lane's tasks are counted: the caller's dense key and the lane's own place number.

use core::fmt;
use serde::Serialize;

/// A task as the lane's caller numbers it: a dense index, so that a step is an indexed access and no search.
///
/// A lane keeps one row per index up to the largest it has seen; a caller therefore gives freed indices out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key(u32);

impl Key {
    /// The key of row `index`.
    #[must_use]
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The row this key stands for.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in a lane's order, counted from 1 and never given out twice by one lane.
///
/// A task keeps it through start, end and requeue; only a retry gives a new one, because a failing task that kept its
/// place would overtake all others for ever. The identity of a task across retries is its [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

impl Seq {
    /// What a new lane gives out first.
    pub(super) const FIRST: Self = Self(1);

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one given out after this one. A `u64` counted up by one per task does not come round.
    pub(super) const fn following(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
