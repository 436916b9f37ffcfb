//! From a settled task to its record in the reports: status, exit code, what it gave.

use super::desk::id_text;
use super::end::{End, Product};
use super::said::Left;
use super::why::explain;
use crate::exec::{Captured as Kept, CommandResponse, Ended};
use crate::report::{AttemptRecord, Captured, OfKind, Status, TaskRecord};
use crate::taskfile::{Run, TaskSpec};
use farm_master::{
    AttemptEnd, AttemptReport, Death, HowStopped, OUTPUT_KEPT, Outcome, WorkerOutput,
};
use farm_protocol::{Instant, Termination};
use std::os::unix::ffi::OsStringExt as _;
use std::time::Duration;

/// What an attempt answered, as far as its line in the results goes.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    exit: Option<i32>,
    signal: Option<i32>,
    pid: u32,
    wall: Duration,
}

impl Answered {
    pub(super) fn of(response: &CommandResponse) -> Self {
        let (exit, signal) = ends(&response.ended);
        Self {
            exit,
            signal,
            pid: response.pid,
            wall: Duration::from_nanos(response.wall_nanos),
        }
    }
}

fn ends(ended: &Ended) -> (Option<i32>, Option<i32>) {
    match ended {
        Ended::Exited(code) => (Some(*code), None),
        Ended::Signaled { signal, .. } => (None, Some(*signal)),
        Ended::NotStarted { .. } | Ended::Lost { .. } => (None, None),
    }
}

/// One line of `attempts`. The pid is the command's when it answered, else its worker's.
pub(super) fn attempt(
    spec: &TaskSpec,
    report: &AttemptReport,
    worker: u32,
    pid: Option<u32>,
    answered: Option<&Answered>,
) -> AttemptRecord {
    let mut record = AttemptRecord {
        attempt: report.attempt.0,
        worker: Some(worker),
        pid,
        status: attempt_status(&report.end),
        exit: None,
        signal: None,
        wall: report.finished.since(report.started),
    };
    if let Some(answered) = answered {
        (record.exit, record.signal) = (answered.exit, answered.signal);
        record.pid = Some(answered.pid).filter(|pid| *pid != 0).or(pid);
        record.wall = answered.wall;
    } else if let AttemptEnd::Died(termination) = report.end {
        (record.exit, record.signal) = process_end(termination);
    } else if let AttemptEnd::Cancelled(how) = report.end {
        record.signal = stop_signal(&spec.run, how);
    }
    record
}

pub(super) const fn process_end(termination: Termination) -> (Option<i32>, Option<i32>) {
    match termination {
        Termination::Exited(code) => (Some(code), None),
        Termination::Signaled { signal, .. } => (None, Some(signal)),
        Termination::Lost => (None, None),
    }
}

/// The signal that ended an attempt of which nothing else is known.
const fn stop_signal(run: &Run, how: HowStopped) -> Option<i32> {
    match how {
        HowStopped::Killed => Some(SIGKILL),
        HowStopped::Terminated => Some(SIGTERM),
        HowStopped::Acked => match run {
            // A command that is asked to end is sent it.
            Run::Argv(_) | Run::Shell(_) => Some(SIGTERM),
            Run::Kind(_) => None,
        },
        HowStopped::BeforeStart | HowStopped::LateReply | HowStopped::Exited => None,
    }
}

const fn attempt_status(end: &AttemptEnd) -> Status {
    match end {
        AttemptEnd::Done => Status::Ok,
        AttemptEnd::Failed | AttemptEnd::Fault => Status::Failed,
        AttemptEnd::TimedOut(_) => Status::Timeout,
        AttemptEnd::LimitExceeded(_) => Status::Resource,
        AttemptEnd::Cancelled(_) => Status::Cancelled,
        AttemptEnd::Died(_) | AttemptEnd::Panicked => Status::Crashed,
    }
}

fn status<O, F>(outcome: &Outcome<O, F>) -> Status {
    let word = outcome.status();
    Status::ALL
        .into_iter()
        .find(|status| status.word() == word)
        .expect("one closed list of words")
}

/// A task of which only the input is known.
pub(super) fn bare(spec: &TaskSpec, status: Status) -> TaskRecord {
    let mut record = TaskRecord::bare(spec.seq, id_text(spec), status);
    record.name.clone_from(&spec.name);
    record.command = command_text(&spec.run).into();
    record.of_kind = match &spec.run {
        Run::Argv(_) | Run::Shell(_) => None,
        Run::Kind(task) => Some(OfKind {
            name: task.name,
            ..OfKind::default()
        }),
    };
    record.tags.clone_from(&spec.settings.tags);
    record.meta.clone_from(&spec.settings.meta);
    record
}

/// What a task does in one line: a command as shell text, another as its kind and its input.
pub(super) fn command_text(run: &Run) -> String {
    match run {
        Run::Shell(line) => line.to_string(),
        Run::Kind(task) => format!("{} {}", task.name, task.input),
        Run::Argv(argv) => {
            let words: Vec<String> = argv.iter().map(|word| quoted(word)).collect();
            words.join(" ")
        }
    }
}

