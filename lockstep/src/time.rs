//! Virtual time: nanoseconds since the start of a run. It moves only when the controller moves it.

use std::fmt;
use std::time::Duration;

/// A moment of virtual time, in nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct VTime(pub u64);

impl VTime {
    /// The start of a run.
    pub const START: Self = Self(0);

    /// The moment `span` later; [`NEVER`] when it is too far away to be represented.
    #[must_use]
    pub const fn after(self, span: Duration) -> Self {
        let nanos = span.as_nanos();
        let nanos = if nanos > u64::MAX as u128 {
            u64::MAX
        } else {
            nanos as u64
        };
        Self(self.0.saturating_add(nanos))
    }

    /// How much later it is than `earlier`; zero when it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The moment that never comes: an alarm set to it is none.
pub const NEVER: VTime = VTime(u64::MAX);

/// In milliseconds with three places: `12.345`.
impl fmt::Display for VTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0 / 1_000;
        let text = format!("{}.{:03}", micros / 1_000, micros % 1_000);
        f.pad_integral(true, "", &text)
    }
}
