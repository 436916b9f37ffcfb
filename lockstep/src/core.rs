//! The simulated world between two steps: processes, links, pipes, alarms, and who of them is ready. It performs what
//! processes ask for; who goes next is decided in [`crate::controller`].

use crate::alarms::Alarms;
use crate::candidate::{CandidateId, Role};
use crate::check::View;
use crate::choices::Choices;
use crate::digest::Digest;
use crate::pipe::Pipe;
use crate::process::{Exit, Part, Pid, PipeId, Process, SpawnOptions};
use crate::ready::ReadySet;
use crate::report::{Failure, Line};
use crate::strategy::Strategy;
use crate::time::{NEVER, VTime};
use std::collections::VecDeque;

/// What a candidate's step is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// The next alarm falls.
    Clock,
    /// A process takes the first of its own wake-ups.
    Process(Pid),
    /// The oldest message of a link arrives.
    Link(usize),
    /// Bytes of a pipe arrive, or its end.
    Pipe(PipeId),
    /// The end of a process is noticed by whoever started it.
    End(Pid),
}

/// What a process is to be told that does not come from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wakeup {
    Start,
    Wake,
    Turn,
    Writable(PipeId),
    Calm,
}

/// Messages in flight from one process to another.
pub(crate) struct Link<M> {
    pub(crate) from: Pid,
    pub(crate) to: Pid,
    /// With the time of sending.
    pub(crate) queue: VecDeque<(VTime, M)>,
    pub(crate) candidate: CandidateId,
}

/// One process.
pub(crate) struct Managed<S, M> {
    /// Away while it takes a step, and when it has ended.
    pub(crate) body: Option<Box<dyn Process<S, M>>>,
    pub(crate) options: SpawnOptions,
    pub(crate) parent: Option<Pid>,
    /// Since when it has been running. Before, nothing is delivered to it.
    pub(crate) started: Option<VTime>,
    pub(crate) ended: Option<Exit>,
    /// Each once, with the time since when it stands there.
    pub(crate) wakeups: VecDeque<(VTime, Wakeup)>,
    pub(crate) candidate: CandidateId,
    /// Its end, while its starter has not noticed it.
    pub(crate) notice: Option<CandidateId>,
    /// To whom it has sent, as long as they live, and on which link.
    links: Vec<(Pid, usize)>,
    /// The pipes it writes or reads.
    pipes: Vec<PipeId>,
}

/// The phase of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Faults are made.
    Rough,
    /// No faults since then; everything must come to its end.
    Calm(VTime),
}

pub(crate) struct Core<S, M> {
    pub(crate) shared: S,
    pub(crate) choices: Choices,
    pub(crate) strategy: Box<dyn Strategy>,
    pub(crate) now: VTime,
    pub(crate) step: u64,
    pub(crate) digest: Digest,
    pub(crate) processes: Vec<Managed<S, M>>,
    pub(crate) links: Vec<Link<M>>,
    pub(crate) pipes: Vec<Pipe>,
    /// By candidate.
    pub(crate) what: Vec<(What, Role)>,
    /// How many steps each candidate has taken.
    pub(crate) taken: Vec<u32>,
    pub(crate) ready: ReadySet,
    /// Fault makers that would go on.
    pub(crate) eager_faults: ReadySet,
    pub(crate) alarms: Alarms,
    pub(crate) faults_left: u32,
    pub(crate) faults: u32,
    pub(crate) phase: Phase,
    /// Obliged processes that have not ended.
    pub(crate) obliged: usize,
    pub(crate) split_per_mille: u32,
    pub(crate) failure: Option<Failure>,
    pub(crate) trace: Option<Vec<Line>>,
}

/// The clock's candidate.
pub(crate) const CLOCK: CandidateId = CandidateId(0);

impl<S, M> Core<S, M> {
    pub(crate) fn new(shared: S, choices: Choices, strategy: Box<dyn Strategy>) -> Self {
        let mut core = Self {
            shared,
            choices,
            strategy,
            now: VTime::START,
            step: 0,
            digest: Digest::default(),
            processes: Vec::with_capacity(16),
            links: Vec::with_capacity(16),
            pipes: Vec::with_capacity(32),
            what: Vec::with_capacity(64),
            taken: Vec::with_capacity(64),
            ready: ReadySet::default(),
            eager_faults: ReadySet::default(),
            alarms: Alarms::default(),
            faults_left: 0,
            faults: 0,
            phase: Phase::Rough,
            obliged: 0,
            split_per_mille: 0,
            failure: None,
            trace: None,
        };
        core.candidate(What::Clock, Role::CLOCK);
        core
    }

    fn candidate(&mut self, what: What, role: Role) -> CandidateId {
        let id =
            CandidateId(u32::try_from(self.what.len()).expect("a run ends before 2^32 candidates"));
        self.what.push((what, role));
        self.taken.push(0);
        self.strategy.appears(id, role);
        id
    }

