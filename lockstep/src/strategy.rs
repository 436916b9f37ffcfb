//! Strategies: who of those that are ready goes next. They see candidates and roles, never what those do.

use crate::candidate::{CandidateId, Role};
use crate::random::Random;

/// What trial runs have shown. The same for every run of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The most steps a trial run took.
    pub length: u64,
    /// Per role, ascending: how many steps one candidate of it took on average, in 256ths.
    pub steps: Vec<(Role, u64)>,
}

/// Chooses the order of a run. All randomness comes from what `begin` hands over.
pub trait Strategy {
    /// A run begins; nothing of an earlier run may influence it.
    fn begin(&mut self, random: Random, hint: &Hint);

    /// A new candidate exists. Comes in the order of ids, from 0, before any pick that names it.
    fn appears(&mut self, candidate: CandidateId, role: Role);

    /// Which of the ready candidates takes the next step: an index. Called for every step, also when only one is ready.
    fn pick(&mut self, ready: &[CandidateId]) -> usize;
}

#[cfg(test)]
mod kernels;
mod pct;
mod spec;
mod uniform;
mod urw;

pub use spec::{Arm, Spec, SpecError};
