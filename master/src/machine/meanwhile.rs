//! What counts while an attempt is with a worker: its limits on time, processor time and memory,
//! and its signs of life.

use super::answers::in_words;
use super::task::{Overrun, State, StopWhy};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::Action;
use crate::event::Sample;
use crate::mutation::Mutation;
use crate::options::TimeLimit;
use crate::outcome::Resource;
use farm_protocol::{AttemptId, Progress, Session, SlotId, TaskId, decode};

impl Master {
    /// What counts from the start of an attempt.
    pub(super) fn arm_attempt(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        let task = self.tasks.at_mut(id);
        let options = task.options(&self.pools[task.kind.0 as usize].config.defaults);
        let (running, stall, limit) = (options.running, options.stall, options.limit);
        let (cpu, memory) = (options.cpu, options.memory);
        task.watched = options.is_measured();
        task.last_sign = turn.now;
        let stays = self.config.mutation.is(Mutation::WaitingLimitStays);
        if let Some(until) = task.waiting_until.take_if(|_| !stays) {
            self.timers.disarm(until, Timer::Waiting(id));
        }
        if let Some(running) = running {
            let until = turn.now.after(running);
            task.running_until = Some(until);
            self.timers.arm(until, Timer::Running(id));
        }
        if let Some(stall) = stall {
            let until = turn.now.after(stall);
            task.stall_until = Some(until);
            self.timers.arm(until, Timer::Stall(id));
        }
        if task.watched {
            let place = task.place().expect("just sent");
            turn.actions.push(Action::Watch {
                slot: place.slot,
                session: place.session,
                id: task.fence(),
                cpu,
                memory,
            });
        }
        if let Some(limit) = limit {
            self.limits.enter(limit);
        }
    }

    /// Nothing counts any more: the attempt is over, has been asked to stop, or has answered.
    pub(super) fn disarm_attempt(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        let task = self.tasks.at_mut(id);
        if let Some(until) = task.running_until.take() {
            self.timers.disarm(until, Timer::Running(id));
        }
        if let Some(until) = task.stall_until.take() {
            self.timers.disarm(until, Timer::Stall(id));
        }
        if std::mem::replace(&mut task.watched, false) {
            let place = task.place().expect("an attempt is with a worker");
            turn.actions.push(Action::Unwatch {
                slot: place.slot,
                session: place.session,
                id: task.fence(),
            });
        }
    }

    pub(super) fn ran_too_long(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        self.tasks.at_mut(id).running_until = None;
        self.out_of_time(turn, id, TimeLimit::Running);
    }

    /// The stall limit fell. It is not armed anew with each sign, which may come by the thousand: it
    /// is looked here whether there was one.
    pub(super) fn look_for_signs(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        let task = self.tasks.at_mut(id);
        let options = task.options(&self.pools[task.kind.0 as usize].config.defaults);
        let stall = options.stall.expect("only a stall limit arms this");
        let due = task.last_sign.after(stall);
        if due > turn.now {
            task.stall_until = Some(due);
            self.timers.arm(due, Timer::Stall(id));
        } else {
            task.stall_until = None;
            self.out_of_time(turn, id, TimeLimit::Stall);
        }
    }

    fn out_of_time(&mut self, turn: &mut Turn<'_>, id: TaskId, which: TimeLimit) {
        let place = self
            .tasks
            .at(id)
            .place()
            .expect("what runs is with a worker");
        let process = self.slots[place.slot.0 as usize].process.as_ref();
        // Its worker is dead and collected: it runs no more, and what it came to is in the pipe or nowhere.
        if process.is_some_and(|process| process.exit.is_none()) {
            self.stop(turn, id, StopWhy::TimedOut(which));
        }
    }

    /// What an attempt uses was measured.
    pub(super) fn usage(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        id: AttemptId,
        sample: Sample,
    ) {
        let Some(process) = self.process(slot, session) else {
            return;
        };
        // Without a page the worker holds nothing else.
        let executes = !process.page || sample.noted.executing == Some(id);
        let collected = process.exit.is_some();
        if !process.in_flight.iter().any(|flight| flight.id == id) {
            self.counters.stale_samples += 1;
            return;
        }
        let task = self.tasks.at(id.task);
        // What has answered, is to stop or has not begun is not measured any more, or not yet.
        if !executes || !task.watched || collected {
            return;
        }
        let options = task.options(&self.pools[task.kind.0 as usize].config.defaults);
        let (used, what) = (sample.memory, Resource::Memory);
        if let Some(limit) = options.memory.filter(|limit| used > *limit) {
            let overrun = Overrun { what, used, limit };
            self.stop(turn, id.task, StopWhy::Exceeded(overrun));
        } else if options.cpu.is_some_and(|limit| sample.cpu > limit) {
            self.stop(turn, id.task, StopWhy::TimedOut(TimeLimit::Cpu));
        }
    }

    /// How far an attempt is. Of one that was asked to stop nobody wants to know.
    pub(super) fn progress(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        id: AttemptId,
        body: &[u8],
    ) -> Result<(), String> {
        let progress: Progress = decode(body).map_err(in_words)?;
        if progress.note.len() > Progress::NOTE_MAX {
            let length = progress.note.len();
            return Err(format!("its progress has a note of {length} bytes"));
        }
        let process = self.process_at(slot);
        let there = process.in_flight.iter().find(|flight| flight.id == id);
        let Some(flight) = there else {
            self.counters.stale_answers += 1;
            return Ok(());
        };
        let answered = flight.decoding.is_some() || flight.panicked.is_some();
        let stopping = matches!(self.tasks.at(id.task).state(), State::Stopping(..));
        if !answered && !stopping {
            self.tasks.at_mut(id.task).last_sign = turn.now;
            turn.actions.push(Action::Progress { id, progress });
        }
        Ok(())
    }
}
