//! Workers that are forked from a template: what they share, what they do not, and who pays when one of them dies.

use super::Test;
use farm::master::StartFailures;
use farm::protocol::{Never, Schema, Wire};
use farm::worker::{Context, Perform};
use farm::{
    Farm, OnLost, Outcome, Pool, Program, Settled, Shut, TaskKind, TaskOptions, TaskQueue, Verdict,
    WorkerStatus,
};
use rustix::process::{Pid, Signal, getppid, kill_process};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("forked_workers_have_what_was_warmed_once", warmed_once),
    ("a_cold_worker_warms_itself_before_its_hello", cold),
    ("hundreds_of_one_shot_workers_leave_nothing", one_shot),
    ("a_killed_template_costs_no_task", killed_template),
    ("a_killed_worker_is_charged_like_any_other", killed_worker),
    ("a_template_that_cannot_be_warm_says_why", never_warm),
    ("a_template_that_hangs_is_given_up", hanging),
    ("a_killed_master_takes_its_template_along", killed_master),
    ("a_dropped_farm_takes_its_template_along", dropped),
];

/// The argument that makes this program a master to be killed.
pub(crate) const DOOMED: &str = "doomed-template-master";

/// Nothing here takes this long on a machine that works.
pub(crate) const LONG: Duration = Duration::from_secs(20);

#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub(crate) enum Want {
    /// Answer, and print this.
    Say(String),
    /// Come to this folder, and wait there for the sign.
    Wait(String),
    /// Leave a process in the group, and die of SIGKILL.
    Die,
}

#[derive(Debug, Serialize, Deserialize, Schema)]
pub(crate) struct Said {
    pid: u32,
    pub(crate) parent: u32,
    warmed_by: u32,
    /// How many requests this process has had.
    requests: u32,
}

pub(crate) struct Warmed;

impl Wire for Warmed {
    const NAME: &'static str = "warmed";
    const VERSION: u32 = 1;
    type Request = Want;
    type Response = Said;
    type Feedback = Never;
    type Context = Never;
}

#[derive(Default)]
pub(crate) struct Warm {
    by: u32,
    requests: u32,
}

/// A process's number as everybody here writes it.
fn number(pid: Option<Pid>) -> u32 {
    pid.map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs())
}

impl Perform for Warm {
    type Wire = Warmed;

    fn warm(&mut self) {
        self.by = std::process::id();
        match std::env::args().nth(1).as_deref() {
            Some("panic") => panic!("no licence found"),
            Some("thread") => drop(thread::spawn(|| thread::sleep(LONG))),
            Some("process") => {
                let sleep = Command::new("/bin/sleep").arg("20").spawn();
                drop(sleep.expect("sleep"));
            }
            Some("hang") => thread::sleep(LONG),
            _ => {}
        }
    }

    fn perform(&mut self, want: Want, _: &Context<'_, Warmed>) -> Said {
        self.requests += 1;
        match want {
            Want::Say(text) => println!("{text}"),
            Want::Wait(folder) => {
                let folder = PathBuf::from(folder);
                fs::write(folder.join(std::process::id().to_string()), "").expect("a file");
                while fs::metadata(folder.join(GO)).is_err() {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            Want::Die => {
                let sleep = Command::new("/bin/sleep").arg("20").spawn();
                println!("left {}", sleep.expect("sleep").id());
                kill(std::process::id());
            }
        }
        Said {
            pid: std::process::id(),
            parent: number(getppid()),
            warmed_by: self.by,
            requests: self.requests,
        }
    }
}

/// The master's half.
pub(crate) struct Warmth {
    /// Whether a worker ends after each task.
    pub(crate) one_shot: bool,
}

impl TaskKind for Warmth {
    type Wire = Warmed;
    type Task = Want;
    type Competence = ();
    type Output = Said;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &Want) -> Option<Want> {
        Some(task.clone())
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Want, said: Said) -> Verdict<Self> {
        let verdict = Verdict::done(said, ());
        if self.one_shot {
            verdict.end_worker()
        } else {
            verdict
        }
    }
}

pub(crate) fn farm(how: &str, slots: u32, one_shot: bool) -> (Farm, TaskQueue<Warmth>) {
    farm_of(Pool::new(program(how), slots).template(), one_shot)
}

/// This program, whose panics say what and not where.
pub(crate) fn program(how: &str) -> Program {
    let mut program = Program::this_executable().arg(how);
    let quiet = ("RUST_BACKTRACE".into(), "0".into());
    program.env.set.push(quiet);
    program
}

fn farm_of(pool: Pool, one_shot: bool) -> (Farm, TaskQueue<Warmth>) {
    let mut builder = Farm::builder();
    let millisecond = Duration::from_millis(1);
    builder.start_failures(StartFailures {
        limit: 2,
        pause: millisecond,
        max_pause: millisecond,
    });
    let kind = builder.kind(Warmth { one_shot }, pool);
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, queue)
}

#[track_caller]
pub(crate) fn settled(ticket: farm::Ticket<Warmth>) -> Settled<Warmth> {
    let settled = ticket.wait_timeout(LONG).expect("an end in time");
    settled.expect("admitted")
}

