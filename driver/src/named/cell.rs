//! One value that somebody waits for: given once by the attendant, seen by any number of threads. It does not know what.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The attendant outlives everybody who could wait, and ends nobody's life without giving what is waited for: so nobody
/// here asks whether the farm is over.
pub(super) struct Cell<T> {
    value: Mutex<Option<T>>,
    given: Condvar,
}

impl<T> Cell<T> {
    pub(super) const fn new() -> Self {
        Self {
            value: Mutex::new(None),
            given: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        // No code of a user runs under it, so a poisoned one still guards a whole value.
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the value. A second one is dropped: what was said first stands.
    pub(super) fn give(&self, value: T) {
        let mut place = self.lock();
        let second = if place.is_none() {
            *place = Some(value);
            None
        } else {
            Some(value)
        };
        drop(place);
        self.given.notify_all();
        drop(second);
    }

    /// Looks at the value when it is there, at the latest at `deadline`; `None`: it was not there in time.
    pub(super) fn wait<A>(
        &self,
        deadline: Option<Instant>,
        look: impl FnOnce(&mut Option<T>) -> A,
    ) -> Option<A> {
        let mut place = self.lock();
        while place.is_none() {
            place = match deadline {
                None => self
                    .given
                    .wait(place)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now())?;
                    let (place, _) = self
                        .given
                        .wait_timeout(place, left)
                        .unwrap_or_else(PoisonError::into_inner);
                    place
                }
            };
        }
        Some(look(&mut place))
    }

    /// Looks at the value, if it is there.
    pub(super) fn peek<A>(&self, look: impl FnOnce(&T) -> A) -> Option<A> {
        self.lock().as_ref().map(look)
    }
}
