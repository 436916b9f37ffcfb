//! Cancelling: the ladder from the ask to the kill, and the settlement that frees the place in flight.
//!
//! A cancelled task is void for callers at once, but it keeps its place among the occupied until its worker is known to
//! be free; otherwise a storm of cancels would run more processes than `max_in_flight`.

use super::state::{Ended, State, Stopping};
use super::{Key, Lane, LaneError, Seq};

/// What the caller has to do about a cancelled task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a worker that is not told to stop keeps its place until the deadline"]
pub enum CancelEffect {
    /// It was waiting. Nothing is left to do.
    RemovedFromQueue,
    /// A worker has it: ask that worker to stop, and [`Lane::settle`] when it is free.
    StopWorker {
        /// The task's place in the order.
        seq: Seq,
        /// When [`Lane::overdue`] will ask for the kill, in milliseconds.
        deadline_ms: u64,
    },
}

/// A cancelled task whose worker did not become free in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The task.
    pub key: Key,
    /// Its place in the order.
    pub seq: Seq,
    /// The attempt the worker has: no other one may be hit.
    pub attempt: u32,
    /// What is due.
    pub what: Due,
}

/// A rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Half of the budget is over: SIGTERM to the worker's group.
    Terminate,
    /// The budget is over: SIGKILL to the worker's group.
    Kill,
}

/// How far the stopping of a worker is. Times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ladder {
    /// When `Terminate` is due, before `kill_at`; none once it is reported or passed over.
    pub(super) terminate_at: Option<u64>,
    /// When `Kill` is due.
    pub(super) kill_at: u64,
    /// Whether `Kill` is reported.
    pub(super) killed: bool,
}

impl Ladder {
    fn new(now_ms: u64, budget_ms: u64) -> Self {
        let kill_at = now_ms.saturating_add(budget_ms);
        Self {
            terminate_at: Some(now_ms.saturating_add(budget_ms / 2)),
            kill_at,
            killed: false,
        }
        .passing_over()
    }

    /// The same rungs, each as early as the other ladder has it. A rung reported stays reported: a second SIGTERM would
    /// tell the worker nothing new.
    fn hastened(self, to: Self) -> Self {
        Self {
            terminate_at: self
                .terminate_at
                .map(|at| at.min(to.terminate_at.unwrap_or(to.kill_at))),
            kill_at: self.kill_at.min(to.kill_at),
            killed: self.killed,
        }
        .passing_over()
    }

    /// Drops a termination that would not come before the kill: nobody could act on it, and the end would be reported
    /// as the milder one.
    fn passing_over(mut self) -> Self {
        self.terminate_at = self.terminate_at.filter(|&at| at < self.kill_at);
        self
    }

    /// The next rung and when it is due.
    pub(super) fn next(&self) -> Option<(u64, Due)> {
        if self.killed {
            return None;
        }
        Some(
            self.terminate_at
                .map_or((self.kill_at, Due::Kill), |at| (at, Due::Terminate)),
        )
    }
}

impl Lane {
    /// Gives a task up, with the boundary's budget for its worker.
    ///
    /// # Errors
    /// [`LaneError::UnknownTask`]; [`LaneError::InvalidTransition`] when it has ended already. The lane is unchanged.
    pub fn cancel(
        &mut self,
        key: Key,
        reason: &str,
        now_ms: u64,
    ) -> Result<CancelEffect, LaneError> {
        self.cancel_within(key, reason, now_ms, self.boundary.cancellation_budget_ms)
    }

    /// Gives a task up, with a budget of its own (its grace) for its worker.
    ///
    /// # Errors
    /// As [`cancel`](Self::cancel). To shorten the budget of a task cancelled before, [`hasten`](Self::hasten) it.
    pub fn cancel_within(
        &mut self,
        key: Key,
        reason: &str,
        now_ms: u64,
        budget_ms: u64,
    ) -> Result<CancelEffect, LaneError> {
        let (seq, in_flight) = match self.row(key).map(|row| (row.seq, &row.state)) {
            Some((seq, State::Queued)) => (seq, false),
            Some((seq, State::InFlight { .. })) => (seq, true),
            Some((
                _,
                State::Absent
                | State::Succeeded
                | State::Failed(_)
                | State::Stopping(_)
                | State::Cancelled(_),
            ))
            | None => return Err(self.refuse(key, "cancel")),
        };
        let reason = Box::from(reason);
        if !in_flight {
            self.change(key, State::Cancelled(Ended::new(reason)));
            self.leave_order(seq, key);
            self.note_over(seq, key);
            return Ok(CancelEffect::RemovedFromQueue);
        }
        let ladder = Ladder::new(now_ms, budget_ms);
        self.change(key, State::Stopping(Box::new(Stopping { reason, ladder })));
        self.arm(seq, key, ladder);
        Ok(CancelEffect::StopWorker {
            seq,
            deadline_ms: ladder.kill_at,
        })
    }

