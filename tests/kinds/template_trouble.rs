//! Templates that hang, and farms that have no descriptor left for what a template has forked.

use super::Test;
use crate::template::{
    LONG, Sign, Warmth, open_files, program, said, say, settled, soon, templates_of,
};
use farm::master::StartFailures;
use farm::{Farm, Outcome, Pool, Shut, TaskQueue};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("no_descriptor_is_left_for_a_forked_worker", no_descriptor),
    ("a_forked_worker_that_cannot_be_watched_is_buried", no_watch),
    (
        "a_suspended_farm_is_killed_beside_a_hung_template",
        suspended,
    ),
];

/// One start that fails is the last.
fn farm() -> (Farm, TaskQueue<Warmth>) {
    let mut builder = Farm::builder();
    builder.start_failures(StartFailures {
        limit: 1,
        pause: Duration::from_millis(1),
        max_pause: Duration::from_millis(1),
    });
    let pool = Pool::new(program(""), 2).template();
    let kind = builder.kind(Warmth { one_shot: false }, pool);
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, queue)
}

/// The only template of this program, which is stopped. It is killed with this.
struct Hung(u32);

impl Hung {
    fn stop() -> Self {
        let [pid] = templates_of(std::process::id())[..] else {
            panic!("one template")
        };
        let hung = Self(pid);
        hung.signal(Signal::STOP);
        let stat = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        soon("it stops", || stat().contains(") T "));
        hung
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0).ok().and_then(Pid::from_raw);
        // It may be gone at the end.
        let _gone = kill_process(pid.expect("a pid"), signal);
    }

    fn children(&self) -> usize {
        let path = format!("/proc/{0}/task/{0}/children", self.0);
        let text = fs::read_to_string(path).expect("it lives");
        text.split_whitespace().count()
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// As many files as before may be open again at its end.
struct Limited(Rlimit);

impl Limited {
    /// Only so many more.
    fn to(more: u64) -> Self {
        let before = getrlimit(Resource::Nofile);
        let next = File::open("/dev/null").expect("a file").as_raw_fd();
        let current = u64::try_from(next).expect("a number") + more;
        let now = Rlimit {
            current: Some(current),
            ..before
        };
        setrlimit(Resource::Nofile, now).expect("lower is allowed");
        Self(before)
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.0).expect("as before");
    }
}

/// Has a second worker forked when so many descriptors more are left, and gives what is said of that.
fn forked_with(more: u64, name: &str) -> String {
    let (farm, queue) = farm();
    let sign = Sign::new(name);
    let running = queue.submit(sign.wait());
    sign.met(1);
    let before = open_files();
    let template = Hung::stop();
    let never = queue.submit(say("never"));
    // What came before it has been done: the worker is ordered.
    assert_eq!(farm.worker_pids().len(), 1);
    let limited = Limited::to(more);
    template.signal(Signal::CONT);
    let never = settled(never);
    drop(limited);
    assert!(never.attempts.is_empty(), "no task is charged");
    let Outcome::SpawnFailed(error) = never.outcome else {
        panic!("{:?}", never.outcome)
    };
    soon("nobody stays", || template.children() == 1);
    soon("all is closed", || open_files() <= before);
    sign.give();
    let running = said(running);
    assert_eq!(running.parent, template.0, "the template lives on");
    error
}

fn no_descriptor() {
    let error = forked_with(0, "no-descriptor");
    assert!(error.contains("no descriptors are left"), "{error}");
    assert!(error.contains("ulimit -n"), "{error}");
}

fn no_watch() {
    let error = forked_with(1, "no-watch");
    assert!(error.contains("cannot watch"), "{error}");
    assert!(error.contains("ulimit -n"), "{error}");
}

fn suspended() {
    let (farm, queue) = farm();
    let sign = Sign::new("suspended");
    let running = queue.submit(sign.wait());
    sign.met(1);
    let template = Hung::stop();
    let never = queue.submit(say("never"));
    assert_eq!(farm.worker_pids().len(), 1);
    farm.suspend();
    let begun = Instant::now();
    farm.shut(Shut::Kill);
    for ticket in [running, never] {
        assert!(!settled(ticket).outcome.is_done());
    }
    farm.wait_stopped();
    assert!(begun.elapsed() < LONG);
    drop(template);
}
