//! What workers say: frames in, and what they mean for the attempt they are about.

use super::slot::{Decoding, Ending, Phase};
use super::task::{State, StopWhy};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::{Action, Signal};
use crate::event::Stream;
use crate::kinds::{Judged, NextOfWorker, Payload, ResponseAnswer};
use crate::mutation::Mutation;
use crate::options::Cause;
use crate::outcome::{AttemptEnd, HowStopped, Outcome};
use farm_protocol::page::Noted;
use farm_protocol::{
    AttemptHeader, AttemptId, Frame, FrameKind, MarshalError, ReplyHeader, Session, SlotId, TaskId,
    decode, decode_prefix,
};

impl Master {
    pub(super) fn bytes(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        bytes: &[u8],
    ) {
        let Some(process) = self.process(slot, session) else {
            return;
        };
        match &mut process.phase {
            Phase::Launching(greeting) => match greeting.push(bytes) {
                Ok(None) => return,
                Ok(Some(hello)) => {
                    if !self.greet(turn, slot, session, &hello) {
                        return;
                    }
                }
                Err(fault) => return self.start_failed(turn, slot, fault.to_string()),
            },
            Phase::Running(decoder) | Phase::Closing(decoder) => decoder.push(bytes),
            Phase::Deaf => return,
        }
        self.read_frames(turn, slot, session);
    }

