//! A schedule of a kind in a line of text: `sk1.<kind>.<strategy>.<seed>.<number>.<sizes>.<build>`.
//!
//! Tasks, options and what is verified are the test's and do not stand in it: it is read by the test that wrote it.

use crate::params::{Faults, SIZE_MAX};
use crate::token::{Build, SCHEDULES_MAX};
use farm_lockstep::{Spec, SpecError};
use std::fmt;
use std::str::FromStr;

/// What a token begins with.
const MARK: &str = "sk1.";

/// One schedule of a kind. What it writes with `Display` it reads with `FromStr`.
#[derive(Clone, Debug, PartialEq)]
pub struct SimToken {
    /// The name of the kind.
    pub kind: String,
    /// Who chose.
    pub strategy: Spec,
    /// The seed.
    pub seed: u64,
    /// Which schedule.
    pub number: u64,
    /// How many tasks came from outside.
    pub tasks: u32,
    /// How many workers there could be.
    pub workers: u32,
    /// Which faults were made.
    pub faults: Faults,
    /// The build that wrote it.
    pub build: Build,
}

/// A text that is no token of a kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimTokenError {
    /// Something else altogether.
    #[error(
        "it is not of the form `{MARK}<kind>.<strategy>.<seed>.<number>.<sizes>.<build>` that a failure's report gives"
    )]
    Foreign,
    /// The strategy.
    #[error(transparent)]
    Strategy(#[from] SpecError),
    /// Another part.
    #[error("its {part} `{text}` is not understood")]
    Part {
        /// Which.
        part: &'static str,
        /// What stands there.
        text: String,
    },
}

const fn letter(faults: Faults) -> char {
    match faults {
        Faults::None => 'n',
        Faults::Stock => 'k',
        Faults::Swarm => 's',
    }
}

impl fmt::Display for SimToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            strategy,
            seed,
            number,
            tasks,
            workers,
            faults,
            build,
        } = self;
        let faults = letter(*faults);
        write!(
            f,
            "{MARK}{kind}.{strategy}.{seed}.{number}.t{tasks}w{workers}f{faults}.{build}"
        )
    }
}

impl FromStr for SimToken {
    type Err = SimTokenError;

    fn from_str(text: &str) -> Result<Self, SimTokenError> {
        // A kind's name may have points of its own.
        let rest = text.strip_prefix(MARK).ok_or(SimTokenError::Foreign)?;
        let parts: Vec<&str> = rest.rsplitn(6, '.').collect();
        let [build, sizes, number, seed, strategy, kind] = parts[..] else {
            return Err(SimTokenError::Foreign);
        };
        let wrong = |part, text: &str| SimTokenError::Part {
            part,
            text: text.to_owned(),
        };
        let (tasks, workers, faults) = read_sizes(sizes).ok_or_else(|| wrong("sizes", sizes))?;
        let number = number
            .parse()
            .ok()
            .filter(|number| *number < SCHEDULES_MAX)
            .ok_or_else(|| wrong("number", number))?;
        let build = u32::from_str_radix(build, 16).map_err(|_| wrong("build", build))?;
        Ok(Self {
            kind: kind.to_owned(),
            strategy: strategy.parse()?,
            seed: seed.parse().map_err(|_| wrong("seed", seed))?,
            number,
            tasks,
            workers,
            faults,
            build: Build(build),
        })
    }
}

fn read_sizes(text: &str) -> Option<(u32, u32, Faults)> {
    let (tasks, rest) = text.strip_prefix('t')?.split_once('w')?;
    let (workers, faults) = rest.split_once('f')?;
    let faults = [Faults::None, Faults::Stock, Faults::Swarm]
        .into_iter()
        .find(|known| faults.chars().eq([letter(*known)]))?;
    let workers = workers
        .parse()
        .ok()
        .filter(|n| (1..=SIZE_MAX).contains(n))?;
    Some((tasks.parse().ok()?, workers, faults))
}
