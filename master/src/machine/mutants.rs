//! What seeded bugs do that takes more than a condition where the rule stands. The bugs are told in
//! [`crate::Mutation`]; nothing here runs without the feature `mutation`.

use super::dispatch::Attempted;
use super::scopes::Seat;
use super::slot::{Ending, Phase, Process};
use super::task::{State, StopWhy, Task, key};
use super::{Master, Turn};
use crate::affinity::Whom;
use crate::group::{Group, MemberEnd, Rule, Ties};
use crate::lane::{LaneError, Started};
use crate::mutation::Mutation;
use crate::options::OnLost;
use crate::outcome::{CancelledBy, HowStopped};
use farm_protocol::{Frame, FrameKind, KindId, ReplyHeader, Session, SlotId, TaskId};
use std::num::NonZeroU32;

impl Master {
    /// `b1`: the lane is told that a stopped attempt whose answer counts has come to rest. True when it was.
    pub(super) fn settled_as_stopped(&mut self, id: TaskId) -> bool {
        let task = self.tasks.at(id);
        let attempt = task.attempt.0;
        let stopped = matches!(task.state(), State::Stopping(..))
            && self.config.mutation.is(Mutation::AnswerAfterStopCounts);
        if stopped {
            let lane = &mut self.pool_of(id).lane;
            lane.settle(key(id), attempt)
                .expect("cancelled and not settled");
        }
        stopped
    }

    /// `b3`: a cancelled attempt is called at rest before its worker has said anything.
    pub(super) fn free_at_once(&mut self, turn: &mut Turn<'_>, id: TaskId, slot: SlotId) {
        let index = self
            .process_at(slot)
            .flight(id)
            .expect("it was with this worker");
        self.land(slot, index);
        self.came_to_rest(turn, id, HowStopped::Acked);
        self.retire_if_empty(turn, slot);
    }

    /// `b3`: a reply is for the first request that the worker is thought to have.
    pub(super) fn as_presumed(&mut self, slot: SlotId, header: ReplyHeader) -> ReplyHeader {
        if !self.config.mutation.is(Mutation::ReplyUnmatched) {
            return header;
        }
        let process = self.process_at(slot);
        let first = process
            .in_flight
            .iter()
            .find(|flight| flight.decoding.is_none());
        ReplyHeader {
            id: first.map_or(header.id, |flight| flight.id),
            ..header
        }
    }

    /// `b4`: a worker that has not said hello takes its first task.
    pub(super) fn takes_early(&self, process: &Process) -> bool {
        self.config.mutation.is(Mutation::LostWhileBooting)
            && matches!(process.phase, Phase::Launching(_))
            && process.ending.is_none()
            && process.exit.is_none()
            && !process.eof
            && process.in_flight.is_empty()
    }

    /// `b4`: this worker, which is gone, never said a hello that was good.
    pub(super) fn goes_unbooted(&self, process: &Process) -> bool {
        self.config.mutation.is(Mutation::LostWhileBooting)
            && (matches!(process.phase, Phase::Launching(_))
                || matches!(process.ending, Some(Ending::StartFailed(_))))
    }

    /// `b4`: what becomes of the task of a worker that could not be started.
    pub(super) fn drop_unbooted(&mut self, turn: &mut Turn<'_>, process: Option<Process>) {
        for flight in process.into_iter().flat_map(|process| process.in_flight) {
            let id = flight.id.task;
            if matches!(self.tasks.at(id).state(), State::Stopping(..)) {
                self.came_to_rest(turn, id, HowStopped::BeforeStart);
            } else {
                self.drop_silently(turn, id);
            }
        }
    }

    /// `b4`, `x11`: takes a sent task out of the books without an end. Nobody is told.
    pub(super) fn drop_silently(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        self.attempt_void(turn, id);
        let lane = &mut self.pool_of(id).lane;
        lane.fail(key(id), "dropped").expect("it was in flight");
        assert!(lane.forget(key(id)), "it has failed");
        self.tasks.remove(id);
    }

