//! The end of a process: whom it is charged to, and what becomes of everything it held.

use super::slot::{Ending, ExitFacts, Flight, Phase, Process};
use super::task::State;
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::{Action, Gone, Signal, WhoseDoing};
use crate::event::Exit;
use crate::evidence::out_of_memory;
use crate::mutation::Mutation;
use crate::options::OnLost;
use crate::outcome::{Death, HowStopped};
use farm_protocol::{AttemptId, Session, SlotId, TaskId, Termination, signal_name};

/// A worker whose answers have ended gets this long to end itself, in parts of the close budget.
const AFTER_EOF: u32 = 2;

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

impl Master {
    pub(super) fn eof(&mut self, turn: &mut Turn<'_>, slot: SlotId, session: Session) {
        let grace = self.config.close_budget / AFTER_EOF;
        if self.config.mutation.is(Mutation::CutFrameAccepted) {
            self.accept_cut_frame(turn, slot, session);
        }
        let Some(process) = self.process(slot, session) else {
            return;
        };
        process.eof = true;
        if process.exit.is_none() {
            // Normally the exit follows at once. A worker that closed its answers and lives on can
            // never answer again.
            self.arm_of_session(slot, turn.now.after(grace), Timer::CloseKill(slot, session));
            if self.config.mutation.is(Mutation::RequeuedTwice) {
                self.requeue_all(turn, slot);
            }
        }
        self.end_session_if_over(turn, slot);
    }

    pub(super) fn exited(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        exit: &Exit<'_>,
    ) {
        let Some(process) = self.process(slot, session) else {
            return;
        };
        process.exit = Some(ExitFacts {
            termination: exit.termination,
            noted: exit.noted,
            last_words: exit.evidence.last_words.to_vec(),
            peak_bytes: exit.evidence.peak_bytes,
            memory: out_of_memory(exit.termination, &exit.evidence),
        });
        if self.config.mutation.is(Mutation::RequeuedTwice) {
            self.requeue_noted(turn, slot);
        }
        self.end_session_if_over(turn, slot);
    }

    /// A session is over when the process is collected *and* its answers are read to their end:
    /// whoever acted on the exit alone would run tasks again whose answers are still in the pipe.
    pub(super) fn end_session_if_over(&mut self, turn: &mut Turn<'_>, slot: SlotId) {
        let Some(process) = &self.slots[slot.0 as usize].process else {
            return;
        };
        let decoding = process
            .in_flight
            .iter()
            .any(|flight| flight.decoding.is_some());
        let drained = process.eof || self.config.mutation.is(Mutation::ExitBeforeAnswers);
        if process.exit.is_none() || !drained || decoding {
            return;
        }
        let place = &mut self.slots[slot.0 as usize];
        let kind = place.kind;
        let mut process = place.process.take().expect("looked at just now");
        let exit = process.exit.take().expect("looked at just now");
        self.touch(kind);
        self.end_wear(slot, &process);
        self.timers.disarm_all_of(&process);
        let executing = executing(&process, &exit);
        let flights: Vec<Flight> = process.in_flight.drain(..).collect();
        let held_nothing = flights.is_empty();
        let ready = &mut self.pools[kind.0 as usize].ready;
        let keys = std::mem::take(&mut process.keys);
        if !self.config.mutation.is(Mutation::DeadHolderRemembered) {
            keys.into_iter().for_each(|key| ready.release(key));
        }
        let mut charged = false;
        for flight in flights {
            let executed = executing == Some(flight.id);
            charged |= self.flight_lost(turn, slot, &process, &exit, flight, executed);
        }
        self.lose_token(executing.is_some());
        self.unpin(turn, slot, process.session);
        let why = obituary(&process, &exit);
        let gone = Gone {
            termination: exit.termination,
            whose: whose_doing(&process, &exit),
            why: why.clone(),
        };
        let session = process.session;
        turn.actions.push(Action::WorkerGone {
            slot,
            session,
            gone,
        });
        if held_nothing && process.settled > 0 && process.ending.is_none() {
            self.counters.idle_deaths += 1;
        }
        self.judge_start(turn, slot, &process, &exit, charged, why);
    }