    pub(crate) fn spawn(
        &mut self,
        parent: Option<Pid>,
        body: Box<dyn Process<S, M>>,
        options: SpawnOptions,
    ) -> Pid {
        let pid =
            Pid(u32::try_from(self.processes.len()).expect("a run ends before 2^32 processes"));
        let candidate = self.candidate(What::Process(pid), Role::process(options.role));
        self.obliged += usize::from(options.part == Part::Obliged);
        self.processes.push(Managed {
            body: Some(body),
            options,
            parent,
            started: None,
            ended: None,
            wakeups: VecDeque::new(),
            candidate,
            notice: None,
            links: Vec::new(),
            pipes: Vec::new(),
        });
        self.wake(pid, Wakeup::Start);
        pid
    }

    /// Lets a process run once more, for this reason.
    pub(crate) fn wake(&mut self, pid: Pid, wakeup: Wakeup) {
        let process = &mut self.processes[pid.0 as usize];
        if process.ended.is_some() {
            return;
        }
        // One is as good as two, and a process that does not get on must not pile them up.
        if process
            .wakeups
            .iter()
            .any(|(_, waiting)| *waiting == wakeup)
        {
            return;
        }
        process.wakeups.push_back((self.now, wakeup));
        self.look_at_process(pid);
    }

    /// Puts a process among the ready ones since its oldest wake-up, or takes it out.
    pub(crate) fn look_at_process(&mut self, pid: Pid) {
        let process = &self.processes[pid.0 as usize];
        let set = match process.options.part {
            Part::Fault => &mut self.eager_faults,
            Part::Obliged | Part::Background => &mut self.ready,
        };
        match process.wakeups.front() {
            Some((since, _)) => set.put(process.candidate, *since),
            None => set.remove(process.candidate),
        }
    }

    /// The process takes its first step: what came for it before may be delivered from here on.
    pub(crate) fn start(&mut self, pid: Pid) {
        self.processes[pid.0 as usize].started = Some(self.now);
        for index in 0..self.links.len() {
            if self.links[index].to == pid {
                self.look_at_link(index);
            }
        }
        for index in 0..self.processes[pid.0 as usize].pipes.len() {
            self.look_at(self.processes[pid.0 as usize].pipes[index]);
        }
    }

    pub(crate) fn send(&mut self, from: Pid, to: Pid, message: M) {
        if self.processes[to.0 as usize].ended.is_some() {
            return;
        }
        let known = self.processes[from.0 as usize]
            .links
            .iter()
            .find(|(pid, _)| *pid == to);
        let index = match known {
            Some((_, index)) => *index,
            None => self.link(from, to),
        };
        self.links[index].queue.push_back((self.now, message));
        self.look_at_link(index);
    }

    /// Puts a link among the ready ones since its oldest message was sent, or takes it out.
    pub(crate) fn look_at_link(&mut self, index: usize) {
        let link = &self.links[index];
        match (
            link.queue.front(),
            self.processes[link.to.0 as usize].started,
        ) {
            (Some((sent, _)), Some(started)) => {
                self.ready.put(link.candidate, (*sent).max(started));
            }
            (None, _) | (_, None) => self.ready.remove(link.candidate),
        }
    }

    fn link(&mut self, from: Pid, to: Pid) -> usize {
        let index = self.links.len();
        let role = |pid: Pid| self.processes[pid.0 as usize].options.role;
        let role = Role::link(role(from), role(to));
        let candidate = self.candidate(What::Link(index), role);
        self.links.push(Link {
            from,
            to,
            queue: VecDeque::new(),
            candidate,
        });
        self.processes[from.0 as usize].links.push((to, index));
        index
    }

    pub(crate) fn pipe(&mut self, role: u16, writer: Pid, reader: Pid, capacity: usize) -> PipeId {
        let id = PipeId(u32::try_from(self.pipes.len()).expect("a run ends before 2^32 pipes"));
        let candidate = self.candidate(What::Pipe(id), Role::pipe(role));
        self.pipes
            .push(Pipe::new(candidate, writer, reader, capacity));
        for pid in [writer, reader] {
            self.processes[pid.0 as usize].pipes.push(id);
            // Nobody else would tell the one that lives.
            if self.processes[pid.0 as usize].ended.is_some() {
                self.leave(id, pid);
            }
        }
        id
    }

    /// Puts a pipe among the ready ones since its oldest byte may be read, or takes it out.
    pub(crate) fn look_at(&mut self, id: PipeId) {
        let pipe = &self.pipes[id.0 as usize];
        match (
            pipe.ready_since(),
            self.processes[pipe.reader.0 as usize].started,
        ) {
            (Some(since), Some(started)) => self.ready.put(pipe.candidate, since.max(started)),
            (None, _) | (_, None) => self.ready.remove(pipe.candidate),
        }
    }

