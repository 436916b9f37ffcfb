//! Ends: of an attempt, and of a task. Every task passes through [`Master::settle`] exactly once.

use super::answers::cause_of;
use super::slot::Ending;
use super::task::{State, StopWhy, key};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::Action;
use crate::affinity::WhenGone;
use crate::group::MemberEnd;
use crate::mutation::Mutation;
use crate::options::{Backoff, Cause, CrashLimit, LimitId, OnLost, Retries, When};
use crate::outcome::{AttemptEnd, AttemptReport, Death, HowStopped, Outcome, Settlement, waited};
use farm_protocol::TaskId;
use std::time::Duration;

/// How many attempts of one task are kept for its results: the latest.
const REPORTS_KEPT: usize = 1_000;

/// A task that has ended and whose dependents have not been told.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) task: TaskId,
    pub(super) done: bool,
    pub(super) dependents: Vec<(TaskId, When)>,
}

impl Master {
    /// The response was an output.
    pub(super) fn succeeded(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        if !self.settled_as_stopped(id) {
            self.pool_of(id)
                .lane
                .succeed(key(id))
                .expect("an answered task is in flight");
        }
        let place = self.tasks.at(id).place();
        if let Some(place) = place
            && let Some(process) = self.slots[place.slot.0 as usize].of(place.session)
        {
            process.somebody = true;
        }
        self.attempt_over(turn, id, AttemptEnd::Done);
        self.settle(turn, id, Outcome::Done(()));
    }

    /// An attempt in flight failed; `retry` says for which cause it may be retried, if at all.
    pub(super) fn failed(
        &mut self,
        turn: &mut Turn<'_>,
        id: TaskId,
        end: AttemptEnd,
        outcome: Outcome,
        retry: Option<Cause>,
    ) {
        if !self.settled_as_stopped(id) {
            self.pool_of(id)
                .lane
                .fail(key(id), outcome.status())
                .expect("the attempt was in flight");
        }
        self.attempt_over(turn, id, end);
        self.retry_or_settle(turn, id, outcome, retry);
    }

    /// An attempt that was asked to stop is at rest.
    pub(super) fn came_to_rest(&mut self, turn: &mut Turn<'_>, id: TaskId, how: HowStopped) {
        let task = self.tasks.at(id);
        let State::Stopping(place, why) = task.state() else {
            panic!("{id} comes to rest without having been asked to stop")
        };
        let (place, why, attempt) = (*place, why.clone(), task.attempt);
        let exceeded = matches!(why, StopWhy::Exceeded(_));
        self.pool_of(id)
            .lane
            .settle(key(id), attempt.0)
            .expect("cancelled and not settled");
        let cause = cause_of(&why);
        let (end, outcome) = super::stop::ended_by(why, how);
        if how == HowStopped::BeforeStart {
            self.attempt_void(turn, id);
        } else {
            self.attempt_over(turn, id, end);
        }
        self.retry_or_settle(turn, id, outcome, cause);
        // What it took, the worker itself may hold; another attempt would pay for it.
        let lives = self.slots[place.slot.0 as usize].of(place.session);
        if exceeded && lives.is_some() {
            self.retire(turn, place.slot, Ending::Replaced);
        }
    }

    /// The request of a started task could not be built: nothing was sent, nobody is charged.
    pub(super) fn end_unsent(&mut self, turn: &mut Turn<'_>, id: TaskId, outcome: Outcome) {
        self.pool_of(id)
            .lane
            .fail(key(id), outcome.status())
            .expect("just started");
        self.settle(turn, id, outcome);
    }

    /// Ends a task that waits in the lane (needing, ready or parked).
    pub(super) fn end_queued(&mut self, turn: &mut Turn<'_>, id: TaskId, outcome: Outcome) {
        self.leave_waiting(id);
        let now_ms = turn.now.as_millis();
        let lane = &mut self.pool_of(id).lane;
        let _ = lane
            .cancel(key(id), outcome.status(), now_ms)
            .expect("it waits in the lane");
        self.settle(turn, id, outcome);
    }

    /// Ends a task that waited for a retry: as its last attempt ended.
    pub(super) fn end_delayed(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        let task = self.tasks.at_mut(id);
        let last = task
            .last_end
            .take()
            .expect("a retry has a failure behind it");
        if let State::Delayed { until } = *task.state() {
            self.timers.disarm(until, Timer::Delay(id));
        }
        self.settle(turn, id, *last);
    }

    /// Takes a waiting task out of whichever place it waits in.
    fn leave_waiting(&mut self, id: TaskId) {
        let task = self.tasks.at(id);
        match task.state() {
            State::Needing { .. } => {}
            State::Ready => self.leave_ready(id),
            State::Parked => {
                let limit = self.limit_of(id).expect("only a limit parks");
                self.limits
                    .unpark(limit, task.kind, task.priority, task.seq, id);
            }
            State::Sent(_) | State::Stopping(..) | State::Delayed { .. } => {
                panic!("{id} does not wait in the lane")
            }
        }
    }

