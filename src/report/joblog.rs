//! The joblog: the table that GNU parallel writes with `--joblog`, so that scripts which read one read ours.
//!
//! What that program does was found by running it (release 20221122): fields are separated by tabs, the run time is
//! padded to ten columns, a line end inside a command becomes a NUL byte, a tab inside it stays.

use super::clock::RunClock;
use super::record::{Status, TaskRecord};
use std::fmt::Write as _;

/// The first line of the file.
pub(crate) const HEADER: &str =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// Appends the line of `task`, or nothing when the task never began and was not skipped: that program lists what it
/// ran, and its `--resume` takes a listed line for one that is done.
pub(crate) fn write_line(out: &mut String, task: &TaskRecord, clock: &RunClock) {
    let skipped_at = (task.status == Status::Skipped).then_some(task.finished);
    let Some(started) = task.started.or(skipped_at) else {
        return;
    };
    let (exit, signal) = exit_and_signal(task);
    write!(out, "{}\t:\t", task.seq).expect("a String takes every byte");
    clock.unix_millis(started, out);
    write!(
        out,
        "\t{:10.3}\t0\t{}\t{exit}\t{signal}\t",
        task.wall.as_secs_f64(),
        task.stdout.total
    )
    .expect("a String takes every byte");
    for (index, part) in task.command.split('\n').enumerate() {
        if index > 0 {
            out.push('\0');
        }
        out.push_str(part);
    }
    out.push('\n');
}

fn exit_and_signal(task: &TaskRecord) -> (i32, i32) {
    match (task.status, task.signal, task.exit) {
        (Status::Timeout, _, _) => (-1, 15),
        (Status::Skipped, _, _) => (-2, 0),
        (_, Some(signal), _) => (0, signal),
        (_, None, Some(exit)) => (exit, 0),
        (Status::Ok | Status::Cached, None, None) => (0, 0),
        // Neither is known, and (0, 0) would make a later `--resume-failed` take it for a success.
        (
            Status::Failed
            | Status::Resource
            | Status::Crashed
            | Status::Cancelled
            | Status::Quarantined
            | Status::NotRun,
            None,
            None,
        ) => (-1, 0),
    }
}
