//! The end of the farm: drain, finish, stop, kill; and that nothing is left when it says so.

use super::slot::Ending;
use super::task::{State, key};
use super::{Master, Turn};
use crate::event::Shut;
use crate::lane::Gate;
use crate::outcome::{CancelledBy, Outcome};
use farm_protocol::{KindId, TaskId};

impl Master {
    pub(super) fn shut(&mut self, turn: &mut Turn<'_>, how: Shut) {
        if self.shut >= Some(how) {
            return;
        }
        self.shut = Some(how);
        let gate = match how {
            Shut::Drain => Gate::Draining,
            Shut::Finish | Shut::Stop | Shut::Kill => Gate::Closed,
        };
        for pool in &mut self.pools {
            pool.lane.set_gate(gate);
            pool.touched = true;
        }
        match how {
            Shut::Drain => {}
            Shut::Finish => self.start_nothing(turn),
            Shut::Stop => {
                self.start_nothing(turn);
                self.stop_everything(turn);
            }
            Shut::Kill => {
                self.start_nothing(turn);
                self.stop_everything(turn);
                self.kill_everything(turn);
            }
        }
    }

    /// What waits ends; what is held behind an executing request is called back.
    fn start_nothing(&mut self, turn: &mut Turn<'_>) {
        self.end_everything_waiting(turn, None, &|| Outcome::Closed);
        for slot in 0..self.slots.len() {
            self.revoke(turn, slot, 1);
        }
    }

    /// The same for the tasks of one kind, while the farm goes on.
    pub(super) fn finish_kind(&mut self, turn: &mut Turn<'_>, kind: KindId) {
        if self.shut.is_some() {
            return;
        }
        let pool = &mut self.pools[kind.0 as usize];
        pool.finishing = true;
        pool.touched = true;
        pool.lane.set_gate(Gate::Closed);
        let slots = pool.slots.clone();
        self.end_everything_waiting(turn, Some(kind), &|| Outcome::Closed);
        for slot in slots {
            self.revoke(turn, slot, 1);
        }
    }

    /// Whether this task gets no further attempt because nothing is started any more.
    pub(super) fn is_finishing(&self, task: TaskId) -> bool {
        let pool = &self.pools[self.tasks.at(task).kind.0 as usize];
        self.shut >= Some(Shut::Finish) || pool.finishing
    }

    /// Ends all tasks (of one kind) that are not with a worker. A task that waits for a retry ends
    /// as its last attempt did: that is what is true of it.
    pub(super) fn end_everything_waiting(
        &mut self,
        turn: &mut Turn<'_>,
        kind: Option<KindId>,
        outcome: &dyn Fn() -> Outcome,
    ) {
        let waiting = self
            .tasks
            .ids(|task| kind.is_none_or(|kind| task.kind == kind) && task.place().is_none());
        for id in waiting {
            // The end of one may have ended another that needed it.
            let Some(task) = self.tasks.get(id) else {
                continue;
            };
            match task.state() {
                State::Needing { .. } | State::Ready | State::Parked => {
                    let outcome = self.last_end(id).unwrap_or_else(outcome);
                    self.end_queued(turn, id, outcome);
                }
                State::Delayed { .. } => self.end_delayed(turn, id),
                State::Sent(_) | State::Stopping(..) => {}
            }
        }
    }

    fn in_flight(&self) -> Vec<TaskId> {
        self.tasks.ids(|task| task.place().is_some())
    }

    fn stop_everything(&mut self, turn: &mut Turn<'_>) {
        for id in self.in_flight() {
            self.cancel_by(turn, id, CancelledBy::Stopping);
        }
    }

    fn kill_everything(&mut self, turn: &mut Turn<'_>) {
        let now_ms = turn.now.as_millis();
        for id in self.in_flight() {
            if matches!(self.tasks.at(id).state(), State::Stopping(..)) {
                let lane = &mut self.pool_of(id).lane;
                lane.hasten(key(id), 0, now_ms)
                    .expect("cancelled and not settled");
            }
        }
        for index in 0..self.slots.len() {
            let slot = self.slots[index].id;
            if self.slots[index].process.is_some() {
                self.kill(turn, slot, Ending::Closing);
            }
        }
    }

    /// Once the farm is closing and no task is left, the workers are asked to end; once they are gone, it has stopped.
    pub(super) fn close_when_empty(&mut self, turn: &mut Turn<'_>) {
        if self.shut.is_none() || self.stopped || self.tasks.len() > self.overlooked() {
            return;
        }
        if self.is_counting() {
            return;
        }
        let mut living = false;
        for index in 0..self.slots.len() {
            let slot = self.slots[index].id;
            if self.slots[index].process.is_some() {
                living = true;
                self.retire(turn, slot, Ending::Closing);
            }
        }
        // Who was still starting needs its token no more.
        self.balance_tokens(turn);
        if !living {
            self.stop_for_good(turn);
        }
    }
}
