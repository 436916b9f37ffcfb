//! Tasks that wait for room in their lane: who came first is admitted first. None of them is in the farm yet, and how
//! many there are is bounded by who brings them: a thread that waits for its turn brings no second one.

use super::{Master, Turn};
use crate::action::{Action, Refusal};
use crate::lane::Entry;
use crate::options::TaskOptions;
use crate::outcome::{CancelledBy, HowStopped, Outcome};
use farm_protocol::{KindId, TaskId};
use std::collections::VecDeque;

/// A task that waits for room.
#[derive(Debug)]
pub(super) struct Offered {
    task: TaskId,
    options: Option<Box<TaskOptions>>,
}

/// Those of one lane, the oldest first.
pub(super) type Offers = VecDeque<Offered>;

impl Master {
    /// A task that is submitted if there is room, and waits for room if there is none. Whatever else
    /// refuses a task refuses it at once.
    pub(super) fn offer(
        &mut self,
        turn: &mut Turn<'_>,
        (id, kind): (TaskId, KindId),
        options: Option<Box<TaskOptions>>,
    ) {
        let pool = &mut self.pools[kind.0 as usize];
        let full = pool.lane.room() == 0 || !pool.offers.is_empty();
        let open = pool.lane.permits(Entry::Push);
        if full && open && pool.ended.is_none() {
            pool.offers.push_back(Offered { task: id, options });
            self.offered += 1;
        } else {
            self.submit(turn, (id, kind), Entry::Push, options, None);
        }
    }

    /// Whoever brought it waits no more. One that was admitted is in the farm, and stays.
    pub(super) fn withdraw(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        if let Some(pool) = self.take_offer(id) {
            let pool = &mut self.pools[pool];
            pool.ends.refused += 1;
            let refusal = Refusal::TimedOut {
                queued: pool.lane.counts().queued,
                max_queued: pool.lane.boundary().max_queued,
            };
            turn.actions.push(Action::Refuse { task: id, refusal });
        }
    }

    /// A wish for the end of a task that waits for room. Whether it was one.
    pub(super) fn cancel_offer(&mut self, turn: &mut Turn<'_>, id: TaskId, reason: &str) -> bool {
        let Some(pool) = self.take_offer(id) else {
            return false;
        };
        self.end_offer(turn, pool, id, reason);
        true
    }

    /// The same of all that wait for room in one lane, or in any.
    pub(super) fn cancel_offers(
        &mut self,
        turn: &mut Turn<'_>,
        kind: Option<KindId>,
        reason: &str,
    ) {
        for pool in 0..self.pools.len() {
            if kind.is_none_or(|kind| kind.0 as usize == pool) {
                let offers = std::mem::take(&mut self.pools[pool].offers);
                self.offered -= offers.len();
                for Offered { task, .. } in offers {
                    self.end_offer(turn, pool, task, reason);
                }
            }
        }
    }

    fn end_offer(&mut self, turn: &mut Turn<'_>, pool: usize, id: TaskId, reason: &str) {
        let outcome = Outcome::Cancelled {
            by: CancelledBy::Caller(reason.to_owned()),
            how: HowStopped::BeforeStart,
        };
        let kind = KindId(u16::try_from(pool).expect("a pool per kind"));
        self.settle_outside(turn, (id, kind), None, outcome);
    }

    /// Takes it out of its line; in which pool it stood.
    fn take_offer(&mut self, id: TaskId) -> Option<usize> {
        if self.offered == 0 {
            return None;
        }
        for (index, pool) in self.pools.iter_mut().enumerate() {
            let place = pool.offers.iter().position(|offer| offer.task == id);
            if let Some(place) = place {
                pool.offers.remove(place);
                self.offered -= 1;
                return Some(index);
            }
        }
        None
    }

    /// Who waits for room comes in where there is some, and is refused where nothing comes in any
    /// more. What is admitted may start at once and make room: so until nothing changes.
    pub(super) fn admit_offered(&mut self, turn: &mut Turn<'_>) {
        let mut again = self.offered > 0;
        while again {
            again = false;
            for pool in 0..self.pools.len() {
                again |= self.admit_offered_to(turn, pool);
            }
            self.dispatch_touched(turn);
            again &= self.offered > 0;
        }
    }

    fn admit_offered_to(&mut self, turn: &mut Turn<'_>, index: usize) -> bool {
        let kind = KindId(u16::try_from(index).expect("a pool per kind"));
        let mut any = false;
        loop {
            let pool = &mut self.pools[index];
            let waits = pool.lane.permits(Entry::Push) && pool.lane.room() == 0;
            if waits && pool.ended.is_none() {
                return any;
            }
            let Some(Offered { task, options }) = pool.offers.pop_front() else {
                return any;
            };
            self.offered -= 1;
            any = true;
            match self.admit(task, kind, Entry::Push, options.as_deref()) {
                Ok(admitted) => {
                    turn.actions.push(Action::Admitted { task });
                    self.take_in(turn, (task, kind), admitted, options, None);
                }
                Err(refusal) => self.refuse(turn, (task, kind), refusal),
            }
        }
    }

    /// How many tasks wait for room in the lane of a kind.
    #[must_use]
    pub fn offered(&self, kind: KindId) -> usize {
        self.pools[kind.0 as usize].offers.len()
    }

    /// Whether a task waits for room.
    #[must_use]
    pub fn is_offered(&self, task: TaskId) -> bool {
        let mut offers = self.pools.iter().flat_map(|pool| &pool.offers);
        self.offered > 0 && offers.any(|offer| offer.task == task)
    }

    /// How many more tasks of this kind may be offered now and will not have to wait.
    #[must_use]
    pub fn room(&self, kind: KindId) -> usize {
        let pool = &self.pools[kind.0 as usize];
        let open = pool.lane.permits(Entry::Push) && pool.ended.is_none();
        if open && pool.offers.is_empty() {
            pool.lane.room()
        } else {
            0
        }
    }

    /// Why a task of this kind that is submitted now is refused whatever room there is; `None`: it is not.
    #[must_use]
    pub fn closed_because(&self, kind: KindId) -> Option<Refusal> {
        let pool = &self.pools[kind.0 as usize];
        if let Some(error) = &pool.ended {
            return Some(Refusal::PoolEnded(error.clone()));
        }
        let (gate, mode) = (pool.lane.gate(), pool.lane.boundary().mode);
        if !gate.admits(Entry::Push) {
            Some(Refusal::NotAdmitting(gate))
        } else if !mode.permits(Entry::Push) {
            Some(Refusal::ModeForbids { mode })
        } else {
            None
        }
    }
}
