//! The last line of `farm sim`: what was shown, for programs.

use farm_lockstep::Failure;
use farm_sim::{Scenario, Shown, Token};
use serde::Serialize;
use std::time::Duration;

/// What was shown. Without what depends on the clock, runs of the same seed have the same.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// A scenario's name, or `all`.
    pub(super) scenario: &'static str,
    pub(super) strategy: String,
    pub(super) seed: u64,
    pub(super) schedules: u64,
    pub(super) steps: u64,
    /// None for a single run: replays print the same bytes every time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) steps_per_s: Option<u64>,
    pub(super) inconclusive: u64,
    pub(super) faults: u64,
    /// Everything that happened in a single run, as one number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<String>,
    /// How many of the things that should happen in some run did.
    pub(super) reached: u32,
    /// Those that did not.
    pub(super) never: Vec<String>,
    pub(super) failed: Option<Failed>,
}

/// The run that failed.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    token: String,
    schedule: u64,
    invariant: &'static str,
    signature: String,
    detail: String,
}

impl Failed {
    pub(super) fn new(token: &Token, failure: &Failure) -> Self {
        Self {
            token: token.to_string(),
            schedule: token.number,
            invariant: failure.name,
            signature: failure.signature(),
            detail: failure.detail.clone(),
        }
    }
}

impl Summary {
    /// Of nothing yet.
    pub(super) const fn new(scenario: &'static str, strategy: String, seed: u64) -> Self {
        Self {
            scenario,
            strategy,
            seed,
            schedules: 0,
            steps: 0,
            steps_per_s: None,
            inconclusive: 0,
            faults: 0,
            digest: None,
            reached: 0,
            never: Vec::new(),
            failed: None,
        }
    }

    /// Adds what a sweep has shown, but not its failure.
    pub(super) fn add(&mut self, scenario: &Scenario, shown: &Shown) {
        self.schedules += shown.schedules;
        self.steps += shown.steps;
        self.inconclusive += shown.inconclusive;
        self.faults += shown.faults;
        self.reach(scenario, shown.reached);
    }

    /// Notes which of the things that should happen in some run did.
    pub(super) fn reach(&mut self, scenario: &Scenario, reached: u64) {
        let never = never(scenario, reached);
        self.reached += reached.count_ones();
        let named = |what| match self.scenario {
            "all" => format!("{}: {what}", scenario.name),
            _ => String::from(what),
        };
        self.never.extend(never.into_iter().map(named));
    }

    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts")
    }
}

/// What did not happen of what should happen in some run.
pub(super) fn never(scenario: &Scenario, reached: u64) -> Vec<&'static str> {
    let all = scenario.sometimes().into_iter().enumerate();
    all.filter(|(bit, _)| reached & (1 << bit) == 0)
        .map(|(_, what)| what)
        .collect()
}

/// Per second; all at once when no time has passed that the clock shows.
pub(super) fn rate(count: u64, took: Duration) -> u64 {
    let rate = u128::from(count) * 1_000_000_000 / took.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}
