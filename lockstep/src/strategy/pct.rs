//! Probabilistic concurrency testing (Burckhardt et al., 2010): random priorities, and a few moments at which the one
//! in front is put behind everybody. Good at bugs that need few orderings to come out right, whatever the run's length.

use super::{Hint, Strategy};
use crate::candidate::{CandidateId, Role};
use crate::random::Random;

/// The largest depth. Deeper bugs are found no better than by drawing uniformly.
pub(super) const DEPTH_MAX: u32 = 9;

/// One change point less than the depth.
const POINTS_MAX: usize = DEPTH_MAX as usize - 1;

/// PCT of a depth.
#[derive(Debug)]
pub(super) struct Pct {
    random: Random,
    /// By candidate. Those given on appearing have the top bit and lie above all that change points give.
    priorities: Vec<u64>,
    /// The steps of the change points in the order of drawing; the first `points` count.
    changes: [u64; POINTS_MAX],
    points: usize,
    /// The first change step that has not come yet; [`u64::MAX`]: there is none left.
    next_change: u64,
    /// Steps begun, so that the first is 1.
    step: u64,
}

/// A priority given on appearing: above every one that a change point gives.
const HIGH: u64 = 1 << 63;

impl Pct {
    /// For bugs that need `depth` orderings.
    ///
    /// # Panics
    /// If the depth is not in 1..=[`DEPTH_MAX`].
    pub(super) const fn new(depth: u32) -> Self {
        assert!(
            1 <= depth && depth <= DEPTH_MAX,
            "the depth of PCT is 1 to 9"
        );
        Self {
            random: Random::derive(0, 0, 0),
            priorities: Vec::new(),
            changes: [u64::MAX; POINTS_MAX],
            points: depth as usize - 1,
            next_change: u64::MAX,
            step: 0,
        }
    }

    /// The index of the ready candidate with the highest priority. Of two equal ones, which 63 random bits give about
    /// never, the one listed first: the result stays a function of the seed.
    #[inline]
    fn highest(&self, ready: &[CandidateId]) -> usize {
        let (mut best, mut best_priority) = (0, self.priorities[ready[0].0 as usize]);
        for (index, candidate) in ready.iter().enumerate().skip(1) {
            let priority = self.priorities[candidate.0 as usize];
            if priority > best_priority {
                (best, best_priority) = (index, priority);
            }
        }
        best
    }

    /// The change points of this step, in the order of drawing: a second one at the same step finds the first one's
    /// candidate already behind.
    #[cold]
    fn change(&mut self, ready: &[CandidateId]) {
        for point in 0..self.points {
            if self.changes[point] == self.step {
                let front = ready[self.highest(ready)];
                self.priorities[front.0 as usize] = point as u64 + 1;
            }
        }
        self.seek_next();
    }

    fn seek_next(&mut self) {
        let points = self.changes[..self.points].iter().copied();
        self.next_change = points
            .filter(|&at| at > self.step)
            .min()
            .unwrap_or(u64::MAX);
    }
}

impl Strategy for Pct {
    fn begin(&mut self, random: Random, hint: &Hint) {
        self.random = random;
        self.priorities.clear();
        self.step = 0;
        for at in &mut self.changes[..self.points] {
            *at = 1 + self.random.below_wide(hint.length.max(1));
        }
        self.seek_next();
    }

    /// An independent random priority puts the newcomer at a rank that is uniform among those already there.
    fn appears(&mut self, candidate: CandidateId, _role: Role) {
        assert_eq!(
            candidate.0 as usize,
            self.priorities.len(),
            "candidates appear in the order of ids"
        );
        self.priorities.push(HIGH | self.random.next());
    }

    #[inline]
    fn pick(&mut self, ready: &[CandidateId]) -> usize {
        self.step += 1;
        if self.step == self.next_change {
            self.change(ready);
        }
        self.highest(ready)
    }
}

#[cfg(test)]
mod tests;
