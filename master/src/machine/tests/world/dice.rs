//! The randomness of a random run.

use super::super::super::random::Random;

/// Random numbers.
pub(in super::super) struct Dice(Random);

impl Dice {
    pub(in super::super) fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    pub(in super::super) fn below(&mut self, bound: u64) -> u64 {
        self.0.next() % bound.max(1)
    }

    pub(in super::super) fn chance(&mut self, of_thousand: u64) -> bool {
        self.below(1000) < of_thousand
    }
}