    /// A worker died executing this task, and it is charged.
    pub(super) fn charge(&mut self, turn: &mut Turn<'_>, id: TaskId, death: Death) {
        let end = match death.panic {
            Some(_) => AttemptEnd::Panicked,
            None => AttemptEnd::Died(death.termination),
        };
        self.attempt_over(turn, id, end);
        let task = self.tasks.at_mut(id);
        let options = task.options(&self.pools[task.kind.0 as usize].config.defaults);
        let (on_lost, limit) = (options.on_lost, options.crash_limit);
        let was_solo = task.solo;
        task.last_end = None;
        task.deaths.push(death);
        let suspected = match limit {
            CrashLimit::Deaths(limit) => {
                let more = usize::from(self.config.mutation.is(Mutation::OneDeathMore));
                task.deaths.len() >= limit as usize + more
            }
            CrashLimit::Unlimited => {
                // Without a limit nothing is ever decided from old deaths: keep only the last.
                let excess = task.deaths.len() - 1;
                task.deaths.drain(..excess);
                false
            }
        };
        let closing = self.is_finishing(id);
        let once = on_lost == OnLost::Fail && !self.config.mutation.is(Mutation::LostRunsAgain);
        // Its worker is gone, and with that it is over.
        let pinned = self.tasks.at(id).pin;
        let once = once || pinned.is_some_and(|pin| pin.when_gone == WhenGone::Fail);
        if once || (closing && !was_solo) {
            let death = self.tasks.at_mut(id).deaths.pop().expect("just pushed");
            self.end_lost(turn, id, lost_by(death));
        } else if suspected && (was_solo || limit == CrashLimit::Deaths(0)) {
            // A limit of none leaves no death after which it could run once more.
            let deaths = std::mem::take(&mut self.tasks.at_mut(id).deaths);
            self.end_lost(turn, id, Outcome::Poisoned(deaths));
        } else {
            self.tasks.at_mut(id).solo = suspected;
            self.tell_attempt(turn, id);
            self.requeue(turn, id);
        }
    }

    fn end_lost(&mut self, turn: &mut Turn<'_>, id: TaskId, outcome: Outcome) {
        self.pool_of(id)
            .lane
            .fail(key(id), outcome.status())
            .expect("it was in flight");
        self.settle(turn, id, outcome);
    }

    /// An attempt that never began comes back: it costs nothing, and the task keeps its place.
    pub(super) fn put_back(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        self.attempt_void(turn, id);
        if self.is_finishing(id) {
            let lane = &mut self.pool_of(id).lane;
            lane.requeue(key(id)).expect("it was in flight");
            let now_ms = turn.now.as_millis();
            let _ = lane
                .cancel(key(id), "closed", now_ms)
                .expect("it waits again");
            let outcome = self.last_end(id).unwrap_or(Outcome::Closed);
            self.settle(turn, id, outcome);
        } else {
            self.requeue(turn, id);
        }
    }

    /// How the last attempt of a task ended that will have no further one: that is what is true of
    /// it, and "it never ran" would not be. `None`: no attempt of it has executed.
    pub(super) fn last_end(&mut self, id: TaskId) -> Option<Outcome> {
        let task = self.tasks.at_mut(id);
        if let Some(end) = task.last_end.take() {
            return Some(*end);
        }
        let death = task.deaths.pop()?;
        Some(lost_by(death))
    }

    fn requeue(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        self.pool_of(id)
            .lane
            .requeue(key(id))
            .expect("it was in flight");
        self.make_ready(turn, id);
    }

    /// The named cap that a task counts against.
    pub(super) fn limit_of(&self, id: TaskId) -> Option<LimitId> {
        let task = self.tasks.at(id);
        let defaults = &self.pools[task.kind.0 as usize].config.defaults;
        task.options(defaults).limit
    }

    /// What ends with every attempt, executed or not: its own limits and its place under a named one.
    pub(super) fn attempt_void(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        self.disarm_attempt(turn, id);
        let task = self.tasks.at(id);
        let kind = task.kind;
        let keeps = matches!(task.state(), State::Stopping(_, StopWhy::Cancelled(_)))
            && self.config.mutation.is(Mutation::LimitKeptByCancel);
        let limit = task
            .options(&self.pools[kind.0 as usize].config.defaults)
            .limit;
        self.touch(kind);
        if let Some(limit) = limit.filter(|_| !keeps) {
            self.limits.leave(limit);
            self.wake_parked(turn, limit);
        }
    }

    /// A list and no recursion: whoever is woken may end of it (its rank panics, its holder is gone) and leave the room
    /// to the next, and so on through all that are parked.
    fn wake_parked(&mut self, turn: &mut Turn<'_>, limit: LimitId) {
        self.freed.push_back(limit);
        if std::mem::replace(&mut self.wakes, true) {
            return;
        }
        while let Some(limit) = self.freed.pop_front() {
            for parked in self.limits.wake(limit) {
                self.make_ready(turn, parked);
            }
        }
        self.wakes = false;
    }

