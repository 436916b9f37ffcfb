//! Uniform random walk: a candidate that still has much to do goes more often, so that all orders of the steps are
//! about equally likely. Uniform drawing instead hardly ever lets a long process get ahead of many short ones.

use super::{Hint, Strategy};
use crate::candidate::{CandidateId, Role};
use crate::random::Random;

/// One step, in the 256ths in which steps are estimated.
const STEP: u32 = 256;

/// The least weight: who outlives the estimate still gets on, at a quarter of the pace of one last expected step.
const FLOOR: u32 = STEP / 4;

/// Weights by what trial runs lead one to expect.
#[derive(Debug)]
pub(super) struct Urw {
    random: Random,
    /// Per role, ascending: the steps to expect of a new candidate, in 256ths.
    expected: Vec<(Role, u32)>,
    /// By candidate: the steps to expect from now on, in 256ths, never below [`FLOOR`].
    left: Vec<u32>,
}

impl Urw {
    /// Before its first run.
    pub(super) const fn new() -> Self {
        Self {
            random: Random::derive(0, 0, 0),
            expected: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Of those with these weights, one by chance in proportion.
    #[inline]
    fn draw(&mut self, ready: &[CandidateId]) -> usize {
        // A u64 holds the sum of as many u32 as there are ids.
        let mut total = 0;
        for candidate in ready {
            total += u64::from(self.left[candidate.0 as usize]);
        }
        let mut at = self.random.below_wide(total);
        for (index, candidate) in ready.iter().enumerate() {
            let weight = u64::from(self.left[candidate.0 as usize]);
            if at < weight {
                return index;
            }
            at -= weight;
        }
        unreachable!("what was drawn is below the sum of the weights")
    }
}

impl Strategy for Urw {
    fn begin(&mut self, random: Random, hint: &Hint) {
        self.random = random;
        self.left.clear();
        self.expected.clear();
        // Beyond a u32 lie sixteen million steps of one candidate: more than any run has.
        let bounded = |steps: u64| u32::try_from(steps).unwrap_or(u32::MAX).max(FLOOR);
        self.expected.extend(
            hint.steps
                .iter()
                .map(|&(role, steps)| (role, bounded(steps))),
        );
    }

    fn appears(&mut self, candidate: CandidateId, role: Role) {
        assert_eq!(
            candidate.0 as usize,
            self.left.len(),
            "candidates appear in the order of ids"
        );
        let known = self.expected.binary_search_by_key(&role, |&(role, _)| role);
        self.left.push(known.map_or(STEP, |at| self.expected[at].1));
    }

    #[inline]
    fn pick(&mut self, ready: &[CandidateId]) -> usize {
        let index = if ready.len() == 1 {
            0
        } else {
            self.draw(ready)
        };
        let left = &mut self.left[ready[index].0 as usize];
        *left = left.saturating_sub(STEP).max(FLOOR);
        index
    }
}

#[cfg(test)]
mod tests;
