//! How a scope ends, and why one is not opened. Types only; who decides stands in the machine.

use crate::group::MemberEnd;
use crate::options::TimeLimit;
use crate::outcome::Outcome;
use farm_protocol::{ScopeId, TaskId};
use serde::Serialize;

/// So many scopes may be open at once. A forgotten one costs memory until its parent ends: about 200 bytes.
pub const SCOPE_LIMIT: usize = 1 << 18;

/// So many members a group may have: each is remembered, with one byte, until the group ends.
pub const GROUP_LIMIT: usize = 1 << 24;

/// The end of a scope: nothing of it is left in the farm, no task, no follow-up, no scope inside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeEnd {
    /// What it came to.
    pub decision: Decision,
    /// How each member ended, by index. Empty for a scope without a rule.
    pub ends: Vec<MemberEnd>,
}

/// What a scope came to. What its rule had decided stands, whatever happened while the last members
/// came to rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Decision {
    /// It was closed, all have ended, and its rule had nothing to say against it.
    AllEnded {
        /// How many were done.
        done: u64,
        /// Of how many; follow-up tasks are not counted, refused ones are.
        of: u64,
    },
    /// A member failed: the one with the lowest index among those that failed by themselves.
    FirstError {
        /// Its index.
        index: u32,
        /// Its task.
        task: TaskId,
    },
    /// As many were done as the rule wants.
    Succeeded {
        /// Which, by index, exactly as many as are wanted.
        indexes: Vec<u32>,
    },
    /// Fewer were done than the rule wants.
    TooFew {
        /// How many were.
        done: u32,
        /// How many the rule wants.
        wanted: u32,
    },
    /// It was cancelled, or one that it is in was.
    Cancelled {
        /// Why, for people.
        reason: String,
    },
    /// Its time limit passed, or the one of a scope that it is in.
    TimedOut,
}

/// Why a scope was not opened. What is submitted into it is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
pub enum ScopeRefusal {
    /// Too many are open.
    #[error(
        "{limit} scopes are open, and there may be no more; a scope that is dropped or closed ends when its tasks have"
    )]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The scope it would be in is cancelled, closed or over, or never was.
    #[error("the scope {0} that it would be in takes nothing any more")]
    ParentOver(ScopeId),
    /// A scope of this id is open.
    #[error("a scope of this id is open already")]
    NotNew,
    /// The farm has stopped.
    #[error("the farm has stopped")]
    FarmOver,
}

impl MemberEnd {
    /// What an outcome is to a group.
    #[must_use]
    pub const fn of<O, F>(outcome: &Outcome<O, F>) -> Self {
        match outcome {
            Outcome::Done(_) => Self::Done,
            Outcome::TimedOut { which, .. } => match which {
                TimeLimit::Waiting
                | TimeLimit::Starting
                | TimeLimit::Running
                | TimeLimit::Cpu
                | TimeLimit::Stall => Self::Error,
                TimeLimit::Group => Self::Neutral,
            },
            Outcome::Failed(_)
            | Outcome::LimitExceeded { .. }
            | Outcome::RequestNotMarshallable(_)
            | Outcome::RequestRefused(_)
            | Outcome::ResponseNotMarshallable(_)
            | Outcome::ResponseGarbled(_)
            | Outcome::KindFault(_)
            | Outcome::HolderGone
            | Outcome::InjectionRefused { .. }
            | Outcome::Panicked(_)
            | Outcome::WorkerLost(_)
            | Outcome::Poisoned(_)
            | Outcome::SpawnFailed(_) => Self::Error,
            Outcome::Skipped(_)
            | Outcome::Cancelled { .. }
            | Outcome::Closed
            | Outcome::Displaced => Self::Neutral,
        }
    }
}
