//! Attempts that were asked to stop: the ask, and by when it must be over.

use super::{Ledger, elapsed, latest, names};
use crate::params::HORIZON;
use farm_lockstep::VTime;
use farm_master::Shut;
use farm_protocol::{Attempt, AttemptId, Session, TaskId};
use std::time::Duration;

/// Time that the end of a killed process may take to be told, in horizons: its exit, its last bytes, their end, a
/// decoding that was under way.
const TOLD_WITHIN: u32 = 4;

/// One attempt that was asked to stop and is not at rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    id: AttemptId,
    pub(super) session: Session,
    pub(super) asked: VTime,
    /// From the ask to the kill.
    pub(super) budget: Duration,
    /// A signal of the ladder was sent.
    pub(super) signalled: bool,
    /// When its worker must be dead or have answered.
    killed_by: VTime,
    /// When the master must know.
    told_by: VTime,
}

impl Ledger {
    /// The master asks an attempt to stop: a `Cancel` frame is on its way.
    pub(crate) fn asks(&mut self, id: AttemptId, session: Session) {
        let (now, shut) = (self.now, self.shut);
        let whys = self.unwanted(id.task);
        let Some(facts) = self
            .task(id.task)
            .filter(|facts| facts.attempt == id.attempt.0)
        else {
            return self.breaks(names::I6, || {
                format!("{id} is asked to stop and does not run")
            });
        };
        facts.asked = true;
        let by_caller = facts.cancelled || shut >= Some(Shut::Finish);
        let limits = [facts.options.running, facts.options.stall];
        let mut limits = limits.into_iter().flatten();
        let over = limits.any(|limit| elapsed(now, facts.sent, limit));
        facts.timed_out |= over;
        facts.asked_for.clone_from(&whys);
        if !whys.is_empty() {
            self.stops_for_its_scope(id, &whys);
        } else if !by_caller && !over {
            return self.breaks(names::I1, || {
                format!("{id} is asked to stop, and nobody wanted it, and its time was not over")
            });
        }
        let facts = self.task(id.task).expect("looked up above");
        let (kind, grace) = (facts.kind, facts.options.grace);
        let budget = self.budget(kind, grace);
        let due = now.after(budget);
        self.stops.push(Stop {
            id,
            session,
            asked: now,
            budget,
            signalled: false,
            killed_by: latest(due, 1),
            told_by: latest(due, 1 + TOLD_WITHIN),
        });
    }

    /// The attempt of a task that was asked to stop is at rest; `None`: whichever it is.
    pub(super) fn stop_is_over(&mut self, task: TaskId, attempt: Option<Attempt>) {
        if !self.stops.is_empty() {
            self.stops.retain(|stop| {
                stop.id.task != task || attempt.is_some_and(|attempt| attempt != stop.id.attempt)
            });
        }
    }

    /// Whatever was asked of a worker is over when it is gone.
    pub(super) fn stops_of_are_over(&mut self, session: Session) {
        self.stops.retain(|stop| stop.session != session);
    }

    /// After every step: no stop is late. There are few at a time.
    pub(crate) fn stops_in_time(&self, now: VTime) -> Result<(), String> {
        for stop in &self.stops {
            let Stop {
                id,
                session,
                asked,
                budget,
                ..
            } = stop;
            if now > stop.told_by {
                return Err(format!(
                    "{id} was asked to stop at {asked} ms with a budget of {budget:?}, and is not over at {now} ms (time may overtake by {HORIZON:?})"
                ));
            }
            let facts = &self.sessions[usize::try_from(session.0 - 1).expect("few sessions")];
            let at_it = facts.executing == Some(*id) && facts.at_work;
            let half = latest(asked.after(*budget / 2), 1);
            let rungs = *budget > Duration::from_millis(1);
            if rungs && now > half && !stop.signalled && facts.ended.is_none() && at_it {
                return Err(format!(
                    "{id} was asked to stop at {asked} ms with a budget of {budget:?}, and {session} had no SIGTERM at {now} ms"
                ));
            }
            if now > stop.killed_by && facts.ended.is_none() && at_it {
                return Err(format!(
                    "{id} was asked to stop at {asked} ms with a budget of {budget:?}, and {session} still executes it at {now} ms"
                ));
            }
        }
        Ok(())
    }
}
