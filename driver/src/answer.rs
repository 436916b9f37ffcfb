//! One answer of the loop to one who waits: given once, taken once, and nobody waits for one that
//! will never come. It does not know what is answered.

use crate::shared::{Over, Shared};
use crate::sync::thread::{self, Thread};
use crate::sync::{Mutex, lock};
use std::mem;
use std::time::Instant;

enum State<T> {
    /// Nothing yet; this thread sleeps until there is.
    Pending(Option<Thread>),
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
            State::Pending(Some(sleeper)) => sleeper.unpark(),
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
        self.take_or(|| Some(thread::current()))
    }

    fn take_or(&self, sleeper: impl FnOnce() -> Option<Thread>) -> Option<T> {
        let mut state = lock(&self.0);
        match mem::replace(&mut *state, State::Taken) {
            State::Here(answer) => Some(answer),
            State::Pending(_) => {
                *state = State::Pending(sleeper());
                None
            }
            State::Taken => unreachable!("taking the answer consumes who may ask for it"),
        }
    }

    /// Waits; `None`: there will never be an answer; `Err`: the time is over.
    ///
    /// # Panics
    /// On the farm's loop, where it would wait for ever.
    pub(crate) fn wait(&self, shared: &Shared, deadline: Option<Instant>) -> Result<Option<T>, ()> {
        if let Some(answer) = self.take() {
            return Ok(Some(answer));
        }
        assert!(
            !shared.is_loop_thread(),
            "a callback on the farm's loop waits for that loop"
        );
        shared.sleeps();
        let answer = self.look_until(shared, deadline);
        shared.slept();
        answer
    }

    fn look_until(&self, shared: &Shared, deadline: Option<Instant>) -> Result<Option<T>, ()> {
        loop {
            // This order: what is answered before the end is seen although the loop is over.
            let over = shared.over();
            if let Some(answer) = self.take_or_sleep() {
                return Ok(Some(answer));
            }
            match over {
                Over::No => {}
                Over::Stopped | Over::Panicked => return Ok(None),
            }
            match deadline {
                None => thread::park(),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(());
                    }
                    thread::park_timeout(left);
                }
            }
        }
    }
}