    fn read_frames(&mut self, turn: &mut Turn<'_>, slot: SlotId, session: Session) {
        // The decoder is lent out while its frames are acted upon; what is learned meanwhile about
        // this process (retire it, kill it) changes the phase around the empty place.
        let Some(mut decoder) = self.process_at(slot).lend_decoder() else {
            return;
        };
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => {
                    if let Err(why) = self.frame(turn, slot, session, frame) {
                        return self.babbled(turn, slot, why);
                    }
                    if matches!(self.process_at(slot).phase, Phase::Deaf) {
                        return;
                    }
                }
                Ok(None) => break,
                Err(error) => return self.babbled(turn, slot, error.to_string()),
            }
        }
        self.process_at(slot).return_decoder(decoder);
    }

    /// Acts on one frame. `Err`: the worker speaks no protocol that we know.
    pub(super) fn frame(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        frame: Frame<'_>,
    ) -> Result<(), String> {
        let about = || decode_prefix::<AttemptHeader>(frame.body).map_err(in_words);
        match frame.kind {
            FrameKind::Reply => {
                let (header, body) = decode_prefix::<ReplyHeader>(frame.body).map_err(in_words)?;
                let header = self.as_presumed(slot, header);
                self.reply(turn, slot, session, &header, body)
            }
            FrameKind::Feedback => {
                let (header, body) = about()?;
                self.feedback(turn, slot, header.id, body);
                Ok(())
            }
            FrameKind::Progress => {
                let (header, body) = about()?;
                self.progress(turn, slot, header.id, body)
            }
            FrameKind::Revoked => {
                let (header, _) = about()?;
                self.revoked(turn, slot, header.id)
            }
            FrameKind::Refused => {
                let (header, body) = about()?;
                let outcome = Outcome::RequestRefused(decode(body).map_err(in_words)?);
                self.fault(turn, slot, header.id, outcome)?;
                let why = Ending::Babbled("it could not decode a request".into());
                self.retire(turn, slot, why);
                Ok(())
            }
            FrameKind::Unmarshallable => {
                let (header, body) = about()?;
                let outcome = Outcome::ResponseNotMarshallable(decode(body).map_err(in_words)?);
                self.fault(turn, slot, header.id, outcome)
            }
            FrameKind::Panicked => {
                let (header, body) = about()?;
                let message: String = decode(body).map_err(in_words)?;
                self.panicked(turn, slot, header.id, message)
            }
            FrameKind::Hello
            | FrameKind::Request
            | FrameKind::Stop
            | FrameKind::Cancel
            | FrameKind::Revoke => Err(format!("a frame {:?} is not for the master", frame.kind)),
        }
    }

    /// Where an answered attempt stands among what the worker holds. Requests are performed in
    /// order, so it must be the first that is not being decoded. What it does not hold it cannot
    /// answer: a pipe belongs to one session and keeps its order, so nothing in it is late. Dropping
    /// such an answer would leave the task that it was meant for waiting for ever.
    fn answered(&mut self, slot: SlotId, id: AttemptId) -> Result<usize, String> {
        let unfenced = self.config.mutation.is(Mutation::AttemptUnfenced);
        let process = self.process_at(slot);
        let is_it = |it: AttemptId| it == id || (unfenced && it.task == id.task);
        let Some(index) = process.in_flight.iter().position(|flight| is_it(flight.id)) else {
            return Err(format!("it answered {id}, which it does not have"));
        };
        if process
            .in_flight
            .iter()
            .take(index)
            .any(|flight| flight.decoding.is_none())
        {
            return Err(format!("it answered {id} before what it was sent earlier"));
        }
        if process.in_flight[index].decoding.is_some()
            || process.in_flight[index].panicked.is_some()
        {
            return Err(format!("it answered {id} twice"));
        }
        Ok(index)
    }

    fn reply(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        header: &ReplyHeader,
        body: &[u8],
    ) -> Result<(), String> {
        let index = self.answered(slot, header.id)?;
        let kind = self.slots[slot.0 as usize].kind;
        self.pools[kind.0 as usize].measured(header.ran());
        let first = self.process_at(slot).settled == 0;
        self.started_well(kind, first);
        let process = self.process_at(slot);
        process.last_answer = turn.now;
        process.settled += 1;
        let left_behind = header.flags.left_behind;
        let stopping = matches!(self.tasks.at(header.id.task).state(), State::Stopping(..));
        let void =
            header.flags.heeded_cancel || !self.config.mutation.is(Mutation::AnswerAfterStopCounts);
        if stopping && void {
            self.counters.late_answers += 1;
            let how = if header.flags.heeded_cancel {
                HowStopped::Acked
            } else {
                HowStopped::LateReply
            };
            // A large one would hold the loop, and decides nothing.
            if body.len() <= self.pools[kind.0 as usize].config.decode_above {
                turn.kinds.late(header.id, body);
                self.may_have_learnt(kind);
            }
            self.land(slot, index);
            self.came_to_rest(turn, header.id.task, how);
        } else if body.len() > self.pools[kind.0 as usize].config.decode_above {
            let flight = &mut self.process_at(slot).in_flight[index];
            flight.decoding = Some(Decoding { left_behind });
            // It has answered in time, however long the decoding takes.
            self.disarm_attempt(turn, header.id.task);
            turn.actions.push(Action::Decode {
                slot,
                session,
                id: header.id,
                kind,
                bytes: body.to_vec(),
            });
            return Ok(());
        } else {
            self.land(slot, index);
            self.use_response(turn, slot, header.id, Payload::Bytes(body));
        }
        if left_behind {
            self.retire(turn, slot, Ending::Replaced);
        }
        self.wear_down(turn, slot);
        self.retire_if_empty(turn, slot);
        Ok(())
    }

    /// A response that was too large for the loop is decoded.
    pub(super) fn decoded(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        id: AttemptId,
        handle: u64,
    ) {
        // Between the answer and here the worker may have died; the answer counts all the same.
        let process = self
            .slots
            .get_mut(slot.0 as usize)
            .and_then(|slot| slot.of(session));
        let index = process.and_then(|process| {
            process
                .in_flight
                .iter()
                .position(|f| f.id == id && f.decoding.is_some())
        });
        let Some(index) = index else {
            self.counters.stale_answers += 1;
            return;
        };
        let left_behind = self.process_at(slot).in_flight[index]
            .decoding
            .is_some_and(|d| d.left_behind);
        self.land(slot, index);
        if matches!(self.tasks.at(id.task).state(), State::Stopping(..)) {
            self.counters.late_answers += 1;
            self.came_to_rest(turn, id.task, HowStopped::LateReply);
        } else {
            self.use_response(turn, slot, id, Payload::Decoded(handle));
        }
        if left_behind {
            self.retire(turn, slot, Ending::Replaced);
        }
        self.wear_down(turn, slot);
        self.retire_if_empty(turn, slot);
        self.end_session_if_over(turn, slot);
    }

    /// Takes a request from what the worker holds: it is answered.
    pub(super) fn land(&mut self, slot: SlotId, index: usize) {
        let process = self.process_at(slot);
        process.in_flight.remove(index).expect("looked up just now");
        process.solo = false;
        if process.signalled == Some(Signal::Terminate) && process.ending.is_none() {
            // The signal was for what has just landed; the worker has lived through it and stays.
            process.signalled = None;
        }
        let kind = self.slots[slot.0 as usize].kind;
        self.touch(kind);
    }

    fn use_response(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        id: AttemptId,
        payload: Payload<'_>,
    ) {
        let task = self.tasks.at(id.task);
        let (kind, seat) = (task.kind, task.seat);
        let answer = turn.kinds.response(id, slot, payload);
        self.may_have_learnt(kind);
        match answer {
            ResponseAnswer::Taken {
                judged,
                next,
                keys,
                injected,
            } => {
                if next == NextOfWorker::Stay {
                    self.now_holds(slot, keys);
                }
                match judged {
                    Judged::Done => self.succeeded(turn, id.task),
                    Judged::Failed { cause, fatal } => {
                        self.failed(
                            turn,
                            id.task,
                            AttemptEnd::Failed,
                            Outcome::Failed(()),
                            (!fatal).then_some(cause),
                        );
                    }
                }
                self.inject(turn, slot, kind, seat, injected);
                if next == NextOfWorker::End {
                    self.retire(turn, slot, Ending::Replaced);
                }
            }
            ResponseAnswer::Garbled(error) => {
                self.failed(
                    turn,
                    id.task,
                    AttemptEnd::Fault,
                    Outcome::ResponseGarbled(error),
                    None,
                );
                self.retire(
                    turn,
                    slot,
                    Ending::Babbled("its response could not be decoded".into()),
                );
            }
            ResponseAnswer::Fault(fault) => {
                self.failed(
                    turn,
                    id.task,
                    AttemptEnd::Fault,
                    Outcome::KindFault(fault),
                    None,
                );
                self.retire(turn, slot, Ending::Replaced);
            }
        }
    }

    /// An answer that ends the task for good.
    fn fault(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        id: AttemptId,
        outcome: Outcome,
    ) -> Result<(), String> {
        let index = self.answered(slot, id)?;
        self.process_at(slot).last_answer = turn.now;
        if matches!(outcome, Outcome::ResponseNotMarshallable(_)) {
            let kind = self.slots[slot.0 as usize].kind;
            let first = self.process_at(slot).settled == 0;
            self.started_well(kind, first);
            self.process_at(slot).settled += 1;
        }
        self.land(slot, index);
        if matches!(self.tasks.at(id.task).state(), State::Stopping(..)) {
            self.came_to_rest(turn, id.task, HowStopped::LateReply);
        } else {
            self.failed(turn, id.task, AttemptEnd::Fault, outcome, None);
        }
        self.wear_down(turn, slot);
        self.retire_if_empty(turn, slot);
        Ok(())
    }

    /// The worker is about to end by a panic. Its exit brings the evidence; until then the attempt stays in flight.
    fn panicked(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        id: AttemptId,
        message: String,
    ) -> Result<(), String> {
        let index = self.answered(slot, id)?;
        let process = self.process_at(slot);
        process.in_flight[index].panicked = Some(message);
        let session = process.session;
        // It panicked within its time, and one that lives on after a panic will never answer.
        self.disarm_attempt(turn, id.task);
        let until = turn.now.after(self.config.close_budget);
        self.arm_of_session(slot, until, Timer::CloseKill(slot, session));
        Ok(())
    }

    /// An attempt has not begun and never will.
    fn revoked(&mut self, turn: &mut Turn<'_>, slot: SlotId, id: AttemptId) -> Result<(), String> {
        let process = self.process_at(slot);
        let Some(index) = process.in_flight.iter().position(|flight| flight.id == id) else {
            self.counters.stale_answers += 1;
            return Ok(());
        };
        if process.in_flight[index].decoding.is_some() {
            return Err(format!("it gave {id} back after it had answered it"));
        }
        let recalled = process.in_flight[index].recalled;
        let stopping = matches!(self.tasks.at(id.task).state(), State::Stopping(..));
        if !recalled && !stopping {
            // Sent again at once it would come back at once, for ever.
            return Err(format!("it gave {id} back unasked"));
        }
        self.land(slot, index);
        if stopping {
            self.came_to_rest(turn, id.task, HowStopped::BeforeStart);
        } else if self.config.mutation.is(Mutation::RevokedForgotten) {
            self.drop_silently(turn, id.task);
        } else {
            self.put_back(turn, id.task);
        }
        self.wear_down(turn, slot);
        self.retire_if_empty(turn, slot);
        Ok(())
    }

    fn feedback(&mut self, turn: &mut Turn<'_>, slot: SlotId, id: AttemptId, body: &[u8]) {
        // Also of an attempt that was asked to stop: what a command writes while it ends is output.
        if self
            .process_at(slot)
            .in_flight
            .iter()
            .any(|flight| flight.id == id)
        {
            self.tasks.at_mut(id.task).last_sign = turn.now;
            if turn.kinds.feedback(id, body).is_err() {
                self.counters.bad_feedback += 1;
            }
        } else {
            self.counters.stale_answers += 1;
        }
    }

    /// The worker's own output: exactly one task's when it holds one, else of the run it fell in.
    pub(super) fn output(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        stream: Stream,
        noted: Noted,
        bytes: &[u8],
    ) {
        let Some(process) = self.process(slot, session) else {
            return;
        };
        let executing = noted.executing.and_then(|id| process.flight(id.task));
        // Nothing executes: all that is in flight may have been answered before it was read.
        let run = executing.map_or(process.in_flight.len(), |index| index + 1);
        let tasks: Vec<TaskId> = process
            .in_flight
            .iter()
            .take(run)
            .map(|flight| flight.id.task)
            .collect();
        turn.kinds.output(&tasks, stream, bytes);
    }

    /// The worker said something that is no protocol. Where its next frame would begin is unknown:
    /// it is killed, and the attempt that it should have answered has a garbled response.
    pub(super) fn babbled(&mut self, turn: &mut Turn<'_>, slot: SlotId, why: String) {
        let process = self.process_at(slot);
        process.phase = Phase::Deaf;
        let answered_before = process.settled > 0;
        let first = process
            .in_flight
            .iter()
            .position(|f| f.decoding.is_none() && f.panicked.is_none());
        if let Some(index) = first {
            let task = process.in_flight[index].id.task;
            self.land(slot, index);
            if matches!(self.tasks.at(task).state(), State::Stopping(..)) {
                self.came_to_rest(turn, task, HowStopped::LateReply);
            } else {
                let error = MarshalError::Decode(why.clone());
                self.failed(
                    turn,
                    task,
                    AttemptEnd::Fault,
                    Outcome::ResponseGarbled(error),
                    None,
                );
            }
        }
        // One that costs no task must not be started again without end.
        let ending = if first.is_none() && !answered_before {
            Ending::StartFailed(why)
        } else {
            Ending::Babbled(why)
        };
        self.kill(turn, slot, ending);
    }
}

/// Why a frame makes no sense. It becomes the reason of bytes that cannot be decoded: that is not said twice.
pub(super) fn in_words(error: MarshalError) -> String {
    match error {
        MarshalError::Decode(why) => why,
        error => error.to_string(),
    }
}

/// Whether a stop was for a limit: those may be retried.
pub(super) const fn cause_of(why: &StopWhy) -> Option<Cause> {
    match why {
        StopWhy::TimedOut(_) => Some(Cause::Timeout),
        StopWhy::Exceeded(_) => Some(Cause::Resource),
        StopWhy::Cancelled(_) => None,
    }
}