    /// A process that has ended lets go of a pipe.
    fn leave(&mut self, id: PipeId, pid: Pid) {
        let pipe = &mut self.pipes[id.0 as usize];
        if pipe.writer == pid {
            pipe.close(self.now);
        }
        if pipe.reader == pid && pipe.orphan() {
            let writer = pipe.writer;
            self.wake(writer, Wakeup::Writable(id));
        }
        self.look_at(id);
    }

    pub(crate) fn alarm(&mut self, pid: Pid, at: Option<VTime>) {
        let at = at.unwrap_or(NEVER);
        let process = &mut self.processes[pid.0 as usize];
        if process.ended.is_some() {
            return;
        }
        if let Some(place) = process
            .wakeups
            .iter()
            .position(|(_, wakeup)| *wakeup == Wakeup::Wake)
        {
            // An alarm that has fallen and was not told yet stands for any moment that has come: taken back and set
            // again, it would have to win against everybody else once more.
            if at <= self.now {
                return;
            }
            process.wakeups.remove(place);
            self.look_at_process(pid);
        }
        self.alarms.set(pid, at);
    }

    /// The process is gone from here on; its pipes end behind what is in them.
    pub(crate) fn end(&mut self, pid: Pid, exit: Exit) {
        let process = &mut self.processes[pid.0 as usize];
        if process.ended.is_some() {
            return;
        }
        process.ended = Some(exit);
        process.body = None;
        process.wakeups.clear();
        let (candidate, options, parent) = (process.candidate, process.options, process.parent);
        let pipes = std::mem::take(&mut process.pipes);
        self.ready.remove(candidate);
        self.eager_faults.remove(candidate);
        self.obliged -= usize::from(options.part == Part::Obliged);
        self.alarms.set(pid, NEVER);
        for id in pipes {
            self.leave(id, pid);
        }
        self.forget_what_comes_for(pid);
        if let Some(parent) = parent.filter(|_| options.watched)
            && self.processes[parent.0 as usize].ended.is_none()
        {
            let notice = self.candidate(What::End(pid), Role::end_of(options.role));
            self.processes[pid.0 as usize].notice = Some(notice);
            self.ready.put(notice, self.now);
        }
        self.note(Some(pid), || format!("ends: {exit}"));
    }

    /// Messages and ends on their way to a process that has ended: nothing happens when they arrive, so it is no step.
    fn forget_what_comes_for(&mut self, pid: Pid) {
        for link in self.links.iter_mut().filter(|link| link.to == pid) {
            link.queue.clear();
            self.ready.remove(link.candidate);
            self.processes[link.from.0 as usize]
                .links
                .retain(|(to, _)| *to != pid);
        }
        for process in self
            .processes
            .iter_mut()
            .filter(|process| process.parent == Some(pid))
        {
            if let Some(notice) = process.notice.take() {
                self.ready.remove(notice);
            }
        }
    }

    pub(crate) fn begin_calm(&mut self) {
        if self.phase != Phase::Rough {
            return;
        }
        self.phase = Phase::Calm(self.now);
        self.note(None, || "the calm phase begins".into());
        for index in 0..self.processes.len() {
            let pid = Pid(index as u32);
            let process = &self.processes[index];
            match process.options.part {
                Part::Fault => self.end(pid, Exit::Code(0)),
                Part::Obliged | Part::Background => self.wake(pid, Wakeup::Calm),
            }
        }
    }

    /// One of `n` alternatives. The digest takes it in: otherwise one that changes what is sent and not who goes next
    /// could differ in a replay and nobody would notice.
    pub(crate) fn choose(&mut self, n: u32, tag: &'static str) -> u32 {
        let chosen = self.choices.choose(n, tag);
        self.digest.word(u64::from(chosen));
        chosen
    }

    /// As [`Core::choose`].
    pub(crate) fn chance(&mut self, per_mille: u32, tag: &'static str) -> bool {
        let happens = self.choices.chance(per_mille, tag);
        self.digest.word(u64::from(happens));
        happens
    }

    /// What checks see.
    pub(crate) const fn view(&self) -> View<'_, S> {
        View {
            shared: &self.shared,
            now: self.now,
            step: self.step,
        }
    }

    /// Writes a line of the trace, if there is one.
    pub(crate) fn note(&mut self, who: Option<Pid>, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(Line {
                step: self.step,
                at: self.now,
                who,
                text: text(),
            });
        }
    }

    pub(crate) fn name(&self, pid: Pid) -> String {
        let options = &self.processes[pid.0 as usize].options;
        match options.number {
            0 => options.name.to_owned(),
            number => format!("{}{number}", options.name),
        }
    }
}
