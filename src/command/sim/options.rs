//! What may be typed after `farm sim`.

use crate::command::exit::Exit;
use crate::taskfile::parse_duration;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum, value_parser};
use farm_lockstep::Spec;
use farm_master::Mutation;
use farm_sim::{Faults, Params, SCHEDULES_MAX, SIZE_MAX, STEPS_MAX, Scenario, Token, scenarios};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The first part of `farm sim --help`.
pub(in crate::command) const EXAMPLES: &str = "\
Examples:
  farm sim                                      every scenario, 10000 schedules each
  farm sim chaos --time-limit 10m
  farm sim --replay lk1.pool.portfolio.7.1234.-.a1b2c3d4
  farm run --record record tasks.json; farm sim --replay-run record";

/// The last part of `farm sim --help`.
pub(in crate::command) const AFTER_HELP: &str = Exit::SIM_TABLE;

/// How many schedules are made of a scenario when neither a number nor a time is given.
const SCHEDULES: u64 = 10_000;

/// More threads than this are refused.
const JOBS_MAX: u32 = 1024;

/// What describes a sweep, and so is of no use beside what is to be replayed.
const OF_SWEEPS: [&str; 11] = [
    "scenario",
    "seed",
    "schedules",
    "strategy",
    "jobs",
    "tasks",
    "workers",
    "faults",
    "max_steps",
    "time_limit",
    "mutation",
];

/// `farm sim`
#[derive(Args, Debug)]
pub(in crate::command) struct Arguments {
    /// What is simulated, see `--list`; without it every scenario, one after the other
    #[arg(value_name = "SCENARIO", value_parser = PossibleValuesParser::new(names()))]
    pub(super) scenario: Option<String>,

    /// What all orders follow from: the same seed makes the same schedules. Without it a fresh one, which is printed
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,

    /// How many schedules are made of each scenario [default: 10000; with --time-limit, as many as there is time for]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=SCHEDULES_MAX))]
    schedules: Option<u64>,

    /// Who chooses what goes next: portfolio, urw, pct:D, random or swarm
    #[arg(long, value_name = "STRATEGY", default_value_t = Spec::Portfolio)]
    pub(super) strategy: Spec,

    /// On how many threads: a number, or `auto` for one per processor. The result does not depend on it
    #[arg(short = 'j', long, value_name = "N", default_value = "auto")]
    pub(super) jobs: Jobs,

    /// How many tasks there are; each scenario has a default
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=i64::from(SIZE_MAX)))]
    tasks: Option<u32>,

    /// How many workers there are; each scenario has a default
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=i64::from(SIZE_MAX)))]
    workers: Option<u32>,

    /// Which faults are made [default: stock]
    #[arg(long, value_name = "FAULTS")]
    faults: Option<FaultsWord>,

    /// After how many steps a schedule is given up as inconclusive; each scenario has a default
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=i64::from(STEPS_MAX)))]
    max_steps: Option<u32>,

    /// Begin no schedule after this time, e.g. `60s`, shared among the scenarios
    #[arg(long, value_name = "DURATION", value_parser = some_time)]
    pub(super) time_limit: Option<Duration>,

    /// Put a seeded bug into the machine, to see it found; needs a build with `--features mutation`
    #[arg(long, value_name = "ID")]
    mutation: Option<Mutation>,

    /// Make the run of a token again
    #[arg(long, value_name = "TOKEN", conflicts_with_all = OF_SWEEPS)]
    pub(super) replay: Option<Token>,

    /// Replay the record of a real run, written by `farm run --record FILE`, and confirm every action
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_SWEEPS, conflicts_with = "replay")]
    pub(super) replay_run: Option<PathBuf>,

    /// Print the whole trace, or none [default: the last rows of a run that fails; all of a real run]
    #[arg(long, value_name = "FORM")]
    pub(super) trace: Option<TraceForm>,

    /// List scenarios, strategies and seeded bugs
    #[arg(long, conflicts_with_all = OF_SWEEPS, conflicts_with_all = ["replay", "replay_run", "trace"])]
    pub(super) list: bool,
}

fn names() -> Vec<&'static str> {
    scenarios().map(|scenario| scenario.name).to_vec()
}

fn some_time(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(Duration::ZERO) => Err("no schedule could be begun in no time".into()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

impl Arguments {
    /// The scenarios to sweep.
    pub(super) fn scenarios(&self) -> Vec<Scenario> {
        let wanted = |scenario: &Scenario| {
            self.scenario
                .as_ref()
                .is_none_or(|name| name == scenario.name)
        };
        scenarios().into_iter().filter(wanted).collect()
    }

    /// A scenario's parameters.
    pub(super) fn params(&self, defaults: Params) -> Params {
        Params {
            tasks: self.tasks.unwrap_or(defaults.tasks),
            workers: self.workers.unwrap_or(defaults.workers),
            faults: self.faults.map_or(defaults.faults, FaultsWord::faults),
            mutation: self.mutation.map_or(defaults.mutation, place),
            max_steps: self.max_steps.unwrap_or(defaults.max_steps),
        }
    }

    /// How many schedules are made of each scenario at most.
    pub(super) fn schedules(&self) -> u64 {
        let default = match self.time_limit {
            Some(_) => SCHEDULES_MAX,
            None => SCHEDULES,
        };
        self.schedules.unwrap_or(default)
    }

    /// What this build cannot do.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.mutation {
            Some(mutation) if cfg!(not(feature = "mutation")) => Err(format!(
                "error: --mutation {mutation}: this farm has no seeded bugs in it; \
                 build one that has with `cargo build --release --features mutation`"
            )),
            Some(_) | None => Ok(()),
        }
    }
}

/// The seeded bug's place, from 1, as parameters have it.
const fn place(mutation: Mutation) -> u8 {
    mutation as u8 + 1
}

/// How much of a trace is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TraceForm {
    /// All of it, as text in columns
    Text,
    /// Nothing of it
    None,
}

/// Which faults are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FaultsWord {
    /// None
    None,
    /// Those of the scenario
    Stock,
    /// Each schedule draws its own
    Swarm,
}

impl FaultsWord {
    const fn faults(self) -> Faults {
        match self {
            Self::None => Faults::None,
            Self::Stock => Faults::Stock,
            Self::Swarm => Faults::Swarm,
        }
    }
}

/// A number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jobs {
    /// One per processor that this process may use.
    Auto,
    /// This many.
    Count(u32),
}

impl Jobs {
    pub(super) fn count(self) -> u32 {
        match self {
            Self::Auto => std::thread::available_parallelism().map_or(1, |count| {
                u32::try_from(count.get()).unwrap_or(JOBS_MAX).min(JOBS_MAX)
            }),
            Self::Count(count) => count,
        }
    }
}

impl FromStr for Jobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        match text.parse::<u32>() {
            Ok(count @ 1..=JOBS_MAX) => Ok(Self::Count(count)),
            Ok(_) | Err(_) => Err(format!("expected a number from 1 to {JOBS_MAX}, or `auto`")),
        }
    }
}