    /// Shortens the budget of a cancelled task whose worker is not yet free, as a second Ctrl-C does, and returns its
    /// deadline: the earlier of the one it had and `now_ms + budget_ms`. A kill already reported stays reported.
    ///
    /// # Errors
    /// [`LaneError::UnknownTask`]; [`LaneError::InvalidTransition`] when it is not cancelled or is settled. The lane is
    /// unchanged.
    pub fn hasten(&mut self, key: Key, budget_ms: u64, now_ms: u64) -> Result<u64, LaneError> {
        let Some((seq, old)) = self.ladder(key) else {
            return Err(self.refuse(key, "hasten"));
        };
        let ladder = old.hastened(Ladder::new(now_ms, budget_ms));
        self.disarm(seq, key, old);
        self.put_ladder(key, ladder);
        self.arm(seq, key, ladder);
        Ok(ladder.kill_at)
    }

    /// The worker of a cancelled task is free: it acknowledged, answered late, or is dead and reaped.
    ///
    /// # Errors
    /// [`LaneError::UnknownTask`]; [`LaneError::StaleAttempt`] when another attempt is meant than the present one;
    /// [`LaneError::InvalidTransition`] when the task is not cancelled or is settled already. The lane is unchanged.
    pub fn settle(&mut self, key: Key, attempt: u32) -> Result<(), LaneError> {
        if let Some(row) = self.row(key)
            && !matches!(row.state, State::Absent)
            && row.attempts != attempt
        {
            return Err(LaneError::StaleAttempt {
                key,
                attempt,
                current: row.attempts,
            });
        }
        let Some((seq, ladder)) = self.ladder(key) else {
            return Err(self.refuse(key, "settle"));
        };
        self.disarm(seq, key, ladder);
        let reason = match &mut self.rows[key.index()].state {
            State::Stopping(stopping) => core::mem::take(&mut stopping.reason),
            State::Absent
            | State::Queued
            | State::InFlight { .. }
            | State::Succeeded
            | State::Failed(_)
            | State::Cancelled(_) => unreachable!("only a stopping task has a ladder"),
        };
        self.change(key, State::Cancelled(Ended::new(reason)));
        self.note_over(seq, key);
        Ok(())
    }

    /// What is due at `now_ms` about cancelled tasks, earliest first. Each rung of a task is told once. When a late call
    /// finds both due, only the kill is told.
    pub fn overdue(&mut self, now_ms: u64) -> Vec<Overdue> {
        let mut due = Vec::new();
        while let Some(&(at, seq, key)) = self.deadlines.first()
            && at <= now_ms
        {
            let (_, mut ladder) = self
                .ladder(key)
                .expect("only a stopping task has a deadline");
            let (_, what) = ladder
                .next()
                .expect("a task with a deadline has a rung left");
            self.disarm(seq, key, ladder);
            ladder.terminate_at = None;
            let told = match what {
                Due::Terminate => ladder.kill_at > now_ms,
                Due::Kill => {
                    ladder.killed = true;
                    true
                }
            };
            self.put_ladder(key, ladder);
            self.arm(seq, key, ladder);
            if told {
                let attempt = self.rows[key.index()].attempts;
                due.push(Overdue {
                    key,
                    seq,
                    attempt,
                    what,
                });
            }
        }
        due
    }

    /// When [`overdue`](Self::overdue) will next have something to say, in milliseconds; none when nothing is being
    /// stopped, or every kill has been asked for.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.deadlines.first().map(|&(at, _, _)| at)
    }

    /// The ladder of a task that is being stopped.
    pub(super) fn ladder(&self, key: Key) -> Option<(Seq, Ladder)> {
        let row = self.row(key)?;
        match &row.state {
            State::Stopping(stopping) => Some((row.seq, stopping.ladder)),
            State::Absent
            | State::Queued
            | State::InFlight { .. }
            | State::Succeeded
            | State::Failed(_)
            | State::Cancelled(_) => None,
        }
    }

    fn put_ladder(&mut self, key: Key, ladder: Ladder) {
        if let State::Stopping(stopping) = &mut self.rows[key.index()].state {
            stopping.ladder = ladder;
        }
    }

    fn arm(&mut self, seq: Seq, key: Key, ladder: Ladder) {
        if let Some((at, _)) = ladder.next() {
            self.deadlines.insert((at, seq, key));
        }
    }

    fn disarm(&mut self, seq: Seq, key: Key, ladder: Ladder) {
        if let Some((at, _)) = ladder.next() {
            let was_armed = self.deadlines.remove(&(at, seq, key));
            assert!(was_armed, "task {key} is being stopped without a deadline");
        }
    }
}
