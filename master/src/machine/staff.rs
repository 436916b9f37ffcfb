//! Workers for what waits: how many are started, which idle one makes room, and what nothing will ever start.

use super::ready::{First, Line, LineId, Sort, Stamp, Standing};
use super::slot::{Ending, Process};
use super::timers::Timer;
use super::worn::Wear;
use super::{Master, Turn};
use crate::action::Action;
use crate::affinity::Whom;
use crate::event::Shut;
use crate::mutation::Mutation;
use farm_protocol::{AffinityKey, KindId, Session, SlotId, TaskId};

/// So many of the first in a line are looked at for one that only a fresh worker would take.
const LOOKED_AT: usize = 8;

/// A worker that has answered fewer requests than this is not replaced under load: where two keys take turns with one
/// worker, every task would cost a start.
pub(super) const WORTH_ITS_START: u64 = 16;

impl Master {
    /// Workers for what is ready and found none, and those that are kept without work.
    pub(super) fn staff(&mut self, turn: &mut Turn<'_>, pool: usize) {
        if self.pools[pool].pause_until.is_some() {
            // A place that it wanted is for others meanwhile.
            self.pools[pool].hunger = None;
            return;
        }
        let missing = self.missing(pool);
        let wanted = self.for_ready(turn, pool).max(missing);
        self.start_wanted(turn, pool, wanted);
        self.keep_spares(turn, pool);
    }

    /// How many workers are missing to what is ready. When all places of the pool are taken, one may be made free.
    fn for_ready(&mut self, turn: &mut Turn<'_>, pool: usize) -> usize {
        if !self.may_start(pool) || self.pools[pool].ready.is_empty() {
            return 0;
        }
        let slots = self.pools[pool].slots.clone();
        let idle_fresh = |process: &Process| process.is_idle() && process.is_fresh();
        let mut processes = slots.clone().map(|slot| self.slots[slot].process.as_ref());
        // It has just refused all that is there, and so would the next one.
        if processes.any(|process| process.is_some_and(idle_fresh)) {
            return 0;
        }
        let launching = slots.filter(|slot| self.is_launching(*slot)).count();
        let room = self.own_room(pool);
        if room == 0 {
            // A worker on its way may be what the rest waits for.
            if launching == 0 {
                self.make_room(turn, pool);
            }
            return 0;
        }
        let room = room.min(self.could_begin());
        self.wanted(turn, pool, launching + room)
            .saturating_sub(launching)
    }

