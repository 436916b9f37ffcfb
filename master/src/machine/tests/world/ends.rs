//! The ends of tasks in a random world: each once, and with the cause that the world saw.

use super::*;

impl World {
    pub(super) fn ended(&mut self, settlement: &Settlement) {
        let mut watched = self.watched.keys();
        assert!(
            watched.all(|id| id.task != settlement.task),
            "still watched"
        );
        assert!(
            self.open.remove(&settlement.task),
            "{} ends twice",
            settlement.task
        );
        self.free.push(settlement.task);
        let of = self.members.remove(&settlement.task);
        assert!(of.is_none() || of == settlement.scope);
        self.settled.push(settlement.clone());
    }

    /// Compares what the master says of attempts with what the world saw: charged if and only if it
    /// was executing. Only true of workers that have a page and follow the protocol.
    pub(in super::super) fn check_causes(&self) {
        let mut charged = BTreeSet::new();
        for settlement in &self.settled {
            for report in &settlement.attempts {
                let id = AttemptId {
                    task: settlement.task,
                    attempt: report.attempt,
                };
                assert!(self.begun.contains(&id), "{id} is listed and never began");
                if matches!(report.end, AttemptEnd::Died(_) | AttemptEnd::Panicked) {
                    charged.insert(id);
                }
            }
            let rising = settlement
                .attempts
                .is_sorted_by(|a, b| a.attempt < b.attempt);
            assert!(rising, "{settlement:?}");
        }
        let missing: Vec<_> = self.died.difference(&charged).collect();
        assert!(missing.is_empty(), "died and not charged: {missing:?}");
        // An attempt that must not run twice is charged for our kill as well.
        charged.retain(|id| !self.died.contains(id) && !self.excused.contains(id));
        assert!(charged.is_empty(), "charged and not died: {charged:?}");
    }
}
