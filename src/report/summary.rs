//! The end of a run in a few lines: how many tasks ended in which way, and why the first failures failed.
//!
//! It keeps a counter per status and at most twenty failures, however many tasks there are.

use super::object::ObjectWriter;
use super::plain::{harmless, shortened, span};
use super::record::{Captured, Status, TaskRecord};
use farm_master::Waits;
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

/// Failures that are shown; the others are counted.
const SHOWN_FAILURES: usize = 20;
/// Last lines of a failure's output.
const SHOWN_LINES: usize = 5;
/// Bytes at the end of a failure's output in which these lines are looked for: a panic stands before its backtrace.
const TAIL_BYTES: usize = 16 << 10;
/// Characters of one line.
const SHOWN_COLUMNS: usize = 400;

/// How much of a command stands for the name of a task without one.
const COMMAND_COLUMNS: usize = 60;

/// How many tasks ended in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    counts: [u64; Status::ALL.len()],
}

impl RunCounts {
    /// Tasks that ended with `status`.
    #[must_use]
    pub const fn of(&self, status: Status) -> u64 {
        self.counts[status as usize]
    }

    /// All tasks that ended.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Tasks that went wrong.
    #[must_use]
    pub fn failures(&self) -> u64 {
        let failing = Status::ALL.into_iter().filter(|status| status.is_failure());
        failing.map(|status| self.of(status)).sum()
    }

    pub(crate) const fn add(&mut self, status: Status) {
        self.counts[status as usize] += 1;
    }

    /// The counts as fields of an event: the total, then each status that occurred.
    pub(crate) fn fields(&self, line: &mut ObjectWriter<'_>) {
        line.integer("tasks", self.total());
        let mut inner = ObjectWriter::open(line.value("statuses"));
        for status in Status::ALL {
            if self.of(status) > 0 {
                inner.integer(status.word(), self.of(status));
            }
        }
        inner.close();
    }
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// Why it stopped before its last task, if it did: one clause, such as `stopped after the first failure`.
    pub halted: Option<String>,
    /// How long a person had it paused, in all.
    pub paused: Duration,
}

struct Failure {
    title: String,
    tail: Vec<String>,
}

/// What the summary will say.
#[derive(Default)]
pub(crate) struct Summary {
    counts: RunCounts,
    shown: Vec<Failure>,
    /// Workers that died by themselves or of somebody else's doing.
    died: u64,
    /// Tasks that ended by the death of a worker, or of several.
    felled: u64,
    /// Tasks that were cancelled while an attempt executed.
    cut_short: u64,
    /// Tasks that never began because the run ended.
    not_begun: u64,
    /// How long those that began had waited.
    waits: Waits,
}

/// Waits are told to people from here on: below it nobody has waited.
const WAITED: Duration = Duration::from_millis(100);

/// The waits as a field of an event: half of the tasks did not wait longer, and 99 of 100.
pub(crate) fn wait_fields(line: &mut ObjectWriter<'_>, waits: &Waits) {
    let (Some(p50), Some(p99)) = (waits.p50(), waits.p99()) else {
        return line.null("waits");
    };
    let mut inner = ObjectWriter::open(line.value("waits"));
    inner.seconds("p50_s", p50);
    inner.seconds("p99_s", p99);
    inner.close();
}

impl Summary {
    pub(crate) const fn counts(&self) -> &RunCounts {
        &self.counts
    }

    /// Takes note of a task. Its spilled output must still be there.
    pub(crate) fn note(&mut self, task: &TaskRecord) {
        self.counts.add(task.status);
        let began = task.attempt > 0;
        match task.status {
            Status::Crashed | Status::Quarantined => self.felled += 1,
            Status::Cancelled if began => self.cut_short += 1,
            Status::Cancelled | Status::NotRun => self.not_begun += 1,
            Status::Ok
            | Status::Failed
            | Status::Timeout
            | Status::Resource
            | Status::Skipped
            | Status::Cached => {}
        }
        if task.status.is_failure() && self.shown.len() < SHOWN_FAILURES {
            let said = if task.stderr.total > 0 {
                &task.stderr
            } else {
                &task.stdout
            };
            self.shown.push(Failure {
                title: title(task),
                tail: last_lines(said),
            });
        }
    }

    pub(crate) const fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Takes note of how long a task had waited.
    pub(crate) fn waited(&mut self, wait: Duration) {
        self.waits.record(wait);
    }

    /// Takes note of a worker that died.
    pub(crate) const fn worker_died(&mut self) {
        self.died += 1;
    }

    /// The text, with its last line end.
    pub(crate) fn text(&self, wall: Duration, end: &RunEnd) -> String {
        let mut out = self.count_line(wall);
        if let Some(why) = &end.halted {
            let stopped = self.stopped();
            writeln!(out, "  {}{stopped}", harmless(why)).expect("a String takes every byte");
        }
        if !end.paused.is_zero() {
            writeln!(out, "  paused for {} of it", span(end.paused))
                .expect("a String takes every byte");
        }
        if let (Some(p50), Some(p99)) = (self.waits.p50(), self.waits.p99())
            && p99 >= WAITED
        {
            writeln!(out, "  waited: p50 {}, p99 {}", span(p50), span(p99))
                .expect("a String takes every byte");
        }
        // Where deaths ended tasks, those say so.
        if self.died > 0 && self.felled == 0 {
            let (workers, were) = match self.died {
                1 => ("worker", "was"),
                _ => ("workers", "were"),
            };
            writeln!(out, "  {} {workers} died and {were} replaced", self.died)
                .expect("a String takes every byte");
        }
        for failure in &self.shown {
            writeln!(out, "  {}", failure.title).expect("a String takes every byte");
            for line in &failure.tail {
                writeln!(out, "    | {line}").expect("a String takes every byte");
            }
        }
        let more = self.counts.failures() - self.shown.len() as u64;
        if more > 0 {
            writeln!(out, "  and {more} more; see --results").expect("a String takes every byte");
        }
        out
    }

