//! The beginning and the orderly end of a session: spawn, hello, start failures, retirement.

use super::slot::{Ending, Phase, Process};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::{Action, Link, Signal};
use crate::mutation::Mutation;
use farm_protocol::{
    FrameDecoder, FrameKind, FrameLimit, Hello, Instant, KindId, Session, SlotId, begin_frame,
    finish_frame,
};
use std::time::Duration;

impl Process {
    /// Lends the decoder out, leaving an empty one; `None` when its bytes are not read.
    pub(super) fn lend_decoder(&mut self) -> Option<FrameDecoder> {
        let empty = FrameDecoder::new(FrameLimit(0));
        match &mut self.phase {
            Phase::Running(decoder) | Phase::Closing(decoder) => {
                Some(std::mem::replace(decoder, empty))
            }
            Phase::Launching(_) | Phase::Deaf => None,
        }
    }

    /// Takes the decoder back, whatever became of the phase meanwhile.
    pub(super) fn return_decoder(&mut self, lent: FrameDecoder) {
        match &mut self.phase {
            Phase::Running(decoder) | Phase::Closing(decoder) => *decoder = lent,
            Phase::Launching(_) | Phase::Deaf => {}
        }
    }
}

impl Master {
    pub(super) fn is_launching(&self, slot: usize) -> bool {
        let process = self.slots[slot].process.as_ref();
        process.is_some_and(|process| {
            matches!(process.phase, Phase::Launching(_)) && process.ending.is_none()
        })
    }

    /// How long a worker of this kind may take to its hello.
    pub(super) fn patience(&self, kind: KindId) -> Duration {
        let own = self.pools[kind.0 as usize].config.hello_timeout;
        own.unwrap_or(self.config.hello_timeout)
    }

    pub(super) fn spawned(&mut self, slot: SlotId, session: Session, page: bool) {
        if let Some(process) = self.process(slot, session) {
            process.page = page;
        }
    }

    pub(super) fn spawn_failed(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        error: String,
    ) {
        if self.process(slot, session).is_none() {
            return;
        }
        let kind = self.slots[slot.0 as usize].kind;
        // A template has not come to what was withdrawn from it: that is no failure.
        let failed = match self.process_at(slot).ending {
            None
            | Some(Ending::StartFailed(_) | Ending::Ladder | Ending::Mute | Ending::Babbled(_)) => {
                true
            }
            Some(Ending::Replaced | Ending::Recycled(_) | Ending::Unneeded | Ending::Closing) => {
                false
            }
        };
        let process = self.slots[slot.0 as usize].process.take();
        if let Some(process) = &process {
            self.timers.disarm_all_of(process);
        }
        self.drop_unbooted(turn, process);
        self.unpin(turn, slot, session);
        self.touch(kind);
        if failed {
            self.count_start_failure(turn, kind, session, error);
        }
    }

    /// The hello is here. False when it is not good enough.
    pub(super) fn greet(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        hello: &Hello,
    ) -> bool {
        let kind = self.slots[slot.0 as usize].kind;
        match hello.find(&self.pools[kind.0 as usize].config.hello) {
            Ok(there) => {
                let patience = self.patience(kind);
                let process = self.process_at(slot);
                // Nothing has been answered yet, so this is still the moment of the spawn.
                let due = process.last_answer.after(patience);
                let took = turn.now.since(process.last_answer);
                self.timers.disarm(due, Timer::Hello(slot, session));
                self.pools[kind.0 as usize].start_took = took;
                let process = self.process_at(slot);
                process.kind_there = KindId(there);
                let Phase::Launching(greeting) = std::mem::replace(&mut process.phase, Phase::Deaf)
                else {
                    panic!("{session} said hello twice")
                };
                let decoder = greeting.into_decoder();
                process.phase = match process.ending {
                    None => Phase::Running(decoder),
                    Some(_) => Phase::Closing(decoder),
                };
                self.begin_wear(turn, slot, session);
                self.watch_starts(turn, kind.0 as usize);
                self.keeps_room(kind.0 as usize);
                turn.kinds.fresh(slot);
                turn.actions.push(Action::WorkerReady {
                    slot,
                    session,
                    pid: hello.pid,
                });
                self.touch(kind);
                true
            }
            Err(fault) => {
                self.start_failed(turn, slot, fault.to_string());
                false
            }
        }
    }

    /// The process in a slot is no worker for us. It is killed; the failure counts when it is gone.
    pub(super) fn start_failed(&mut self, turn: &mut Turn<'_>, slot: SlotId, why: String) {
        let process = self.process_at(slot);
        process.phase = Phase::Deaf;
        self.kill(turn, slot, Ending::StartFailed(why));
    }

    pub(super) fn hello_overdue(&mut self, turn: &mut Turn<'_>, slot: SlotId, session: Session) {
        let silence = self.patience(self.slots[slot.0 as usize].kind);
        let process = self
            .slots
            .get_mut(slot.0 as usize)
            .and_then(|slot| slot.of(session));
        let Some(process) = process else { return };
        if let Phase::Launching(greeting) = &process.phase {
            let how_far = if greeting.is_silent() {
                "it has written nothing"
            } else {
                "it has begun a hello and not finished it"
            };
            let why = format!(
                "the worker did not say hello within {silence:?} ({how_far}); \
                 is it a farm worker, and does its `main` call the worker's entry first?"
            );
            self.start_failed(turn, slot, why);
        }
    }

