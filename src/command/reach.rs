//! Reaching a run from outside: which one is meant, what it answers, how the command ends.

use super::exit::Exit;
use super::run::complain;
use crate::control::{Answer, Asked, NoAnswer, Run, Status, ask, runs};
use clap::Args;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::str::FromStr;

/// Which run.
#[derive(Args, Clone, Debug)]
pub(super) struct Target {
    /// The run: its pid, or the path that was given to its `--control`; may be left out where there is one
    #[arg(value_name = "RUN")]
    pub(super) run: Option<Named>,
}

/// A run as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Pid(u32),
    Path(PathBuf),
}

impl FromStr for Named {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text
            .parse()
            .map_or_else(|_| Self::Path(text.into()), Self::Pid))
    }
}

/// Why a run was not reached, in words, and how the command ends for it.
pub(super) struct Unreached(pub(super) Exit, pub(super) String);

impl From<NoAnswer> for Unreached {
    fn from(error: NoAnswer) -> Self {
        let exit = match error {
            NoAnswer::Gone(_) => Exit::NotThere,
            NoAnswer::Silent(_)
            | NoAnswer::Stopped(_)
            | NoAnswer::NotYours(_)
            | NoAnswer::Strange { .. }
            | NoAnswer::Refused { .. } => Exit::Trouble,
        };
        Self(exit, error.to_string())
    }
}

/// The runs of this user. What stands in the way of seeing more is said.
pub(super) fn all(name: &str) -> Vec<Run> {
    let (found, refused) = runs();
    for error in refused {
        complain(&format!("{name}: {error}"));
    }
    found
}

/// The socket of the run that is meant.
pub(super) fn socket(name: &str, target: &Target) -> Result<PathBuf, Unreached> {
    let pid = match &target.run {
        Some(Named::Path(path)) => return Ok(path.clone()),
        Some(Named::Pid(pid)) => Some(*pid),
        None => None,
    };
    let mut found = all(name);
    if let Some(pid) = pid {
        let there = found.iter().position(|run| run.pid == pid);
        return match there {
            Some(place) => Ok(found.swap_remove(place).path),
            None => Err(Unreached(Exit::NotThere, no_such(pid, &found))),
        };
    }
    match found.len() {
        0 => Err(Unreached(
            Exit::NotThere,
            "no run of yours is there".to_owned(),
        )),
        1 => Ok(found.swap_remove(0).path),
        _ => Err(Unreached(Exit::Trouble, which(&found))),
    }
}

fn no_such(pid: u32, found: &[Run]) -> String {
    let others: Vec<String> = found.iter().map(|run| run.pid.to_string()).collect();
    let others = if others.is_empty() {
        "there is none of yours".to_owned()
    } else {
        format!("yours are {}", others.join(", "))
    };
    format!("no run has the pid {pid}; {others}")
}

fn which(found: &[Run]) -> String {
    let mut words = "several runs are there; say which one:".to_owned();
    for run in found {
        let line = match status(run, 0) {
            Ok(status) => in_a_line(&status),
            Err(Unreached(_, why)) => format!("{}: {why}", run.pid),
        };
        write!(words, "\n  {line}").expect("a String takes every byte");
    }
    words
}

/// A run in a line.
pub(super) fn in_a_line(status: &Status) -> String {
    let tasks = &status.tasks;
    let of = tasks
        .total
        .map_or_else(String::new, |total| format!("/{total}"));
    format!(
        "{}  {} run {}  {}, {}{of} ended, {} running",
        status.pid,
        crate::report::harmless(&status.program),
        crate::report::harmless(&status.file),
        status.state.word(),
        tasks.ended,
        tasks.running,
    )
}

/// How a run stands.
pub(super) fn status(run: &Run, waiting: usize) -> Result<Status, Unreached> {
    let answer = ask(&run.path, &Asked::Status { waiting }.into())?;
    let message = answer.message;
    match answer.status {
        Some(status) => Ok(*status),
        None => Err(Unreached(Exit::Trouble, message)),
    }
}

/// Asks the run that is meant to do something, and says what became of it.
pub(super) fn tell(name: &str, target: &Target, asked: Asked) -> Exit {
    let answered = socket(name, target).and_then(|path| Ok(ask(&path, &asked.into())?));
    match answered {
        Ok(Answer {
            ok: true, message, ..
        }) => print(&format!("{message}\n")),
        Ok(Answer { message, code, .. }) => {
            complain(&format!("{name}: {message}"));
            Exit::of_refusal(code)
        }
        Err(Unreached(exit, why)) => {
            complain(&format!("{name}: {why}"));
            exit
        }
    }
}

/// Writes to standard output.
pub(super) fn print(text: &str) -> Exit {
    match stdout().write_all(text.as_bytes()) {
        Ok(()) => Exit::Success,
        // Whoever closed it has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Success,
        Err(_) => Exit::Trouble,
    }
}
