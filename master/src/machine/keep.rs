//! How many workers a pool has: the least, the spares, the most, and a change of them.
//!
//! It counts processes. Which tasks workers are started for is in `staff`, who gets a place when all are taken in `share`.

use super::slot::{Ending, Phase, Process};
use super::{Master, Turn};
use crate::mutation::Mutation;
use crate::staffing::DEAR_START;
use farm_protocol::{Instant, KindId, SlotId};

/// Which worker goes first when there are too many: the least is lost with the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    /// Its answers have ended: it is dead, or will be killed for that, and must not look as if it had been sent away.
    Dead,
    /// It has not said hello.
    Start,
    /// It has done nothing since then.
    Idle(Instant),
    /// It executes something, and goes after that.
    Busy,
}

impl Master {
    /// The processes of a pool that are not asked to go, and have not gone by themselves.
    fn stays(&self, pool: usize) -> impl Iterator<Item = (SlotId, &Process)> {
        let slots = self.slots[self.pools[pool].slots.clone()].iter();
        let processes = slots.filter_map(|slot| Some((slot.id, slot.process.as_ref()?)));
        processes.filter(|(_, process)| process.ending.is_none() && process.exit.is_none())
    }

    /// How many there are of them.
    pub(super) fn staying(&self, pool: usize) -> usize {
        self.stays(pool).count()
    }

    /// How many of them are not dead for all that is known.
    pub(super) fn staying_for_long(&self, pool: usize) -> usize {
        self.stays(pool).filter(|(_, process)| !process.eof).count()
    }

    /// Whether a pool has more than it may because who is somebody stays.
    pub(super) fn all_are_somebody(&self, pool: usize) -> bool {
        let stays = |slot: SlotId| self.is_somebody(&self.slots[slot.0 as usize]);
        self.stays(pool)
            .all(|(slot, process)| process.eof || stays(slot))
    }

    /// How many more processes a pool may have, whatever the others have.
    pub(super) fn own_room(&self, pool: usize) -> usize {
        let slots = &self.slots[self.pools[pool].slots.clone()];
        let living = slots.iter().filter(|slot| slot.process.is_some()).count();
        (self.pools[pool].most as usize).saturating_sub(living)
    }

    /// So many workers are missing to the least that are kept.
    pub(super) fn missing(&self, pool: usize) -> usize {
        let least = self.pools[pool].config.staffing.least as usize;
        // A farm that is closing keeps nobody for later.
        if least == 0 || self.shut.is_some() || self.pools[pool].gave_up {
            return 0;
        }
        let started = self.last_session.0 >= least as u64;
        if started && self.config.mutation.is(Mutation::KeptOnlyOnce) {
            return 0;
        }
        least.saturating_sub(self.staying(pool) + self.unjudged(pool))
    }

    /// Those that have exited by themselves, and whose session is not over: that may be a start failure, which is met by
    /// a pause. Whoever replaced them before it is judged would start into that pause.
    fn unjudged(&self, pool: usize) -> usize {
        let slots = self.slots[self.pools[pool].slots.clone()].iter();
        let processes = slots.filter_map(|slot| slot.process.as_ref());
        let unjudged = |process: &&Process| process.ending.is_none() && process.exit.is_some();
        processes.filter(unjudged).count()
    }

    /// One is to go: if it was one of those that are kept, or are to be ready, another one comes.
    pub(super) fn replace_kept(&mut self, kind: KindId) {
        let pool = kind.0 as usize;
        let alone = self.config.mutation.is(Mutation::SpareNotReplaced);
        let spare = !alone && self.at_hand(pool) < self.spares(pool);
        if self.missing(pool) > 0 || spare {
            self.touch(kind);
        }
    }

    /// Starts what shall be ready before there is work for it: a start that is dear should not be waited for.
    pub(super) fn keep_spares(&mut self, turn: &mut Turn<'_>, pool: usize) {
        let spares = self.spares(pool);
        if spares == 0 || self.hungriest().is_some() {
            return;
        }
        let missing = spares.saturating_sub(self.at_hand(pool) + self.unjudged(pool));
        self.start_workers(turn, pool, missing);
    }

    /// How many workers shall be ready beside the busy ones.
    fn spares(&self, pool: usize) -> usize {
        let state = &self.pools[pool];
        let spares = state.config.staffing.spares as usize;
        let dear = state.start_took >= DEAR_START;
        // Somebody is never free for something new, as one that is busy.
        let named = self.is_named(pool);
        let busy = |(_, process): (SlotId, &Process)| {
            !process.in_flight.is_empty() || named && process.somebody
        };
        let never = self.shut.is_some() || state.gave_up;
        if spares == 0 || !dear || never || !self.stays(pool).any(busy) {
            return 0;
        }
        spares
    }

    /// Workers that have nothing to do, or will soon be there.
    fn at_hand(&self, pool: usize) -> usize {
        let named = self.is_named(pool);
        let free = |(_, process): &(SlotId, &Process)| {
            let idle = process.is_idle() && !(named && process.somebody);
            idle || matches!(process.phase, Phase::Launching(_))
        };
        self.stays(pool).filter(free).count()
    }

    /// Whether one of the idle workers of a pool may end: more are there than are kept.
    pub(super) fn is_unneeded(&self, pool: usize) -> bool {
        let least = self.pools[pool].config.staffing.least as usize;
        let least = if self.config.mutation.is(Mutation::KeptIsReaped) {
            0
        } else {
            least
        };
        self.staying(pool) > least && self.at_hand(pool) > self.spares(pool)
    }

    /// A kind shall have another number of workers.
    pub(super) fn resize(&mut self, turn: &mut Turn<'_>, kind: KindId, least: u32, most: u32) {
        let forgotten = self.config.mutation.is(Mutation::ShrinkForgotten);
        let state = &mut self.pools[kind.0 as usize];
        let numbered = u32::try_from(state.slots.len()).expect("slots are numbered by 32 bits");
        let most = most.max(1).min(numbered);
        state.most = if forgotten {
            most.max(state.most)
        } else {
            most
        };
        state.config.staffing.least = least.min(most);
        state.touched = true;
        let (pool, most) = (kind.0 as usize, most as usize);
        let too_many = self.staying(pool).saturating_sub(most);
        let may_go = |slot: SlotId| !self.is_somebody(&self.slots[slot.0 as usize]);
        let mut workers: Vec<(Loss, SlotId)> = self
            .stays(pool)
            .filter(|(slot, process)| process.eof || may_go(*slot))
            .map(|(slot, process)| (loss(process), slot))
            .collect();
        workers.sort_unstable();
        let gone = workers.into_iter().take(too_many);
        for (_, slot) in gone.filter(|(loss, _)| *loss != Loss::Dead) {
            self.retire(turn, slot, Ending::Unneeded);
        }
    }
}

fn loss(process: &Process) -> Loss {
    match process.phase {
        _ if process.eof => Loss::Dead,
        Phase::Launching(_) => Loss::Start,
        Phase::Running(_) | Phase::Closing(_) | Phase::Deaf if process.in_flight.is_empty() => {
            Loss::Idle(process.last_answer)
        }
        Phase::Running(_) | Phase::Closing(_) | Phase::Deaf => Loss::Busy,
    }
}
