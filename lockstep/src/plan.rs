//! Which runs a sweep consists of. A run is a function of the plan and its number alone, whoever runs it and when.

use crate::choices::Choices;
use crate::controller::hint_of;
use crate::random::Random;
use crate::report::RunReport;
use crate::strategy::{Hint, Spec, Strategy};

/// How many runs are made to learn lengths and roles before a sweep begins.
pub const TRIALS: u64 = 8;

/// Streams of randomness of one run.
const OF_STRATEGY: u64 = 1;
const OF_CHOICES: u64 = 2;
/// Streams of the trial runs: a sweep's first runs must not repeat them.
const TRIAL_OF_STRATEGY: u64 = 3;
const TRIAL_OF_CHOICES: u64 = 4;

/// What a run begins with.
pub struct Start {
    /// Who chooses; it has been told that the run begins.
    pub strategy: Box<dyn Strategy>,
    /// Everything else that is chosen.
    pub choices: Choices,
    /// Whether the scenario is to draw faults and sizes as well.
    pub swarm: bool,
}

impl std::fmt::Debug for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Start")
            .field("swarm", &self.swarm)
            .finish_non_exhaustive()
    }
}

/// A strategy, a seed, and what trial runs have shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    spec: Spec,
    seed: u64,
    hint: Hint,
}

impl Plan {
    /// Makes the trial runs with `run` and freezes what they show.
    pub fn new(spec: Spec, seed: u64, run: impl FnMut(Start) -> RunReport) -> Self {
        let trial = |number| {
            let mut strategy = Spec::Random.arm(0).strategy;
            strategy.begin(
                Random::derive(seed, TRIAL_OF_STRATEGY, number),
                &Hint::default(),
            );
            Start {
                strategy,
                choices: Choices::drawn(Random::derive(seed, TRIAL_OF_CHOICES, number)),
                swarm: false,
            }
        };
        let reports: Vec<RunReport> = (0..TRIALS).map(trial).map(run).collect();
        Self {
            spec,
            seed,
            hint: hint_of(&reports),
        }
    }

    /// What the trial runs have shown.
    #[must_use]
    pub const fn hint(&self) -> &Hint {
        &self.hint
    }

    /// The beginning of run `number`; `recorded`: its decisions are kept.
    #[must_use]
    pub fn start(&self, number: u64, recorded: bool) -> Start {
        let random = Random::derive(self.seed, OF_CHOICES, number);
        let choices = if recorded {
            Choices::recorded(random)
        } else {
            Choices::drawn(random)
        };
        self.begin(number, choices)
    }

    /// The beginning of run `number` with decisions from somewhere else.
    #[must_use]
    pub fn begin(&self, number: u64, choices: Choices) -> Start {
        let arm = self.spec.arm(number);
        let mut strategy = arm.strategy;
        strategy.begin(Random::derive(self.seed, OF_STRATEGY, number), &self.hint);
        Start {
            strategy,
            choices,
            swarm: arm.swarm,
        }
    }
}
