//! What must be true when a call is over: whoever must end for its scope does, and no scope is over without a word.

use super::Door;
use crate::ledger::{Answered, Facts, Ledger, Seen, names};
use farm_protocol::{ScopeId, Session, TaskId};

impl Ledger {
    /// After a call: whoever must end has ended or is asked to, and no scope is over without a word.
    pub(crate) fn scopes_after(&mut self, open: usize) {
        if self.scopes.all.is_empty() && self.scopes.coming.is_none() {
            return;
        }
        if let Some((task, door)) = self
            .scopes
            .coming
            .take()
            .filter(|(_, door)| *door != Door::Open)
        {
            let left = self.task(task).is_some();
            if door == Door::Vain {
                self.sees(Seen::VainMember);
            }
            if left {
                self.breaks(names::I12, || {
                    format!("{task} came in, and should meet {door:?}")
                });
            }
        }
        if let Some((id, Some(refusal))) = self.scopes.opening.take() {
            self.breaks(names::I12, || {
                format!("{id} is opened, and should not: {refusal}")
            });
        }
        let ids: Vec<ScopeId> = self.scopes.all.keys().copied().collect();
        for id in &ids {
            self.falls(*id);
        }
        for id in &ids {
            let scope = self.scopes.all.get_mut(id).expect("listed just now");
            scope.undone.clear();
            scope.fell_now = false;
            scope.given_up = scope.gives_up();
        }
        self.unwanted_are_ended();
        for id in ids.iter().rev() {
            self.is_not_over(*id);
        }
        let known = self.scopes.all.values().filter(|scope| !scope.over).count();
        if open != known {
            self.breaks(names::I12, || {
                format!("{known} scopes are open, the machine has {open}")
            });
        }
    }

    /// Its latest attempt is with a worker, as far as the master can know.
    pub(super) fn is_with_worker(&self, task: TaskId) -> bool {
        let facts = &self.tasks[task.index()];
        let begun = facts.attempt > 0 && facts.told_last != facts.attempt;
        let handed_back = facts.answer == Some(Answered::Revoked);
        let gone = |session: Session| self.sessions[session.0 as usize - 1].gone;
        begun && !handed_back && !gone(facts.session)
    }

    /// Whoever must end for its scope is asked to, or ends as its answer says.
    fn unwanted_are_ended(&mut self) {
        let standing = self
            .tasks
            .iter()
            .filter(|facts| facts.open && facts.standing.is_some());
        let ids: Vec<TaskId> = standing.map(|facts| facts.id).collect();
        for id in ids {
            let whys = self.unwanted(id);
            if whys.is_empty() {
                continue;
            }
            if let Some(model) = self.model_mut(self.kind_of(id)) {
                model.gives_up(id);
            }
            let with_worker = self.is_with_worker(id);
            let facts = self.task(id).expect("listed just now");
            let ends = with_worker && (facts.asked || facts.decoding == facts.attempt);
            if !ends {
                self.breaks(names::I12, || {
                    format!("{id} should end ({whys:?}), and neither did nor was asked to stop")
                });
            }
        }
    }

    /// A scope in which nothing is left, and nothing more comes, has been told to have ended.
    fn is_not_over(&mut self, id: ScopeId) {
        let scope = &self.scopes.all[&id];
        if scope.over || scope.takes() {
            return;
        }
        let task = self
            .tasks
            .iter()
            .any(|facts| facts.open && facts.standing.is_some_and(|standing| standing.scope == id));
        let inner = self.scopes.all.values();
        let inner = inner
            .filter(|inner| inner.parent == Some(id))
            .any(|inner| !inner.over);
        if !task && !inner {
            self.breaks(names::I12, || {
                format!("nothing is left in {id}, and its end is not told")
            });
        }
    }

    /// The farm has stopped: no scope is left.
    pub(in crate::ledger) fn no_scope_is_left(&mut self) {
        let left = self.scopes.all.iter().find(|(_, scope)| !scope.over);
        if let Some(id) = left.map(|(id, _)| *id) {
            self.breaks(names::I12, || format!("the farm stops and {id} has no end"));
        }
    }

    /// A worker is started: somebody waits for one. What is being stopped needs none.
    pub(in crate::ledger) fn is_started_for_somebody(&mut self) {
        let stopping = |facts: &Facts| facts.asked && self.is_with_worker(facts.id);
        let mut open = self.tasks.iter().filter(|facts| facts.open);
        let waits = open.any(|facts| !stopping(facts));
        if !waits && self.open > 0 {
            self.breaks(names::I9, || {
                "a worker is started, and nothing waits but for the end of what is being stopped"
                    .into()
            });
        }
    }
}
