//! Farms inside of farms: a worker that is a master, and what is left of its workers when it is killed, or its master.

use super::Test;
use super::noop::{Behave, Noop};
use farm::protocol::{Never, Schema, Wire};
use farm::worker::{Context, Perform, Worker};
use farm::{
    Farm, OnLost, Outcome, Pool, Program, Settled, StartError, TaskKind, TaskOptions, Ticket,
    Verdict, WorkerStatus, in_process,
};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("a_worker_may_be_a_master_of_its_own", two_levels),
    (
        "a_killed_worker_takes_the_workers_of_its_farm_along",
        worker_killed,
    ),
    (
        "a_killed_master_takes_two_levels_of_workers_along",
        master_killed,
    ),
    ("processes_inside_of_each_other_have_an_end", too_deep),
    ("farms_inside_of_each_other_have_an_end", too_deep_inside),
];

/// The argument with which this program is a master that waits to be killed.
pub(crate) const AS_MASTER: &str = "nested-master";

/// What is to be gone is gone within this.
const SOON: Duration = Duration::from_secs(2);

/// Nothing here takes this long on a machine that works.
const LONG: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Schema)]
pub(crate) enum Level {
    /// Have the inner farm print and count, and print as well.
    Print,
    /// Say which worker the inner farm has, and wait until it ends.
    Hold,
    /// Have the inner farm do the same.
    Deeper,
}

#[derive(Debug, Serialize, Deserialize, Schema)]
pub(crate) struct Told {
    /// Of this worker, and of those of the inner farm.
    names: Vec<String>,
    /// What the inner worker printed.
    printed: String,
    /// Where it was too deep, and how that was said.
    too_deep: Option<(u32, String)>,
}

pub(crate) struct Nests;

impl Wire for Nests {
    const NAME: &'static str = "nest";
    const VERSION: u32 = 1;
    type Request = Level;
    type Response = Told;
    type Feedback = u32;
    type Context = Never;
}

#[derive(Debug)]
struct Nest;

impl TaskKind for Nest {
    type Wire = Nests;
    type Task = Level;
    type Competence = ();
    type Output = Told;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, level: &Level) -> Option<Level> {
        Some(*level)
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Level, told: Told) -> Verdict<Self> {
        Verdict::done(told, ())
    }
}

pub(crate) struct Nester;

impl Perform for Nester {
    type Wire = Nests;

