//! From monotonic times to dates: one wall-clock reading at the start of the run anchors all of them, so that two times
//! in one report never contradict each other when the system's clock is set during the run.

use jiff::fmt::temporal::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// The wall-clock time at which the run began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunClock {
    anchor: Duration,
}

impl RunClock {
    /// A clock for a run that began at `anchor`. A date before 1970 counts as 1970: a machine without a set clock must
    /// still be able to report.
    pub(crate) fn new(anchor: SystemTime) -> Self {
        let anchor = anchor
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self { anchor }
    }

    /// The time since 1970 at `at`.
    pub(crate) fn unix(&self, at: Duration) -> Duration {
        self.anchor.saturating_add(at)
    }

    /// Appends `at` as RFC 3339 in UTC with milliseconds.
    pub(crate) fn rfc3339(&self, at: Duration, out: &mut Vec<u8>) {
        let stamp = SignedDuration::try_from(self.unix(at))
            .and_then(Timestamp::from_duration)
            .unwrap_or(Timestamp::MAX);
        PRINTER
            .print_timestamp(&stamp, out)
            .expect("a Vec takes every byte");
    }

    /// Appends `at` as seconds since 1970 with three decimals.
    pub(crate) fn unix_millis(&self, at: Duration, out: &mut String) {
        let unix = self.unix(at);
        write!(out, "{}.{:03}", unix.as_secs(), unix.subsec_millis())
            .expect("a String takes every byte");
    }
}
