//! The ladder, and what falls due: ask at once, SIGTERM at half of the budget, SIGKILL at its end.

use super::slot::Ending;
use super::task::{Overrun, Place, State, StopWhy, key};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::{Action, Link, Signal};
use crate::lane::{CancelEffect, Due};
use crate::mutation::Mutation;
use crate::options::TimeLimit;
use crate::outcome::{AttemptEnd, CancelledBy, HowStopped, Outcome};
use farm_protocol::{AttemptHeader, FrameKind, SlotId, TaskId, attempt_frame};
use std::time::Duration;

/// The longest budget of an attempt that exceeded a limit: whoever eats memory goes on eating it. Still a
/// moment in which a command can be asked to end and tell what it has said so far.
const OVERRUN_GRACE: Duration = Duration::from_millis(200);

impl Master {
    pub(super) fn cancel(&mut self, turn: &mut Turn<'_>, id: TaskId, reason: String) {
        if !self.cancel_offer(turn, id, &reason) {
            self.cancel_by(turn, id, CancelledBy::Caller(reason));
        }
    }

    pub(super) fn cancel_by(&mut self, turn: &mut Turn<'_>, id: TaskId, by: CancelledBy) {
        self.end_by(turn, id, StopWhy::Cancelled(by));
    }

    /// Ends a task for good, wherever it is: at once what is with no worker, by the ladder what is.
    pub(super) fn end_by(&mut self, turn: &mut Turn<'_>, id: TaskId, why: StopWhy) {
        let Some(task) = self.tasks.get(id) else {
            return;
        };
        match task.state() {
            State::Needing { .. } | State::Ready | State::Parked => {
                let (_, outcome) = ended_by(why, HowStopped::BeforeStart);
                self.end_queued(turn, id, outcome);
            }
            State::Delayed { .. } => {
                let (_, outcome) = ended_by(why, HowStopped::BeforeStart);
                self.tasks.at_mut(id).last_end = Some(Box::new(outcome));
                self.end_delayed(turn, id);
            }
            // What is being decoded has been answered before the wish: the answer wins.
            State::Sent(place) if self.is_decoding(*place, id) => {
                self.tasks.at_mut(id).given_up = true;
            }
            State::Sent(place) => {
                let slot = place.slot;
                // A time limit of its own would allow another attempt; that of its group does not.
                self.tasks.at_mut(id).given_up |= matches!(why, StopWhy::TimedOut(_));
                self.stop(turn, id, why);
                if self.config.mutation.is(Mutation::ReplyUnmatched) {
                    self.free_at_once(turn, id, slot);
                }
            }
            // The first reason stands: a task that is being stopped for its time limit timed out.
            State::Stopping(..) => self.tasks.at_mut(id).given_up = true,
        }
    }

    fn is_decoding(&self, place: Place, id: TaskId) -> bool {
        let process = self.slots[place.slot.0 as usize].process.as_ref();
        process.is_some_and(|process| {
            process
                .flight(id)
                .is_some_and(|index| process.in_flight[index].decoding.is_some())
        })
    }

    /// Asks an attempt in flight to stop. Its answer is void from now on; the worker is free when it is at rest.
    pub(super) fn stop(&mut self, turn: &mut Turn<'_>, id: TaskId, why: StopWhy) {
        let now_ms = turn.now.as_millis();
        let task = self.tasks.at_mut(id);
        let State::Sent(place) = *task.state() else {
            panic!("{id} is not with a worker")
        };
        let pool = &mut self.pools[task.kind.0 as usize];
        let grace = task.options(&pool.config.defaults).grace;
        let (reason, grace) = match &why {
            StopWhy::Cancelled(_) => ("cancelled", grace),
            StopWhy::TimedOut(_) => ("timeout", grace),
            StopWhy::Exceeded(_) => {
                let lanes = Duration::from_millis(pool.config.boundary.cancellation_budget_ms);
                ("resource", Some(grace.unwrap_or(lanes).min(OVERRUN_GRACE)))
            }
        };
        let effect = match grace {
            Some(grace) => {
                let budget = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
                pool.lane.cancel_within(key(id), reason, now_ms, budget)
            }
            None => pool.lane.cancel(key(id), reason, now_ms),
        };
        match effect.expect("a sent task is in flight in its lane") {
            CancelEffect::StopWorker { .. } => {}
            CancelEffect::RemovedFromQueue => panic!("{id} was in flight"),
        }
        task.set(State::Stopping(place, why));
        let header = AttemptHeader {
            number: place.number,
            id: task.fence(),
        };
        self.disarm_attempt(turn, id);
        let start = turn.actions.bytes.len();
        attempt_frame(&mut turn.actions.bytes, FrameKind::Cancel, &header);
        turn.actions
            .send_from(place.slot, place.session, Link::Control, start);
    }

