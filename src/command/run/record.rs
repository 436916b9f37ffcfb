//! From a settled task to its record in the reports: status, exit code, cause in words.

use super::desk::id_text;
use super::said::Left;
use crate::exec::{Captured as Kept, CommandKind, CommandResponse, Ended};
use crate::report::{AttemptRecord, Captured, Status, TaskError, TaskRecord};
use crate::taskfile::{Run, Settings, TaskSpec};
use farm_master::{
    AttemptEnd, AttemptReport, CancelledBy, Death, HowStopped, Outcome, Resource, Settled,
    SkippedBy, TimeLimit,
};
use farm_protocol::{Instant, Termination, signal_name};
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
        record.signal = stop_signal(how);
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

/// The signal that ended a command of which nothing else is known.
const fn stop_signal(how: HowStopped) -> Option<i32> {
    match how {
        HowStopped::Killed => Some(SIGKILL),
        // A command that is asked to end is sent it.
        HowStopped::Terminated | HowStopped::Acked => Some(SIGTERM),
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
    record.tags.clone_from(&spec.settings.tags);
    record.meta.clone_from(&spec.settings.meta);
    record
}

/// The command as one line of shell text.
pub(super) fn command_text(run: &Run) -> String {
    match run {
        Run::Shell(line) => line.to_string(),
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

/// The record of a settled task.
pub(super) fn of(
    settled: Settled<CommandKind>,
    start: Instant,
    attempts: Vec<AttemptRecord>,
    skipped_by: Option<&str>,
    left: Left,
) -> TaskRecord {
    let mut record = bare(&settled.task, status(&settled.outcome));
    record.submitted = settled.submitted.since(start);
    record.finished = settled.finished.since(start);
    record.started = settled.started.map(|at| at.since(start));
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
    record.error = explain(&settled.outcome, skipped_by, &settled.task.settings);
    match settled.outcome {
        Outcome::Done(response) | Outcome::Failed(response) => {
            take_response(&mut record, *response);
        }
        Outcome::WorkerLost(death) | Outcome::Panicked(death) => {
            take_left(&mut record, left);
            take_death(&mut record, &death);
        }
        Outcome::Poisoned(deaths) => {
            take_left(&mut record, left);
            if let Some(death) = deaths.last() {
                take_death(&mut record, death);
            }
        }
        Outcome::TimedOut { how, .. }
        | Outcome::LimitExceeded { how, .. }
        | Outcome::Cancelled { how, .. } => {
            take_left(&mut record, left);
            if let Outcome::LimitExceeded { used, .. } = settled.outcome {
                // Seen in all its processes together, which a command's own figures are not.
                record.max_rss = record.max_rss.max(Some(used));
            }
            if record.exit.is_none() && record.signal.is_none() && record.attempt > 0 {
                record.signal = stop_signal(how);
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
    record
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

pub(super) fn error(class: &'static str, message: String) -> TaskError {
    TaskError { class, message }
}

pub(super) fn not_run_error() -> TaskError {
    error("not_run", "the run ended before it started".to_string())
}

pub(super) fn skip_error(by: &str) -> TaskError {
    error("needs", format!("needed task `{by}` did not end as needed"))
}

/// Why a task did not end well, in one sentence.
fn explain(
    outcome: &Outcome<Box<CommandResponse>, Box<CommandResponse>>,
    skipped_by: Option<&str>,
    settings: &Settings,
) -> Option<TaskError> {
    Some(match outcome {
        Outcome::Done(_) => return None,
        Outcome::Failed(response) => explain_end(response),
        Outcome::Skipped(SkippedBy::Need(_)) => skip_error(skipped_by.unwrap_or("?")),
        Outcome::Skipped(SkippedBy::NoMatch) => error(
            "skipped",
            "no worker matches it, nor would a new one; a task before it may have been meant to prepare one".to_string(),
        ),
        Outcome::Skipped(SkippedBy::Kind) => error("skipped", "nothing was to be done".to_string()),
        Outcome::TimedOut { which, how } => error(
            "timeout",
            format!("{}; {}", out_of_time(*which, settings), stopped(*how)),
        ),
        Outcome::LimitExceeded {
            what: Resource::Memory,
            how,
            used,
            limit,
        } => error(
            "resource",
            format!(
                "its processes held {used} bytes of memory, and its limit is {limit}; {}",
                stopped(*how)
            ),
        ),
        Outcome::Cancelled { by, how } => {
            let by = match by {
                CancelledBy::Caller(reason) => format!("cancelled: {reason}"),
                CancelledBy::Stopping => "the run was stopped".to_string(),
                CancelledBy::Group(group) => format!("its group {group} was decided without it"),
                CancelledBy::Scope { reason, .. } => format!("cancelled: {reason}"),
            };
            error("cancelled", format!("{by}; {}", stopped(*how)))
        }
        Outcome::RequestNotMarshallable(why) => {
            error("request", format!("its request could not be sent: {why}"))
        }
        Outcome::RequestRefused(why) => error(
            "request",
            format!("its worker could not read the request: {why}"),
        ),
        Outcome::ResponseNotMarshallable(why) => error(
            "response",
            format!("its worker could not send the response: {why}"),
        ),
        Outcome::ResponseGarbled(why) => error(
            "response",
            format!("its worker's response could not be read: {why}"),
        ),
        Outcome::KindFault(fault) => error("bug", fault.to_string()),
        Outcome::HolderGone => error("holder", "the worker it was meant for is gone".to_string()),
        Outcome::InjectionRefused { limit } => error(
            "injection",
            format!("more than {limit} follow-up tasks wait"),
        ),
        Outcome::Panicked(death) | Outcome::WorkerLost(death) => error("crash", died(death)),
        Outcome::Poisoned(deaths) => {
            let last = deaths.last().map(died).unwrap_or_default();
            error(
                "crash",
                format!(
                    "set aside after {} workers died executing it, the last one alone: {last}",
                    deaths.len()
                ),
            )
        }
        Outcome::SpawnFailed(why) => error("spawn", why.clone()),
        Outcome::Closed => not_run_error(),
        Outcome::Displaced => error("displaced", "a newer one took its place".to_string()),
    })
}

/// Which time limit passed.
fn out_of_time(which: TimeLimit, settings: &Settings) -> String {
    let limit = match which {
        TimeLimit::Running => settings.timeout,
        TimeLimit::Stall => settings.stall,
        TimeLimit::Cpu => settings.cpu,
        TimeLimit::Waiting | TimeLimit::Starting | TimeLimit::Group => None,
    };
    let of = limit
        .map(|limit| format!(" of {limit:?}"))
        .unwrap_or_default();
    match which {
        TimeLimit::Stall => format!("it wrote nothing for its stall limit{of}"),
        TimeLimit::Cpu => format!("its processor time{of} was used up"),
        TimeLimit::Running | TimeLimit::Waiting | TimeLimit::Starting | TimeLimit::Group => {
            format!("its {} time{of} was over", which.label())
        }
    }
}

fn explain_end(response: &CommandResponse) -> TaskError {
    let memory = response.out_of_memory.as_deref();
    let memory = memory.map(|words| format!(", {words}")).unwrap_or_default();
    match &response.ended {
        Ended::Exited(code) => error("exit", format!("exited with code {code}{memory}")),
        Ended::Signaled {
            signal,
            core_dumped,
        } => {
            let name =
                signal_name(*signal).map_or_else(|| format!("signal {signal}"), str::to_string);
            let core = if *core_dumped { " (core dumped)" } else { "" };
            error("signal", format!("killed by {name}{core}{memory}"))
        }
        Ended::NotStarted { message, .. } => error("start", message.clone()),
        Ended::Lost { message } => error("lost", message.clone()),
    }
}

const fn stopped(how: HowStopped) -> &'static str {
    match how {
        HowStopped::BeforeStart => "it had not begun",
        HowStopped::Acked => "it ended when it was asked to",
        HowStopped::LateReply => "it ended by itself meanwhile",
        HowStopped::Exited => "its worker ended",
        HowStopped::Terminated => "it was ended by SIGTERM",
        HowStopped::Killed => "it was killed at the end of its grace",
    }
}

fn died(death: &Death) -> String {
    let panic = death
        .panic
        .as_ref()
        .map(|panic| format!("panicked: {panic}; "))
        .unwrap_or_default();
    let memory = death
        .memory
        .words()
        .map(|words| format!(", {words}"))
        .unwrap_or_default();
    format!(
        "{panic}its worker {}{}{memory} after {:.1?}",
        if death.termination.signal().is_some() {
            "was "
        } else {
            ""
        },
        death.termination,
        death.ran
    )
}