    /// Starts so many workers, in the first slots that are free.
    pub(super) fn start_workers(&mut self, turn: &mut Turn<'_>, pool: usize, count: usize) {
        let count = count.min(self.own_room(pool)).min(self.farm_room());
        let slots = self.pools[pool].slots.clone();
        let free = slots.filter(|slot| self.slots[*slot].process.is_none());
        for slot in free.take(count).collect::<Vec<_>>() {
            // To start is to work: it takes as much of the machine.
            if !self.has_room(pool) {
                return self.note_lack(pool);
            }
            self.spawn(turn, slot);
            self.took_room(pool, false);
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
            let ready = &self.pools[pool].ready;
            let Some(met) = ready.next_after(LineId::Shared, cursor, known) else {
                break;
            };
            cursor = Some(met.cursor);
            if self.suits_fresh(turn, met.task) {
                wanted += 1;
            }
        }
        if wanted == 0 {
            let line = self.pools[pool].ready.line(LineId::Shared);
            let newest = line.map_or(Stamp::default(), Line::newest);
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
    pub(super) fn suits_fresh(&mut self, turn: &mut Turn<'_>, id: TaskId) -> bool {
        self.counters.matches += 1;
        turn.kinds.matches(id, Whom::Fresh).unwrap_or(true)
    }

    /// Every place is taken. If something waits that none of the workers will take, and one of them
    /// idles, that one is replaced by a fresh one: of several the one that has been idle longest. Whether it is so.
    pub(super) fn make_room(&mut self, turn: &mut Turn<'_>, pool: usize) -> bool {
        if self.config.mutation.is(Mutation::NoRoomMade) {
            return false;
        }
        let mut idle_old: Option<(farm_protocol::Instant, SlotId)> = None;
        for slot in self.pools[pool].slots.clone() {
            let slot = &self.slots[slot];
            let Some(process) = &slot.process else {
                continue;
            };
            if process.ending.is_some() {
                return true;
            }
            let pinned = LineId::Pinned(process.session);
            let goes = process.is_idle() && !self.is_somebody(slot);
            if goes && self.pools[pool].ready.count(pinned) == 0 {
                let idle = (process.last_answer, slot.id);
                idle_old = Some(idle_old.map_or(idle, |old| old.min(idle)));
            }
        }
        let Some((_, slot)) = idle_old.filter(|_| self.needs_fresh(turn, pool)) else {
            return false;
        };
        if self.has_room(pool) {
            self.retire(turn, slot, Ending::Replaced);
        } else {
            self.note_lack(pool);
        }
        true
    }

    /// Under load no worker ever idles, and what requires a key that nobody holds would wait for ever. So when such a
    /// task comes before the one that a worker would get, the worker is replaced, if it has been worth its start.
    pub(super) fn makes_way(
        &mut self,
        turn: &mut Turn<'_>,
        pool: usize,
        slot: usize,
        instead_of: TaskId,
    ) -> bool {
        let ready = &self.pools[pool].ready;
        let Some((standing, key)) = ready.first_after(Sort::RequiresUnheld, None) else {
            return false;
        };
        if self.is_somebody(&self.slots[slot]) {
            return false;
        }
        let here = self.slots[slot].process.as_ref();
        let worth = here.is_some_and(|process| {
            let pinned = ready.count(LineId::Pinned(process.session));
            process.settled >= WORTH_ITS_START && process.in_flight.is_empty() && pinned == 0
        });
        let got = self.tasks.at(instead_of);
        let first = got.stands.is_none_or(|(_, level)| {
            let seq = got.seq;
            standing < Standing { level, seq }
        });
        // A place that is free, or a worker that comes or goes, is what it waits for.
        let free = self.own_room(pool) > 0 && self.farm_room() > 0;
        let mut others = self.pools[pool].slots.clone();
        let goes = |process: &Process| process.ending.is_some();
        let comes = free
            || others.any(|slot| {
                let process = self.slots[slot].process.as_ref();
                process.is_some_and(goes) || self.is_launching(slot)
            });
        if !worth || !first || comes {
            return false;
        }
        let line = ready.line(LineId::Requires(key));
        let Some(head) = line.and_then(Line::head).map(|met| met.task) else {
            return false;
        };
        let suits = self.suits_fresh(turn, head);
        if suits {
            self.retire(turn, self.slots[slot].id, Ending::Replaced);
        }
        suits
    }

    /// Whether something waits that only a fresh worker will take. While others work, only a few of the first are
    /// looked at; when nobody does, all: what is behind those that nobody takes must not wait for ever.
    fn needs_fresh(&mut self, turn: &mut Turn<'_>, pool: usize) -> bool {
        if self.is_at_rest(pool) {
            // All workers have just refused it. What a fresh one was refused as well, while the kind was of this mind,
            // is not asked about again.
            let (mind, newest) = (self.pools[pool].mind, self.pools[pool].ready.newest());
            let (of, known) = self.pools[pool].no_room_for;
            let known = if of == mind { known } else { Stamp::default() };
            let new = self.pools[pool].ready.tasks_after(known);
            let found = new.into_iter().any(|task| self.suits_fresh(turn, task));
            if !found {
                self.pools[pool].no_room_for = (mind, newest);
            }
            return found;
        }
        let solo = self.first_in(pool, LineId::Solo);
        if solo.into_iter().any(|task| self.suits_fresh(turn, task)) {
            return true;
        }
        for sort in Sort::ALL {
            for (task, key) in self.first_of(pool, sort) {
                let by = (!sort.is_preferred()).then_some(key);
                if !self.suits_busy(turn, pool, task, by) && self.suits_fresh(turn, task) {
                    return true;
                }
            }
        }
        let mut shared = self.first_in(pool, LineId::Shared).into_iter();
        shared.any(|task| !self.suits_busy(turn, pool, task, None) && self.suits_fresh(turn, task))
    }

    fn first_in(&self, pool: usize, line: LineId) -> Vec<TaskId> {
        let line = self.pools[pool].ready.line(line);
        let mut next = line.and_then(Line::head);
        let mut first = Vec::new();
        while let Some(met) = next.filter(|_| first.len() < LOOKED_AT) {
            first.push(met.task);
            next = line.and_then(|line| line.next(Some(met.cursor)));
        }
        first
    }

    /// The first of the lines of a sort, with their keys.
    fn first_of(&self, pool: usize, sort: Sort) -> Vec<(TaskId, AffinityKey)> {
        let ready = &self.pools[pool].ready;
        let next = |last: &First| ready.first_after(sort, Some(*last));
        let firsts = std::iter::successors(ready.first_after(sort, None), next);
        let heads = firsts.take(LOOKED_AT).filter_map(|(_, key)| {
            let head = ready.line(sort.line(key)).and_then(Line::head);
            head.map(|met| (met.task, key))
        });
        heads.collect()
    }

    /// Whether the kind would give a task to a worker that is busy now, and will take it then; `key`: that it must hold.
    fn suits_busy(
        &mut self,
        turn: &mut Turn<'_>,
        pool: usize,
        task: TaskId,
        key: Option<AffinityKey>,
    ) -> bool {
        self.pools[pool].slots.clone().any(|slot| {
            let holds =
                |process: &Process| key.is_none_or(|key| process.keys.binary_search(&key).is_ok());
            let busy = |process: &Process| !process.in_flight.is_empty() && holds(process);
            if !self.slots[slot].process.as_ref().is_some_and(busy) {
                return false;
            }
            self.counters.matches += 1;
            let whom = Whom::Worker(self.slots[slot].id);
            turn.kinds.matches(task, whom).unwrap_or(false)
        })
    }

    fn spawn(&mut self, turn: &mut Turn<'_>, slot: usize) {
        self.last_session = Session(self.last_session.0 + 1);
        let session = self.last_session;
        self.counters.sessions += 1;
        let kind = self.slots[slot].kind;
        let patience = self.patience(kind);
        let wear = Wear::new(self.draw_life(kind));
        let Self {
            slots,
            config,
            timers,
            ..
        } = self;
        let slot = &mut slots[slot];
        let mut process = Process::launching(session, config.frame_limit, wear, turn.now);
        if !config.mutation.is(Mutation::NoHelloLimit) {
            let due = turn.now.after(patience);
            timers.arm_for(&mut process, due, Timer::Hello(slot.id, session));
        }
        slot.process = Some(process);
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
        // Whoever was let in at a limit and is taken by nobody must not keep its room from the others.
        let kind = KindId(u16::try_from(pool).expect("a pool per kind"));
        let parked = self.limits.wake_all(kind);
        if !parked.is_empty() {
            return parked.into_iter().for_each(|id| self.make_ready(turn, id));
        }
        let known = self.pools[pool].surveyed;
        let newest = self.pools[pool].ready.newest();
        if newest > known {
            let new = self.pools[pool].ready.tasks_after(known);
            self.pools[pool].surveyed = newest;
            if !self.config.mutation.is(Mutation::UnmatchedUnsaid) {
                let waits = self.waits_for_somebody(pool);
                for task in new {
                    if !waits || !self.suits_fresh(turn, task) {
                        turn.actions.push(Action::Unmatched { task });
                    }
                }
            }
        }
    }

    /// A farm that drains admits nothing that could make a difference: what nothing lets start ends. Its end may let
    /// others become ready, that nothing lets start either.
    pub(super) fn end_unmatched(&mut self, turn: &mut Turn<'_>) {
        let keeps = self.config.mutation.is(Mutation::DrainKeepsUnmatched);
        while !keeps && self.shut == Some(Shut::Drain) && self.tasks.len() > 0 && self.all_at_rest()
        {
            let ready = self.pools.iter().flat_map(|pool| pool.ready.tasks());
            let waiting: Vec<TaskId> = ready.map(|(_, id)| id).collect();
            if waiting.is_empty() {
                return;
            }
            for id in waiting {
                let nothing = self.unmatched_end(turn, id);
                let outcome = self.last_end(id).unwrap_or(nothing);
                self.end_queued(turn, id, outcome);
            }
            self.draw_conclusions(turn);
            self.dispatch_touched(turn);
        }
    }

    /// Whether no worker of a pool does anything, or is about to.
    pub(super) fn is_at_rest(&self, pool: usize) -> bool {
        let processes = self.pools[pool].slots.clone();
        let mut processes = processes.filter_map(|slot| self.slots[slot].process.as_ref());
        self.pools[pool].pause_until.is_none()
            && !(self.pools[pool].hunger.is_some() && self.place_comes())
            && self.may_start(pool)
            && !self.lacks_room(pool)
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
        if !self.config.mutation.is(Mutation::DeadHolderRemembered) {
            keys.into_iter().for_each(|key| ready.release(key));
        }
        self.unpin(turn, slot, session);
        self.replace_kept(kind);
    }
}
