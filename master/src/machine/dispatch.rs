//! Ready tasks to workers with room.

use super::slot::{Flight, Process};
use super::task::{Place, State};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::{Action, Link};
use crate::kinds::RequestAnswer;
use crate::lane::Gate;
use crate::mutation::Mutation;
use crate::outcome::{Outcome, SkippedBy};
use farm_protocol::{
    Attempt, FrameError, FrameKind, KindId, MarshalError, RequestHeader, TaskId, attempt_frame,
    request_frame,
};
use std::time::Duration;

/// Requests held for this long behind another while a worker idles are called back.
const HELD_TOO_LONG: Duration = Duration::from_millis(2);

impl Master {
    pub(super) fn dispatch_touched(&mut self, turn: &mut Turn<'_>) {
        // Dispatching may end tasks, whose dependents may be of any kind, also an earlier one.
        while let Some(index) = self.next_touched() {
            self.pools[index].touched = false;
            self.dispatch(turn, index);
            self.note_looked(turn, index);
            self.draw_conclusions(turn);
        }
    }

    fn dispatch(&mut self, turn: &mut Turn<'_>, pool: usize) {
        self.start_ready(turn, pool);
        self.share_out(turn);
        // Only now: a place may have been made for what is ready.
        if !self.pools[pool].ready.is_empty() {
            self.survey(turn, pool);
        }
    }

    fn start_ready(&mut self, turn: &mut Turn<'_>, pool: usize) {
        self.watch_starts(turn, pool);
        self.pools[pool].lacks = false;
        if let Some(error) = self.pools[pool].ended.clone() {
            // What came back from the last workers finds no further one.
            let kind = KindId(u16::try_from(pool).expect("a pool per kind"));
            self.pools[pool].hunger = None;
            let outcome = || Outcome::SpawnFailed(error.clone());
            return self.end_everything_waiting(turn, Some(kind), &outcome);
        }
        self.retire_worn(turn, pool);
        self.retire_nobodies(turn, pool);
        if self.pools[pool].ready.is_empty() {
            self.staff(turn, pool);
            self.watch_held(turn, pool);
            return;
        }
        if !self.may_start(pool) {
            return self.staff(turn, pool);
        }
        // Every worker one, before any gets a second; and what is for others only when they had their choice.
        loop {
            self.pools[pool].own_behind = false;
            let robbed = self.config.mutation.is(Mutation::HolderRobbed);
            let started = self.start_each(turn, pool, robbed, false);
            // Somebody left what he would have taken to what is more urgent: each start may make it his turn.
            let behind = self.pools[pool].own_behind;
            if behind && started {
                continue;
            }
            if self.pools[pool].ready.is_plain() {
                break;
            }
            if !self.start_each(turn, pool, true, behind) || !behind {
                break;
            }
        }
        let credit = self.pools[pool].credit();
        if credit > 0 && !self.pools[pool].ready.is_empty() {
            self.fill(turn, pool, credit);
        }
        if self.config.mutation.is(Mutation::RequeueBeyondBound) {
            self.hand_over_beyond(turn, pool, credit);
        }
        self.staff(turn, pool);
        if self.pools[pool].ready.is_empty() {
            self.watch_held(turn, pool);
        }
    }

    /// One task to each idle worker, or `one` in all. Whether any was sent.
    fn start_each(
        &mut self,
        turn: &mut Turn<'_>,
        pool: usize,
        takes_of_others: bool,
        one: bool,
    ) -> bool {
        let mut started = false;
        for slot in self.pools[pool].slots.clone() {
            if self.pools[pool].ready.is_empty() || one && started {
                break;
            }
            let idle = |process: &Process| process.is_idle() || self.takes_early(process);
            if self.slots[slot].process.as_ref().is_some_and(idle) {
                started |= self.start_one(turn, pool, slot, takes_of_others);
            }
        }
        started
    }

    pub(super) fn may_start(&self, pool: usize) -> bool {
        let pool = &self.pools[pool];
        match pool.lane.gate() {
            Gate::Running | Gate::Draining => true,
            Gate::Paused | Gate::Closed => false,
        }
    }

