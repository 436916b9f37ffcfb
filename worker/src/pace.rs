//! How often an attempt says how far it is: the first word and the last at once, others with a pause between.
//!
//! Knows no clock: it is told the time. Shared by the threads of an attempt without a lock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The least time between two words, in nanoseconds: a person sees no more, and each costs the master a turn.
const PAUSE: u64 = 50_000_000;

/// When an attempt spoke last.
#[derive(Debug)]
pub(crate) struct Pace {
    /// In nanoseconds; 0: never.
    last: AtomicU64,
    /// That all is done has been said.
    completed: AtomicBool,
}

impl Pace {
    pub(crate) const fn new() -> Self {
        Self {
            last: AtomicU64::new(0),
            completed: AtomicBool::new(false),
        }
    }

    /// Whether a word may go out at `now`; if so, it counts as said. Of several threads at one moment one may speak.
    pub(crate) fn admits(&self, now: u64, complete: bool) -> bool {
        // Relaxed: only the numbers themselves matter, nothing is published by them.
        let last = self.last.load(Ordering::Relaxed);
        let rested = last == 0 || now.saturating_sub(last) >= PAUSE;
        if rested {
            let mine = self
                .last
                .compare_exchange(last, now.max(1), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
            if mine && complete {
                self.completed.store(true, Ordering::Relaxed);
            }
            return mine;
        }
        complete && !self.completed.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    //! The first and the completing one at once, others with pauses.
    use super::*;

    #[test]
    fn a_pause_between_two() {
        let pace = Pace::new();
        assert!(pace.admits(7, false));
        assert!(!pace.admits(8, false));
        assert!(!pace.admits(6 + PAUSE, false));
        assert!(pace.admits(7 + PAUSE, false));
        assert!(!pace.admits(8 + PAUSE, false));
    }

    #[test]
    fn the_last_does_not_wait_and_is_one() {
        let pace = Pace::new();
        assert!(pace.admits(7, false));
        assert!(pace.admits(8, true));
        assert!(!pace.admits(9, true));
        let pace = Pace::new();
        assert!(pace.admits(7, true));
        assert!(!pace.admits(8, true));
        assert!(pace.admits(7 + PAUSE, true));
    }
}
