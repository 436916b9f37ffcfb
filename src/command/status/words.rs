//! How a run stands, for people.

use crate::control::{LaneStatus, Status, TaskCounts, WaitingTask, WorkerStatus};
use crate::report::{harmless, shortened, span};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// Characters of an id, of a label, of a reason.
const COLUMNS: usize = 60;

const FULL: &str = "a String takes every byte";

/// All of it, with its last line end.
pub(super) fn of(status: &Status) -> String {
    let mut out = String::new();
    writeln!(
        out,
        "{} run {}: pid {}, {}",
        plain(&status.program),
        plain(&status.file),
        status.pid,
        state(status)
    )
    .expect(FULL);
    writeln!(
        out,
        "since {} ({}), in {}",
        plain(&status.started),
        time(status.running_s),
        plain(&status.folder)
    )
    .expect(FULL);
    writeln!(out, "{}", counts(&status.tasks, status.all_read)).expect(FULL);
    for lane in &status.lanes {
        writeln!(out, "{}", lane_line(lane)).expect(FULL);
    }
    workers(&mut out, &status.workers);
    waiting(&mut out, &status.waiting, status.tasks.waiting);
    out
}

fn state(status: &Status) -> String {
    let mut words = status.state.word().to_owned();
    if let Some(paused) = status.paused_s {
        write!(words, " for {}", time(paused)).expect(FULL);
    }
    if status.held_back {
        words.push_str(", held back by a reader of its output");
    }
    words
}

fn counts(tasks: &TaskCounts, all_read: bool) -> String {
    let mut out = match tasks.total {
        Some(1) => "1 task: ".to_owned(),
        Some(total) => format!("{total} tasks: "),
        None => String::new(),
    };
    write!(out, "{} ended", tasks.ended).expect(FULL);
    let statuses: Vec<String> = tasks
        .statuses
        .iter()
        .map(|(word, count)| format!("{count} {}", plain(word)))
        .collect();
    if !statuses.is_empty() {
        write!(out, " ({})", statuses.join(", ")).expect(FULL);
    }
    let waiting = tasks.waiting + tasks.outside.unwrap_or(0);
    write!(out, ", {} running, {waiting} waiting", tasks.running).expect(FULL);
    if !all_read && tasks.total.is_none() {
        out.push_str(", more to be read");
    }
    out
}

fn lane_line(lane: &LaneStatus) -> String {
    let stopping = match lane.stopping {
        0 => String::new(),
        count => format!(", {count} stopping"),
    };
    let waits = lane.waits.as_ref().map_or_else(String::new, |waits| {
        format!(
            "; waited p50 {:.2} s, p99 {:.2} s",
            waits.p50_s, waits.p99_s
        )
    });
    format!(
        "lane {}: {}, {} of {} in flight{stopping}, {} of {} waiting{waits}",
        plain(&lane.kind),
        plain(&lane.gate),
        lane.in_flight,
        lane.limit,
        lane.waiting,
        lane.queue_limit
    )
}

fn workers(out: &mut String, workers: &[WorkerStatus]) {
    if workers.is_empty() {
        return;
    }
    writeln!(out, "\nworker      pid  phase       done  task").expect(FULL);
    for worker in workers {
        let pid = worker
            .pid
            .map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let task = match &worker.task {
            Some(task) => {
                let again = match task.attempt {
                    0 | 1 => String::new(),
                    attempt => format!(", attempt {attempt}"),
                };
                format!(
                    "{}, for {}{again}",
                    called(&task.id, &task.label),
                    time(task.for_s)
                )
            }
            None => format!("- for {}", time(worker.last_s)),
        };
        let held = match worker.held {
            0 => String::new(),
            held => format!(", {held} more held"),
        };
        let (number, phase, done) = (worker.worker, plain(&worker.phase), worker.done);
        writeln!(
            out,
            "{number:>6} {pid:>8}  {phase:<9} {done:>6}  {task}{held}"
        )
        .expect(FULL);
    }
}

fn waiting(out: &mut String, listed: &[WaitingTask], all: u64) {
    if listed.is_empty() {
        return;
    }
    writeln!(out, "\nwaiting for  why").expect(FULL);
    for task in listed {
        let for_ = time(task.for_s);
        let why = plain(&task.why);
        let called = called(&task.id, &task.label);
        writeln!(out, "{for_:>11}  {why}: {called}").expect(FULL);
    }
    let more = all.saturating_sub(listed.len() as u64);
    if more > 0 {
        writeln!(out, "{:>11}  and {more} more", "").expect(FULL);
    }
}

fn called(id: &str, label: &str) -> String {
    format!("{} ({})", plain(id), plain(label))
}

/// What comes from a task file or from another process, fit for a terminal.
fn plain(text: &str) -> Cow<'_, str> {
    match shortened(text, COLUMNS) {
        Cow::Borrowed(text) => harmless(text),
        Cow::Owned(text) => Cow::Owned(harmless(&text).into_owned()),
    }
}

fn time(seconds: f64) -> String {
    // Another process says it, so it may be anything.
    span(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}