    /// Shares out what is ready ahead of the answers, evenly.
    fn fill(&mut self, turn: &mut Turn<'_>, pool: usize, credit: usize) {
        let slots = self.pools[pool].slots.clone();
        let running = |slot: &usize| self.slots[*slot].process.as_ref();
        let held: usize = slots
            .clone()
            .filter_map(|slot| running(&slot))
            .map(|p| p.in_flight.len())
            .sum();
        let workers = slots
            .clone()
            .filter(|slot| running(slot).is_some_and(|p| p.takes(credit)))
            .count();
        if workers == 0 {
            return;
        }
        let share = (held + self.pools[pool].ready.len())
            .div_ceil(workers)
            .max(1);
        if self.others_lack_room(pool) {
            return;
        }
        for slot in slots {
            while let Some(process) = &self.slots[slot].process {
                let full = process.in_flight.len() >= share || !process.takes(credit);
                // What was called back from it waits for a token, and not behind a long task again.
                let long = turn.now.since(process.last_answer) >= HELD_TOO_LONG;
                let full = full || long && self.is_limited() && !process.in_flight.is_empty();
                if full || !self.start_one(turn, pool, slot, true) {
                    break;
                }
            }
        }
    }

    /// Sends the first task that this worker may take. False when there is none.
    fn start_one(
        &mut self,
        turn: &mut Turn<'_>,
        pool: usize,
        slot: usize,
        takes_of_others: bool,
    ) -> bool {
        let begins = |process: &Process| process.in_flight.is_empty();
        let begins = self.slots[slot].process.as_ref().is_some_and(begins);
        while let Some(task) = self.pick(turn, pool, slot, takes_of_others) {
            if begins && !self.has_room(pool) {
                // It stays where it is until the token is there: it can be cancelled, and others can overtake it.
                self.note_lack(pool);
                return false;
            }
            if self.makes_way(turn, pool, slot, task) {
                return false;
            }
            match self.start(turn, task, slot) {
                Attempted::Sent => {
                    if begins {
                        self.took_room(pool, true);
                    }
                    return true;
                }
                // Its group may have given up who would be next.
                Attempted::Ended => self.decide_scopes(turn),
                Attempted::NoPlace => return false,
            }
        }
        false
    }

    /// Sends a ready task.
    pub(super) fn start(&mut self, turn: &mut Turn<'_>, id: TaskId, slot: usize) -> Attempted {
        let kind = self.tasks.at(id).kind;
        let Ok(started) = self.occupy(kind, id, turn.now.as_millis()) else {
            // Cancelled attempts still occupy their workers; their end touches the pool again.
            return Attempted::NoPlace;
        };
        self.leave_ready(id);
        let slot_id = self.slots[slot].id;
        let process = self.slots[slot]
            .process
            .as_mut()
            .expect("picked for this worker");
        let task = self.tasks.at_mut(id);
        task.attempt = Attempt(started.attempt);
        let number = process.sent + 1;
        let header = RequestHeader {
            number,
            id: task.fence(),
            kind: process.kind_there,
        };
        let start = turn.actions.bytes.len();
        let limit = self.config.frame_limit;
        let kinds = &mut *turn.kinds;
        let built = request_frame(&mut turn.actions.bytes, &header, limit, |out| {
            match kinds.request(header.id, slot_id, out, limit.0 as usize) {
                RequestAnswer::Ready => Ok(()),
                RequestAnswer::Skip => Err(Unsent(Outcome::Skipped(SkippedBy::Kind))),
                RequestAnswer::NotMarshallable(error) => {
                    Err(Unsent(Outcome::RequestNotMarshallable(error)))
                }
                RequestAnswer::Fault(fault) => Err(Unsent(Outcome::KindFault(fault))),
            }
        });
        let place = Place {
            slot: slot_id,
            session: process.session,
            number,
            sent: turn.now,
        };
        if let Err(Unsent(outcome)) = built {
            self.end_unsent(turn, id, outcome);
            return Attempted::Ended;
        }
        process.sent = number;
        process.solo = task.solo || task.at_most_once;
        let flight = Flight {
            id: header.id,
            number,
            recalled: false,
            decoding: None,
            panicked: None,
        };
        process.in_flight.push_back(flight);
        task.started = Some(turn.now);
        task.set(State::Sent(place));
        turn.actions
            .send_from(slot_id, place.session, Link::Requests, start);
        turn.actions.push(Action::Started {
            id: header.id,
            slot: slot_id,
            session: place.session,
        });
        self.arm_attempt(turn, id);
        Attempted::Sent
    }

