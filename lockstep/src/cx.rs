//! What a process may do during its step.

use crate::core::{Core, Phase, Wakeup};
use crate::process::{Exit, Part, Pid, PipeId, Process, SpawnOptions};
use crate::report::{Failure, Found};
use crate::time::VTime;
use std::fmt;

/// A process's hands in the simulated world, for the length of one step.
pub struct Cx<'a, S, M> {
    pub(crate) core: &'a mut Core<S, M>,
    pub(crate) me: Pid,
}

impl<S, M> fmt::Debug for Cx<'_, S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

impl<S, M> Cx<'_, S, M> {
    /// The process itself.
    #[must_use]
    pub const fn me(&self) -> Pid {
        self.me
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> VTime {
        self.core.now
    }

    /// Which step this is, from 1.
    #[must_use]
    pub const fn step(&self) -> u64 {
        self.core.step
    }

    /// What the scenario shares.
    pub const fn shared(&mut self) -> &mut S {
        &mut self.core.shared
    }

    /// Starts a process; it takes its first step when it is chosen.
    pub fn spawn(&mut self, body: Box<dyn Process<S, M>>, options: SpawnOptions) -> Pid {
        self.core.spawn(Some(self.me), body, options)
    }

    /// Sends a message; it arrives when that is chosen, behind earlier ones to the same process. One to a process
    /// that has ended, or ends before it arrives, is lost.
    pub fn send(&mut self, to: Pid, message: M) {
        self.core.send(self.me, to, message);
    }

    /// Makes a pipe of a role (below [`ROLES_MAX`](crate::candidate::ROLES_MAX)) for at most `capacity` bytes in flight.
    pub fn pipe(&mut self, role: u16, writer: Pid, reader: Pid, capacity: usize) -> PipeId {
        self.core.pipe(role, writer, reader, capacity)
    }

    /// Writes as much as there is room for and says how much; [`Event::Writable`](crate::Event::Writable) tells when
    /// there is room for the rest. What nobody will read is swallowed.
    pub fn write(&mut self, pipe: PipeId, bytes: &[u8]) -> usize {
        let count = self.core.pipes[pipe.0 as usize].write(bytes, self.core.now);
        self.core.look_at(pipe);
        count
    }

    /// Writes nothing more to a pipe.
    pub fn close(&mut self, pipe: PipeId) {
        self.core.pipes[pipe.0 as usize].close(self.core.now);
        self.core.look_at(pipe);
    }

    /// Looks at what comes in a pipe, or lets it stand there.
    pub fn listen(&mut self, pipe: PipeId, listening: bool) {
        self.core.pipes[pipe.0 as usize].listen(listening, self.core.now);
        self.core.look_at(pipe);
    }

    /// Reads at once what is in flight in a pipe that this process reads, without a step of its own, and appends it.
    pub fn read_now(&mut self, pipe: PipeId, out: &mut Vec<u8>) {
        let state = &mut self.core.pipes[pipe.0 as usize];
        assert_eq!(state.reader, self.me, "only its reader reads a pipe");
        let count = state.in_flight();
        state.take(count, out);
        if std::mem::take(&mut state.starved) {
            let writer = state.writer;
            self.core.wake(writer, Wakeup::Writable(pipe));
        }
        self.core.look_at(pipe);
    }

    /// Ends a process now, or this one after its step.
    pub fn kill(&mut self, pid: Pid, exit: Exit) {
        self.core.end(pid, exit);
    }

    /// Ends this process.
    pub fn exit(&mut self, exit: Exit) {
        self.core.end(self.me, exit);
    }

    /// Whether a process has not ended.
    #[must_use]
    pub fn is_alive(&self, pid: Pid) -> bool {
        self.core.processes[pid.0 as usize].ended.is_none()
    }

    /// Wants to take another step, whenever that is chosen.
    pub fn again(&mut self) {
        self.core.wake(self.me, Wakeup::Turn);
    }

    /// Lets a process take a step ([`Event::Turn`](crate::Event::Turn)), whenever that is chosen: for one that waits
    /// for what is shared to change, such as a lock that this one gives back. One that has ended stays so.
    pub fn wake(&mut self, pid: Pid) {
        self.core.wake(pid, Wakeup::Turn);
    }

    /// Wants to be woken at this moment, and at no other: an alarm that has fallen and was not told yet is taken
    /// back, unless the new one has come as well. `None` and [`NEVER`](crate::NEVER): at none.
    pub fn alarm(&mut self, at: Option<VTime>) {
        self.core.alarm(self.me, at);
    }

    /// One of `n` alternatives; 0 is to be the dull one.
    pub fn choose(&mut self, n: u32, tag: &'static str) -> u32 {
        self.core.choose(n, tag)
    }

    /// Yes in so many of a thousand cases.
    pub fn chance(&mut self, per_mille: u32, tag: &'static str) -> bool {
        self.core.chance(per_mille, tag)
    }

    /// Whether a fault happens here: yes in so many of a thousand cases, in the rough phase, while the budget lasts.
    pub fn fault(&mut self, per_mille: u32, tag: &'static str) -> bool {
        if self.core.faults_left == 0 || self.core.phase != Phase::Rough {
            return false;
        }
        let happens = self.core.chance(per_mille, tag);
        if happens {
            self.core.faults_left -= 1;
            self.core.faults += 1;
            self.core.note(Some(self.me), || format!("fault: {tag}"));
        }
        happens
    }

    /// Whether the calm phase has begun.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.core.phase != Phase::Rough
    }

    /// Begins the calm phase.
    pub fn calm(&mut self) {
        self.core.begin_calm();
    }

    /// Mixes a word into the digest of the run: what differs between two runs of one schedule shows there.
    pub fn mix(&mut self, word: u64) {
        self.core.digest.word(word);
    }

    /// Writes a line of the trace. `text` is not called without one.
    pub fn trace(&mut self, text: impl FnOnce() -> String) {
        self.core.note(Some(self.me), text);
    }

    /// Whether there is a trace.
    #[must_use]
    pub const fn is_traced(&self) -> bool {
        self.core.trace.is_some()
    }

    /// Something is broken: the run ends after this step. The first violation stands.
    pub fn violation(&mut self, name: &'static str, detail: impl FnOnce() -> String) {
        if self.core.failure.is_none() {
            self.core.failure = Some(Failure {
                found: Found::Invariant,
                name,
                detail: detail(),
            });
        }
    }

    /// The processes that live and are no fault makers, oldest first.
    pub fn living(&self) -> impl Iterator<Item = Pid> + '_ {
        let lives = |index: &usize| {
            let process = &self.core.processes[*index];
            process.ended.is_none() && process.options.part != Part::Fault
        };
        (0..self.core.processes.len())
            .filter(lives)
            .map(|index| Pid(index as u32))
    }
}