    /// What becomes of one request that a dead worker held. True when the task is charged with the death.
    fn flight_lost(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        process: &Process,
        exit: &ExitFacts,
        flight: Flight,
        executed: bool,
    ) -> bool {
        let id = flight.id.task;
        if matches!(self.tasks.at(id).state(), State::Stopping(..)) {
            let how = if executed || exit.noted.is_none() {
                how_stopped(process, exit)
            } else {
                HowStopped::BeforeStart
            };
            self.came_to_rest(turn, id, how);
            // It ended because it was asked to: that is an answer of a sort, and no start failure.
            return executed;
        }
        if self.goes_unbooted(process) {
            self.drop_silently(turn, id);
            return false;
        }
        let ours = flight.panicked.is_none()
            && killed_by_us(process, exit)
            && !self.config.mutation.is(Mutation::OurKillIsCharged);
        if !executed && !self.config.mutation.is(Mutation::HeldIsCharged) {
            self.put_back(turn, id);
            return false;
        }
        let task = self.tasks.at(id);
        let options = task.options(&self.pools[task.kind.0 as usize].config.defaults);
        // Our kill costs nothing, but a task that must never run twice ends here all the same.
        if ours && options.on_lost == OnLost::Retry {
            self.our_kill(turn, id, how_stopped(process, exit));
            return false;
        }
        let started = task.place().expect("in flight").sent;
        let death = Death {
            attempt: task.attempt,
            slot,
            session: process.session,
            termination: exit.termination,
            last_words: exit.last_words.clone(),
            peak_bytes: exit.peak_bytes,
            memory: exit.memory,
            ran: turn.now.since(started),
            panic: flight.panicked,
        };
        self.charge(turn, id, death);
        true
    }

    /// We killed a worker for another reason than the task that it executed.
    fn our_kill(&mut self, turn: &mut Turn<'_>, id: TaskId, how: HowStopped) {
        if self.is_finishing(id) {
            // Nothing starts any more, so the task ends here: it was running and we stopped it.
            self.stop(
                turn,
                id,
                super::task::StopWhy::Cancelled(crate::outcome::CancelledBy::Stopping),
            );
            self.came_to_rest(turn, id, how);
        } else {
            self.put_back(turn, id);
        }
    }

    /// Whether a session that is over was a start failure.
    fn judge_start(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        process: &Process,
        exit: &ExitFacts,
        charged: bool,
        why: String,
    ) {
        let kind = self.slots[slot.0 as usize].kind;
        if charged || process.settled > 0 {
            return self.started_well(kind, process.settled == 0);
        }
        match (&process.ending, &process.phase) {
            (Some(Ending::StartFailed(why)), _) => {
                let why = with_last_words(why.clone(), &exit.last_words);
                self.count_start_failure(turn, kind, process.session, why);
            }
            // SIGTERM was ours.
            (None | Some(Ending::Mute), _)
                if process.signalled == Some(Signal::Terminate) || killed_by_us(process, exit) => {}
            (None, Phase::Launching(_)) => {
                let why = format!(
                    "the program ended before its hello, so it is no farm worker or could not start: {why}"
                );
                self.count_start_failure(turn, kind, process.session, why);
            }
            (Some(Ending::Mute), _)
            | (None, Phase::Running(_) | Phase::Closing(_) | Phase::Deaf) => {
                let why = format!("the worker ended before it answered anything: {why}");
                self.count_start_failure(turn, kind, process.session, why);
            }
            (
                Some(
                    Ending::Replaced
                    | Ending::Recycled(_)
                    | Ending::Unneeded
                    | Ending::Closing
                    | Ending::Ladder
                    | Ending::Babbled(_),
                ),
                _,
            ) => {}
        }
    }
}

