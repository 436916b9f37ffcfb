//! What scopes do to a lane. Who is given up and when is the truth's to know; here is what follows from it: who is
//! refused or ends before it is in the lane, whose attempt is stopped, who is not tried again.

use super::{Model, State, Task, Why};
use crate::ledger::Door;
use farm_master::{CancelledBy, Outcome, Refusal, TimeLimit};
use farm_protocol::{Instant, TaskId};

/// By what a scope stops an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doing {
    /// The event that was told: before any timer.
    Event,
    /// A time limit.
    Timer,
    /// The rule of a group: after all timers, or, if a limit of a scope fell, perhaps before some.
    Rule { limit_fell: bool },
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

    /// An attempt is asked to stop for its scope. False: it may as well be for its own time limit, or before the rungs
    /// that are due.
    pub(crate) fn stopped_by_scope(&mut self, now: Instant, id: TaskId, doing: Doing) -> bool {
        let (why, before) = match doing {
            Doing::Event => (Why::Cancelled, false),
            Doing::Timer => (Why::TimedOut, false),
            Doing::Rule { limit_fell } => (Why::Cancelled, limit_fell),
        };
        if before && self.is_overdue(now, id) {
            return false;
        }
        if matches!(doing, Doing::Rule { .. }) {
            self.fall_due(now);
        }
        self.gives_up(id);
        let task = self.task(id);
        if task.is_some_and(|task| matches!(task.state, State::InFlight { .. })) {
            self.stop(now, id, why);
        }
        // A time limit falls before the rungs of its call, though it may be told after them.
        if let (Doing::Timer, Some(task)) = (doing, self.task_mut(id)) {
            task.climb(now);
        }
        true
    }

    /// A timer decides in this call how an attempt is stopped, or when.
    fn is_overdue(&self, now: Instant, id: TaskId) -> bool {
        let no_grace = |task: &Task| task.options.grace.is_some_and(|grace| grace.is_zero());
        self.task(id).is_some_and(|task| {
            matches!(task.state, State::InFlight { .. })
                && (no_grace(task) || task.until.is_some_and(|until| until <= now))
        })
    }

    /// A task is about to end for its scope; `due`: when the limit of that fell.
    pub(crate) fn scope_was_due(&mut self, due: Option<Instant>) {
        self.call.limit_at = due;
    }

    /// Whether the delay of a task's retry is over by now.
    pub(crate) fn is_due_back(&self, now: Instant, id: TaskId) -> bool {
        let due = |task: &Task| task.until.is_some_and(|until| until <= now);
        self.task(id)
            .is_some_and(|task| matches!(task.state, State::Over(_)) && due(task))
    }

    /// Whether the delay of a retry must be over for its task to end so.
    pub(super) fn has_come_back(&self, now: Instant, task: &Task, outcome: &Outcome) -> bool {
        let over_by = |at| task.until.is_some_and(|until| until <= at);
        match outcome {
            Outcome::Cancelled {
                by: CancelledBy::Scope { .. },
                ..
            } => false,
            Outcome::Cancelled {
                by: CancelledBy::Group(_),
                ..
            } => over_by(now),
            Outcome::TimedOut {
                which: TimeLimit::Group,
                ..
            } => self.call.limit_at.is_some_and(over_by),
            _ => task.until.is_some(),
        }
    }
}
