//! Programs that are no worker, or another worker: each has its own error, and the master lives.

use super::Test;
use super::noop::{Behave, Noop, Said};
use farm::master::StartFailures;
use farm::protocol::{Never, Wire};
use farm::worker::{Context, Perform};
use farm::{Farm, Outcome, Pool, Program};
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("a_missing_program", missing),
    ("a_file_that_is_no_program", no_program),
    ("a_program_that_ends_at_once", ends_at_once),
    ("a_program_that_talks", talks),
    ("a_program_that_says_nothing", silent),
    ("a_worker_with_other_types", other_types),
    ("a_worker_may_be_started_by_another_program", behind_another),
];

/// The argument with which this program is a worker whose kind has other types.
pub(crate) const OTHER_TYPES: &str = "other-types";

pub(crate) struct OtherNoops;

impl Wire for OtherNoops {
    const NAME: &'static str = "noop";
    const VERSION: u32 = 1;
    type Request = u64;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

pub(crate) struct Other;

impl Perform for Other {
    type Wire = OtherNoops;

    fn perform(&mut self, request: u64, _: &Context<'_, OtherNoops>) -> u64 {
        request
    }
}

/// The error of a farm whose only worker program is this one. A second kind with a good program
/// must not notice.
fn error_of(program: Program) -> String {
    let mut builder = Farm::builder();
    builder.hello_timeout(Duration::from_millis(300));
    builder.start_failures(StartFailures {
        limit: 2,
        pause: Duration::from_millis(1),
        max_pause: Duration::from_millis(1),
    });
    let bad = builder.kind(Noop, Pool::new(program, 1));
    let good = builder.kind(Noop, Pool::new(Program::this_executable(), 1));
    let farm = builder.start().expect("a farm");
    let begin = Instant::now();
    let settled = farm
        .queue(bad)
        .submit(Behave::Echo(1))
        .wait()
        .expect("admitted");
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "the error took {:?}",
        begin.elapsed()
    );
    let fine = farm
        .queue(good)
        .submit(Behave::Echo(2))
        .wait()
        .expect("admitted");
    assert!(matches!(fine.outcome, Outcome::Done(Said::Number(2))));
    match settled.outcome {
        Outcome::SpawnFailed(error) => error,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn says(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

fn missing() {
    says(
        &error_of(Program::path("/no/such/program")),
        &["/no/such/program", "No such file"],
    );
}

fn no_program() {
    says(
        &error_of(Program::path("/etc/passwd")),
        &["/etc/passwd", "ermission denied"],
    );
}

fn ends_at_once() {
    says(
        &error_of(Program::path("/bin/false")),
        &["before its hello", "code 1"],
    );
}

/// The protocol is on private descriptors, so what a stranger prints is its last words.
fn talks() {
    says(
        &error_of(Program::path("/bin/echo").arg("hello there")),
        &["before its hello", "hello there"],
    );
}

fn silent() {
    says(
        &error_of(Program::path("/bin/sh").arg("-c").arg("sleep 60")),
        &["did not say hello", "300ms"],
    );
}

fn other_types() {
    let error = error_of(Program::this_executable().arg(OTHER_TYPES));
    says(
        &error,
        &["`noop`", "other request or response types", "rebuild"],
    );
}

/// Any program will do that becomes a worker in the end and passes on what it is told last.
fn behind_another() {
    let own = std::env::current_exe().expect("a path of this program");
    let shell = Program::path("/bin/sh").arg("-c").arg("exec \"$@\"");
    let program = shell.arg("sh").arg(own);
    let mut builder = Farm::builder();
    let kind = builder.kind(Noop, Pool::new(program, 2));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    for ticket in [1, 2, 3].map(|n| queue.submit(Behave::Echo(n))) {
        assert!(ticket.wait().expect("admitted").outcome.is_done());
    }
}
