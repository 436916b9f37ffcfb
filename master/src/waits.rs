//! How long tasks waited, as quantiles, in memory that does not grow.

use std::fmt;
use std::time::Duration;

/// How many parts each doubling of the time is divided into, as a power of two.
const PARTS_LOG2: u32 = 5;

/// The same as a number.
const PARTS: usize = 1 << PARTS_LOG2;

/// Times from 2^this many microseconds on (12 days) are counted as that.
const LONGEST_LOG2: u32 = 40;

const BUCKETS: usize = (LONGEST_LOG2 - PARTS_LOG2 + 1) as usize * PARTS;

/// How long tasks waited: the time from the submission of each to the start of its first attempt.
///
/// Memory: 9 KiB however many there are. What [`Waits::quantile`] says is never too small, and at most 3.2 %
/// or a microsecond too large. Times of more than 12 days are counted as 12 days.
#[derive(Clone)]
pub struct Waits {
    /// By the length of the wait.
    buckets: Box<[u64; BUCKETS]>,
    count: u64,
    longest: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self::new()
    }
}

impl Waits {
    /// Of no task.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buckets: Box::new([0; BUCKETS]),
            count: 0,
            longest: Duration::ZERO,
        }
    }

    /// Counts the wait of one task.
    pub fn record(&mut self, wait: Duration) {
        self.buckets[bucket_of(wait)] += 1;
        self.count += 1;
        self.longest = self.longest.max(wait);
    }

    /// Counts the waits of others as well.
    pub fn merge(&mut self, others: &Self) {
        for (own, other) in self.buckets.iter_mut().zip(others.buckets.iter()) {
            *own += other;
        }
        self.count += others.count;
        self.longest = self.longest.max(others.longest);
    }

    /// How many tasks were counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The longest wait, exactly; zero of no task.
    #[must_use]
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    /// The wait that so many of a thousand tasks did not exceed: 500 is the median. `None` of no task.
    #[must_use]
    pub fn quantile(&self, per_mille: u32) -> Option<Duration> {
        if self.count == 0 {
            return None;
        }
        let part = u128::from(self.count) * u128::from(per_mille.min(1000));
        let rank = u64::try_from(part.div_ceil(1000))
            .unwrap_or(self.count)
            .max(1);
        let mut seen = 0;
        let found = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        let bucket = found.expect("the sums of the buckets are the count");
        Some(longest_in(bucket).min(self.longest))
    }

    /// Half of the tasks did not wait longer.
    #[must_use]
    pub fn p50(&self) -> Option<Duration> {
        self.quantile(500)
    }

    /// 99 of 100 tasks did not wait longer.
    #[must_use]
    pub fn p99(&self) -> Option<Duration> {
        self.quantile(990)
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waits")
            .field("count", &self.count)
            .field("p50", &self.p50())
            .field("p99", &self.p99())
            .field("longest", &self.longest)
            .finish()
    }
}

/// Microseconds up to [`PARTS`] have a bucket each; from there on each doubling has [`PARTS`] of them.
fn bucket_of(wait: Duration) -> usize {
    let most = (1 << LONGEST_LOG2) - 1;
    let micros = u64::try_from(wait.as_micros()).unwrap_or(most).min(most);
    let doublings = micros.max(1).ilog2().saturating_sub(PARTS_LOG2);
    let part = usize::try_from(micros >> doublings).expect("it has six bits");
    doublings as usize * PARTS + part
}

/// The longest wait that falls into a bucket.
fn longest_in(bucket: usize) -> Duration {
    let doublings = (bucket / PARTS).saturating_sub(1);
    let part = bucket - doublings * PARTS;
    Duration::from_micros((part as u64 + 1) << doublings) - Duration::from_nanos(1)
}

#[cfg(test)]
mod tests;
