//! A respawn storm: tasks that kill every worker they are given to, with tasks among them that harm nobody.
//!
//! With the default crash limit each of the former costs three processes and ends `Poisoned`, each of the latter is
//! `Done` at its first attempt, and the farm holds afterwards what it held before. Used here and by `benches/respawn.rs`.

use farm::master::Death;
use farm::protocol::{Never, Wire};
use farm::worker::{Context, Perform};
use farm::{
    Farm, OnLost, Outcome, Pool, Program, Settled, TaskKind, TaskOptions, TaskQueue, Verdict,
    WorkerStatus,
};
use rustix::process::{Signal, getpid, kill_process};
use std::fs;
use std::time::{Duration, Instant};

/// Deaths that end a task with the default crash limit: two, and one more alone.
pub(crate) const DEATHS: usize = 3;

/// After so many tasks that kill comes one that harms nobody.
const HARMFUL: u64 = 10;

/// Before the storm, so that allocators and tables have their size.
const TASKS_WARM: u64 = 100;

/// What the bench's storm may take on two cores.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What an allocator takes and gives back in pieces, whatever the number of tasks.
const GROWTH_SLACK_BYTES: u64 = 4 << 20;

pub(crate) struct StormWire;

impl Wire for StormWire {
    const NAME: &'static str = "storm";
    const VERSION: u32 = 1;
    type Request = bool;
    type Response = ();
    type Feedback = Never;
    type Context = Never;
}

/// Whether a task kills is the task. Independent, so that innocent ones are held behind killers.
#[derive(Debug)]
pub(crate) struct Storm;

impl TaskKind for Storm {
    type Wire = StormWire;
    type Task = bool;
    type Competence = ();
    type Output = ();
    type Failure = ();
    const INDEPENDENT: bool = true;

    fn request_of_task(&mut self, _: &WorkerStatus<()>, kills: &bool) -> Option<bool> {
        Some(*kills)
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &bool, (): ()) -> Verdict<Self> {
        Verdict::done((), ())
    }
}

pub(crate) struct Victim;

impl Perform for Victim {
    type Wire = StormWire;

    fn perform(&mut self, kills: bool, _: &Context<'_, StormWire>) {
        if kills {
            kill_process(getpid(), Signal::KILL).expect("nobody forbids it");
        }
    }
}

/// What a storm was like.
pub(crate) struct Weather {
    /// From the first task to the last end.
    pub(crate) took: Duration,
    /// What the farm's process held before, when no worker was left.
    pub(crate) before: Holds,
    /// The same afterwards.
    pub(crate) after: Holds,
    /// The tasks that did not end as they must.
    pub(crate) wrong: Vec<String>,
}

/// A storm of so many tasks that kill, on two workers of this program.
pub(crate) fn storm(tasks: u64) -> Weather {
    let mut builder = Farm::builder();
    let kind = builder.kind(Storm, Pool::new(Program::this_executable(), 2));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let mut wrong = blow(&queue, TASKS_WARM);
    nobody(&farm, &queue);
    let before = Holds::now();
    let start = Instant::now();
    wrong.extend(blow(&queue, tasks));
    let took = start.elapsed();
    nobody(&farm, &queue);
    let after = Holds::now();
    Weather {
        took,
        before,
        after,
        wrong,
    }
}

/// So many tasks that kill, and others among them; what did not end as it must.
fn blow(queue: &TaskQueue<Storm>, tasks: u64) -> Vec<String> {
    let all = tasks + tasks / HARMFUL;
    let kills = |number: u64| !number.is_multiple_of(HARMFUL + 1);
    let tickets: Vec<_> = (0..all)
        .map(|number| (number, queue.submit(kills(number))))
        .collect();
    let mut wrong = Vec::new();
    for (number, ticket) in tickets {
        let settled = ticket.wait().expect("the queue takes so many");
        let fine = if kills(number) {
            poisoned(&settled)
        } else {
            unharmed(&settled)
        };
        if !fine {
            wrong.push(format!("task {number}: {settled:?}"));
        }
    }
    wrong
}

/// Its deaths were in as many processes, each of the signal; numbers of attempts that only waited behind another are
/// left out.
fn poisoned(settled: &Settled<Storm>) -> bool {
    let Outcome::Poisoned(deaths) = &settled.outcome else {
        return false;
    };
    let killed = |death: &Death| death.termination.signal() == Some(9);
    let rise =
        |pair: &[Death]| pair[0].attempt < pair[1].attempt && pair[0].session != pair[1].session;
    let counts = [deaths.len(), settled.attempts.len()];
    counts == [DEATHS; 2] && deaths.iter().all(killed) && deaths.windows(2).all(rise)
}

/// What was only held by a worker that died was not charged for it.
fn unharmed(settled: &Settled<Storm>) -> bool {
    settled.outcome.is_done() && settled.attempts.len() == 1
}

/// Kills the workers that are left, so that what is held can be compared.
fn nobody(farm: &Farm, queue: &TaskQueue<Storm>) {
    // One that is just being started has no number yet that the farm knows.
    while !farm.worker_pids().is_empty() || Holds::now().children > 0 {
        let once = TaskOptions {
            on_lost: OnLost::Fail,
            ..TaskOptions::default()
        };
        queue.submit_options(true, once).wait().expect("admitted");
    }
}

/// What this process holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holds {
    descriptors: usize,
    threads: usize,
    /// Dead ones too, as long as they are not collected.
    children: usize,
    resident_bytes: u64,
}

impl Holds {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").expect("a Linux");
        let number = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.and_then(|word| word.parse().ok()).expect("a number")
        };
        let tasks: Vec<_> = fs::read_dir("/proc/self/task")
            .expect("a Linux")
            .flatten()
            .collect();
        let children = |task: &fs::DirEntry| {
            let text = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            text.split_whitespace().count()
        };
        Self {
            descriptors: fs::read_dir("/proc/self/fd").expect("a Linux").count(),
            threads: tasks.len(),
            children: tasks.iter().map(children).sum(),
            resident_bytes: number("VmRSS:") * 1024,
        }
    }

    /// Whether it is more than it was.
    pub(crate) fn is_beyond(self, before: Self) -> bool {
        let counts = |holds: Self| [holds.descriptors, holds.threads, holds.children];
        counts(self) != counts(before)
            || self.resident_bytes > before.resident_bytes + GROWTH_SLACK_BYTES
    }
}
