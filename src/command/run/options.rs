//! What may be typed after `farm run`.

use super::jobserver::Mode;
use crate::command::exit::Exit;
use crate::control::Where;
use crate::report::{ProgressMode, StdoutMode};
use crate::taskfile::Form;
use clap::{Args, builder::PossibleValue};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

/// The first part of `farm run --help`.
pub(in crate::command) const EXAMPLES: &str = r#"Examples:
  farm run --workers 8 tasks.json
  echo '["make -C a", {"id": "c", "shell": "sleep 9", "timeout": "3s"}]' | farm run -
  for f in *.txt; do echo "[\"gzip\", \"$f\"]"; done | farm run - --results results.jsonl"#;

/// The last part of `farm run --help`.
pub(in crate::command) const AFTER_HELP: &str = Exit::TABLE;

/// `farm run`
#[derive(Args, Debug)]
pub(in crate::command) struct Arguments {
    /// The task file: a JSON array, a document with `tasks`, or JSON Lines; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,

    /// How many workers run at once: a number, `auto` for one per processor, or 0: one task at a time, inside this process
    #[arg(short = 'j', long, value_name = "N", default_value = "auto")]
    pub(super) workers: Workers,

    /// The jobserver of GNU make by whose tokens the workers at work are limited, up to `--workers`
    #[arg(long, value_name = "MODE", default_value = "auto", value_enum)]
    pub(super) jobserver: Mode,

    /// Take the input for this spelling instead of telling it from the content: array, document or lines
    #[arg(long, value_name = "FORM")]
    pub(super) input_format: Option<Form>,

    /// Declare a limit that tasks may name: at most N of them run at once. May be repeated
    #[arg(long = "limit", value_name = "NAME=N")]
    pub(super) limit: Vec<String>,

    /// From asking a task to end (Ctrl-C, timeout) until it is killed, e.g. `3s`, `500ms`; a task's own `grace` goes first
    #[arg(long, value_name = "DURATION")]
    pub(super) grace: Option<String>,

    /// How the tasks' output is shown
    #[arg(long, value_name = "MODE", default_value = "grouped", value_enum)]
    pub(super) output: StdoutMode,

    /// Show the tasks' output in the order of the input
    #[arg(short, long)]
    pub(super) keep_order: bool,

    /// Write one JSON line per finished task to this file; `-` is standard output, and implies `--output quiet`
    #[arg(long, value_name = "FILE")]
    pub(super) results: Option<PathBuf>,

    /// Write a log in GNU parallel's format to this file
    #[arg(long, value_name = "FILE")]
    pub(super) joblog: Option<PathBuf>,

    /// Write what happens, as JSON Lines, to this file
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,

    /// Record the run in this file, so that `farm sim --replay-run FILE` can replay it without running anything.
    /// Grows by some 180 bytes per task, and by what the tasks are given (environment and stdin too) and say
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,

    /// Where `farm status` and the others find this run: `auto` (a socket in a folder of yours alone), a path, or `off`
    #[arg(long, value_name = "WHERE", default_value = "auto")]
    pub(super) control: Where,

    /// How progress is shown on stderr: auto, bar, counter or none
    #[arg(long, value_name = "MODE")]
    pub(super) progress: Option<ProgressMode>,
}

impl Arguments {
    /// The limits declared on the command line.
    pub(super) fn limits(&self) -> Result<Vec<(Box<str>, NonZeroU32)>, String> {
        read_limits(&self.limit)
    }

    pub(super) fn results_to_stdout(&self) -> bool {
        self.results
            .as_ref()
            .is_some_and(|path| path.as_os_str() == "-")
    }
}

/// Limits as they are declared on a command line.
///
/// # Errors
/// In words, the first that is none.
pub(in crate::command) fn read_limits(
    texts: &[String],
) -> Result<Vec<(Box<str>, NonZeroU32)>, String> {
    let mut limits: Vec<(Box<str>, NonZeroU32)> = Vec::new();
    for text in texts {
        let parsed = text
            .rsplit_once('=')
            .and_then(|(name, cap)| Some((name, cap.parse::<NonZeroU32>().ok()?)))
            .filter(|(name, _)| !name.is_empty());
        let Some((name, cap)) = parsed else {
            return Err(format!(
                "error: --limit {text}: expected NAME=N with N at least 1, e.g. `--limit net=2`"
            ));
        };
        if limits.iter().any(|(other, _)| **other == *name) {
            return Err(format!("error: --limit {name} is given twice"));
        }
        limits.push((name.into(), cap));
    }
    Ok(limits)
}

/// The number of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workers {
    /// One per processor that this process may use.
    Auto,
    /// This many.
    Count(NonZeroU32),
    /// None: one thread of this process instead.
    InProcess,
}

/// More workers than this are refused: each takes eight descriptors of the master.
const MOST_WORKERS: u32 = 4096;

impl Workers {
    pub(super) fn count(self) -> u32 {
        match self {
            Self::Auto => std::thread::available_parallelism().map_or(1, |count| {
                u32::try_from(count.get()).unwrap_or(MOST_WORKERS)
            }),
            Self::Count(count) => count.get(),
            Self::InProcess => 1,
        }
    }

    /// How many processes all kinds have together; `None`: none, inside this process.
    pub(super) fn shared(self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.count()).filter(|_| !self.in_process())
    }

    /// Whether tasks are performed inside this process.
    pub(super) const fn in_process(self) -> bool {
        match self {
            Self::Auto | Self::Count(_) => false,
            Self::InProcess => true,
        }
    }
}

impl FromStr for Workers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        match text.parse::<u32>().ok().map(NonZeroU32::new) {
            Some(Some(count)) if count.get() <= MOST_WORKERS => Ok(Self::Count(count)),
            Some(Some(_)) => Err(format!("at most {MOST_WORKERS}")),
            Some(None) => Ok(Self::InProcess),
            None => Err("expected a number, or `auto`".to_string()),
        }
    }
}

impl clap::ValueEnum for StdoutMode {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Grouped, Self::Line, Self::Quiet]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Grouped => {
                PossibleValue::new("grouped").help("a task's whole output when it ends")
            }
            Self::Line => PossibleValue::new("line").help("each line as soon as it is complete"),
            Self::Quiet => PossibleValue::new("quiet").help("nothing"),
        })
    }
}
