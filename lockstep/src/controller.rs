//! The controller: lets one candidate after the other take a step, and checks after each what must hold.

use crate::candidate::CandidateId;
use crate::check::{Checks, View};
use crate::choices::Choices;
use crate::core::{CLOCK, Core, Phase, Wakeup, What};
use crate::cx::Cx;
use crate::process::{Event, Pid, PipeId, Process, SpawnOptions};
use crate::report::{End, Failure, Found, RunReport, Trace};
use crate::strategy::{Hint, Strategy};
use crate::time::NEVER;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// The settings of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Steps after which a run is inconclusive.
    pub max_steps: u64,
    /// Steps after which the calm phase begins by itself.
    pub rough_steps: u64,
    /// When time passes.
    pub timers: Timers,
    /// How many faults may be made.
    pub faults: u32,
    /// Of a thousand deliveries of bytes, how many are cut short.
    pub split_per_mille: u32,
    /// Whether a trace is kept.
    pub trace: bool,
}

/// When time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timers {
    /// Only when nothing else can happen.
    Quiescent,
    /// Time races with everything else: the next alarm may fall although something is ready, as long as nothing has
    /// been ready for longer than `horizon`. So whatever is ready happens within `horizon` of virtual time.
    Racing {
        /// The longest that anything ready is overtaken by time.
        horizon: Duration,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_steps: 100_000,
            rough_steps: 10_000,
            timers: Timers::Racing {
                horizon: Duration::from_secs(1),
            },
            faults: 0,
            split_per_mille: 0,
            trace: false,
        }
    }
}

/// One run: a world and who chooses in it. See the crate's documentation for an example.
pub struct Controller<S, M> {
    core: Core<S, M>,
    config: Config,
    checks: Checks<S>,
    /// The ready candidates of this step, reused.
    list: Vec<CandidateId>,
    chunk: Vec<u8>,
    last: CandidateId,
}

impl<S, M> fmt::Debug for Controller<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<S, M> Controller<S, M> {
    /// An empty world. `strategy` must have been told that the run begins.
    #[must_use]
    pub fn new(config: Config, shared: S, strategy: Box<dyn Strategy>, choices: Choices) -> Self {
        let mut core = Core::new(shared, choices, strategy);
        core.faults_left = config.faults;
        core.split_per_mille = config.split_per_mille;
        core.trace = config.trace.then(Vec::new);
        Self {
            core,
            config,
            checks: Checks::default(),
            list: Vec::with_capacity(32),
            chunk: Vec::new(),
            last: CLOCK,
        }
    }

    /// Starts a process that nobody watches.
    pub fn spawn(&mut self, body: Box<dyn Process<S, M>>, options: SpawnOptions) -> Pid {
        self.core.spawn(None, body, options)
    }

    /// What the scenario shares.
    pub const fn shared(&mut self) -> &mut S {
        &mut self.core.shared
    }

    /// One of `n` alternatives, before the first step.
    pub fn choose(&mut self, n: u32, tag: &'static str) -> u32 {
        self.core.choose(n, tag)
    }

