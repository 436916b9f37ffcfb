//! Several kinds share the farm's workers: who gets a place when all are taken, and whose worker goes for it.
//!
//! The next place is for a kind for which something waits, before one that only keeps some; of several for the one with
//! the fewest workers, and of those for the one that has wanted it longest, or has got none for longest. An idle worker
//! of another kind goes at once; one of those that are kept only for a kind that has nobody. A busy one goes, after what
//! it executes, when its kind has more than an equal share; and where kinds are more than places, when it was worth its
//! start. So no kind waits for ever, and none loses a worker that it would get back at once.

use super::slot::{Ending, Process};
use super::staff::WORTH_ITS_START;
use super::{Master, Turn};
use crate::mutation::Mutation;
use farm_protocol::SlotId;

impl Master {
    /// How many more processes there may be, over all kinds.
    pub(super) fn farm_room(&self) -> usize {
        let Some(most) = self.config.workers else {
            return usize::MAX;
        };
        let living = self.slots.iter().filter(|slot| slot.process.is_some());
        let more = usize::from(self.config.mutation.is(Mutation::OneWorkerBeyondAll));
        (most.get() as usize + more).saturating_sub(living.count())
    }

    /// The pool that gets the next place, of those that want one.
    pub(super) fn hungriest(&self) -> Option<usize> {
        self.config.workers?;
        if self.config.mutation.is(Mutation::LastKindFirst) {
            return self.pools.iter().rposition(|pool| pool.hunger.is_some());
        }
        let hungry = (0..self.pools.len()).filter_map(|pool| {
            let (since, _) = self.pools[pool].hunger?;
            Some((!self.has_work(pool), self.staying(pool), since, pool))
        });
        hungry.min().map(|(.., pool)| pool)
    }

    /// Whether a pool wants a worker for what waits, and not only to have as many as it keeps.
    fn has_work(&self, pool: usize) -> bool {
        self.may_start(pool) && !self.pools[pool].ready.is_empty()
    }

    /// Starts so many workers of a pool, as far as there is room. What the farm has no place for is noted.
    pub(super) fn start_wanted(&mut self, turn: &mut Turn<'_>, pool: usize, wanted: usize) {
        let wanted = wanted.min(self.own_room(pool));
        if self.config.workers.is_none() {
            return self.start_workers(turn, pool, wanted);
        }
        let since = self.pools[pool].hunger.map(|(since, _)| since);
        // Not the time: much can happen at one moment.
        let mut since = since.unwrap_or(self.hungers);
        self.hungers += 1;
        for missing in (1..=wanted).rev() {
            self.pools[pool].hunger = Some((since, missing));
            if self.farm_room() == 0 || self.hungriest() != Some(pool) {
                return;
            }
            let before = self.farm_room();
            self.start_workers(turn, pool, 1);
            if self.farm_room() == before {
                // It is a token that it waits for, and not a place.
                break;
            }
            // Who always wants one more must not be the first for ever.
            if !self.config.mutation.is(Mutation::PlaceAgain) {
                since = self.hungers;
                self.hungers += 1;
            }
        }
        self.pools[pool].hunger = None;
    }

    /// After a pool was looked at: a place that is free now, or can be made free, is for who wants it most.
    pub(super) fn share_out(&mut self, turn: &mut Turn<'_>) {
        let Some(next) = self.hungriest() else {
            return;
        };
        if self.farm_room() > 0 {
            self.pools[next].touched = true;
            return;
        }
        let hunger = self.pools.iter().filter_map(|pool| pool.hunger);
        let wanted: usize = hunger.map(|(_, wanted)| wanted).sum();
        // Each of those that go already leaves a place: soon, or after what it executes, however long that takes.
        let (busy, mut soon) = self.going();
        // For those that are kept nobody is disturbed who is kept himself, or works: two kinds would do it in turns.
        let works = self.has_work(next);
        while soon < wanted {
            let Some(slot) = self.idle_elsewhere(next, works && soon == 0) else {
                break;
            };
            self.gives_way(turn, slot);
            soon += 1;
        }
        if busy + soon == 0 && works && !self.make_room(turn, next) {
            if let Some(slot) = self.busy_elsewhere(next) {
                self.gives_way(turn, slot);
            } else {
                self.make_room_behind(turn, next);
            }
        }
    }

    /// Who is next waits for a place of somebody who stays. That may be long: others that can make room for themselves
    /// need not wait for it.
    fn make_room_behind(&mut self, turn: &mut Turn<'_>, next: usize) {
        if !self.waits_for_somebody(next) {
            return;
        }
        for pool in 0..self.pools.len() {
            let wants = pool != next && self.pools[pool].hunger.is_some() && self.has_work(pool);
            if wants && self.make_room(turn, pool) {
                return;
            }
        }
    }

