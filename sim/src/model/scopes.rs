//! What scopes do to a lane. Who is given up and when is the truth's to know; here is what follows from it: who is
//! refused or ends before it is in the lane, whose attempt is stopped, who is not tried again.

use super::{Model, State, Task, Why};
use crate::ledger::Door;
use farm_master::{CancelledBy, Outcome, Refusal};
use farm_protocol::{Instant, TaskId};

/// By what a scope stops an attempt. Never by its time limit: from then on there is no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByScope {
    /// The event that was told: before any timer.
    Event,
    /// The rule of a group: after all timers.
    Rule,
}

impl Model {
    /// How the task that comes in next must be met.
    pub(crate) fn at_the_door(&mut self, door: Door) {
        self.door = door;
    }

    /// Whether the task that comes in never comes into the lane.
    pub(super) fn is_turned_away(&mut self, id: TaskId) -> bool {
        match std::mem::replace(&mut self.door, Door::Open) {
            Door::Open => return false,
            Door::Shut(scope) => self.call.refusal = Some(Refusal::ScopeOver(scope)),
            Door::Vain => self.call.in_vain.push(id),
        }
        true
    }

    /// A task has no further attempt.
    pub(crate) fn gives_up(&mut self, id: TaskId) {
        if let Some(task) = self.task_mut(id) {
            task.given_up = true;
        }
    }

    /// An attempt is asked to stop for its scope.
    pub(crate) fn stopped_by_scope(&mut self, now: Instant, id: TaskId, by: ByScope) {
        if by == ByScope::Rule {
            self.fall_due(now);
        }
        self.gives_up(id);
        let task = self.task(id);
        if task.is_some_and(|task| matches!(task.state, State::InFlight { .. })) {
            self.stop(now, id, Why::Cancelled);
        }
    }

    /// Whether the delay of a retry must be over for its task to end so.
    pub(super) fn has_come_back(now: Instant, task: &Task, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Cancelled {
                by: CancelledBy::Scope { .. },
                ..
            } => false,
            Outcome::Cancelled {
                by: CancelledBy::Group(_),
                ..
            } => task.until.is_some_and(|until| until <= now),
            _ => task.until.is_some(),
        }
    }
}
