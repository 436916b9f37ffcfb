//! What the machine does, action by action, and whether it may.

use super::heard::{Flight, Worker};
use super::{Model, State, Task, Why, at};
use farm_master::lane::Gate;
use farm_master::{
    Action, AttemptEnd, AttemptReport, Cause, CrashLimit, Link, OnLost, Outcome, Refusal,
    Settlement, Shut, SkippedBy,
};
use farm_protocol::{AttemptId, Instant, Session, TaskId};

impl Model {
    /// Each action of a call, in their order.
    ///
    /// # Errors
    /// The action is against the rules; why. The model is then of no further use.
    pub(crate) fn does(&mut self, now: Instant, action: &Action) -> Result<(), String> {
        match action {
            Action::Spawn { session, .. } => {
                self.sessions.insert(*session, Worker::launched());
            }
            Action::Send {
                session,
                link: Link::Control,
                ..
            } => {
                let held = self
                    .sessions
                    .get_mut(session)
                    .map(|worker| &mut worker.held);
                held.into_iter()
                    .flatten()
                    .for_each(|flight| flight.asked = true);
            }
            Action::Started { id, session, .. } => return self.started(now, *id, *session),
            Action::AttemptEnded { task, report } => return self.goes_on(now, *task, report),
            Action::Settle(settlement) => return self.settled(now, settlement),
            Action::Refuse { task, refusal } => return self.refused(*task, refusal),
            Action::PoolEnded { .. } => {
                self.pool_ended = true;
                self.unschedule_all();
            }
            Action::WorkerGone { session, .. } => self.worker_gone(now, *session),
            Action::Send { .. }
            | Action::Signal { .. }
            | Action::Decode { .. }
            | Action::Unmatched { .. }
            | Action::Admitted { .. }
            | Action::Token(_)
            | Action::Watch { .. }
            | Action::Weigh { .. }
            | Action::Unwatch { .. }
            | Action::Progress { .. }
            | Action::ScopeEnded { .. }
            | Action::RefuseScope { .. }
            | Action::WorkerReady { .. }
            | Action::Stopped => {}
        }
        Ok(())
    }

    fn refused(&mut self, id: TaskId, refusal: &Refusal) -> Result<(), String> {
        match (self.call.refusal.take(), refusal) {
            (Some(Refusal::PoolEnded(_)), Refusal::PoolEnded(_)) => Ok(()),
            (Some(expected), refusal) if expected == *refusal => Ok(()),
            (Some(expected), _) => Err(format!(
                "{id} is refused because {refusal}, and should be because {expected}"
            )),
            (None, _) => Err(format!(
                "{id} is refused because {refusal}, and that is not so"
            )),
        }
    }

    fn started(&mut self, now: Instant, id: AttemptId, session: Session) -> Result<(), String> {
        self.begin_dispatch(now);
        let worker = self
            .sessions
            .get(&session)
            .ok_or_else(|| format!("{id} goes to {session}, which is not there"))?;
        let task = self
            .task(id.task)
            .ok_or_else(|| format!("{id} starts and is not in the farm"))?;
        let (alone, empty) = (task.wants_to_be_alone(), worker.held.is_empty());
        let full = |limit| {
            let (cap, used) = self.limits[at(limit)];
            used >= cap
        };
        let wrong = [
            (
                matches!(self.gate, Gate::Paused | Gate::Closed),
                "the gate starts nothing",
            ),
            (self.pool_ended, "the pool has ended"),
            (!matches!(task.state, State::Queued), "it does not wait"),
            (task.unmet > 0, "it needs what has not ended"),
            (
                task.attempts + 1 != id.attempt.0,
                "this is not its next attempt",
            ),
            (
                self.occupied() >= self.most_in_flight,
                "as many are in flight as may be",
            ),
            (task.options.limit.is_some_and(full), "its limit is full"),
            (
                task.suspected && !worker.fresh,
                "it is suspected, and the worker is not fresh",
            ),
            (alone && !empty, "it is sent behind another"),
            (
                !empty && (worker.alone || !worker.page),
                "the worker takes one at a time",
            ),
            (
                worker.held.len() > self.config.credit_cap as usize,
                "the worker holds all that it may",
            ),
        ];
        if let Some((_, why)) = wrong.iter().find(|(wrong, _)| *wrong) {
            return Err(format!("{id} starts on {session}: {why}"));
        }
        if let Some(other) = self.ahead_of(task, worker.fresh) {
            return Err(format!(
                "{id} starts on {session} before {other}, which could have"
            ));
        }
        let company = task.suspected || task.options.on_lost == OnLost::Fail;
        let until = task.options.running.map(|running| now.after(running));
        self.set(
            id.task,
            State::InFlight {
                since_ms: now.as_millis(),
            },
        );
        let task = self.task_mut(id.task).expect("just started");
        (task.attempts, task.session, task.until) = (id.attempt.0, session, until);
        self.running.extend(until.map(|until| (until, id.task)));
        let worker = self.sessions.get_mut(&session).expect("just seen");
        (worker.fresh, worker.alone) = (false, company);
        worker.held.push(Flight::new(id));
        Ok(())
    }