#[track_caller]
pub(crate) fn said(ticket: farm::Ticket<Warmth>) -> Said {
    match settled(ticket).outcome {
        Outcome::Done(said) => said,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn say(text: &str) -> Want {
    Want::Say(text.to_owned())
}

fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid"), Signal::KILL).expect("it lives");
}

/// Whether a process runs; a zombie does not.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

#[track_caller]
pub(crate) fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "{what}: not in time");
        thread::yield_now();
    }
}

/// The file for which they wait.
const GO: &str = "go";

/// The sign that a killed master has not given.
const NEVER: &str = "never";

/// Where workers wait for a sign: a folder of this test's own.
pub(crate) struct Sign(PathBuf);

impl Sign {
    pub(crate) fn new(name: &str) -> Self {
        let sign = Self::of(std::process::id(), name);
        fs::create_dir_all(&sign.0).expect("a folder");
        sign
    }

    /// That of another process, which may not come to removing it.
    fn of(pid: u32, name: &str) -> Self {
        let name = format!("farm-template-{pid}-{name}");
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn wait(&self) -> Want {
        Want::Wait(self.0.to_str().expect("text").to_owned())
    }

    /// Waits until so many have come.
    #[track_caller]
    pub(crate) fn met(&self, count: usize) {
        let here = || fs::read_dir(&self.0).map_or(0, Iterator::count);
        soon("they come", || here() == count);
    }

    pub(crate) fn give(&self) {
        fs::write(self.0.join(GO), "").expect("a file");
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn warmed_once() {
    let (farm, queue) = farm("", 2, false);
    let sign = Sign::new("both");
    let both = [queue.submit(sign.wait()), queue.submit(sign.wait())];
    sign.met(2);
    sign.give();
    let both = both.map(said);
    let more: Vec<_> = (0..20).map(|n| queue.submit(say(&n.to_string()))).collect();
    for (n, ticket) in more.into_iter().enumerate() {
        let settled = settled(ticket);
        assert_eq!(settled.output.stdout, format!("{n}\n").as_bytes());
        let Outcome::Done(said) = settled.outcome else {
            panic!("{:?}", settled.outcome)
        };
        assert_eq!(said.warmed_by, both[0].warmed_by, "once for all");
        assert!(
            both.iter().any(|worker| worker.pid == said.pid),
            "they stay"
        );
        assert!(said.requests > 1, "what a worker does later is its own");
    }
    for said in &both {
        assert_eq!((said.parent, said.requests), (said.warmed_by, 1));
        assert_ne!(said.parent, std::process::id());
    }
    assert_ne!(both[0].pid, both[1].pid);
    assert!(lives(both[0].parent));
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    for pid in [both[0].pid, both[1].pid, both[0].parent] {
        assert!(!lives(pid), "{pid} lives on");
    }
}

fn cold() {
    let (_farm, queue) = farm_of(Pool::new(Program::this_executable(), 1), false);
    let said_it = said(queue.submit(say("cold")));
    assert_eq!(said_it.warmed_by, said_it.pid);
    assert_eq!(said_it.parent, std::process::id());
    let pool = Pool::new(program("panic"), 1);
    let (_farm, queue) = farm_of(pool, false);
    let error = failed_start(&queue);
    assert!(error.contains("no licence found"), "{error}");
}

pub(crate) fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn one_shot() {
    let (farm, queue) = farm("", 2, true);
    let template = said(queue.submit(say("first"))).parent;
    soon("it is idle", || farm.worker_pids().is_empty());
    let before = open_files();
    let tickets: Vec<_> = (0..250).map(|_| queue.submit(say(""))).collect();
    let all: Vec<Said> = tickets.into_iter().map(said).collect();
    assert!(
        all.iter()
            .all(|said| said.requests == 1 && said.parent == template)
    );
    let pids: BTreeSet<u32> = all.iter().map(|said| said.pid).collect();
    assert_eq!(pids.len(), all.len());
    let children = || {
        let path = format!("/proc/{template}/task/{template}/children");
        fs::read_to_string(path).expect("the template lives")
    };
    soon("all are collected", || children().trim().is_empty());
    soon("all is closed", || open_files() <= before);
    farm.shut(Shut::Drain);
    farm.wait_stopped();
}

fn killed_template() {
    let (farm, queue) = farm("", 2, true);
    let sign = Sign::new("killed");
    let first = said(queue.submit(say("first")));
    let running = queue.submit(sign.wait());
    sign.met(1);
    kill(first.parent);
    // The other slot has the next worker, from another template.
    let next = said(queue.submit(say("next")));
    assert_ne!(next.parent, first.parent);
    soon("it is collected", || farm.worker_pids().len() == 1);
    sign.give();
    let running = settled(running);
    assert_eq!(running.attempts.len(), 1);
    let Outcome::Done(said_it) = running.outcome else {
        panic!("{:?}", running.outcome)
    };
    assert_eq!(
        said_it.warmed_by, first.parent,
        "it ran on without its template"
    );
    // How the orphan ended is unknown, which costs nobody anything.
    soon("its exit is seen", || farm.worker_pids().is_empty());
    assert_eq!(said(queue.submit(say("last"))).parent, next.parent);
}

fn killed_worker() {
    let (_farm, queue) = farm("", 1, false);
    let template = said(queue.submit(say("first"))).parent;
    let once = TaskOptions {
        on_lost: OnLost::Fail,
        ..TaskOptions::default()
    };
    let lost = settled(queue.submit_options(Want::Die, once));
    let Outcome::WorkerLost(death) = &lost.outcome else {
        panic!("{:?}", lost.outcome)
    };
    assert_eq!(death.termination.signal(), Some(9));
    let words = String::from_utf8_lossy(&death.last_words).into_owned();
    let left = words.trim().rsplit(' ').next().expect("its last words");
    let left = left.parse().expect("a pid");
    soon("its group dies with it", || !lives(left));
    let poisoned = settled(queue.submit(Want::Die));
    let Outcome::Poisoned(deaths) = &poisoned.outcome else {
        panic!("{:?}", poisoned.outcome)
    };
    assert!(
        deaths
            .iter()
            .all(|death| death.termination.signal() == Some(9))
    );
    assert_eq!(said(queue.submit(say("next"))).parent, template);
}

#[track_caller]
fn failed_start(queue: &TaskQueue<Warmth>) -> String {
    let settled = settled(queue.submit(say("never")));
    assert!(settled.attempts.is_empty(), "no task is charged");
    match settled.outcome {
        Outcome::SpawnFailed(error) => error,
        other => panic!("{other:?}"),
    }
}

fn never_warm() {
    let cases = [
        ("panic", ["101", "no licence found"]),
        ("thread", ["104", "2 threads run"]),
        ("process", ["104", "left a process running"]),
    ];
    for (how, pieces) in cases {
        let (_farm, queue) = farm(how, 2, false);
        let error = failed_start(&queue);
        for piece in pieces.into_iter().chain(["template of kind `warmed`"]) {
            assert!(error.contains(piece), "{how}: {error}");
        }
    }
    let no_worker = Pool::new(Program::path("/bin/true"), 1).template();
    let (_farm, queue) = farm_of(no_worker, false);
    let error = failed_start(&queue);
    assert!(error.contains("worker's entry"), "{error}");
}

fn hanging() {
    let pool = Pool::new(program("hang"), 2).hello_timeout(Duration::from_millis(30));
    let (farm, queue) = farm_of(pool.template(), false);
    let error = failed_start(&queue);
    assert!(
        error.contains("warm") && error.contains("hello_timeout"),
        "{error}"
    );
    farm.shut(Shut::Kill);
    farm.wait_stopped();
    assert_eq!(templates_of(std::process::id()), [] as [u32; 0]);
}

/// The templates that this process has as children.
pub(crate) fn templates_of(master: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{master}/task")).expect("it lives");
    let lists = threads.flatten().map(|thread| {
        let children = fs::read_to_string(thread.path().join("children"));
        children.unwrap_or_default()
    });
    let pids: Vec<u32> = lists
        .flat_map(|list| {
            let pids = list.split_whitespace().map(str::parse);
            pids.flatten().collect::<Vec<u32>>()
        })
        .collect();
    let is_template = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("farm-template:")
    };
    pids.into_iter().filter(is_template).collect()
}

/// Is a master with a busy forked worker, and says both pids.
pub(crate) fn doomed_master() -> ! {
    let (farm, queue) = farm("", 2, false);
    let template = said(queue.submit(say("first"))).parent;
    let sign = Sign::new(NEVER);
    drop(queue.submit(sign.wait()));
    drop(queue.submit(sign.wait()));
    sign.met(2);
    let pids = farm.worker_pids();
    println!("{template} {} {}", pids[0].1, pids[1].1);
    loop {
        thread::park();
    }
}

fn killed_master() {
    let mut master = Command::new(std::env::current_exe().expect("a path of this program"))
        .arg(DOOMED)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a master");
    let _removed = Sign::of(master.id(), NEVER);
    let mut line = String::new();
    let stdout = master.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let pids: Vec<u32> = line.split_whitespace().flat_map(str::parse).collect();
    assert!(
        pids.len() == 3 && pids.iter().all(|pid| lives(*pid)),
        "{line}"
    );
    master.kill().expect("ours");
    master.wait().expect("ours");
    for pid in pids {
        soon("nobody outlives the master", || !lives(pid));
    }
}

fn dropped() {
    let (farm, queue) = farm("", 2, false);
    let template = said(queue.submit(say("first"))).parent;
    let sign = Sign::new("dropped");
    let running = queue.submit(sign.wait());
    sign.met(1);
    let pids = farm.worker_pids();
    drop(farm);
    assert!(!lives(template), "the template lives on");
    for (_, pid) in pids {
        assert!(!lives(pid), "{pid} lives on");
    }
    assert!(!settled(running).outcome.is_done());
}
