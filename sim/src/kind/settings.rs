//! The settings of a simulation that do not depend on the kind's types.

use super::SimToken;
use crate::params::Faults;
use farm_lockstep::Spec;

/// How a kind is simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct SimSettings {
    /// How many workers there may be at once.
    pub workers: u32,
    /// How many schedules are made.
    pub schedules: u64,
    /// Which ones.
    pub seed: u64,
    /// Who chooses what happens next.
    pub strategy: Spec,
    /// Which faults are made.
    pub faults: Faults,
    /// Panics of the kind are no finding.
    pub panics_are_fine: bool,
    /// How many injected tasks may wait beyond the queue.
    pub injection_limit: usize,
    /// How many rows of its trace a failure's report has at most, the last ones.
    pub rows: usize,
    /// The one schedule to make, instead of many. It brings workers, faults, strategy and seed along.
    pub replay: Option<SimToken>,
}

impl Default for SimSettings {
    fn default() -> Self {
        Self {
            workers: 3,
            schedules: 500,
            seed: 1,
            strategy: Spec::Portfolio,
            faults: Faults::Stock,
            panics_are_fine: false,
            injection_limit: 1024,
            rows: 120,
            replay: None,
        }
    }
}

impl SimSettings {
    /// With what the token says.
    pub(super) fn settled(&self) -> Self {
        match &self.replay {
            None => self.clone(),
            Some(token) => Self {
                workers: token.workers,
                seed: token.seed,
                strategy: token.strategy,
                faults: token.faults,
                ..self.clone()
            },
        }
    }
}