    /// The lane's gate for a start. `b8`: those that came back need no place there.
    pub(super) fn occupy(
        &mut self,
        kind: KindId,
        id: TaskId,
        now_ms: u64,
    ) -> Result<Started, LaneError> {
        let came_back = if self.config.mutation.is(Mutation::RequeueBeyondBound) {
            let with_workers = self
                .tasks
                .iter()
                .filter(|task| task.kind == kind && task.place().is_some() && task.attempt.0 > 1);
            with_workers.count() + usize::from(self.tasks.at(id).attempt.0 > 0)
        } else {
            0
        };
        let lane = &mut self.pools[kind.0 as usize].lane;
        if came_back == 0 {
            return lane.start(key(id), now_ms);
        }
        let bound = lane.boundary().max_in_flight;
        lane.set_max_in_flight(bound.saturating_add(came_back));
        let started = lane.start(key(id), now_ms);
        lane.set_max_in_flight(bound);
        started
    }

    /// `b8`: what came back and found no free worker goes to one that has all that it may have.
    pub(super) fn hand_over_beyond(&mut self, turn: &mut Turn<'_>, pool: usize, credit: usize) {
        let full = |process: &Process| {
            matches!(process.phase, Phase::Running(_))
                && process.ending.is_none()
                && process.exit.is_none()
                && !process.eof
                && !process.solo
                && process.in_flight.len() == 1 + if process.page { credit } else { 0 }
        };
        // A retry has a failure behind it, and is not meant. What must be alone would meet an assertion.
        let came_back = |task: &Task| {
            let options = task.options(&self.pools[pool].config.defaults);
            task.kind.0 as usize == pool
                && matches!(task.state(), State::Ready)
                && task.attempt.0 > 0
                && task.last_end.is_none()
                && !task.solo
                && options.on_lost == OnLost::Retry
                && options.limit.is_none()
        };
        for id in self.tasks.ids(came_back) {
            let mut slots = self.pools[pool].slots.clone();
            let found = slots.find(|slot| {
                let process = self.slots[*slot].process.as_ref();
                process.is_some_and(full)
                    && turn.kinds.matches(id, Whom::Worker(self.slots[*slot].id)) == Ok(true)
            });
            let Some(slot) = found else { continue };
            match self.start(turn, id, slot) {
                Attempted::Sent | Attempted::Ended | Attempted::NoPlace => {}
            }
        }
    }