    /// Must hold after every step.
    pub fn invariant(
        &mut self,
        name: &'static str,
        holds: impl FnMut(&View<'_, S>) -> Result<(), String> + 'static,
    ) {
        self.checks.invariant(name, Box::new(holds));
    }

    /// Must come about within `within` of the beginning of the calm phase, and before the run is over.
    pub fn eventually(
        &mut self,
        name: &'static str,
        within: Duration,
        holds: impl FnMut(&View<'_, S>) -> bool + 'static,
    ) {
        self.checks.eventually(name, within, Box::new(holds));
    }

    /// Must hold after some step of some run of a sweep. The position of the call is the bit in
    /// [`RunReport::reached`]; at most 64.
    pub fn sometimes(
        &mut self,
        name: &'static str,
        holds: impl FnMut(&View<'_, S>) -> bool + 'static,
    ) {
        self.checks.sometimes(name, Box::new(holds));
    }

    /// The names given to [`Controller::sometimes`], in order.
    #[must_use]
    pub fn sometimes_names(&self) -> Vec<&'static str> {
        self.checks.sometimes_names()
    }

    /// Runs to the end. A panic of a process is a failure of the run; the shared state is left as it was then.
    pub fn run(mut self) -> (RunReport, S) {
        let end = catch_unwind(AssertUnwindSafe(|| self.run_on())).unwrap_or_else(|panic| {
            // A violation of the same step came before the panic.
            End::Failed(self.core.failure.take().unwrap_or_else(|| Failure {
                found: Found::Panic,
                name: "panic",
                detail: words_of(panic.as_ref()),
            }))
        });
        let trace = self.core.trace.take().map(|lines| Trace {
            lines,
            names: (0..self.core.processes.len())
                .map(|index| self.core.name(Pid(index as u32)))
                .collect(),
        });
        let report = RunReport {
            end,
            steps: self.core.step,
            digest: self.core.digest.value(),
            now: self.core.now,
            faults: self.core.faults,
            reached: self.checks.reached(),
            roles: self.tally(),
            choices: self.core.choices.finish(),
            trace,
        };
        (report, self.core.shared)
    }

    fn run_on(&mut self) -> End {
        loop {
            if let Some(failure) = self.core.failure.take() {
                return End::Failed(failure);
            }
            if self.core.obliged == 0 {
                let view = self.core.view();
                return self.checks.at_end(&view).map_or(End::Passed, End::Failed);
            }
            if self.core.step >= self.config.max_steps {
                return End::Inconclusive;
            }
            if self.core.step >= self.config.rough_steps {
                self.core.begin_calm();
            }
            self.list_ready();
            if self.list.is_empty() {
                if self.core.phase == Phase::Rough {
                    self.core.begin_calm();
                    continue;
                }
                return End::Failed(self.deadlock());
            }
            self.take_step();
        }
    }

    /// Lists what may happen: the candidate of the last step first, then by id, then time, then faults. So the first
    /// alternative is always the dull one.
    fn list_ready(&mut self) {
        self.list.clear();
        self.core.ready.list(&mut self.list);
        if let Some(place) = self.list.iter().position(|id| *id == self.last) {
            self.list[..=place].rotate_right(1);
        }
        if self.time_may_pass() {
            self.list.push(CLOCK);
        }
        let others = !self.list.is_empty();
        if others && self.core.phase == Phase::Rough && self.core.faults_left > 0 {
            self.core.eager_faults.list(&mut self.list);
        }
    }

    fn time_may_pass(&self) -> bool {
        let next = self.core.alarms.next();
        if next == NEVER {
            return false;
        }
        match self.config.timers {
            Timers::Quiescent => self.list.is_empty(),
            Timers::Racing { horizon } => {
                let overtaken = |id: &CandidateId| next > self.core.ready.since(*id).after(horizon);
                next <= self.core.now || !self.list.iter().any(overtaken)
            }
        }
    }

    fn take_step(&mut self) {
        let Core {
            choices, strategy, ..
        } = &mut self.core;
        let list = &self.list;
        let picked = choices.pick(list.len() as u32, || strategy.pick(list) as u32);
        let id = self.list[picked as usize];
        self.core.step += 1;
        self.core.taken[id.0 as usize] += 1;
        self.core
            .digest
            .word(u64::from(id.0) << 40 ^ self.core.now.0);
        if id != CLOCK {
            self.last = id;
        }
        match self.core.what[id.0 as usize].0 {
            What::Clock => self.pass_time(),
            What::Process(pid) => self.run_process(pid),
            What::Link(index) => self.deliver(index),
            What::Pipe(pipe) => self.read(pipe),
            What::End(pid) => self.notice_end(pid, id),
        }
        let digest = self.core.digest.value();
        self.core.choices.step(digest);
        if self.core.failure.is_none() {
            let view = self.core.view();
            self.core.failure = self.checks.after_step(&view, self.core.phase);
        }
    }

    fn step(&mut self, pid: Pid, event: Event<'_, M>) {
        let Some(mut body) = self.core.processes[pid.0 as usize].body.take() else {
            return;
        };
        body.step(
            &mut Cx {
                core: &mut self.core,
                me: pid,
            },
            event,
        );
        let process = &mut self.core.processes[pid.0 as usize];
        if process.ended.is_none() {
            process.body = Some(body);
        }
    }

    fn pass_time(&mut self) {
        let next = self.core.alarms.next();
        assert!(next < NEVER, "time passes to an alarm");
        self.core.now = self.core.now.max(next);
        while let Some(pid) = self.core.alarms.take_due(self.core.now) {
            self.core.wake(pid, Wakeup::Wake);
        }
    }

    fn run_process(&mut self, pid: Pid) {
        let process = &mut self.core.processes[pid.0 as usize];
        let (_, wakeup) = process
            .wakeups
            .pop_front()
            .expect("a ready process has a wake-up");
        self.core.look_at_process(pid);
        let event = match wakeup {
            Wakeup::Start => {
                self.core.start(pid);
                Event::Start
            }
            Wakeup::Wake => Event::Wake,
            Wakeup::Turn => Event::Turn,
            Wakeup::Writable(pipe) => Event::Writable { pipe },
            Wakeup::Calm => Event::Calm,
        };
        self.step(pid, event);
    }

    fn deliver(&mut self, index: usize) {
        let link = &mut self.core.links[index];
        let (_, message) = link.queue.pop_front().expect("a ready link has a message");
        let (from, to) = (link.from, link.to);
        self.core.look_at_link(index);
        self.step(to, Event::Message { from, message });
    }

    fn read(&mut self, id: PipeId) {
        let split = self.core.split_per_mille;
        let pipe = &mut self.core.pipes[id.0 as usize];
        let (reader, writer, length) = (pipe.reader, pipe.writer, pipe.in_flight());
        if length == 0 {
            pipe.tell_end();
            self.core.look_at(id);
            return self.step(reader, Event::Eof { pipe: id });
        }
        let mut count = length;
        if length > 1 && split > 0 && self.core.choices.chance(split, "cut short") {
            let most = u32::try_from(length - 1).unwrap_or(u32::MAX);
            count = 1 + self.core.choices.choose(most, "bytes") as usize;
        }
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.clear();
        pipe.take(count, &mut chunk);
        if std::mem::take(&mut pipe.starved) {
            self.core.wake(writer, Wakeup::Writable(id));
        }
        self.core.digest.bytes(&chunk);
        self.core.look_at(id);
        self.step(
            reader,
            Event::Bytes {
                pipe: id,
                bytes: &chunk,
            },
        );
        self.chunk = chunk;
    }

    fn notice_end(&mut self, pid: Pid, notice: CandidateId) {
        self.core.ready.remove(notice);
        let process = &mut self.core.processes[pid.0 as usize];
        process.notice = None;
        let exit = process.ended.expect("only an end is noticed");
        let parent = process.parent.expect("an end is noticed by a parent");
        self.step(parent, Event::Ended { pid, exit });
    }

    /// The wait-for list.
    fn deadlock(&self) -> Failure {
        use std::fmt::Write as _;
        // In one line: it is what tells one deadlock from another.
        let mut detail = String::from("nothing can happen any more");
        for (index, process) in self.core.processes.iter().enumerate() {
            if let Some(body) = &process.body {
                let name = self.core.name(Pid(index as u32));
                let _ = write!(detail, "; {name} waits for {}", body.waits_for());
            }
        }
        Failure {
            found: Found::Deadlock,
            name: "deadlock",
            detail,
        }
    }

    fn tally(&self) -> Vec<(crate::candidate::Role, u64, u64)> {
        let mut steps: Vec<_> = self
            .core
            .what
            .iter()
            .zip(&self.core.taken)
            .map(|((_, role), taken)| (*role, 1, u64::from(*taken)))
            .collect();
        steps.sort_unstable_by_key(|(role, ..)| *role);
        steps.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1 += next.1;
                first.2 += next.2;
            }
            same
        });
        steps
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(words), _) => words.clone(),
        (None, Some(words)) => (*words).to_owned(),
        (None, None) => "without words".to_owned(),
    }
}

/// Averages of trial runs, as strategies want them.
#[must_use]
pub fn hint_of(reports: &[RunReport]) -> Hint {
    let mut all: Vec<_> = reports
        .iter()
        .flat_map(|report| report.roles.iter().copied())
        .collect();
    all.sort_unstable_by_key(|(role, ..)| *role);
    let mut steps: Vec<(crate::candidate::Role, u64)> = Vec::new();
    for part in all.chunk_by(|one, other| one.0 == other.0) {
        let candidates: u64 = part.iter().map(|(_, count, _)| count).sum();
        let taken: u64 = part.iter().map(|(.., taken)| taken).sum();
        steps.push((part[0].0, taken * 256 / candidates.max(1)));
    }
    Hint {
        length: reports.iter().map(|report| report.steps).max().unwrap_or(0),
        steps,
    }
}
