//! What a task file says about one task, as plain data.
//!
//! Owns the types. It does not know JSON, nor how a task is run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use farm_master::{CrashLimit, OnLost, Retries, When};

/// One task of a file, checked: it has something to run, its id is unique, and every need names another task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSpec {
    /// Its position among the tasks of the file, from 1.
    pub seq: u64,
    /// Its id as text; its position in decimal when the file gives none.
    pub id: Box<str>,
    /// How the file wrote the id, so that results can repeat it; `None` when the id is the position.
    pub explicit_id: Option<IdKind>,
    /// A name to show to people.
    pub name: Option<Box<str>>,
    /// What to run.
    pub run: Run,
    /// The tasks that must end before this one starts, in the order of the file.
    pub needs: Vec<Need>,
    /// Everything that `defaults` may also say. Tasks that add nothing share one copy with `defaults`.
    pub settings: Arc<Settings>,
}

impl TaskSpec {
    /// A task of which only the position is known: it runs nothing, and must not leave the reader.
    pub(super) fn unread(seq: u64, settings: Arc<Settings>) -> Self {
        Self {
            seq,
            id: Box::default(),
            explicit_id: None,
            name: None,
            run: Run::Argv(Vec::new()),
            needs: Vec::new(),
            settings,
        }
    }
}

/// The fields that a task and `defaults` have in common. The default value is a task that says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The kind of tasks that name none, by its place in [`Shapes::kinds`](super::Shapes::kinds).
    pub kind: Option<usize>,
    /// Variables added to the environment, each name once, in the order of the file (those of `defaults` first).
    pub env: Vec<(String, String)>,
    /// Whether the command starts from an empty environment instead of the farm's own.
    pub clear_env: bool,
    /// Where it runs; already joined to the folder of the file. `None`: where the farm was started.
    pub cwd: Option<PathBuf>,
    /// What it reads.
    pub stdin: Stdin,
    /// How long one attempt may execute.
    pub timeout: Option<Duration>,
    /// How long one attempt may execute without writing anything to a captured stream.
    pub stall: Option<Duration>,
    /// How much processor time one attempt may use, with everything it starts.
    pub cpu: Option<Duration>,
    /// How much memory one attempt may hold, in bytes, with everything it starts and its worker.
    pub memory: Option<u64>,
    /// The whole time from the ask to end until SIGKILL. Zero: killed at once.
    pub grace: Option<Duration>,
    /// Further attempts after a failure; `None` leaves it to the command line.
    pub retries: Option<Retries>,
    /// Deaths of its worker before it is set aside; `None` leaves it to the command line.
    pub crash_limit: Option<CrashLimit>,
    /// Whether a lost attempt runs again; `None` leaves it to the command line.
    pub on_lost: Option<OnLost>,
    /// Exit codes that count as success; empty means 0 alone.
    pub ok_exit: Vec<i32>,
    /// Exit codes after which there is no further attempt. None of them is in `ok_exit`.
    pub fatal_exit: Vec<i32>,
    /// Larger goes first.
    pub priority: i32,
    /// The named concurrency cap it counts against.
    pub limit: Option<Box<str>>,
    /// Where its standard output goes.
    pub stdout: Stdout,
    /// Where its standard error goes.
    pub stderr: Stderr,
    /// Labels to select tasks by.
    pub tags: Vec<String>,
    /// JSON text (compact, keys in the order of the file) that results repeat untouched.
    pub meta: Option<Box<str>>,
}

/// How a file wrote an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdKind {
    /// As a JSON string.
    Text,
    /// As a JSON integer.
    Integer,
}

/// What a task runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// A program and its arguments; never empty, no NUL bytes.
    Argv(Vec<Box<str>>),
    /// A line for the shell; not blank, no NUL bytes.
    Shell(Box<str>),
    /// A task of a kind of one's own.
    Kind(Box<KindTask>),
}

/// A task of a kind of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindTask {
    /// The kind's name.
    pub name: &'static str,
    /// The kind's place in [`Shapes::kinds`](super::Shapes::kinds).
    pub place: usize,
    /// The input as compact JSON text, which the kind's task type was read from once.
    pub input: Box<str>,
}

/// One task that must end before another starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The id of the needed task.
    pub id: Box<str>,
    /// Its position, so that nobody has to look the id up again.
    pub seq: u64,
    /// Which outcome of it is waited for.
    pub when: When,
}

/// What a command reads on its standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stdin {
    /// Nothing: it is at its end from the start.
    #[default]
    Closed,
    /// This text.
    Text(Box<str>),
    /// The file at this path, already joined to the folder of the task file.
    File(PathBuf),
    /// This JSON text, compact.
    Json(Box<str>),
}

/// Where a command's standard output goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stdout {
    /// Kept, for the results and to be shown when the task ends.
    #[default]
    Capture,
    /// Passed through, ungrouped, to the farm's own standard output.
    Inherit,
    /// Thrown away.
    Null,
    /// Written to this file, already joined to the folder of the task file.
    File(PathBuf),
}

/// Where a command's standard error goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stderr {
    /// Kept, for the results and to be shown when the task ends.
    #[default]
    Capture,
    /// Passed through, ungrouped, to the farm's own standard error.
    Inherit,
    /// Thrown away.
    Null,
    /// Written to this file, already joined to the folder of the task file.
    File(PathBuf),
    /// Wherever its standard output goes, in the order of writing.
    Stdout,
}
