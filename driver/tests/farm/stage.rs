//! What the tests share: the master's half of the script, and looking at processes from outside.

use crate::script::Script;
use farm_driver::{Farm, FarmBuilder, KindRef, Pool, Program, TaskQueue};
use farm_master::lane::{AdapterMode, Boundary};
use farm_master::{Response, Settled, StartFailures, TaskKind, Verdict, WorkerStatus};
use std::io::Read;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes this long on a machine that works.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// The kind: a task is the request.
#[derive(Debug)]
pub(crate) struct Orders;

impl TaskKind for Orders {
    type Wire = Script;
    type Task = (String, u64);
    type Competence = ();
    type Output = String;
    type Failure = ();

    fn request_of_task(
        &mut self,
        _: &WorkerStatus<()>,
        task: &Self::Task,
    ) -> Option<(String, u64)> {
        Some(task.clone())
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        _: &Self::Task,
        response: Response<Self>,
    ) -> Verdict<Self> {
        Verdict::done(response, ())
    }
}

/// The same with credit: many requests are on their way at a time.
#[derive(Debug)]
pub(crate) struct Streamed;

impl TaskKind for Streamed {
    type Wire = Script;
    type Task = (String, u64);
    type Competence = ();
    type Output = String;
    type Failure = ();
    const INDEPENDENT: bool = true;

    fn request_of_task(
        &mut self,
        _: &WorkerStatus<()>,
        task: &Self::Task,
    ) -> Option<(String, u64)> {
        Some(task.clone())
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        _: &Self::Task,
        response: Response<Self>,
    ) -> Verdict<Self> {
        Verdict::done(response, ())
    }
}

/// A task of the script.
pub(crate) fn order(order: &str, number: u64) -> (String, u64) {
    (order.to_owned(), number)
}

/// A pool of this program as its own worker; `start` says how it begins.
pub(crate) fn pool(start: &str, slots: u32) -> Pool {
    let boundary = Boundary::new(AdapterMode::PushPull, slots as usize, 1 << 20, 2_000);
    Pool::new(Program::this_executable().arg(start), slots).boundary(boundary.expect("limits"))
}

/// A builder whose farm gives up soon on workers that do not start.
pub(crate) fn builder() -> FarmBuilder {
    let mut builder = Farm::builder();
    let millisecond = Duration::from_millis(1);
    let policy = StartFailures {
        limit: 2,
        pause: millisecond,
        max_pause: millisecond,
    };
    builder.start_failures(policy);
    builder
}

/// The same, where so many tasks may wait.
pub(crate) fn narrow(slots: u32, max_queued: usize) -> Pool {
    let boundary = Boundary::new(AdapterMode::PushPull, slots as usize, max_queued, 200);
    pool("", slots).boundary(boundary.expect("limits"))
}

/// A task that runs until it is let go.
pub(crate) struct Held {
    path: PathBuf,
    listener: UnixListener,
}

impl Held {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("farm-{}-{name}", std::process::id()));
        let listener = UnixListener::bind(&path).expect("a socket");
        Self { path, listener }
    }

    /// The task.
    pub(crate) fn order(&self) -> (String, u64) {
        order(self.path.to_str().expect("a name"), 0)
    }

    /// Waits until it runs. Dropping what comes lets it go.
    pub(crate) fn runs(&self) -> UnixStream {
        let (mut line, _) = self.listener.accept().expect("it runs");
        line.read_exact(&mut [0]).expect("it says so");
        line
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.path);
    }
}

/// A farm of one pool of this program.
pub(crate) fn farm(pool: Pool) -> (Farm, KindRef<Orders>, TaskQueue<Orders>) {
    let mut builder = builder();
    let kind = builder.kind(Orders, pool);
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, kind, queue)
}

/// Submits an order and waits for its end.
pub(crate) fn run(queue: &TaskQueue<Orders>, what: &str, number: u64) -> Settled<Orders> {
    let ticket = queue.submit(order(what, number));
    ticket
        .wait_timeout(LONG)
        .expect("an end in time")
        .expect("admitted")
}

/// Suspends a farm whose workers have come: they take requests and do nothing.
pub(crate) fn stand_still(farm: &Farm) {
    farm.suspend();
    for (_, pid) in farm.worker_pids() {
        soon("it stops", || state(pid) == Some('T'));
    }
}

/// Whether a process runs or is stopped; a zombie is gone.
pub(crate) fn lives(pid: u32) -> bool {
    state(pid).is_some_and(|state| state != 'Z' && state != 'X')
}

/// The letter of a process's state.
pub(crate) fn state(pid: u32) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Waits for what the system does by itself, such as carrying out a signal.
pub(crate) fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "{what}: not in time");
        thread::yield_now();
    }
}

/// After each test: no child of this process is left, not even a dead one that nobody has collected. That nobody waits
/// for a ticket any more, the farm's loop asserts itself at its end.
pub(crate) fn c12_no_child_is_left() {
    let own = std::process::id().to_string();
    let is_child = |stat: &String| {
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields);
        fields.and_then(|fields| fields.split_whitespace().nth(1)) == Some(&own)
    };
    let left = || -> Vec<String> {
        let processes = std::fs::read_dir("/proc").expect("a Linux").flatten();
        let stats = processes.map(|entry| std::fs::read_to_string(entry.path().join("stat")));
        stats.flatten().filter(is_child).collect()
    };
    soon("every child is collected", || left().is_empty());
}
