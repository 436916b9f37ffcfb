//! What came of simulating a kind, for programs and for people.

use super::SimToken;
use std::fmt;

/// Schedules in which nothing was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimSummary {
    /// The name of the kind.
    pub kind: String,
    /// How many were made.
    pub schedules: u64,
    /// Their steps together.
    pub steps: u64,
    /// How many faults were made in them.
    pub faults: u64,
    /// The first of them went the same way twice. A kind that reads a clock, has threads or depends on the order of a
    /// hash map does not, and what is found with it may not be found again.
    pub deterministic: bool,
    /// What else is to be said, such as that a token is of another build.
    pub notes: Vec<String>,
}

impl fmt::Display for SimSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            schedules,
            steps,
            faults,
            ..
        } = self;
        write!(
            f,
            "`{kind}`: {schedules} schedules, {steps} steps, {faults} faults, nothing found"
        )?;
        if !self.deterministic {
            write!(f, "\n  {OTHER_WAY}")?;
        }
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        Ok(())
    }
}

/// Said of a kind that is not a function of what it is told.
const OTHER_WAY: &str = "made again, the same schedule went another way: the kind is not deterministic \
     (a clock, threads, the order of a hash map, something that its clones share)";

/// A schedule that failed. `Display` writes a report for people.
#[derive(Clone)]
pub struct SimFailure(Box<Failed>);

/// What is known of it.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) kind: String,
    pub(super) violation: &'static str,
    pub(super) detail: String,
    pub(super) token: SimToken,
    pub(super) steps: u64,
    pub(super) again: Again,
    pub(super) trace: String,
    pub(super) notes: Vec<String>,
    /// It is the farm that is wrong.
    pub(super) ours: bool,
}

/// How the same schedule went when it was made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// It failed in the same way after the same steps.
    Same,
    /// It went another way.
    Other,
}

impl SimFailure {
    pub(super) fn new(failed: Failed) -> Self {
        Self(Box::new(failed))
    }

    /// What was broken: one of [`names`](crate::names), or a word of the controller.
    #[must_use]
    pub const fn violation(&self) -> &'static str {
        self.0.violation
    }

    /// What exactly, for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Which schedule it was, for [`SimRun::replay`](super::SimRun::replay).
    #[must_use]
    pub const fn token(&self) -> &SimToken {
        &self.0.token
    }

    /// How many steps it had.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.0.steps
    }

    /// Whether the same schedule failed in the same way again.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        self.0.again == Again::Same
    }

    /// What happened, in columns.
    #[must_use]
    pub fn trace(&self) -> &str {
        &self.0.trace
    }
}

impl fmt::Debug for SimFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimFailure")
            .field("violation", &self.0.violation)
            .field("detail", &self.0.detail)
            .field("token", &self.0.token.to_string())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SimFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failed {
            kind,
            violation,
            detail,
            token,
            steps,
            again,
            trace,
            notes,
            ours,
        } = &*self.0;
        writeln!(f, "the kind `{kind}` in a simulated farm: {violation}")?;
        writeln!(f, "  {detail}")?;
        writeln!(
            f,
            "  in schedule {} ({}, seed {}), after {steps} steps",
            token.number, token.strategy, token.seed
        )?;
        if *ours {
            writeln!(
                f,
                "  this is a rule of the farm, not of the kind: it is a bug of the farm's, please report it"
            )?;
        }
        match again {
            Again::Same => writeln!(f, "  made again, it fails in the same way")?,
            Again::Other => writeln!(f, "  {OTHER_WAY}")?,
        }
        for note in notes {
            writeln!(f, "  {note}")?;
        }
        writeln!(f, "  to see it again: .replay(\"{token}\")")?;
        write!(f, "\n{trace}")
    }
}

impl std::error::Error for SimFailure {}