    /// A worker of this kind has worked: start failures are counted in a row. `first`: it had not before. Where workers
    /// are somebody, those that are there say nothing about whether another could be started.
    pub(super) fn started_well(&mut self, kind: KindId, first: bool) {
        if !first && self.is_named(kind.0 as usize) {
            return;
        }
        if !self
            .config
            .mutation
            .is(Mutation::StartFailuresNeverForgotten)
        {
            self.pools[kind.0 as usize].start_failures = 0;
        }
    }

    /// One more start failure in a row: pause, or give the pool up.
    pub(super) fn count_start_failure(
        &mut self,
        turn: &mut Turn<'_>,
        kind: KindId,
        session: Session,
        error: String,
    ) {
        let limits = self.config.start_failures;
        let last_session = self.last_session;
        let pool = &mut self.pools[kind.0 as usize];
        // Workers started side by side fail side by side: that is one failure, met by one pause.
        if session <= pool.failed_up_to {
            return;
        }
        pool.failed_up_to = last_session;
        pool.start_failures += 1;
        if pool.start_failures < limits.limit {
            if self.config.mutation.is(Mutation::NoPauseAfterFailure) {
                return;
            }
            let factor = 2u32
                .checked_pow(pool.start_failures - 1)
                .unwrap_or(u32::MAX);
            let pause = limits.pause.saturating_mul(factor).min(limits.max_pause);
            let until = turn.now.after(pause);
            pool.pause_until = Some(until);
            self.timers.arm(until, Timer::Pause(kind));
            return;
        }
        if pool.ended.is_some() {
            return;
        }
        let name = &pool.config.hello.name;
        let times = pool.start_failures;
        let said =
            format!("no worker for kind `{name}` could be started ({times} attempts): {error}");
        if pool.config.staffing.named {
            return self.give_up_fresh(turn, kind, &said);
        }
        self.end_pool(turn, kind, error, said);
    }

    /// The worker gets nothing new; what it holds behind the executing one is called back; when it
    /// holds nothing it is asked to end. This costs nobody anything.
    pub(super) fn retire(&mut self, turn: &mut Turn<'_>, slot: SlotId, why: Ending) {
        let process = self.process_at(slot);
        if process.ending.is_some() || process.exit.is_some() {
            return;
        }
        process.ending = Some(why);
        self.lose_place(turn, slot);
        let process = self.process_at(slot);
        match std::mem::replace(&mut process.phase, Phase::Deaf) {
            Phase::Running(decoder) | Phase::Closing(decoder) => {
                process.phase = Phase::Closing(decoder);
                self.revoke(turn, slot.0 as usize, 1);
                self.retire_if_empty(turn, slot);
            }
            // Nothing was sent to it yet, and it may never read a frame: no need to ask.
            Phase::Launching(greeting) => {
                process.phase = Phase::Launching(greeting);
                self.kill(turn, slot, Ending::Closing);
            }
            Phase::Deaf => self.kill(turn, slot, Ending::Closing),
        }
    }

    /// Asks a retired worker to end, once it holds nothing.
    pub(super) fn retire_if_empty(&mut self, turn: &mut Turn<'_>, slot: SlotId) {
        let budget = self.config.close_budget;
        let process = self.process_at(slot);
        let closing = matches!(process.phase, Phase::Closing(_));
        if !closing
            || !process.in_flight.is_empty()
            || process.signalled == Some(Signal::Kill)
            || process.asked_to_end
        {
            return;
        }
        process.asked_to_end = true;
        let session = process.session;
        let start = turn.actions.bytes.len();
        let frame = begin_frame(&mut turn.actions.bytes, FrameKind::Stop);
        finish_frame(&mut turn.actions.bytes, frame, FrameLimit(u32::MAX)).expect("an empty frame");
        turn.actions.send_from(slot, session, Link::Requests, start);
        let terminate = Timer::CloseTerminate(slot, session);
        self.arm_of_session(slot, turn.now.after(budget / 2), terminate);
        if !self.config.mutation.is(Mutation::NoKillOfClosing) {
            let kill = Timer::CloseKill(slot, session);
            self.arm_of_session(slot, turn.now.after(budget), kill);
        }
    }

    /// Arms what is about the process in this slot.
    pub(super) fn arm_of_session(&mut self, slot: SlotId, at: Instant, timer: Timer) {
        let process = self.slots[slot.0 as usize].process.as_mut();
        let process = process.expect("it is armed for a process that is there");
        self.timers.arm_for(process, at, timer);
    }

    pub(super) fn close_overdue(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        signal: Signal,
    ) {
        let process = self
            .slots
            .get_mut(slot.0 as usize)
            .and_then(|slot| slot.of(session));
        let Some(process) = process.filter(|process| process.exit.is_none()) else {
            return;
        };
        match signal {
            Signal::Terminate => {
                process.signalled.get_or_insert(signal);
                process.termed = true;
                turn.actions.push(Action::Signal {
                    slot,
                    session,
                    signal,
                });
            }
            Signal::Kill if process.eof => self.kill(turn, slot, Ending::Mute),
            Signal::Kill => self.kill(turn, slot, Ending::Closing),
        }
    }
}
