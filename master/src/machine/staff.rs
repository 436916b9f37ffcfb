//! Workers for what waits: how many are started, which idle one makes room, and what nothing will ever start.

use super::ready::{LineId, Sort, Stamp};
use super::slot::{Ending, Process};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::Action;
use crate::affinity::Whom;
use crate::event::Shut;
use crate::mutation::Mutation;
use crate::outcome::{Outcome, SkippedBy};
use farm_protocol::{Session, SlotId, TaskId};

impl Master {
    /// Workers for what is ready and found none.
    pub(super) fn staff(&mut self, turn: &mut Turn<'_>, pool: usize) {
        let paused = self.pools[pool].pause_until.is_some();
        if paused || self.pools[pool].ready.is_empty() {
            return;
        }
        let slots = self.pools[pool].slots.clone();
        let idle_fresh = |process: &Process| process.is_idle() && process.is_fresh();
        let mut processes = slots.clone().map(|slot| self.slots[slot].process.as_ref());
        // It has just refused all that is there, and so would the next one.
        if processes.any(|process| process.is_some_and(idle_fresh)) {
            return;
        }
        let launching = slots
            .clone()
            .filter(|slot| self.is_launching(*slot))
            .count();
        let free: Vec<usize> = slots
            .filter(|slot| self.slots[*slot].process.is_none())
            .collect();
        if free.is_empty() {
            // A worker on its way may be what the rest waits for.
            if launching == 0 {
                self.make_room(turn, pool);
            }
            return;
        }
        let wanted = self.wanted(turn, pool, launching + free.len());
        for slot in free.into_iter().take(wanted.saturating_sub(launching)) {
            self.spawn(turn, slot);
        }
    }

    /// How many of the ready tasks a fresh worker would take, up to `enough`.
    fn wanted(&mut self, turn: &mut Turn<'_>, pool: usize, enough: usize) -> usize {
        let ready = &self.pools[pool].ready;
        let shared = ready.count(LineId::Shared);
        let keyed_or_solo = ready.len() - shared - self.pinned_ready(pool);
        let mut wanted = keyed_or_solo.min(enough);
        let mut cursor = None;
        let known = self.pools[pool].known_not_for_fresh();
        while wanted < enough {
            let line = self.pools[pool].ready.line(LineId::Shared);
            let line = line.expect("the shared line is always there");
            let newest = line.newest();
            let Some(met) = line.next(cursor).filter(|_| newest > known) else {
                break;
            };
            cursor = Some(met.cursor);
            if met.stamp > known && self.suits_fresh(turn, met.task) {
                wanted += 1;
            }
        }
        if wanted == 0 {
            let line = self.pools[pool].ready.line(LineId::Shared);
            let newest = line.map_or(Stamp::default(), super::ready::Line::newest);
            let pool = &mut self.pools[pool];
            pool.not_for_fresh = (pool.mind, newest);
        }
        wanted
    }

    /// Ready tasks that no fresh worker can take.
    fn pinned_ready(&self, pool: usize) -> usize {
        let ready = &self.pools[pool].ready;
        if ready.is_plain() {
            return 0;
        }
        let slots = self.pools[pool].slots.clone();
        let sessions = slots.filter_map(|slot| self.slots[slot].process.as_ref());
        sessions
            .map(|process| ready.count(LineId::Pinned(process.session)))
            .sum()
    }

    /// A callback that panics here is met again when the task is about to go to a worker.
    fn suits_fresh(&mut self, turn: &mut Turn<'_>, id: TaskId) -> bool {
        self.counters.matches += 1;
        turn.kinds.matches(id, Whom::Fresh).unwrap_or(true)
    }

    /// Every slot is taken. If something waits that none of the workers will take, and one of them
    /// idles, that one is replaced by a fresh one: of several the one that has been idle longest.
    fn make_room(&mut self, turn: &mut Turn<'_>, pool: usize) {
        let mut idle_old: Option<(farm_protocol::Instant, SlotId)> = None;
        for slot in self.pools[pool].slots.clone() {
            let slot = &self.slots[slot];
            let process = slot.process.as_ref().expect("every slot is taken");
            if process.ending.is_some() {
                return;
            }
            let pinned = LineId::Pinned(process.session);
            if process.is_idle() && self.pools[pool].ready.count(pinned) == 0 {
                let idle = (process.last_answer, slot.id);
                idle_old = Some(idle_old.map_or(idle, |old| old.min(idle)));
            }
        }
        let Some((_, slot)) = idle_old else { return };
        if self.needs_fresh(turn, pool) {
            self.retire(turn, slot, Ending::Replaced);
        }
    }