    /// `b11`: what is left in the decoder when the answers end is the last frame.
    pub(super) fn accept_cut_frame(&mut self, turn: &mut Turn<'_>, slot: SlotId, session: Session) {
        /// Length and kind, before the body.
        const HEADER: usize = 5;
        /// Zeros are added in portions of this many bytes until the decoder takes the frame for whole.
        const PORTION: usize = 64 << 10;
        let process = self
            .slots
            .get_mut(slot.0 as usize)
            .and_then(|slot| slot.of(session));
        let Some(mut decoder) = process.and_then(Process::lend_decoder) else {
            return;
        };
        let Some(there) = decoder.pending().checked_sub(HEADER) else {
            return;
        };
        let cut: Option<(FrameKind, Vec<u8>)> = loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => break Some((frame.kind, frame.body[..there].to_vec())),
                Ok(None) => decoder.push(&[0; PORTION]),
                Err(_) => break None,
            }
        };
        let Some((kind, body)) = cut else { return };
        let frame = Frame { kind, body: &body };
        if let Err(why) = self.frame(turn, slot, session, frame) {
            self.babbled(turn, slot, why);
        }
    }

    /// `b12`: the answers have ended, so all that the worker had comes back.
    pub(super) fn requeue_all(&mut self, turn: &mut Turn<'_>, slot: SlotId) {
        let mut index = 0;
        while let Some(flight) = self.process_at(slot).in_flight.get(index) {
            let answered = flight.decoding.is_some() || flight.panicked.is_some();
            let id = flight.id.task;
            if answered || !matches!(self.tasks.at(id).state(), State::Sent(_)) {
                index += 1;
                continue;
            }
            self.land(slot, index);
            self.put_back(turn, id);
        }
    }

    /// `b12`: the process is gone, so what it executed comes back, wherever it is by now.
    pub(super) fn requeue_noted(&mut self, turn: &mut Turn<'_>, slot: SlotId) {
        let process = self.process_at(slot);
        let noted = process.exit.as_ref().and_then(|exit| exit.noted);
        let executing = noted.and_then(|noted| noted.executing);
        let Some(id) = executing.filter(|_| process.eof).map(|id| id.task) else {
            return;
        };
        let Some(State::Sent(place)) = self.tasks.get(id).map(Task::state) else {
            return;
        };
        let there = place.slot;
        let index = self
            .process_at(there)
            .flight(id)
            .expect("a sent task is with its worker");
        if there == slot || self.process_at(there).in_flight[index].decoding.is_some() {
            return;
        }
        self.land(there, index);
        self.put_back(turn, id);
        self.retire_if_empty(turn, there);
    }

    /// A group with this rule. `g1`, `g2`: it is not the one that was asked for.
    pub(super) fn new_group(&self, (rule, ties): (Rule, Ties)) -> Group {
        let early = self.config.mutation.is(Mutation::QuorumOneTooEarly);
        let rule = match rule {
            Rule::Quorum(wanted) if early => {
                let fewer = NonZeroU32::new(wanted.get() - 1);
                Rule::Quorum(fewer.unwrap_or(NonZeroU32::MIN))
            }
            Rule::All | Rule::FirstError | Rule::FirstSuccess | Rule::Quorum(_) => rule,
        };
        let cut = self.config.mutation.is(Mutation::LowestIsCut);
        Group::new(rule, if cut { Ties::Arrival } else { ties })
    }

    /// `g3`: what the end of a member is taken for.
    pub(super) fn as_counted(&self, end: MemberEnd) -> MemberEnd {
        match end {
            MemberEnd::Neutral if self.config.mutation.is(Mutation::CancelledIsError) => {
                MemberEnd::Error
            }
            MemberEnd::Done | MemberEnd::Error | MemberEnd::Neutral => end,
        }
    }

    /// `g4`, `g5`: whether a decision spares this member.
    pub(super) fn overlooks(&self, id: TaskId) -> bool {
        let mutation = self.config.mutation;
        self.tasks.get(id).is_some_and(|task| match task.state() {
            State::Delayed { .. } => mutation.is(Mutation::DecisionForgetsDelayed),
            State::Needing { .. } | State::Ready | State::Parked => {
                mutation.is(Mutation::DecisionSparesWaiting)
            }
            State::Sent(_) | State::Stopping(..) => false,
        })
    }

    /// `g7`: the scope in which this task stood is gone.
    pub(super) fn has_outlived(&self, seat: Seat) -> bool {
        self.config.mutation.is(Mutation::FollowUpsOutlive) && self.scopes.get(seat.scope).is_none()
    }

    /// `g8`: whether who is given up for this is let in all the same.
    pub(super) fn lets_in(&self, why: &StopWhy) -> bool {
        let decided = matches!(why, StopWhy::Cancelled(CancelledBy::Group(_)));
        decided && self.config.mutation.is(Mutation::LateMembersRun)
    }

    /// `x13`: how many tasks a closing farm does not count.
    pub(super) fn overlooked(&self) -> usize {
        if !self.config.mutation.is(Mutation::DrainForgetsDelayed) {
            return 0;
        }
        let delayed = |task: &&Task| matches!(task.state(), State::Delayed { .. });
        self.tasks.iter().filter(delayed).count()
    }
}
