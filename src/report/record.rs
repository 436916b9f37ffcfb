//! The facts about finished tasks and attempts, as every report reads them.
//!
//! Plain data: no file is opened here and nothing is formatted. Times are monotonic, counted from the start of the run.

use std::path::PathBuf;
use std::time::Duration;

/// How a task or an attempt ended: the closed list of the results format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It did what was asked.
    Ok,
    /// It ran and said that it failed.
    Failed,
    /// It took longer than it was allowed to.
    Timeout,
    /// It used more memory or processor time than it was allowed to.
    Resource,
    /// Its worker died under it.
    Crashed,
    /// Somebody asked for its end.
    Cancelled,
    /// It was not wanted any more: the kind said so, or a task that it needs failed.
    Skipped,
    /// It killed too many workers and was set aside.
    Quarantined,
    /// Its outcome was known from an earlier run.
    Cached,
    /// The run ended before it began.
    NotRun,
}

impl Status {
    /// All of them, in the order in which the summary counts them.
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::Failed,
        Self::Timeout,
        Self::Resource,
        Self::Crashed,
        Self::Cancelled,
        Self::Skipped,
        Self::Quarantined,
        Self::Cached,
        Self::NotRun,
    ];

    /// The word that stands in the results file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Resource => "resource",
            Self::Crashed => "crashed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Quarantined => "quarantined",
            Self::Cached => "cached",
            Self::NotRun => "not_run",
        }
    }

    /// Whether the task itself went wrong, so that the summary shows why. What was skipped, cancelled or never run is
    /// only counted: its cause lies elsewhere.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Failed | Self::Timeout | Self::Resource | Self::Crashed | Self::Quarantined => {
                true
            }
            Self::Ok | Self::Cancelled | Self::Skipped | Self::Cached | Self::NotRun => false,
        }
    }
}

/// One of the two output streams of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Its descriptor 1.
    Stdout,
    /// Its descriptor 2.
    Stderr,
}

impl Stream {
    /// `stdout` or `stderr`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The id of a task as its author wrote it, so that a number comes back as a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskIdText {
    text: Box<str>,
    integer: bool,
}

impl TaskIdText {
    /// The id `text`, written without quotes when `integer` is true. Text that is no JSON integer is quoted whatever
    /// `integer` says, because a results line must stay readable.
    #[must_use]
    pub fn new(text: &str, integer: bool) -> Self {
        Self {
            text: text.into(),
            integer: integer && is_json_integer(text),
        }
    }

    /// The id of a task that has none of its own: its position.
    #[must_use]
    pub fn position(seq: u64) -> Self {
        Self {
            text: seq.to_string().into(),
            integer: true,
        }
    }

    /// The id as text, without quotes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it stands as a number in JSON.
    #[must_use]
    pub const fn is_integer(&self) -> bool {
        self.integer
    }
}

fn is_json_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    match digits {
        [] => false,
        [b'0'] => true,
        [first, rest @ ..] => (b'1'..=b'9').contains(first) && rest.iter().all(u8::is_ascii_digit),
    }
}

/// What one stream of a task said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The first bytes (up to 64 KiB).
    pub head: Vec<u8>,
    /// How many bytes there were in all.
    pub total: u64,
    /// The file that holds the bytes after `head`, where they were kept.
    pub rest: Option<PathBuf>,
}

impl Captured {
    /// A stream that fits in its head.
    #[must_use]
    pub fn whole(head: Vec<u8>) -> Self {
        Self {
            total: head.len() as u64,
            head,
            rest: None,
        }
    }

    /// Whether the head is not all of it.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.total > self.head.len() as u64
    }
}

/// Why a task did not end well, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError {
    /// A short stable word for programs.
    pub class: &'static str,
    /// One sentence for people.
    pub message: String,
}

/// What the results say of a task that is no command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfKind {
    /// The name of its kind.
    pub name: &'static str,
    /// What it gave, as JSON text; none unless it ended well.
    pub output: Option<Box<str>>,
    /// What it gave when it failed, as JSON text.
    pub failure: Option<Box<str>>,
    /// Whether its worker held other tasks too, so that some of what the worker printed may be theirs.
    pub shared: bool,
}