    /// Whether somebody will get a place: there is one, or a worker does something and will go, or can be let go. Where
    /// nobody does anything and nobody goes, what wants a place wants it in vain.
    pub(super) fn place_comes(&self) -> bool {
        let Some(next) = self.hungriest() else {
            return false;
        };
        let works = self.has_work(next);
        let mut processes = self.slots.iter().filter_map(|slot| slot.process.as_ref());
        // Whose turn has not come yet may have somebody to let go.
        let touched = self.pools.iter().any(|pool| pool.touched);
        touched
            || self.farm_room() > 0
            || processes.any(|process| !process.is_idle())
            || self.idle_elsewhere(next, works).is_some()
            || works && self.busy_elsewhere(next).is_some()
    }

    /// A worker goes for another kind. Its own, which may have wanted one more all the time, is behind that one.
    fn gives_way(&mut self, turn: &mut Turn<'_>, slot: SlotId) {
        let pool = self.slots[slot.0 as usize].kind.0 as usize;
        if let Some((since, _)) = &mut self.pools[pool].hunger {
            *since = self.hungers;
            self.hungers += 1;
        }
        self.retire(turn, slot, Ending::Unneeded);
    }

    /// How many workers are about to go: those that execute something, and the others.
    fn going(&self) -> (usize, usize) {
        let processes = self.slots.iter().filter_map(|slot| slot.process.as_ref());
        let goes =
            |process: &&Process| process.ending.is_some() || process.exit.is_some() || process.eof;
        let dead = |process: &Process| process.exit.is_some() || process.eof;
        let busy = |process: &&Process| !process.in_flight.is_empty() && !dead(process);
        let (busy, soon): (Vec<&Process>, Vec<&Process>) = processes.filter(goes).partition(busy);
        (busy.len(), soon.len())
    }

    /// The worker that has idled longest in another pool, which keeps as many as it shall; where `pool` has nobody and
    /// none goes (`first`), also one of those.
    fn idle_elsewhere(&self, pool: usize, first: bool) -> Option<SlotId> {
        if self.config.mutation.is(Mutation::IdleKept) {
            return None;
        }
        let nobody = first && self.staying(pool) == 0;
        // What is touched may be about to send it something.
        let others =
            (0..self.pools.len()).filter(|other| *other != pool && !self.pools[*other].touched);
        let idle = others.flat_map(|other| {
            let state = &self.pools[other];
            let least = state.config.staffing.least as usize;
            // Who has no further worker has none to keep.
            let kept = self.staying(other) <= least && state.ended.is_none();
            let workers = self.slots[state.slots.clone()].iter();
            workers.filter_map(move |slot| {
                let process = slot.process.as_ref().filter(|process| process.is_idle())?;
                let stays = self.has_pinned(slot.id) || self.is_somebody(slot);
                let goes = !stays && (nobody || !kept);
                goes.then_some((kept, process.last_answer, slot.id))
            })
        });
        idle.min().map(|(_, _, slot)| slot)
    }

    /// The worker of another pool that has worked most, where that pool has more than its share; and where it has
    /// not, but `pool` has nobody, one that was worth its start.
    fn busy_elsewhere(&self, pool: usize) -> Option<SlotId> {
        if self.config.mutation.is(Mutation::BusyKept) {
            return None;
        }
        let most = self.config.workers?.get() as usize;
        let active = |pool: &usize| self.pools[*pool].hunger.is_some() || self.staying(*pool) > 0;
        let kinds = (0..self.pools.len()).filter(active).count();
        let share = (most / kinds.max(1)).max(1);
        let own = self.staying(pool);
        if own >= share {
            return None;
        }
        let others = (0..self.pools.len()).filter(|other| *other != pool);
        let workers = others.flat_map(|other| {
            let state = &self.pools[other];
            let staying = self.staying(other);
            let least = state.config.staffing.least as usize;
            let rich = staying > share.max(least);
            let slots = self.slots[state.slots.clone()].iter();
            slots.filter_map(move |slot| {
                let process = slot.process.as_ref()?;
                let worth = own == 0 && process.settled >= WORTH_ITS_START;
                // Also one that is sent nothing ahead: it would be busy at every look.
                let stays = self.has_pinned(slot.id) || self.is_somebody(slot);
                let goes = process.serves() && !stays;
                (goes && (rich || worth)).then_some((rich, staying, process.settled, slot.id))
            })
        });
        workers.max().map(|(_, _, _, slot)| slot)
    }
}
