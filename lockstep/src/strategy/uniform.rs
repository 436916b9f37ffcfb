//! Every ready candidate is as likely as every other. It knows no history.

use super::{Hint, Strategy};
use crate::candidate::{CandidateId, Role};
use crate::random::Random;

/// The baseline: uniform over the ready candidates.
#[derive(Debug)]
pub(super) struct Uniform {
    random: Random,
}

impl Uniform {
    /// Before its first run.
    pub(super) const fn new() -> Self {
        // `begin` replaces the stream.
        Self {
            random: Random::derive(0, 0, 0),
        }
    }
}

impl Strategy for Uniform {
    fn begin(&mut self, random: Random, _hint: &Hint) {
        self.random = random;
    }

    fn appears(&mut self, _candidate: CandidateId, _role: Role) {}

    #[inline]
    fn pick(&mut self, ready: &[CandidateId]) -> usize {
        if ready.len() == 1 {
            return 0;
        }
        self.random.below_wide(ready.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests;
