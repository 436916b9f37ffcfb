//! What the master owes its workers: whom it may send something, what it calls back, and by when one is ended.

use super::{Answered, Ledger, Seen, latest, names};
use farm_lockstep::VTime;
use farm_master::Signal;
use farm_protocol::{AttemptId, Session, TaskId};

impl Ledger {
    /// A request goes only to a worker that lives as far as is known, is known to the kind, and is not to be replaced.
    pub(super) fn may_be_sent_to(&mut self, session: Session) {
        let facts = self.session(session);
        let wrong = [
            (facts.exit_told, "which is dead"),
            (facts.eof_told, "which can answer no more"),
            (facts.dismissed, "which is to be replaced"),
            (facts.asked_to_end, "which was told to end"),
            (!facts.greeted, "which the kind does not know"),
        ];
        if let Some((_, why)) = wrong.iter().find(|(wrong, _)| *wrong) {
            self.breaks(names::I8, || {
                format!("a request is sent to {session}, {why}")
            });
        }
    }

    /// An answer is heard to its last byte.
    pub(super) fn answer_is_heard(&mut self, session: Session, id: AttemptId, how: Answered) {
        let found = self.task(id.task);
        let asked = match found.filter(|facts| facts.attempt == id.attempt.0) {
            Some(facts) => {
                facts.answer = Some(how);
                facts.asked
            }
            None => false,
        };
        // One that counts may have to be decoded first.
        if how == Answered::Refused || asked && how.leaves_something() {
            self.dismisses(session);
        }
    }

    /// A worker tells what it executes that it is cancelled: somebody must have wanted that.
    pub(crate) fn is_cancelled(&mut self, id: AttemptId, session: Session) {
        let found = self.task(id.task);
        let wanted = found.is_none_or(|facts| facts.asked && facts.attempt == id.attempt.0);
        if !wanted {
            self.breaks(names::I6, || {
                format!("{id} is cancelled on {session}, and was not asked to stop")
            });
        }
    }

    /// A worker is to be replaced.
    pub(super) fn dismisses(&mut self, session: Session) {
        self.session(session).dismissed = true;
        self.dismissed_now.push(session);
    }

    /// A request is called back: once is enough.
    pub(crate) fn calls_back(&mut self, id: AttemptId, session: Session) {
        self.sees(Seen::Revoked);
        let recalled = &mut self.session(session).recalled;
        let again = recalled.contains(&id);
        recalled.push(id);
        if again {
            self.breaks(names::I8, || {
                format!("{id} is called back from {session} twice")
            });
        }
    }

    /// After a call: whoever is to be replaced keeps nothing that it has not begun, and nobody does when nothing is to
    /// be started any more (`closes`).
    pub(crate) fn held_are_called_back(&mut self, closes: bool) {
        if self.dismissed_now.is_empty() && !closes {
            return;
        }
        let dismissed = std::mem::take(&mut self.dismissed_now);
        let kept = self.sessions.iter().find_map(|facts| {
            let listens = !facts.exit_told && !facts.gone && facts.signalled != Some(Signal::Kill);
            let concerned = listens && (closes || dismissed.contains(&facts.session));
            let mut held = facts.held.iter().skip(1).filter(|_| concerned);
            let kept = held.find(|id| !facts.recalled.contains(id))?;
            Some((*kept, facts.session))
        });
        if let Some((id, session)) = kept {
            self.breaks(names::I8, || {
                format!("{id} has not begun on {session}, which starts nothing more, and is not called back")
            });
        }
    }

    /// The farm was killed: so is every worker, in that very call.
    pub(crate) fn all_are_killed(&mut self) {
        let spared = self
            .sessions
            .iter()
            .find(|facts| !facts.exit_told && !facts.gone && facts.signalled != Some(Signal::Kill));
        if let Some(session) = spared.map(|facts| facts.session) {
            self.breaks(names::I8, || {
                format!("the farm is killed, and {session} is not")
            });
        }
    }

    /// A worker is told to end: once, and when it has nothing to do.
    pub(crate) fn told_to_end(&mut self, session: Session) {
        let now = self.now;
        let due = now.after(self.config.close_budget);
        let facts = self.session(session);
        let again = std::mem::replace(&mut facts.asked_to_end, true);
        let busy = facts.held.first().copied().filter(|_| !facts.babbled);
        facts.asked_at = Some(now);
        let makes_room = !facts.dismissed;
        let pool = self.pool(self.kind_at(session));
        let refused = pool.budgets.pool_ended;
        // Elsewhere a worker goes also because its kind says so, or to make room for what waits: that is told apart by I11.
        if (pool.staff.is_set || self.shares()) && makes_room && self.shut.is_none() && !refused {
            self.goes_for_a_reason(session);
        }
        self.closings.push((session, latest(due, 1)));
        if makes_room && self.shut.is_none() {
            self.sees(Seen::MadeRoom);
        }
        if again {
            self.breaks(names::I8, || format!("{session} is told to end twice"));
        }
        if let Some(id) = busy {
            self.breaks(names::I8, || {
                format!("{session} is told to end while it has {id}")
            });
        }
    }

    pub(super) fn closing_is_over(&mut self, session: Session) {
        self.closings.retain(|(closing, _)| *closing != session);
    }

    pub(super) fn closed_in_time(&self, now: VTime) -> Result<(), String> {
        for (session, due) in &self.closings {
            let facts = &self.sessions[usize::try_from(session.0 - 1).expect("few sessions")];
            if now > *due && facts.ended.is_none() {
                return Err(format!(
                    "{session} was told to end, should be dead by {due} ms and lives at {now} ms"
                ));
            }
        }
        Ok(())
    }

    /// What a worker writes while it executes something that is not answered belongs to that among others.
    pub(super) fn output_is_whose(&mut self, tasks: &[TaskId]) {
        let Some((session, id)) = self.writes.take() else {
            return;
        };
        let held = self.session(session).held.contains(&id);
        if held && !tasks.contains(&id.task) {
            self.breaks(names::I3, || {
                format!("{id} wrote, and its output is given to {tasks:?}")
            });
        }
    }
}