    /// Who should have started in the place of `task`: whoever stands before it and could; on a fresh worker a
    /// suspected task also from behind. A task counts as able to start only if its limit has room for all of the limit
    /// that stand before it, because the machine may keep that room for them.
    fn ahead_of(&self, task: &Task, fresh: bool) -> Option<TaskId> {
        // Whom else a task is for, the ledger knows.
        if self.keyed {
            return None;
        }
        let mut claimed = vec![0; self.limits.len()];
        let mut passed = false;
        for (.., id) in &self.ready {
            if *id == task.id {
                passed = true;
            }
            if passed && (task.suspected || !fresh || self.suspects == 0) {
                return None;
            }
            let other = self.task(*id).expect("what is ready is in the farm");
            let room = other.options.limit.is_none_or(|limit| {
                let (cap, used) = self.limits[at(limit)];
                claimed[at(limit)] += 1;
                used + claimed[at(limit)] <= cap
            });
            let suits = if other.suspected {
                fresh
            } else {
                !task.suspected && !passed
            };
            if *id != task.id && room && suits && !self.call.late.contains(id) {
                return Some(*id);
            }
        }
        None
    }

    /// An attempt is over and its task goes on: after a death at its place, after a failure with a retry.
    fn goes_on(&mut self, now: Instant, id: TaskId, report: &AttemptReport) -> Result<(), String> {
        let shut = self.shut;
        let task = self
            .task_mut(id)
            .ok_or_else(|| format!("{id} goes on and is not in the farm"))?;
        if task.attempts != report.attempt.0 || task.session != report.session {
            return Err(format!(
                "{id} goes on after {report:?}, which is not its latest attempt"
            ));
        }
        let causes: &[Cause] = match (&report.end, task.state) {
            (AttemptEnd::Died(_) | AttemptEnd::Panicked, State::InFlight { .. }) => {
                let limit = task.options.crash_limit;
                let poisoned = task.charged_again_is_the_end();
                if poisoned || task.options.on_lost == OnLost::Fail || shut >= Some(Shut::Finish) {
                    return Err(format!(
                        "{id} goes on after death {} of {limit:?}",
                        task.deaths + 1
                    ));
                }
                task.deaths += 1;
                task.suspected = matches!(limit, CrashLimit::Deaths(most) if task.deaths >= most);
                self.set(id, State::Queued);
                return Ok(());
            }
            (AttemptEnd::Failed, State::InFlight { .. }) => {
                &[Cause::Exit, Cause::Crash, Cause::Resource]
            }
            (
                AttemptEnd::TimedOut(_),
                State::Stopping {
                    why: Why::TimedOut, ..
                },
            ) => &[Cause::Timeout],
            (_, state) => {
                return Err(format!(
                    "{id} goes on after {:?} while it is {state:?}",
                    report.end
                ));
            }
        };
        if !self.may_retry(id, causes) {
            return Err(format!(
                "{id} is retried after {:?} and may not be",
                report.end
            ));
        }
        let why = if causes == [Cause::Timeout] {
            Why::TimedOut
        } else {
            Why::Failed
        };
        self.retry_later(now, id, why);
        self.heard_of(now, id);
        Ok(())
    }

    fn settled(&mut self, now: Instant, settlement: &Settlement) -> Result<(), String> {
        let (id, outcome) = (settlement.task, &settlement.outcome);
        let refused = matches!(outcome, Outcome::InjectionRefused { .. } | Outcome::Closed);
        if let Some(nth) = self.call.turned_away.iter().position(|other| *other == id) {
            self.call.turned_away.remove(nth);
            return if refused {
                Ok(())
            } else {
                Err(format!("{id} is injected, and there is no room"))
            };
        }
        if let Some(nth) = self.call.in_vain.iter().position(|other| *other == id) {
            self.call.in_vain.remove(nth);
            return Ok(());
        }
        if matches!(outcome, Outcome::InjectionRefused { .. }) {
            return Err(format!("{id} is refused, and there is room"));
        }
        let task = self
            .task(id)
            .ok_or_else(|| format!("{id} ends and is not in the farm"))?;
        let queued = matches!(task.state, State::Queued);
        if matches!(outcome, Outcome::Poisoned(_)) && !task.charged_again_is_the_end() {
            return Err(format!(
                "{id} is given up after death {} of {:?}",
                task.deaths + 1,
                task.options.crash_limit
            ));
        }
        // A request was wanted of it: it had its turn, so all that was due had happened before.
        if matches!(outcome, Outcome::Skipped(SkippedBy::Need(_))) && !task.doomed {
            return Err(format!(
                "{id} is skipped, and what it needs ended as needed, or not yet"
            ));
        }
        let turned = matches!(
            outcome,
            Outcome::Skipped(SkippedBy::Kind | SkippedBy::NoMatch)
                | Outcome::RequestNotMarshallable(_)
                | Outcome::KindFault(_)
        );
        let comes_back = Self::has_come_back(now, task, outcome);
        if queued && turned || matches!(task.state, State::Over(_)) && comes_back {
            self.begin_dispatch(now);
        }
        self.leave(id);
        let task = self.tasks.remove(&id.index()).expect("just seen");
        for (dependent, when) in task.dependents {
            self.need_ended(dependent, when.allows(outcome.is_done()));
        }
        self.heard_of(now, id);
        Ok(())
    }

    fn need_ended(&mut self, id: TaskId, as_needed: bool) {
        let Some(task) = self.tasks.get_mut(&id.index()).filter(|task| task.id == id) else {
            return;
        };
        // One that did not end as needed ends this one too, and that is told: it never becomes ready.
        if !as_needed {
            task.doomed = true;
            return;
        }
        task.unmet -= 1;
        if task.unmet == 0 {
            self.line_up(id);
            if self.call.dispatching {
                self.call.late.push(id);
            }
        }
    }
}

impl Task {
    /// One more charged death, and it is poisoned: it was suspected, and ran once more.
    fn charged_again_is_the_end(&self) -> bool {
        match self.options.crash_limit {
            CrashLimit::Deaths(0) => true,
            CrashLimit::Deaths(most) => self.suspected && self.deaths + 1 >= most,
            CrashLimit::Unlimited => false,
        }
    }
}