/// One attempt of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Its number, from 1.
    pub attempt: u32,
    /// The worker that made it.
    pub worker: Option<u32>,
    /// The process that the attempt ran as.
    pub pid: Option<u32>,
    /// How it ended.
    pub status: Status,
    /// The exit code, when the process exited.
    pub exit: Option<i32>,
    /// The signal, when one ended the process.
    pub signal: Option<i32>,
    /// How long it took.
    pub wall: Duration,
}

/// Everything known about one finished task.
#[derive(Clone, Debug)]
pub struct TaskRecord {
    /// Its position in the input, from 1, without gaps.
    pub seq: u64,
    /// Its id.
    pub id: TaskIdText,
    /// Its name for people.
    pub name: Option<Box<str>>,
    /// How it ended.
    pub status: Status,
    /// The exit code of the last attempt, when its process exited.
    pub exit: Option<i32>,
    /// The signal that ended the last attempt, if one did.
    pub signal: Option<i32>,
    /// The number of the last attempt; 0 when none began.
    pub attempt: u32,
    /// All attempts that began, in order.
    pub attempts: Vec<AttemptRecord>,
    /// The worker of the last attempt.
    pub worker: Option<u32>,
    /// When the last attempt began executing.
    pub started: Option<Duration>,
    /// When the task entered the farm.
    pub submitted: Duration,
    /// When its outcome was settled.
    pub finished: Duration,
    /// How long the last attempt took.
    pub wall: Duration,
    /// Processor time of the last attempt.
    pub cpu: Option<Duration>,
    /// Peak memory of the last attempt, in bytes.
    pub max_rss: Option<u64>,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// Why it did not end well.
    pub error: Option<TaskError>,
    /// Whether it left processes behind.
    pub left_behind: bool,
    /// The command as one line of shell text, for the joblog.
    pub command: Box<str>,
    /// Its tags.
    pub tags: Vec<String>,
    /// JSON that its author wants back untouched.
    pub meta: Option<Box<str>>,
    /// The task whose failure made this one pointless.
    pub skipped_by: Option<TaskIdText>,
    /// What is known of it when it is no command. Its `stdout` and `stderr` are then what its worker printed.
    pub of_kind: Option<OfKind>,
}

impl TaskRecord {
    /// A task that ended with `status` and of which nothing else is known yet: no attempt, no output, no time.
    #[must_use]
    pub fn bare(seq: u64, id: TaskIdText, status: Status) -> Self {
        Self {
            seq,
            id,
            name: None,
            status,
            exit: None,
            signal: None,
            attempt: 0,
            attempts: Vec::new(),
            worker: None,
            started: None,
            submitted: Duration::ZERO,
            finished: Duration::ZERO,
            wall: Duration::ZERO,
            cpu: None,
            max_rss: None,
            stdout: Captured::default(),
            stderr: Captured::default(),
            error: None,
            left_behind: false,
            command: Box::default(),
            tags: Vec::new(),
            meta: None,
            skipped_by: None,
            of_kind: None,
        }
    }

    /// What is shown of it on our own two streams. For a command, its own. Otherwise its output on the first, as one
    /// line of JSON and nothing else, so that a program can read it; on the second what its worker printed on either,
    /// then its failure, as one line of JSON too.
    pub(crate) fn into_shown(self) -> (Captured, Captured) {
        let Some(kind) = self.of_kind else {
            return (self.stdout, self.stderr);
        };
        let line = |json: Box<str>| {
            let mut line = json.into_string().into_bytes();
            line.push(b'\n');
            line
        };
        let mut printed = self.stdout.head;
        for part in [Some(self.stderr.head), kind.failure.map(line)] {
            let part = part.unwrap_or_default();
            if !part.is_empty() && printed.last().is_some_and(|last| *last != b'\n') {
                printed.push(b'\n');
            }
            printed.extend_from_slice(&part);
        }
        let output = kind.output.map(line).unwrap_or_default();
        (Captured::whole(output), Captured::whole(printed))
    }
}
