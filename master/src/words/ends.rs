//! Ends of tasks, attempts and workers in words.

use super::quoted;
use crate::action::{Gone, WhoseDoing};
use crate::outcome::{
    AttemptEnd, CancelledBy, Death, HowStopped, Outcome, Resource, Settlement, SkippedBy,
};

/// A task's end: its status, and what the status does not say.
pub(super) fn settlement(settlement: &Settlement) -> String {
    let Settlement {
        task,
        outcome,
        attempts,
        ..
    } = settlement;
    let mut out = format!("{task} {}", outcome.status());
    let more = details(outcome);
    if !more.is_empty() {
        out.push(' ');
        out.push_str(&more);
    }
    if attempts.len() > 1 {
        out.push_str(&format!(" after {} attempts", attempts.len()));
    }
    out
}

fn details(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(()) | Outcome::Failed(()) | Outcome::Closed => String::new(),
        Outcome::Skipped(SkippedBy::Kind) => "by its kind".to_string(),
        Outcome::Skipped(SkippedBy::NoMatch) => "as no worker matches it".to_string(),
        Outcome::Skipped(SkippedBy::Need(need)) => format!("by {need}"),
        Outcome::TimedOut { which, how } => format!("{} {}", which.label(), stopped(*how)),
        Outcome::LimitExceeded {
            what,
            how,
            used,
            limit,
        } => format!(
            "{} {used} of {limit} bytes {}",
            resource(*what),
            stopped(*how)
        ),
        Outcome::Cancelled { by, how } => match by {
            CancelledBy::Caller(reason) => format!("{} {}", stopped(*how), quoted(reason)),
            CancelledBy::Stopping => format!("{} stopping", stopped(*how)),
            CancelledBy::Group(group) => format!("{} by {group}", stopped(*how)),
            CancelledBy::Scope { scope, reason } => {
                format!("{} by {scope} {}", stopped(*how), quoted(reason))
            }
        },
        Outcome::RequestNotMarshallable(error) => {
            format!("request not marshallable {}", quoted(&error.to_string()))
        }
        Outcome::RequestRefused(why) => format!("request refused {}", quoted(why)),
        Outcome::ResponseNotMarshallable(why) => {
            format!("response not marshallable {}", quoted(why))
        }
        Outcome::ResponseGarbled(error) => {
            format!("response garbled {}", quoted(&error.to_string()))
        }
        Outcome::KindFault(fault) => format!("fault of the kind {}", quoted(&fault.to_string())),
        Outcome::HolderGone => "holder gone".to_string(),
        Outcome::InjectionRefused { limit } => format!("injected beyond {limit}"),
        Outcome::Panicked(death) => format!("panicked {}", self::death(death)),
        Outcome::WorkerLost(death) => self::death(death),
        Outcome::Poisoned(deaths) => {
            let last = deaths.last().map(death).unwrap_or_default();
            format!("{} deaths, the last: {last}", deaths.len())
        }
        Outcome::SpawnFailed(error) => format!("no worker {}", quoted(error)),
        Outcome::Displaced => "displaced".to_string(),
    }
}

fn death(death: &Death) -> String {
    let mut out = death.termination.to_string();
    for words in [death.memory.words(), death.panic.as_deref()]
        .into_iter()
        .flatten()
    {
        out.push_str(", ");
        out.push_str(&quoted(words));
    }
    out
}

/// How one attempt came to rest.
pub(super) fn attempt(end: &AttemptEnd) -> String {
    match end {
        AttemptEnd::Done => "done".to_string(),
        AttemptEnd::Failed => "failed".to_string(),
        AttemptEnd::TimedOut(which) => format!("timed out {}", which.label()),
        AttemptEnd::LimitExceeded(what) => format!("limit exceeded {}", resource(*what)),
        AttemptEnd::Cancelled(how) => format!("cancelled {}", stopped(*how)),
        AttemptEnd::Died(termination) => format!("died, {termination}"),
        AttemptEnd::Panicked => "panicked".to_string(),
        AttemptEnd::Fault => "fault".to_string(),
    }
}

/// The end of a worker.
pub(super) fn gone(gone: &Gone) -> String {
    let whose = match gone.whose {
        WhoseDoing::Finished => "finished",
        WhoseDoing::Replaced => "replaced",
        WhoseDoing::Killed => "killed",
        WhoseDoing::Died => "died",
    };
    format!("{whose}, {}", gone.termination)
}

const fn resource(what: Resource) -> &'static str {
    match what {
        Resource::Memory => "memory",
    }
}

const fn stopped(how: HowStopped) -> &'static str {
    match how {
        HowStopped::BeforeStart => "before its start",
        HowStopped::Acked => "acked",
        HowStopped::LateReply => "late reply",
        HowStopped::Exited => "exited",
        HowStopped::Terminated => "terminated",
        HowStopped::Killed => "killed",
    }
}
