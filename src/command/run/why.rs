//! Why a task did not end well, in words for people.
//!
//! Owns the sentences and their classes. It knows no time and no figure that the outcome does not name.

use super::end::Product;
use crate::exec::{CommandResponse, Ended};
use crate::report::{TaskError, shortened};
use crate::taskfile::{Run, TaskSpec};
use farm_master::{CancelledBy, Death, HowStopped, Outcome, Resource, SkippedBy, TimeLimit};

/// Characters of a failure that stand in the words about it; its line in the results has all of it.
const FAILURE_COLUMNS: usize = 1000;

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
pub(super) fn explain(
    outcome: &Outcome<Product, Product>,
    skipped_by: Option<&str>,
    spec: &TaskSpec,
) -> Option<TaskError> {
    Some(match outcome {
        Outcome::Done(_) => return None,
        Outcome::Failed(product) => explain_failure(product),
        Outcome::Skipped(SkippedBy::Need(_)) => skip_error(skipped_by.unwrap_or("?")),
        Outcome::Skipped(SkippedBy::NoMatch) => error(
            "skipped",
            "no worker matches it, nor would a new one; a task before it may have been meant to prepare one".to_string(),
        ),
        Outcome::Skipped(SkippedBy::Kind) => error("skipped", "nothing was to be done".to_string()),
        Outcome::TimedOut { which, how } => error(
            "timeout",
            format!("{}; {}", out_of_time(*which, spec), stopped(*how)),
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
        Outcome::Panicked(death) | Outcome::WorkerLost(death) => crashed(death, ""),
        Outcome::Poisoned(deaths) => poisoned(deaths),
        Outcome::SpawnFailed(why) => error("spawn", why.clone()),
        Outcome::Closed => not_run_error(),
        Outcome::Displaced => error("displaced", "a newer one took its place".to_string()),
    })
}

/// Which time limit passed.
fn out_of_time(which: TimeLimit, spec: &TaskSpec) -> String {
    let settings = &spec.settings;
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
        TimeLimit::Stall => {
            let silent = match &spec.run {
                Run::Argv(_) | Run::Shell(_) => "it wrote nothing",
                Run::Kind(_) => "it told of no progress",
            };
            format!("{silent} for its stall limit{of}")
        }
        TimeLimit::Cpu => format!("its processor time{of} was used up"),
        TimeLimit::Running | TimeLimit::Waiting | TimeLimit::Starting | TimeLimit::Group => {
            format!("its {} time{of} was over", which.label())
        }
    }
}

/// A failure in one line: how a command ended, what a kind says. Text as it is, anything else as JSON.
fn explain_failure(product: &Product) -> TaskError {
    let json = match product {
        Product::Command(response) => return explain_end(response),
        Product::Json(Ok(json)) => json,
        Product::Json(Err(_)) => {
            let words = "failed in a way that cannot be written as JSON";
            return error("failed", words.to_string());
        }
    };
    let text = serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_string());
    let words = shortened(&text, FAILURE_COLUMNS);
    error("failed", format!("failed: {words}"))
}

fn explain_end(response: &CommandResponse) -> TaskError {
    let memory = response.out_of_memory.as_deref();
    let memory = memory.map(|words| format!(", {words}")).unwrap_or_default();
    let class = match response.ended {
        Ended::Exited(_) => "exit",
        Ended::Signaled { .. } => "signal",
        Ended::NotStarted { .. } => "start",
        Ended::Lost { .. } => "lost",
    };
    error(class, format!("{}{memory}", response.ended))
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

fn poisoned(deaths: &[Death]) -> TaskError {
    let workers = match deaths.len() {
        1 => "1 worker".to_owned(),
        count => format!("{count} workers"),
    };
    let before = format!("set aside after {workers} died executing it, the last one alone: ");
    let last = deaths.last().expect("a task is set aside for deaths");
    crashed(last, &before)
}

/// What it panicked with comes first: what followed from that can be long.
fn crashed(death: &Death, before: &str) -> TaskError {
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
    let was = match death.termination.signal() {
        Some(_) => "was ",
        None => "",
    };
    let (end, ran) = (&death.termination, death.ran);
    let words = format!("{panic}{before}its worker {was}{end}{memory} after {ran:.1?}");
    error("crash", words)
}
