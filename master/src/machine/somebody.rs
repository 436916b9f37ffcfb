//! Pools whose workers are somebody: who of them stays whatever else is wanted, and what waits for a place that only
//! they could leave.
//!
//! A worker becomes somebody with the first task that it has done. Until then it is a fresh one, which may go like any
//! other; or one whose first task came to nothing, which will never be anybody and is in the way.

use super::slot::{Ending, Process, Slot};
use super::task::State;
use super::{Master, Turn};
use crate::outcome::Outcome;
use farm_protocol::{KindId, Session, SlotId, TaskId};

impl Master {
    /// Whether the workers of a pool are somebody.
    pub(super) fn is_named(&self, pool: usize) -> bool {
        self.pools[pool].config.staffing.named
    }

    /// Whether a worker stays whoever wants its place: it is somebody, or is about to be.
    pub(super) fn is_somebody(&self, slot: &Slot) -> bool {
        let somebody = |process: &Process| process.somebody || !process.in_flight.is_empty();
        self.is_named(slot.kind.0 as usize) && slot.process.as_ref().is_some_and(somebody)
    }

    /// A worker is not needed any more, says who talked to it.
    pub(super) fn end_worker(&mut self, turn: &mut Turn<'_>, slot: SlotId, session: Session) {
        if self.process(slot, session).is_some() {
            self.retire(turn, slot, Ending::Unneeded);
        }
    }

    /// Workers that nobody will ever be: what would have made them somebody was cancelled, or failed.
    pub(super) fn retire_nobodies(&mut self, turn: &mut Turn<'_>, pool: usize) {
        if !self.is_named(pool) {
            return;
        }
        for slot in self.pools[pool].slots.clone() {
            let nobody =
                |process: &Process| process.is_idle() && !process.is_fresh() && !process.somebody;
            if self.slots[slot].process.as_ref().is_some_and(nobody) {
                self.retire(turn, self.slots[slot].id, Ending::Replaced);
            }
        }
    }

    /// Whether what is ready in a pool may lack nothing but a place that somebody has who stays. It comes when whoever
    /// talks to him lets him go; that is nothing the farm could foresee, and no mismatch.
    pub(super) fn waits_for_somebody(&self, pool: usize) -> bool {
        if self.pools[pool].ready.is_empty() || !self.may_start(pool) {
            return false;
        }
        let own = &self.slots[self.pools[pool].slots.clone()];
        let stays = |slots: &[Slot]| slots.iter().any(|slot| self.is_somebody(slot));
        let full = self.pools[pool].hunger.is_some() && self.farm_room() == 0;
        self.own_room(pool) == 0 && stays(own) || full && stays(&self.slots)
    }

    /// What a ready task ends as that nothing lets start in a farm that drains.
    pub(super) fn unmatched_end(&mut self, turn: &mut Turn<'_>, id: TaskId) -> Outcome {
        let pool = self.tasks.at(id).kind.0 as usize;
        if self.waits_for_somebody(pool) && self.suits_fresh(turn, id) {
            return Outcome::Closed;
        }
        Outcome::Skipped(crate::outcome::SkippedBy::NoMatch)
    }

    /// No worker can be started, and those that are there go on: what waits for a fresh one ends with the error, and
    /// what comes later is tried anew.
    pub(super) fn give_up_fresh(&mut self, turn: &mut Turn<'_>, kind: KindId, error: &str) {
        let pool = &mut self.pools[kind.0 as usize];
        pool.start_failures = 0;
        pool.gave_up = true;
        pool.touched = true;
        let ready: Vec<TaskId> = pool.ready.tasks().map(|(_, id)| id).collect();
        for id in ready {
            // The end of one may have ended another.
            let waits = self
                .tasks
                .get(id)
                .is_some_and(|task| matches!(task.state(), State::Ready) && task.pin.is_none());
            if waits && self.suits_fresh(turn, id) {
                let last = self.last_end(id);
                let outcome = last.unwrap_or_else(|| Outcome::SpawnFailed(error.to_string()));
                self.end_queued(turn, id, outcome);
            }
        }
    }
}
