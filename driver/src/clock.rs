//! The farm's clock: the system's monotonic clock without the time the farm was suspended.
//!
//! It knows no deadline and nobody who waits for one.

use farm_protocol::Instant;
use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the system's monotonic clock, as the page of a worker has them too.
fn monotonic_nanos() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// A clock that can stand still.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// All the time it stood still before, in nanoseconds.
    away: u64,
    /// When it was stopped, by the system's clock.
    stopped: Option<u64>,
}

impl Clock {
    /// Never earlier than any answer before.
    pub(crate) fn now(&self) -> Instant {
        self.at(monotonic_nanos())
    }

    /// Stands still from now on.
    pub(crate) fn stop(&mut self) {
        self.stop_at(monotonic_nanos());
    }

    /// Goes on from where it stood.
    pub(crate) fn go(&mut self) {
        self.go_at(monotonic_nanos());
    }

    pub(crate) const fn stands(&self) -> bool {
        self.stopped.is_some()
    }

    fn at(&self, raw: u64) -> Instant {
        Instant::from_nanos(self.stopped.unwrap_or(raw) - self.away)
    }

    fn stop_at(&mut self, raw: u64) {
        self.stopped.get_or_insert(raw);
    }

    fn go_at(&mut self, raw: u64) {
        if let Some(stopped) = self.stopped.take() {
            self.away += raw - stopped;
        }
    }
}

#[cfg(test)]
mod tests {
    //! Suspended time does not count, and nothing jumps.
    use super::*;

    #[test]
    fn suspended_time_does_not_count() {
        let mut clock = Clock::default();
        assert_eq!(clock.at(100), Instant::from_nanos(100));
        clock.stop_at(110);
        clock.stop_at(120);
        assert!(clock.stands());
        assert_eq!(clock.at(500), Instant::from_nanos(110));
        clock.go_at(1000);
        clock.go_at(1001);
        assert_eq!(clock.at(1000), Instant::from_nanos(110));
        assert_eq!(clock.at(1010), Instant::from_nanos(120));
        clock.stop_at(1020);
        clock.go_at(2000);
        assert_eq!(clock.at(2000), Instant::from_nanos(130));
    }
}
