//! What the machine does without a word: requests go back to their places, delays and limits fall due, retries and
//! injected tasks find room.

use super::{Ladder, Model, State, Task, Why};
use farm_master::lane::{AdapterMode, Gate};
use farm_master::{Backoff, Cause, Shut, TaskOptions};
use farm_protocol::{Instant, TaskId};

impl Model {
    /// An attempt has not begun and never will: its task waits again at its place, or is retried if it timed out.
    /// What ends instead is told.
    pub(super) fn void(&mut self, now: Instant, id: TaskId) {
        match self.task(id).map(|task| task.state) {
            Some(State::InFlight { .. }) => {
                self.set(id, State::Queued);
            }
            Some(State::Stopping {
                why: Why::TimedOut, ..
            }) if self.may_retry(id, &[Cause::Timeout]) => {
                self.retry_later(now, id, Why::TimedOut);
            }
            Some(State::Stopping { .. } | State::Queued | State::Over(_)) | None => {}
        }
    }

    pub(super) fn may_retry(&self, id: TaskId, causes: &[Cause]) -> bool {
        self.task(id).is_some_and(|task| {
            let retries = &task.options.retries;
            let caused = causes.iter().any(|cause| retries.on.has(*cause));
            caused
                && task.retries < retries.count
                && !task.given_up
                && self.shut < Some(Shut::Finish)
        })
    }

    pub(super) fn retry_later(&mut self, now: Instant, id: TaskId, why: Why) {
        self.set(id, State::Over(why));
        let task = self.task_mut(id).expect("just changed");
        let retries = task.options.retries;
        let factor = match retries.backoff {
            Backoff::Fixed => 1,
            Backoff::Exponential => 2_u32.saturating_pow(task.retries),
        };
        let delay = retries.delay.saturating_mul(factor).min(retries.max_delay);
        task.retries += 1;
        if delay.is_zero() {
            self.come_back(id);
        } else {
            let until = now.after(delay);
            task.until = Some(until);
            self.delayed.insert((until, id));
        }
    }

    pub(super) fn stop(&mut self, now: Instant, id: TaskId, why: Why) {
        let Some(task) = self.task(id) else { return };
        let budget = match task.options.grace {
            Some(grace) => u64::try_from(grace.as_millis()).unwrap_or(u64::MAX),
            None => self.config.boundary.cancellation_budget_ms,
        };
        let kill_at = now.as_millis().saturating_add(budget);
        let terminate_at = now.as_millis().saturating_add(budget / 2);
        let ladder = Ladder {
            terminate_at: Some(terminate_at).filter(|at| *at < kill_at),
            kill_at,
            killed: false,
        };
        self.set(id, State::Stopping { why, ladder });
    }

    /// All that happened has been told. Once in a call: what is due is done, before anything starts.
    pub(super) fn begin_dispatch(&mut self, now: Instant) {
        self.call.dispatching = true;
        self.fall_due(now);
    }

    /// All timers that are due have fallen. Once in a call.
    pub(super) fn fall_due(&mut self, now: Instant) {
        if std::mem::replace(&mut self.call.timers_fell, true) {
            return;
        }
        while let Some(&(at, id)) = self.running.first()
            && at <= now
        {
            self.unschedule(id);
            // A worker that is dead runs it no more: what it came to is in the pipe, or nowhere.
            if self.worker_of(id).is_some_and(|worker| !worker.exited) {
                self.stop(now, id, Why::TimedOut);
            }
        }
        while let Some(&(at, id)) = self.delayed.first()
            && at <= now
        {
            self.unschedule(id);
            self.come_back(id);
        }
        for id in &self.stopping {
            if let Some(Task {
                state: State::Stopping { ladder, .. },
                ..
            }) = self.tasks.get_mut(&id.index())
            {
                ladder.killed |= ladder.kill_at <= now.as_millis();
                let next = ladder.terminate_at.filter(|at| *at > now.as_millis());
                ladder.terminate_at = next.filter(|_| !ladder.killed);
            }
        }
    }

    /// A retry takes a new place, whatever waits; a closed lane has none, and it is told to have ended.
    fn come_back(&mut self, id: TaskId) {
        if self.gate == Gate::Closed {
            return;
        }
        let seq = self.next_seq;
        self.next_seq += 1;
        let task = self.task_mut(id).expect("a retry is in the farm");
        (task.seq, task.injected) = (seq, false);
        self.set(id, State::Queued);
    }

    /// The machine has said what became of this task. If it was answered, what follows from the answer has its turn,
    /// and then what was handed back behind it.
    pub(super) fn heard_of(&mut self, now: Instant, id: TaskId) {
        if self.call.answered.front() != Some(&id) {
            return;
        }
        self.call.answered.pop_front();
        self.call.heard_of += 1;
        for (of, follow_up, vain) in std::mem::take(&mut self.call.follow_ups) {
            if of != id {
                self.call.follow_ups.push((of, follow_up, vain));
            } else if vain {
                self.call.in_vain.push(follow_up);
            } else if self.gate == Gate::Closed || self.injections_full() {
                self.call.turned_away.push(follow_up);
            } else {
                let options = TaskOptions {
                    needs: Vec::new(),
                    ..self.config.defaults
                };
                self.admit(follow_up, options, true, 0);
            }
        }
        self.hand_back(now);
    }

    /// What was handed back up to the next answer.
    pub(super) fn hand_back(&mut self, now: Instant) {
        while let Some(&(after, id)) = self.call.handed_back.front()
            && after <= self.call.heard_of
        {
            self.call.handed_back.pop_front();
            self.void(now, id);
        }
    }

    fn injections_full(&self) -> bool {
        let beyond = self.queued.saturating_sub(self.config.boundary.max_queued);
        self.room() == 0 && beyond.min(self.injected) >= self.config.injection_limit
    }

    /// How many may still come in.
    pub(super) fn room(&self) -> usize {
        match self.config.boundary.max_queued {
            0 => usize::from(self.queued == 0 && self.occupied() < self.most_in_flight),
            most => most.saturating_sub(self.queued),
        }
    }

    /// How many should be pulled: all that there is room for, once half of the queue is free, and nothing while more
    /// retries wait for their delays than tasks may wait at all.
    pub(crate) fn demand(&self) -> usize {
        let over = |task: &&Task| matches!(task.state, State::Over(_) | State::Stopping { .. });
        let most = self.config.boundary.max_queued;
        let room = self.room();
        let closed = self.gate != Gate::Running
            || self.pool_ended
            || self.config.boundary.mode == AdapterMode::PushOnly;
        if closed || room < most.div_ceil(2) || self.tasks.values().filter(over).count() > most {
            0
        } else {
            room
        }
    }

    pub(super) fn occupied(&self) -> usize {
        self.in_flight + self.stopping.len()
    }
}
