//! One answer of the loop to one who waits: given once, taken once, and nobody waits for one that
//! will never come. It does not know what is answered.

use crate::shared::Shared;
use crate::sleeper::Sleeper;
use crate::sync::{Mutex, lock};
use std::mem;
use std::time::Instant;

enum State<T> {
    /// Nothing yet; this one sleeps until there is.
    Pending(Option<Sleeper>),
    /// The answer.
    Here(T),
    /// The answer was taken.
    Taken,
}

/// Shared by who waits and the loop, which answers into it.
pub(crate) struct Answer<T>(Mutex<State<T>>);

impl<T> Answer<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::Pending(None)))
    }

    /// Answers, and wakes who sleeps.
    pub(crate) fn give(&self, answer: T) {
        let before = mem::replace(&mut *lock(&self.0), State::Here(answer));
        match before {
            State::Pending(Some(sleeper)) => sleeper.wake(),
            State::Pending(None) => {}
            State::Here(_) | State::Taken => unreachable!("a waiter is resolved exactly once"),
        }
    }

    /// The answer, if it is there.
    pub(crate) fn take(&self) -> Option<T> {
        self.take_or(|| None)
    }

    /// The answer, or this thread is the one to be woken.
    fn take_or_sleep(&self) -> Option<T> {
        self.take_or(|| Some(Sleeper::this_thread()))
    }

    /// The answer, or `sleeper` is to be woken, and nobody else.
    pub(crate) fn take_or(&self, sleeper: impl FnOnce() -> Option<Sleeper>) -> Option<T> {
        let mut state = lock(&self.0);
        match mem::replace(&mut *state, State::Taken) {
            State::Here(answer) => Some(answer),
            State::Pending(before) => {
                *state = State::Pending(sleeper());
                drop(state);
                // What an executor does at this is its own, and not done under our lock.
                drop(before);
                None
            }
            State::Taken => unreachable!("taking the answer consumes who may ask for it"),
        }
    }

    /// Whoever was to be woken is not.
    #[cfg(feature = "future")]
    pub(crate) fn forget_sleeper(&self) {
        let forgotten = match &mut *lock(&self.0) {
            State::Pending(sleeper) => sleeper.take(),
            State::Here(_) | State::Taken => None,
        };
        drop(forgotten);
    }

    /// Waits; `None`: there will never be an answer; `Err`: the time is over.
    ///
    /// # Panics
    /// On the farm's loop, where it would wait for ever.
    pub(crate) fn wait(&self, shared: &Shared, deadline: Option<Instant>) -> Result<Option<T>, ()> {
        if let Some(answer) = self.take() {
            return Ok(Some(answer));
        }
        shared.sleep_until(deadline, || self.take_or_sleep())
    }
}