    fn perform(&mut self, level: Level, context: &Context<'_, Nests>) -> Told {
        let mut told = Told {
            names: vec![context.worker().to_owned(), context.fresh_name()],
            printed: String::new(),
            too_deep: None,
        };
        let mut builder = Farm::builder();
        let pool = || Pool::new(Program::this_executable(), 1);
        let (nest, noop) = (builder.kind(Nest, pool()), builder.kind(Noop, pool()));
        let farm = match builder.start() {
            Ok(farm) => farm,
            Err(error) => {
                told.too_deep = Some((farm::depth(), error.to_string()));
                return told;
            }
        };
        match level {
            Level::Print => {
                println!("outer");
                let task = Behave::Print("inner\n".to_owned());
                let settled = farm.queue(noop).submit(task).wait().expect("admitted");
                assert!(settled.outcome.is_done(), "{:?}", settled.outcome);
                told.printed = String::from_utf8_lossy(&settled.output.stdout).into_owned();
            }
            Level::Hold => {
                let queue = farm.queue(noop);
                let began = queue.submit(Behave::Echo(1)).wait().expect("admitted");
                assert!(began.outcome.is_done());
                let pids = farm.worker_pids();
                context.feedback(&pids[0].1).expect("a number");
                let _never = queue.submit(Behave::WaitForCancel).wait();
            }
            Level::Deeper => {
                let settled = farm.queue(nest).submit(level).wait().expect("admitted");
                match settled.outcome {
                    Outcome::Done(inner) => {
                        told.names.extend(inner.names);
                        told.too_deep = inner.too_deep;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        told
    }
}

fn outer() -> (Farm, farm::TaskQueue<Nest>) {
    let mut builder = Farm::builder();
    let kind = builder.kind(Nest, Pool::new(Program::this_executable(), 1));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, queue)
}

/// A farm whose worker has a farm whose worker waits, and the pids of both.
fn held() -> (Farm, Ticket<Nest>, [u32; 2]) {
    let (farm, queue) = outer();
    let options = TaskOptions {
        on_lost: OnLost::Fail,
        ..TaskOptions::default()
    };
    let (ticket, mut partials) = queue.submit_watched(Level::Hold, Some(options));
    let inner = partials
        .recv_timeout(LONG)
        .expect("the inner worker is there")
        .feedback;
    let outer = farm.worker_pids()[0].1;
    (farm, ticket, [outer, inner])
}

fn told(level: Level) -> Settled<Nest> {
    let (_farm, queue) = outer();
    let ticket = queue.submit(level);
    ticket
        .wait_timeout(LONG)
        .expect("in time")
        .expect("admitted")
}

fn two_levels() {
    let settled = told(Level::Print);
    let printed = String::from_utf8_lossy(&settled.output.stdout).into_owned();
    assert_eq!(
        printed, "outer\n",
        "what the inner worker says is the inner farm's"
    );
    match settled.outcome {
        Outcome::Done(told) => assert_eq!(told.printed, "inner\n"),
        other => panic!("{other:?}"),
    }
}

fn worker_killed() {
    let (_farm, ticket, [outer, inner]) = held();
    kill(outer);
    let settled = ticket
        .wait_timeout(LONG)
        .expect("in time")
        .expect("admitted");
    assert!(
        matches!(settled.outcome, Outcome::WorkerLost(_)),
        "{:?}",
        settled.outcome
    );
    is_soon_gone(inner);
}

/// The master of the next test: says whose end is to be seen, and waits for its own.
pub(crate) fn be_master() -> ! {
    let (_farm, _ticket, [outer, inner]) = held();
    println!("{outer} {inner}");
    loop {
        std::thread::park();
    }
}

fn master_killed() {
    let own = std::env::current_exe().expect("a path of this program");
    let mut master = Command::new(own)
        .arg(AS_MASTER)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts");
    let mut line = String::new();
    let stdout = master.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    master.kill().expect("not collected");
    master.wait().expect("our child");
    let pids: Vec<u32> = line
        .split_whitespace()
        .map(|pid| pid.parse().expect("a pid"))
        .collect();
    assert_eq!(pids.len(), 2, "{line}");
    for pid in pids {
        is_soon_gone(pid);
    }
}

fn too_deep() {
    let Outcome::Done(told) = told(Level::Deeper).outcome else {
        panic!("the innermost says how deep it is")
    };
    let (depth, error) = told.too_deep.expect("there is an end");
    assert_eq!(depth, farm::DEPTH_MAX);
    assert!(error.contains("inside of 8 others"), "{error}");
    let names: BTreeSet<&String> = told.names.iter().collect();
    assert_eq!(
        names.len(),
        told.names.len(),
        "a name was given twice: {:?}",
        told.names
    );
    assert_eq!(names.len(), 2 * 8, "{names:?}");
}

fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid"), Signal::KILL).expect("ours");
}

#[track_caller]
fn is_soon_gone(pid: u32) {
    let begin = Instant::now();
    // A zombie has nothing of its own any more, and whose business it is to collect it is the system's.
    let lives = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
        state.is_some_and(|state| !state.starts_with(['Z', 'X']))
    };
    while lives() {
        assert!(begin.elapsed() < SOON, "{pid} lives on");
        std::thread::yield_now();
    }
}

/// Performs each of its requests in a farm of its own, inside of this process again.
#[derive(Debug)]
struct Deeper;

struct Depths;

impl Wire for Depths {
    const NAME: &'static str = "depths";
    const VERSION: u32 = 1;
    type Request = ();
    type Response = (u32, String);
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Deeper {
    type Wire = Depths;
    type Task = ();
    type Competence = ();
    type Output = (u32, String);
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, (): &()) -> Option<()> {
        Some(())
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        (): &(),
        said: (u32, String),
    ) -> Verdict<Self> {
        Verdict::done(said, ())
    }
}

impl Perform for Deeper {
    type Wire = Depths;

    fn perform(&mut self, (): (), _: &Context<'_, Depths>) -> (u32, String) {
        match deeper() {
            Ok(said) => said,
            Err(error) => (farm::depth(), error.to_string()),
        }
    }
}

fn deeper() -> Result<(u32, String), StartError> {
    let mut builder = Farm::builder();
    let kind = builder.kind(
        Deeper,
        Pool::new(in_process(|| Worker::new().with(Deeper)), 1),
    );
    let farm = builder.start()?;
    let settled = farm.queue(kind).submit(()).wait().expect("admitted");
    match settled.outcome {
        Outcome::Done(said) => Ok(said),
        other => panic!("{other:?}"),
    }
}

fn too_deep_inside() {
    assert_eq!(farm::depth(), 0, "this is no worker");
    let (depth, error) = deeper().expect("the first may be");
    assert_eq!(depth, farm::DEPTH_MAX);
    assert!(error.contains("inside of 8 others"), "{error}");
}
