//! What a listing shows of the tasks in the farm. It changes nothing.

use super::Master;
use super::slot::Process;
use super::task::{State, Task};
use crate::affinity::Whom;
use crate::ends::LaneSums;
use crate::kinds::Kinds;
use crate::listing::{Stands, TaskLine, Why};
use crate::waits::Waits;
use farm_protocol::{KindId, TaskId};
use std::cmp::Reverse;

impl Master {
    /// The tasks of one kind, or of all, at most `most`, in the order of their places, each with the
    /// reason why it waits. The kinds are asked what matches; what they answer changes nothing.
    pub fn list(&self, kinds: &mut dyn Kinds, kind: Option<KindId>, most: usize) -> Vec<TaskLine> {
        let wanted = |task: &&Task| kind.is_none_or(|kind| task.kind == kind);
        let tasks = self.tasks.iter().filter(wanted).take(most);
        tasks.map(|task| self.line_of(kinds, task)).collect()
    }

    /// Why this task waits; `None` when it does not, or is not in the farm.
    pub fn why_waiting(&self, kinds: &mut dyn Kinds, task: TaskId) -> Option<Why> {
        match self.line_of(kinds, self.tasks.get(task)?).stands {
            Stands::Waits(why) => Some(why),
            Stands::Runs { .. } | Stands::Held { .. } | Stands::Stops { .. } => None,
        }
    }

    /// How many tasks of this kind, or of all, are in the farm.
    #[must_use]
    pub fn outstanding(&self, kind: Option<KindId>) -> usize {
        match kind {
            None => self.tasks.len() + self.offered,
            Some(kind) => {
                let counts = self.lane(kind).counts();
                // Not `occupied`: who was asked to stop is among the terminal ones already.
                counts.queued + counts.in_flight + counts.terminal + self.offered(kind)
            }
        }
    }

    /// What stands in the lane of a kind now, and how its tasks have ended so far.
    #[must_use]
    pub fn sums(&self, kind: KindId) -> LaneSums {
        let pool = &self.pools[kind.0 as usize];
        let counts = pool.lane.counts();
        let all = counts.queued + counts.in_flight + counts.terminal;
        let number = |count: usize| u64::try_from(count).expect("a count of tasks");
        LaneSums {
            running: number(counts.occupied),
            queued: number(all - counts.occupied),
            offered: number(pool.offers.len()),
            came: u64::try_from(pool.arrivals).expect("it only rises") + pool.outside,
            ends: pool.ends,
        }
    }

    /// How long the tasks of a kind that have ended had waited for the start of their first attempt.
    #[must_use]
    pub fn waits(&self, kind: KindId) -> &Waits {
        &self.pools[kind.0 as usize].waits
    }

    /// Whether nothing goes on that could ever let one of the tasks of this kind, or of any, start:
    /// all that is left waits for a worker that matches, or for such a task. A paused lane does not count as stuck, nor
    /// does one where something may wait for the place of a worker that is somebody ([`crate::Staffing::named`]).
    #[must_use]
    pub fn is_stuck(&self, kind: Option<KindId>) -> bool {
        let outstanding = self.outstanding(kind);
        // What is ready waits for a worker of its own pool alone, however busy the others are.
        let by_itself = kind.is_some_and(|kind| {
            let pool = kind.0 as usize;
            let pool_of = &self.pools[pool];
            self.is_at_rest(pool) && pool_of.ready.len() + pool_of.offers.len() == outstanding
        });
        let mut pools =
            (0..self.pools.len()).filter(|pool| kind.is_none_or(|kind| kind.0 as usize == *pool));
        let waits = pools.any(|pool| self.waits_for_somebody(pool));
        outstanding > 0 && !waits && (by_itself || self.all_at_rest())
    }

    /// The tasks of a kind that wait, at most `most`: those that could start first, in their order, then those that need
    /// something else before. The kind is asked only about what is listed.
    pub fn list_waiting(&self, kinds: &mut dyn Kinds, kind: KindId, most: usize) -> Vec<TaskLine> {
        let waits = |task: &&Task| match task.state() {
            State::Needing { .. } | State::Ready | State::Parked | State::Delayed { .. } => true,
            State::Sent(_) | State::Stopping(..) => false,
        };
        let tasks = self.tasks.iter().filter(|task| task.kind == kind);
        let mut waiting: Vec<&Task> = tasks.filter(waits).collect();
        let place = |task: &&Task| {
            let rank = task.stands.map_or(0, |(_, level)| level.rank);
            let level = (Reverse(task.priority), rank);
            (task.stands.is_none(), level, task.seq)
        };
        // A listing of the first ten must not sort a million.
        if most < waiting.len() {
            waiting.select_nth_unstable_by_key(most, place);
            waiting.truncate(most);
        }
        waiting.sort_unstable_by_key(place);
        let lines = waiting.into_iter();
        lines.map(|task| self.line_of(kinds, task)).collect()
    }