/// A word as a POSIX shell would have to read it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The record of a settled task, and what of it was lost.
pub(super) fn of(
    spec: &TaskSpec,
    end: End,
    start: Instant,
    attempts: Vec<AttemptRecord>,
    skipped_by: Option<&str>,
    left: Left,
) -> (TaskRecord, Option<String>) {
    let mut record = bare(spec, status(&end.outcome));
    record.submitted = end.submitted.since(start);
    record.finished = end.finished.since(start);
    record.started = end.started.map(|at| at.since(start));
    record.skipped_by = skipped_by.map(|id| crate::report::TaskIdText::new(id, false));
    if let Some(last) = attempts.last() {
        record.attempt = last.attempt;
        record.worker = last.worker;
        (record.exit, record.signal) = (last.exit, last.signal);
        record.wall = last.wall;
    } else {
        // What was sent and never began is no attempt: the task did not start.
        record.started = None;
    }
    record.attempts = attempts;
    record.error = explain(&end.outcome, skipped_by, spec);
    let lost = take_outcome(&mut record, spec, end.outcome, left);
    if record.of_kind.is_some() {
        take_printed(&mut record, end.printed);
    }
    (record, lost)
}

/// What the outcome brings with it, and what of that was lost.
fn take_outcome(
    record: &mut TaskRecord,
    spec: &TaskSpec,
    outcome: Outcome<Product, Product>,
    left: Left,
) -> Option<String> {
    match outcome {
        Outcome::Done(product) => return take_product(record, product, true),
        Outcome::Failed(product) => return take_product(record, product, false),
        Outcome::WorkerLost(death) | Outcome::Panicked(death) => {
            take_left(record, left);
            take_death(record, &death);
        }
        Outcome::Poisoned(deaths) => {
            take_left(record, left);
            if let Some(death) = deaths.last() {
                take_death(record, death);
            }
        }
        Outcome::TimedOut { how, .. }
        | Outcome::LimitExceeded { how, .. }
        | Outcome::Cancelled { how, .. } => {
            take_left(record, left);
            if let Outcome::LimitExceeded { used, .. } = outcome {
                // Seen in all its processes together, which a command's own figures are not.
                record.max_rss = record.max_rss.max(Some(used));
            }
            if record.exit.is_none() && record.signal.is_none() && record.attempt > 0 {
                record.signal = stop_signal(&spec.run, how);
                if let Some(last) = record.attempts.last_mut() {
                    last.signal = record.signal;
                }
            }
        }
        Outcome::Skipped(_)
        | Outcome::RequestNotMarshallable(_)
        | Outcome::RequestRefused(_)
        | Outcome::ResponseNotMarshallable(_)
        | Outcome::ResponseGarbled(_)
        | Outcome::KindFault(_)
        | Outcome::HolderGone
        | Outcome::InjectionRefused { .. }
        | Outcome::SpawnFailed(_)
        | Outcome::Closed
        | Outcome::Displaced => {}
    }
    None
}

fn take_product(record: &mut TaskRecord, product: Product, done: bool) -> Option<String> {
    let json = match product {
        Product::Command(response) => {
            take_response(record, *response);
            return None;
        }
        Product::Json(Ok(json)) => json,
        Product::Json(Err(why)) => {
            let what = if done { "output" } else { "failure" };
            return Some(format!("the {what} of task {}: {why}", record.id.text()));
        }
    };
    let kind = record
        .of_kind
        .as_mut()
        .expect("only tasks of kinds give JSON");
    if done {
        kind.output = Some(json);
    } else {
        kind.failure = Some(json);
    }
    None
}

/// What the worker of a task printed itself.
fn take_printed(record: &mut TaskRecord, printed: WorkerOutput) {
    let captured = |head: Vec<u8>| {
        // How much more there was is not known, but that there was.
        let more = printed.truncated && head.len() >= OUTPUT_KEPT;
        Captured {
            total: head.len() as u64 + u64::from(more),
            head,
            rest: None,
        }
    };
    (record.stdout, record.stderr) = (captured(printed.stdout), captured(printed.stderr));
    if let Some(kind) = &mut record.of_kind {
        kind.shared = printed.shared;
    }
}

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

fn take_response(record: &mut TaskRecord, response: CommandResponse) {
    record.cpu = Some(Duration::from_nanos(
        response.user_nanos.saturating_add(response.system_nanos),
    ));
    record.max_rss = Some(response.peak_bytes);
    record.left_behind = response.left_behind;
    record.stdout = captured(response.stdout);
    record.stderr = captured(response.stderr);
}

/// What an attempt that did not answer in time left.
fn take_left(record: &mut TaskRecord, left: Left) {
    match left.late {
        Some(response) => take_response(record, *response),
        None => (record.stdout, record.stderr) = (left.stdout, left.stderr),
    }
}

fn captured(kept: Kept) -> Captured {
    let rest = kept
        .rest
        .map(|path| std::ffi::OsString::from_vec(path).into());
    Captured {
        head: kept.head,
        total: kept.total,
        rest,
    }
}

fn take_death(record: &mut TaskRecord, death: &Death) {
    record.max_rss = death.peak_bytes;
    // The worker's own words come after its command's.
    let words = &death.last_words;
    record.stderr.head.extend_from_slice(words);
    record.stderr.total += words.len() as u64;
}