/// Whether a process died of a signal that we sent for another reason than the attempt it executed.
/// One that died of another signal than ours died by itself.
const fn killed_by_us(process: &Process, exit: &ExitFacts) -> bool {
    if matches!(process.ending, Some(Ending::Mute)) {
        return false;
    }
    // Even if what it was meant for has been answered since: the signal took its time, and what the
    // worker executes now must not pay for it.
    if process.termed && exit.termination.is_by(SIGTERM) {
        return true;
    }
    let Some(signalled) = process.signalled else {
        return false;
    };
    match exit.termination {
        // It may have heeded our SIGTERM, or how it ended is unknown.
        Termination::Exited(_) | Termination::Lost => true,
        Termination::Signaled { signal, .. } => match signalled {
            Signal::Terminate => signal == SIGTERM,
            Signal::Kill => signal == SIGTERM || signal == SIGKILL,
        },
    }
}

/// Which attempt the process was executing when it died.
fn executing(process: &Process, exit: &ExitFacts) -> Option<AttemptId> {
    if let Some(flight) = process
        .in_flight
        .iter()
        .find(|flight| flight.panicked.is_some())
    {
        return Some(flight.id);
    }
    match exit.noted {
        // A note about an attempt that has been answered is older than the answer.
        Some(noted) => noted
            .executing
            .filter(|id| process.in_flight.iter().any(|flight| flight.id == *id)),
        // Without a page it held one request at most, and it may have been executing it.
        None => process.in_flight.front().map(|flight| flight.id),
    }
}

/// How a stopped attempt ended with its process.
const fn how_stopped(process: &Process, exit: &ExitFacts) -> HowStopped {
    match (exit.termination.signal(), process.signalled) {
        (Some(SIGKILL), Some(Signal::Kill)) => HowStopped::Killed,
        (Some(SIGTERM), _) if process.termed => HowStopped::Terminated,
        (_, _) => HowStopped::Exited,
    }
}

/// Whose doing the end of a process was.
const fn whose_doing(process: &Process, exit: &ExitFacts) -> WhoseDoing {
    match (&process.ending, process.signalled) {
        // The middle rung of the ladder ended it.
        (None, _) if killed_by_us(process, exit) => WhoseDoing::Killed,
        // It was to go, and died before it was asked or signalled.
        (
            Some(Ending::Closing | Ending::Unneeded | Ending::Replaced | Ending::Recycled(_)),
            None,
        ) if !process.asked_to_end => WhoseDoing::Died,
        (Some(Ending::Closing | Ending::Unneeded), _) => WhoseDoing::Finished,
        (Some(Ending::Replaced | Ending::Recycled(_)), None) => WhoseDoing::Replaced,
        (Some(_), Some(Signal::Kill)) => WhoseDoing::Killed,
        (Some(_), Some(Signal::Terminate) | None) | (None, _) => WhoseDoing::Died,
    }
}

/// How and why a process ended, for people.
fn obituary(process: &Process, exit: &ExitFacts) -> String {
    let ours = match (&process.ending, process.signalled, exit.termination) {
        (Some(Ending::StartFailed(why) | Ending::Babbled(why)), _, _) => format!(" ({why})"),
        (Some(Ending::Recycled(worn)), _, _) => format!(" ({worn})"),
        (_, Some(Signal::Kill), Termination::Signaled { signal, .. })
            if signal_name(signal) == Some("SIGKILL") =>
        {
            " (by the farm)".to_string()
        }
        (_, _, _) => String::new(),
    };
    let memory = exit
        .memory
        .words()
        .map(|words| format!(", {words}"))
        .unwrap_or_default();
    with_last_words(
        format!("{}{ours}{memory}", exit.termination),
        &exit.last_words,
    )
}

/// How much of the last words an error quotes, in bytes.
const QUOTED: usize = 512;

fn with_last_words(text: String, last_words: &[u8]) -> String {
    let tail = &last_words[last_words.len().saturating_sub(QUOTED)..];
    let tail = String::from_utf8_lossy(tail);
    match tail.trim() {
        "" => text,
        words => format!("{text}; its last words: {words}"),
    }
}