    /// Nothing is ready. If a worker idles while another holds requests behind a long task, look again soon.
    fn watch_held(&mut self, turn: &Turn<'_>, pool: usize) {
        let state = &self.pools[pool];
        if state.config.credit_cap == 0 || state.rebalancing {
            return;
        }
        let processes = || {
            state
                .slots
                .clone()
                .filter_map(|slot| self.slots[slot].process.as_ref())
        };
        let idle = processes().any(Process::is_idle) || self.may_grow(pool);
        let held = |process: &Process| process.in_flight.iter().skip(1).any(|f| !f.recalled);
        if idle && processes().any(held) {
            let kind = KindId(u16::try_from(pool).expect("a pool per kind"));
            self.pools[pool].rebalancing = true;
            self.timers
                .arm(turn.now.after(HELD_TOO_LONG), Timer::Rebalance(kind));
        }
    }

    /// Calls half of the held requests back from workers that have not answered for a while.
    pub(super) fn rebalance(&mut self, turn: &mut Turn<'_>, kind: KindId) {
        let pool = kind.0 as usize;
        self.pools[pool].rebalancing = false;
        let idle = |slot: usize| {
            self.slots[slot]
                .process
                .as_ref()
                .is_some_and(Process::is_idle)
        };
        let idle = self.pools[pool].slots.clone().any(idle) || self.may_grow(pool);
        if !self.pools[pool].ready.is_empty() || !idle {
            return;
        }
        for slot in self.pools[pool].slots.clone() {
            let Some(process) = &self.slots[slot].process else {
                continue;
            };
            if turn.now.since(process.last_answer) >= HELD_TOO_LONG {
                let keep = process.in_flight.len().div_ceil(2).max(1);
                self.revoke(turn, slot, keep);
            }
        }
        self.watch_held(turn, pool);
    }

    /// Asks for everything back that a worker holds behind its first `keep` requests.
    pub(super) fn revoke(&mut self, turn: &mut Turn<'_>, slot: usize, keep: usize) {
        let slot = &mut self.slots[slot];
        let Some(process) = &mut slot.process else {
            return;
        };
        let start = turn.actions.bytes.len();
        // Asked once: a worker that does not listen must not fill its pipe with the same wish.
        let held = process.in_flight.iter_mut().skip(keep);
        for flight in held.filter(|flight| !flight.recalled) {
            flight.recalled = true;
            let header = farm_protocol::AttemptHeader {
                number: flight.number,
                id: flight.id,
            };
            attempt_frame(&mut turn.actions.bytes, FrameKind::Revoke, &header);
        }
        if turn.actions.bytes.len() > start {
            turn.actions
                .send_from(slot.id, process.session, Link::Control, start);
        }
    }
}

/// What became of a picked task.
pub(super) enum Attempted {
    /// It is on its way.
    Sent,
    /// It has ended instead.
    Ended,
    /// It is still ready: the lane has no place in flight.
    NoPlace,
}

/// Why a picked task was not sent after all.
struct Unsent(Outcome);

impl From<FrameError> for Unsent {
    fn from(error: FrameError) -> Self {
        let (length, limit) = match error {
            FrameError::TooLong { length, limit } => (length, limit),
            FrameError::Empty | FrameError::UnknownKind(_) => unreachable!("a request is neither"),
        };
        Self(Outcome::RequestNotMarshallable(MarshalError::TooLarge {
            size: length as usize,
            at_least: length == u32::MAX,
            limit: limit as usize,
        }))
    }
}