    /// Whether something waits that only a fresh worker will take.
    fn needs_fresh(&mut self, turn: &mut Turn<'_>, pool: usize) -> bool {
        let ready = &self.pools[pool].ready;
        if ready.count(LineId::Solo) > 0 || ready.first_after(Sort::RequiresUnheld, None).is_some()
        {
            return true;
        }
        let first = ready.line(LineId::Shared).and_then(|line| line.head());
        let Some(met) = first else { return false };
        for slot in self.pools[pool].slots.clone() {
            self.counters.matches += 1;
            let whom = Whom::Worker(self.slots[slot].id);
            // A worker that is busy now will take it.
            if turn.kinds.matches(met.task, whom).unwrap_or(false) {
                return false;
            }
        }
        self.suits_fresh(turn, met.task)
    }

    fn spawn(&mut self, turn: &mut Turn<'_>, slot: usize) {
        self.last_session = Session(self.last_session.0 + 1);
        let session = self.last_session;
        self.counters.sessions += 1;
        let patience = self.patience(self.slots[slot].kind);
        let Self {
            slots,
            config,
            timers,
            ..
        } = self;
        let slot = &mut slots[slot];
        slot.process = Some(Process::launching(session, config.frame_limit, turn.now));
        if !config.mutation.is(Mutation::NoHelloLimit) {
            timers.arm(turn.now.after(patience), Timer::Hello(slot.id, session));
        }
        turn.actions.push(Action::Spawn {
            slot: slot.id,
            session,
            kind: slot.kind,
        });
    }

    /// Nothing goes on in this pool and something is ready all the same: no worker takes it, and a
    /// fresh one would not. It is said once of each task.
    pub(super) fn survey(&mut self, turn: &mut Turn<'_>, pool: usize) {
        if !self.is_at_rest(pool) {
            return;
        }
        let known = self.pools[pool].surveyed;
        let newest = self.pools[pool].ready.newest();
        if newest > known {
            let ready = self.pools[pool].ready.tasks();
            let new: Vec<TaskId> = ready
                .filter(|(stamp, _)| *stamp > known)
                .map(|(_, id)| id)
                .collect();
            self.pools[pool].surveyed = newest;
            for task in new {
                self.tasks.at_mut(task).unmatched = true;
                turn.actions.push(Action::Unmatched { task });
            }
        }
    }

    /// A farm that drains admits nothing that could make a difference: what nothing lets start ends.
    pub(super) fn end_unmatched(&mut self, turn: &mut Turn<'_>) {
        if self.shut != Some(Shut::Drain) || self.tasks.len() == 0 || !self.all_at_rest() {
            return;
        }
        for pool in 0..self.pools.len() {
            let waiting: Vec<TaskId> = self.pools[pool].ready.tasks().map(|(_, id)| id).collect();
            for id in waiting {
                let outcome = self.last_end(id);
                let outcome = outcome.unwrap_or(Outcome::Skipped(SkippedBy::NoMatch));
                self.end_queued(turn, id, outcome);
            }
        }
        self.draw_conclusions(turn);
        self.dispatch_touched(turn);
    }

    /// Whether no worker of a pool does anything, or is about to.
    pub(super) fn is_at_rest(&self, pool: usize) -> bool {
        let processes = self.pools[pool].slots.clone();
        let mut processes = processes.filter_map(|slot| self.slots[slot].process.as_ref());
        self.pools[pool].pause_until.is_none()
            && self.may_start(pool)
            && processes.all(|process| process.is_idle())
    }

    /// Whether nothing goes on anywhere: what is not ready now becomes ready only by the end of what is.
    pub(super) fn all_at_rest(&self) -> bool {
        let delayed = |pool: &super::pool::Pool| pool.lane.counts().terminal > 0;
        (0..self.pools.len()).all(|pool| self.is_at_rest(pool) && !delayed(&self.pools[pool]))
    }

    /// This worker gets nothing new any more: what is pinned to it goes elsewhere, and the keys it holds are nobody's.
    pub(super) fn lose_place(&mut self, turn: &mut Turn<'_>, slot: SlotId) {
        let process = self.process_at(slot);
        let (session, keys) = (process.session, std::mem::take(&mut process.keys));
        let kind = self.slots[slot.0 as usize].kind;
        let ready = &mut self.pools[kind.0 as usize].ready;
        keys.into_iter().for_each(|key| ready.release(key));
        self.unpin(turn, slot, session);
    }
}