    /// An attempt that executed is over.
    fn attempt_over(&mut self, turn: &mut Turn<'_>, id: TaskId, end: AttemptEnd) {
        self.attempt_void(turn, id);
        let task = self.tasks.at_mut(id);
        let place = task.place().expect("an attempt that is over was somewhere");
        let report = AttemptReport {
            attempt: task.attempt,
            slot: place.slot,
            session: place.session,
            started: place.sent,
            finished: turn.now,
            end,
        };
        if task.reports.len() >= REPORTS_KEPT {
            // Only a task without a crash limit comes here; it may go on for ever.
            task.reports.remove(0);
        }
        task.reports.push(report);
    }

    /// The last attempt has ended and its task goes on.
    fn tell_attempt(&self, turn: &mut Turn<'_>, id: TaskId) {
        let task = self.tasks.at(id);
        // An attempt that never began has no report, and the one before has been told.
        let report = task.reports.last();
        if let Some(report) = report.filter(|report| report.attempt == task.attempt) {
            turn.actions.push(Action::AttemptEnded {
                task: id,
                report: report.clone(),
            });
        }
    }

    fn retry_or_settle(
        &mut self,
        turn: &mut Turn<'_>,
        id: TaskId,
        outcome: Outcome,
        cause: Option<Cause>,
    ) {
        let task = self.tasks.at(id);
        let retries = task
            .options(&self.pools[task.kind.0 as usize].config.defaults)
            .retries;
        let allowed = cause.is_some_and(|cause| retries.on.has(cause));
        let closing = self.is_finishing(id);
        let more = u32::from(self.config.mutation.is(Mutation::OneRetryMore));
        let count = retries.count.saturating_add(more);
        if !allowed || closing || task.given_up || task.retries_used >= count {
            return self.settle(turn, id, outcome);
        }
        let used = task.retries_used;
        self.tell_attempt(turn, id);
        let delay = self.delay(&retries, used);
        let task = self.tasks.at_mut(id);
        task.retries_used += 1;
        task.last_end = Some(Box::new(outcome));
        if delay.is_zero() || self.config.mutation.is(Mutation::RetryWithoutDelay) {
            self.delay_over(turn, id);
        } else {
            let until = turn.now.after(delay);
            task.set(State::Delayed { until });
            self.timers.arm(until, Timer::Delay(id));
        }
    }

    /// The pause before retry number `used` + 1.
    fn delay(&mut self, retries: &Retries, used: u32) -> Duration {
        let factor = match retries.backoff {
            Backoff::Fixed => 1,
            Backoff::Exponential => 2u32.checked_pow(used).unwrap_or(u32::MAX),
        };
        let delay = retries.delay.saturating_mul(factor).min(retries.max_delay);
        if !retries.jitter {
            return delay;
        }
        let half = u64::try_from(delay.as_nanos() / 2).unwrap_or(u64::MAX);
        let drawn = if half == 0 {
            0
        } else {
            self.random.next() % (half + 1)
        };
        delay - Duration::from_nanos(drawn)
    }

    /// A retry comes back. It was admitted once, so a full queue does not keep it out: what fills
    /// the queue may be waiting for its end.
    pub(super) fn delay_over(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        match self.pool_of(id).lane.readmit(key(id)) {
            Ok(seq) => {
                self.tasks.at_mut(id).seq = seq;
                self.make_ready(turn, id);
            }
            // A caller has closed the lane meanwhile.
            Err(_) => self.end_delayed(turn, id),
        }
    }

    /// The one way out of the farm.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>, id: TaskId, outcome: Outcome) {
        let task = self.tasks.remove(id);
        let pool = &mut self.pools[task.kind.0 as usize];
        let limit = task.options(&pool.config.defaults).limit;
        pool.touched = true;
        pool.ends.count(&outcome);
        if let Some(wait) = waited(task.submitted, &task.reports, task.started) {
            pool.waits.record(wait);
        }
        if let Some(until) = task.waiting_until {
            self.timers.disarm(until, Timer::Waiting(id));
        }
        assert!(
            pool.lane.forget(key(id)),
            "{id} settles while its lane is not done with it"
        );
        if !task.dependents.is_empty() {
            let done = outcome.is_done();
            self.ended.push_back(Ended {
                task: id,
                done,
                dependents: task.dependents,
            });
        }
        self.leave_scope(task.seat, id, MemberEnd::of(&outcome));
        turn.actions.push(Action::Settle(Settlement {
            task: id,
            scope: task.seat.map(|seat| seat.scope),
            outcome,
            attempts: task.reports,
            submitted: task.submitted,
            started: task.started,
            finished: turn.now,
        }));
        // It may have been woken for the room that it now does not take.
        if let Some(limit) = limit {
            self.wake_parked(turn, limit);
        }
    }
}

/// How a task ends whose last attempt ended with this death.
fn lost_by(death: Death) -> Outcome {
    let lost = if death.panic.is_some() {
        Outcome::Panicked
    } else {
        Outcome::WorkerLost
    };
    lost(Box::new(death))
}