    /// What became of tasks because the run was stopped.
    fn stopped(&self) -> String {
        let running = match self.cut_short {
            0 => None,
            1 => Some("1 task was cancelled while it ran".to_owned()),
            count => Some(format!("{count} tasks were cancelled while they ran")),
        };
        let waiting = (self.not_begun > 0).then(|| format!("{} had not begun", self.not_begun));
        match (running, waiting) {
            (None, None) => String::new(),
            (Some(words), None) | (None, Some(words)) => format!(": {words}"),
            (Some(running), Some(waiting)) => format!(": {running}, {waiting}"),
        }
    }

    fn count_line(&self, wall: Duration) -> String {
        let total = self.counts.total();
        let noun = if total == 1 { "task" } else { "tasks" };
        let mut out = format!("{total} {noun}");
        let occurred = Status::ALL
            .into_iter()
            .filter(|status| self.counts.of(*status) > 0);
        for (index, status) in occurred.enumerate() {
            let before = if index == 0 { ": " } else { ", " };
            let word = if status == Status::NotRun {
                "not run"
            } else {
                status.word()
            };
            write!(out, "{before}{} {word}", self.counts.of(status))
                .expect("a String takes every byte");
        }
        writeln!(out, " in {}", span(wall)).expect("a String takes every byte");
        out
    }
}

fn title(task: &TaskRecord) -> String {
    let mut out = shortened(&harmless(task.id.text()), SHOWN_COLUMNS).into_owned();
    // A position alone says little to whoever has a list of commands.
    let numbered = task.id.text() == task.seq.to_string() && !task.command.is_empty();
    let says = match &task.name {
        Some(name) => Some(shortened(name, SHOWN_COLUMNS)),
        None => numbered.then(|| shortened(&task.command, COMMAND_COLUMNS)),
    };
    if let Some(says) = says {
        write!(out, " ({})", harmless(&says)).expect("a String takes every byte");
    }
    write!(out, ": {}", cause(task)).expect("a String takes every byte");
    if task.attempt > 1 {
        write!(out, " (attempt {})", task.attempt).expect("a String takes every byte");
    }
    out
}

fn cause(task: &TaskRecord) -> String {
    if let Some(error) = &task.error {
        return shortened(&harmless(&error.message), SHOWN_COLUMNS).into_owned();
    }
    let ended = match (task.signal, task.exit) {
        (Some(signal), _) => Some(format!("ended by {}", signal_name(signal))),
        (None, Some(exit)) => Some(format!("exit code {exit}")),
        (None, None) => None,
    };
    let with = |what: &str| match &ended {
        Some(ended) => format!("{what}, {ended}"),
        None => what.to_owned(),
    };
    match task.status {
        Status::Failed => ended.unwrap_or_else(|| "failed".to_owned()),
        Status::Timeout => format!("timed out after {}", span(task.wall)),
        Status::Resource => with("went over its memory or processor limit"),
        Status::Crashed => with("its worker died"),
        Status::Quarantined => with("set aside after killing its workers"),
        Status::Ok | Status::Cancelled | Status::Skipped | Status::Cached | Status::NotRun => {
            with(task.status.word())
        }
    }
}

fn signal_name(signal: i32) -> String {
    // The numbers that are the same on every Unix that we meet; the others are left as numbers.
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        other => return format!("signal {other}"),
    };
    format!("{name} (signal {signal})")
}

fn last_lines(said: &Captured) -> Vec<String> {
    let mut tail = said.head[said.head.len().saturating_sub(TAIL_BYTES)..].to_vec();
    let mut cut = said.head.len() > TAIL_BYTES;
    if let Some(rest) = &said.rest {
        // A rest that cannot be read leaves the head's end, which is better than no word at all.
        if let Ok((bytes, whole)) = read_tail(rest) {
            if whole {
                tail.extend_from_slice(&bytes);
            } else {
                tail = bytes;
                cut = true;
            }
        }
    }
    let text = String::from_utf8_lossy(&tail);
    let mut lines: Vec<&str> = text.lines().collect();
    // The first one may lack its beginning.
    if cut && lines.len() > 1 {
        lines.remove(0);
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let first = lines.len().saturating_sub(SHOWN_LINES);
    // What panicked says so before its backtrace, of which the last lines tell nothing.
    let panic = lines
        .iter()
        .rposition(|line| line.contains(" panicked at "));
    lines[panic.unwrap_or(first).min(first)..]
        .iter()
        .take(SHOWN_LINES)
        .map(|line| shortened(&harmless(line), SHOWN_COLUMNS).into_owned())
        .collect()
}

/// The last bytes of a file, and whether they are all of it.
fn read_tail(path: &Path) -> std::io::Result<(Vec<u8>, bool)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL_BYTES as u64);
    let mut bytes = vec![0; usize::try_from(length - start).unwrap_or(TAIL_BYTES)];
    file.read_exact_at(&mut bytes, start)?;
    Ok((bytes, start == 0))
}
