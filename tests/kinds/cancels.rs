//! A storm of cancels: commands that ignore SIGTERM, and processes below them, are cancelled at random moments, most
//! while they wait and many while they run.
//!
//! However it blows, no more run than may, and of each nothing is left soon after its budget. Used here and by
//! `benches/storm.rs`.

#[path = "cancels/notes.rs"]
pub(crate) mod notes;
#[path = "cancels/outside.rs"]
pub(crate) mod outside;
#[path = "cancels/process.rs"]
pub(crate) mod process;

use farm::exec::{CommandRequest, Runs, StderrPlan, StdoutPlan};
use farm::master::lane::{AdapterMode, Boundary};
use farm::{Farm, Outcome, Pool, Program, Ticket};
use notes::Note;
use outside::{Seen, Watcher, until_gone};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) const WORKERS: u32 = 8;

/// From the ask to SIGKILL.
pub(crate) const BUDGET: Duration = Duration::from_millis(200);

/// Beyond the budget, for signals, deaths and our own looking.
pub(crate) const BEYOND: Duration = Duration::from_millis(100);

/// Longer than any storm.
const LONG: Duration = Duration::from_secs(120);

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) tasks: u64,
    /// Between two cancels, on the average.
    pub(crate) gap: Duration,
    /// Each of so many cancels looks for a task that runs.
    pub(crate) one_of: u64,
    /// At least so many must have been killed while they ran.
    pub(crate) killed: usize,
}

/// What it was like.
pub(crate) struct Weather {
    /// How the tasks came to rest.
    pub(crate) hows: BTreeMap<String, usize>,
    /// What the workers noted: begins, ends, the most at a time.
    pub(crate) noted: [usize; 3],
    pub(crate) seen: Seen,
    /// Of each that was cancelled while it ran: from the call to the end of its last process. The shortest first.
    pub(crate) gone: Vec<Duration>,
    /// What was not as it must be, lateness apart.
    pub(crate) wrong: Vec<String>,
}

impl Weather {
    /// The longest that anything needed to be gone.
    pub(crate) fn worst(&self) -> Duration {
        self.gone.last().copied().unwrap_or_default()
    }

    /// How late the machine was at most.
    pub(crate) fn machine(&self) -> Duration {
        self.seen.late.iter().copied().max().unwrap_or_default()
    }
}

/// A command that survives SIGTERM, and so does its child.
pub(crate) fn stubborn(task: &u64) -> CommandRequest {
    let argv = ["sh", "-c", "trap '' TERM; sleep 600; :"];
    CommandRequest {
        argv: argv.map(str::to_owned).to_vec(),
        env: vec![(process::MARK.to_owned(), task.to_string())],
        stdout: StdoutPlan::Null,
        stderr: StderrPlan::Null,
        ..CommandRequest::default()
    }
}

pub(crate) fn storm(size: Size, seed: u64) -> Weather {
    let folder = tempfile::tempdir().expect("a folder");
    let notes: Arc<Path> = Arc::from(folder.path());
    notes::prepare(&notes);
    let watcher = Watcher::start();
    let (hows, gone, mut wrong) = blow(size, seed, &notes);
    // The farm is dropped.
    for (process, task) in process::marked() {
        wrong.push(format!("{process:?} of task {task} is left"));
    }
    for note in notes::running(&notes) {
        wrong.push(format!("the worker of {note:?} is left"));
    }
    let (seen, noted) = (watcher.end(), notes::told(&notes));
    let most = WORKERS as usize;
    if seen.most > most || noted[2] > most {
        let (seen, noted) = (seen.most, noted[2]);
        wrong.push(format!("{seen} were seen to run, {noted} were noted"));
    }
    let killed = hows.get("Killed").copied().unwrap_or(0);
    if killed < size.killed {
        wrong.push(format!("only {killed} were killed while they ran"));
    }
    Weather {
        hows,
        noted,
        seen,
        gone,
        wrong,
    }
}

type Ends = (BTreeMap<String, usize>, Vec<Duration>, Vec<String>);

/// Workers that take notes there, and the budget.
pub(crate) fn pool(workers: u32, queued: usize, notes: &Path) -> Pool {
    let mut program = Program::this_executable();
    let variable = (notes::FOLDER.into(), notes.as_os_str().to_owned());
    program.env.set.push(variable);
    let budget = u64::try_from(BUDGET.as_millis()).expect("short");
    let boundary = Boundary::new(AdapterMode::PushPull, workers as usize, queued, budget);
    Pool::new(program, workers).boundary(boundary.expect("limits"))
}

/// A farm whose tasks are all cancelled, from its first to its last moment.
fn blow(size: Size, seed: u64, notes: &Arc<Path>) -> Ends {
    let pool = pool(WORKERS, index(size.tasks), notes);
    let mut builder = Farm::builder();
    let kind = builder.kind(Runs::new(stubborn), pool);
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let tickets: Vec<_> = (0..size.tasks).map(|task| queue.submit(task)).collect();
    let waits = cancel_all(size, seed, &tickets, notes);
    let mut gone: Vec<_> = waits
        .into_iter()
        .map(|wait| wait.join().expect("it ends"))
        .collect();
    gone.sort_unstable();
    let mut hows = BTreeMap::new();
    let mut wrong = Vec::new();
    for (task, ticket) in tickets.into_iter().enumerate() {
        match ticket.wait_timeout(LONG) {
            Ok(Ok(settled)) => match settled.outcome {
                Outcome::Cancelled { how, .. } => *hows.entry(format!("{how:?}")).or_default() += 1,
                other => wrong.push(format!("task {task}: {}", other.status())),
            },
            Ok(Err(refused)) => wrong.push(format!("task {task}: {refused:?}")),
            Err(_) => wrong.push(format!("task {task} has no end")),
        }
    }
    (hows, gone, wrong)
}

/// Cancels each task once, at random moments. Who waits for the last process of those that ran.
fn cancel_all(
    size: Size,
    seed: u64,
    tickets: &[Ticket<Runs<u64>>],
    notes: &Arc<Path>,
) -> Vec<JoinHandle<Duration>> {
    let mut dice = Dice(seed);
    let mut left: Vec<u64> = (0..size.tasks).collect();
    let mut place: Vec<usize> = (0..left.len()).collect();
    let mut waits = Vec::new();
    while !left.is_empty() {
        let double = 2 * size.gap.as_nanos();
        thread::sleep(Duration::from_nanos(
            dice.below(u64::try_from(double).expect("short")),
        ));
        let running = notes::tidied(notes);
        let standing: Vec<Note> = running
            .into_iter()
            .filter(|note| place[index(note.task)] != usize::MAX)
            .collect();
        let chosen = if dice.below(size.one_of) == 0 && !standing.is_empty() {
            standing[index(dice.below(standing.len() as u64))].task
        } else {
            left[index(dice.below(left.len() as u64))]
        };
        let since = Instant::now();
        tickets[index(chosen)].cancel("the storm");
        if let Some(note) = standing.into_iter().find(|note| note.task == chosen) {
            let notes = Arc::clone(notes);
            waits.push(thread::spawn(move || until_gone(since, note, &notes)));
        }
        let at = std::mem::replace(&mut place[index(chosen)], usize::MAX);
        left.swap_remove(at);
        if let Some(moved) = left.get(at) {
            place[index(*moved)] = at;
        }
    }
    waits
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("few")
}

/// Marsaglia's xorshift; a seed of 0 would stay 0.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}
