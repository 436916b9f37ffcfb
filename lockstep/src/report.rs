//! How a run ended, and what is known of it afterwards.

use crate::candidate::Role;
use crate::choices::Finished;
use crate::process::Pid;
use crate::time::VTime;
use std::fmt;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Every obliged process ended, and nothing was violated.
    Passed,
    /// Something was violated.
    Failed(Failure),
    /// The step limit came first: nothing is known.
    Inconclusive,
}

/// What was violated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which sort of check found it.
    pub found: Found,
    /// The name of the invariant or of the wish; for a panic and a deadlock their sort.
    pub name: &'static str,
    /// What exactly, for people.
    pub detail: String,
}

/// Which sort of check found a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// An invariant did not hold after a step.
    Invariant,
    /// What should have come about in the calm phase did not.
    Eventually,
    /// Nothing can happen any more, and obliged processes have not ended.
    Deadlock,
    /// A process panicked.
    Panic,
}

impl Failure {
    /// The failure without what differs between two runs into the same bug: numbers become `#`.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut out = format!("{}: ", self.name);
        let mut in_number = false;
        // The first line: what follows is a list that depends on the schedule.
        for c in self.detail.lines().next().unwrap_or_default().chars() {
            if c.is_ascii_digit() {
                if !in_number {
                    out.push('#');
                }
                in_number = true;
            } else {
                in_number = false;
                out.push(c);
            }
        }
        out
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.detail)
    }
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// In which step.
    pub step: u64,
    /// When.
    pub at: VTime,
    /// Who; none: the controller itself.
    pub who: Option<Pid>,
    /// What.
    pub text: String,
}

/// A trace and the names of those in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// In the order of happening.
    pub lines: Vec<Line>,
    /// By pid.
    pub names: Vec<String>,
}

/// A run afterwards.
#[derive(Debug)]
pub struct RunReport {
    /// How it ended.
    pub end: End,
    /// How many steps it took.
    pub steps: u64,
    /// Everything that happened, as one number.
    pub digest: u64,
    /// When it ended.
    pub now: VTime,
    /// How many faults were made.
    pub faults: u32,
    /// Which of the things that should sometimes happen did: bit by position.
    pub reached: u64,
    /// Per role, ascending: how many candidates of it there were, and their steps together.
    pub roles: Vec<(Role, u64, u64)>,
    /// The decisions, if they were recorded, and where a replay went another way.
    pub choices: Finished,
    /// What happened, if it was wanted.
    pub trace: Option<Trace>,
}
