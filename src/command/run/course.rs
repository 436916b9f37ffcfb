//! What a run as a whole does, for the watch, which changes it, and for those who ask, who must not wait for the watch.

use crate::control::State;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) type SharedCourse = Arc<Mutex<Course>>;

/// Locks it. Nothing that could panic happens in between.
pub(super) fn look(course: &SharedCourse) -> MutexGuard<'_, Course> {
    course.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The course of a run.
#[derive(Clone, Debug)]
pub(super) struct Course {
    state: State,
    paused_at: Option<Instant>,
    /// How long it was paused before the present pause.
    paused_before: Duration,
    /// A reader of our output is too far behind.
    pub(super) held_back: bool,
    /// The last task of the input has gone in.
    pub(super) all_read: bool,
    /// Nothing is in the farm any more, and nothing comes.
    pub(super) all_done: bool,
}

impl Course {
    pub(super) fn new() -> SharedCourse {
        Arc::new(Mutex::new(Self {
            state: State::Running,
            paused_at: None,
            paused_before: Duration::ZERO,
            held_back: false,
            all_read: false,
            all_done: false,
        }))
    }

    pub(super) const fn state(&self) -> State {
        self.state
    }

    /// The one way to another state; whether it was taken. An end that has begun goes on.
    pub(super) fn go(&mut self, to: State) -> bool {
        let may = match (self.state, to) {
            (State::Running, State::Running) | (State::Paused, State::Paused) => false,
            (State::Running | State::Paused, _) => true,
            (State::Finishing, State::Stopping | State::Ending)
            | (State::Stopping, State::Ending) => true,
            (State::Finishing | State::Stopping | State::Ending, _) => false,
        };
        if !may {
            return false;
        }
        if let Some(since) = self.paused_at.take() {
            self.paused_before += since.elapsed();
        }
        if to == State::Paused {
            self.paused_at = Some(Instant::now());
        }
        self.state = to;
        true
    }

    /// How long the present pause has lasted.
    pub(super) fn paused_for(&self) -> Option<Duration> {
        self.paused_at.map(|since| since.elapsed())
    }

    /// How long it was paused altogether.
    pub(super) fn paused_in_all(&self) -> Duration {
        self.paused_before + self.paused_for().unwrap_or_default()
    }

    /// Whether nothing may be started now.
    pub(super) fn holds(&self) -> bool {
        self.held_back || self.state == State::Paused
    }
}

#[cfg(test)]
mod tests {
    //! An end is never taken back.
    use super::*;

    #[test]
    fn a_pause_ends_and_an_end_stays() {
        let course = Course::new();
        let mut course = look(&course);
        assert!(course.go(State::Paused) && !course.go(State::Paused) && course.holds());
        assert!(course.go(State::Running) && !course.go(State::Running) && !course.holds());
        assert!(course.paused_for().is_none() && !course.paused_in_all().is_zero());
        assert!(course.go(State::Finishing));
        assert!(!course.go(State::Paused) && !course.go(State::Running));
        assert!(course.go(State::Stopping) && !course.go(State::Finishing));
        assert!(course.go(State::Ending) && !course.go(State::Stopping));
        assert_eq!(course.state(), State::Ending);
    }
}