    /// Everything whose time has come.
    pub(super) fn fall_due(&mut self, turn: &mut Turn<'_>) {
        while let Some(timer) = self.timers.pop(turn.now) {
            match timer {
                Timer::Hello(slot, session) => self.hello_overdue(turn, slot, session),
                Timer::CloseTerminate(slot, session) => {
                    self.close_overdue(turn, slot, session, Signal::Terminate);
                }
                Timer::CloseKill(slot, session) => {
                    self.close_overdue(turn, slot, session, Signal::Kill);
                }
                Timer::Aged(slot, session) => self.aged(turn, slot, session),
                Timer::Idle(slot, session) => self.idled(turn, slot, session),
                Timer::Running(id) => self.ran_too_long(turn, id),
                Timer::Stall(id) => self.look_for_signs(turn, id),
                Timer::Starting(id) => self.nobody_came(turn, id),
                Timer::Waiting(id) => self.waited_too_long(turn, id),
                Timer::Delay(id) => self.delay_over(turn, id),
                Timer::Pause(kind) => {
                    // A later failure may have made the pause longer.
                    let pool = &mut self.pools[kind.0 as usize];
                    if pool.pause_until.is_some_and(|until| until <= turn.now) {
                        pool.pause_until = None;
                        pool.touched = true;
                    }
                }
                Timer::Rebalance(kind) => self.rebalance(turn, kind),
                Timer::Group(scope) => self.scope_overdue(turn, scope),
            }
        }
        for pool in 0..self.pools.len() {
            self.climb(turn, pool);
        }
    }

    fn waited_too_long(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        let task = self.tasks.at_mut(id);
        task.waiting_until = None;
        let outcome = Outcome::TimedOut {
            which: TimeLimit::Waiting,
            how: HowStopped::BeforeStart,
        };
        match task.state() {
            State::Needing { .. } | State::Ready | State::Parked => {
                self.end_queued(turn, id, outcome);
            }
            State::Sent(_) if self.config.mutation.is(Mutation::WaitingLimitStays) => {
                self.stop(turn, id, StopWhy::TimedOut(TimeLimit::Waiting));
            }
            State::Stopping(..) | State::Delayed { .. }
                if self.config.mutation.is(Mutation::WaitingLimitStays) => {}
            // It has started once: the limit was on the first start, and is disarmed there.
            State::Sent(_) | State::Stopping(..) | State::Delayed { .. } => {
                panic!("{id} started and its waiting limit fell")
            }
        }
    }

    /// The rungs of the ladder that are due in one lane.
    pub(super) fn climb(&mut self, turn: &mut Turn<'_>, pool: usize) {
        let now_ms = turn.now.as_millis();
        if self.pools[pool]
            .lane
            .next_deadline()
            .is_none_or(|at| at > now_ms)
        {
            return;
        }
        for overdue in self.pools[pool].lane.overdue(now_ms) {
            let found = self.slots[self.pools[pool].slots.clone()]
                .iter()
                .filter_map(|slot| slot.process.as_ref().map(|process| (slot.id, process)))
                .find(|(_, process)| {
                    process.in_flight.iter().any(|flight| {
                        key(flight.id.task) == overdue.key && flight.id.attempt.0 == overdue.attempt
                    })
                });
            let Some((slot, process)) = found else {
                continue;
            };
            let session = process.session;
            match overdue.what {
                // What is gone already did not die of what we would do now.
                Due::Terminate | Due::Kill if process.exit.is_some() => {}
                Due::Terminate => {
                    let process = self.process_at(slot);
                    process.signalled.get_or_insert(Signal::Terminate);
                    process.termed = true;
                    let signal = Signal::Terminate;
                    turn.actions.push(Action::Signal {
                        slot,
                        session,
                        signal,
                    });
                }
                Due::Kill
                    if process.signalled == Some(Signal::Terminate)
                        && self.config.mutation.is(Mutation::NoKillAfterTerminate) => {}
                Due::Kill => self.kill(turn, slot, Ending::Ladder),
            }
        }
    }

    /// SIGKILL now; the exit event does the rest.
    pub(super) fn kill(&mut self, turn: &mut Turn<'_>, slot: SlotId, why: Ending) {
        let process = self.process_at(slot);
        if process.ending.is_none() {
            process.ending = Some(why);
            self.lose_place(turn, slot);
        }
        let process = self.process_at(slot);
        if process.exit.is_none() && process.signalled != Some(Signal::Kill) {
            process.signalled = Some(Signal::Kill);
            let session = process.session;
            turn.actions.push(Action::Signal {
                slot,
                session,
                signal: Signal::Kill,
            });
        }
    }
}

/// What a stopped attempt is, and its task if it is not retried.
pub(super) fn ended_by(why: StopWhy, how: HowStopped) -> (AttemptEnd, Outcome) {
    match why {
        StopWhy::Cancelled(by) => (AttemptEnd::Cancelled(how), Outcome::Cancelled { by, how }),
        StopWhy::TimedOut(which) => (
            AttemptEnd::TimedOut(which),
            Outcome::TimedOut { which, how },
        ),
        StopWhy::Exceeded(Overrun { what, used, limit }) => (
            AttemptEnd::LimitExceeded(what),
            Outcome::LimitExceeded {
                what,
                how,
                used,
                limit,
            },
        ),
    }
}