    fn line_of(&self, kinds: &mut dyn Kinds, task: &Task) -> TaskLine {
        let stands = match task.state() {
            State::Needing { unmet } => Stands::Waits(Why::Needs { unmet: *unmet }),
            State::Ready => Stands::Waits(self.why_ready(kinds, task)),
            State::Parked => {
                let limit = self.limit_of(task.id).expect("only a limit parks");
                Stands::Waits(Why::Limit(limit))
            }
            State::Delayed { until } => Stands::Waits(Why::BackOff { until: *until }),
            State::Sent(place) => {
                let (slot, session) = (place.slot, place.session);
                let process = self.slots[slot.0 as usize].process.as_ref();
                let first = process.is_some_and(|process| process.flight(task.id) == Some(0));
                if first {
                    let since = place.sent;
                    Stands::Runs {
                        slot,
                        session,
                        since,
                    }
                } else {
                    Stands::Held { slot, session }
                }
            }
            State::Stopping(place, _) => Stands::Stops {
                slot: place.slot,
                session: place.session,
            },
        };
        TaskLine {
            task: task.id,
            kind: task.kind,
            priority: task.priority,
            attempt: task.attempt,
            submitted: task.submitted,
            stands,
        }
    }

    fn why_ready(&self, kinds: &mut dyn Kinds, task: &Task) -> Why {
        let index = task.kind.0 as usize;
        let pool = &self.pools[index];
        if !self.may_start(index) {
            return Why::Paused;
        }
        let process = |slot: usize| self.slots[slot].process.as_ref();
        let suits = |kinds: &mut dyn Kinds, whom| kinds.matches(task.id, whom).unwrap_or(false);
        if self.lacks_room(index) && self.could_be_taken(kinds, index, task) {
            return Why::NoToken;
        }
        if let Some(pin) = task.pin {
            return Why::Holder(pin.slot);
        }
        // A worker that is there and busy will take it.
        let mut holder = None;
        let mut taken = 0;
        for slot in pool.slots.clone() {
            let Some(process) = process(slot).filter(|process| process.ending.is_none()) else {
                continue;
            };
            let key = match task.affinity {
                crate::Affinity::Any
                | crate::Affinity::Prefers(_)
                | crate::Affinity::Worker { .. } => None,
                crate::Affinity::Requires(key) => Some(key),
            };
            let holds = key.is_none_or(|key| process.keys.binary_search(&key).is_ok());
            let slot = self.slots[slot].id;
            if !task.solo && holds && !is_starting(process) && suits(kinds, Whom::Worker(slot)) {
                taken += 1;
                holder = Some(slot);
            }
        }
        if suits(kinds, Whom::Fresh) {
            if let Some(until) = pool.pause_until {
                return Why::BackOff { until };
            }
            if pool.slots.clone().filter_map(process).any(is_starting) {
                return Why::Starting;
            }
            if pool.hunger.is_some() {
                return Why::FarmFull;
            }
            return match (taken, holder) {
                (1, Some(slot)) if pool.most > 1 => Why::Holder(slot),
                (_, _) => Why::NoSlot,
            };
        }
        match (taken, holder) {
            (0, _) => Why::NoMatch,
            (1, Some(slot)) => Why::Holder(slot),
            (_, _) => Why::NoSlot,
        }
    }
}

impl Master {
    /// Whether an idle worker would take it, or one could be started for it.
    fn could_be_taken(&self, kinds: &mut dyn Kinds, pool: usize, task: &Task) -> bool {
        let slots = &self.slots[self.pools[pool].slots.clone()];
        let idle = |slot: &&super::slot::Slot| slot.process.as_ref().is_some_and(Process::is_idle);
        if let Some(pin) = task.pin {
            return slots.iter().filter(idle).any(|slot| slot.id == pin.slot);
        }
        let mut suits = |whom| kinds.matches(task.id, whom).unwrap_or(false);
        let holds = |slot: &super::slot::Slot| match task.affinity {
            crate::Affinity::Any | crate::Affinity::Prefers(_) | crate::Affinity::Worker { .. } => {
                true
            }
            crate::Affinity::Requires(key) => {
                let process = slot.process.as_ref();
                process.is_some_and(|process| process.keys.binary_search(&key).is_ok())
            }
        };
        let mut taken = slots.iter().filter(idle);
        if taken.any(|slot| !task.solo && holds(slot) && suits(Whom::Worker(slot.id))) {
            return true;
        }
        self.own_room(pool) > 0 && self.farm_room() > 0 && suits(Whom::Fresh)
    }
}

const fn is_starting(process: &Process) -> bool {
    matches!(process.phase, super::slot::Phase::Launching(_))
}
