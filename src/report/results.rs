//! The results file: JSON Lines, one object per finished task, fields in a fixed order.
//!
//! **Output is exact.** A head that is UTF-8 stands in `stdout`; any other stands in `stdout_b64`. Where the 64 KiB limit
//! cut a character in two, `stdout` ends before that character and `stdout_cut_b64` holds its one to three first bytes:
//! text, cut bytes and the file `stdout_rest` put end to end are the stream, byte for byte. Without this, long output in
//! any script but Latin would turn into base64 two times in three. The same holds for `stderr`.

use super::clock::RunClock;
use super::object::ObjectWriter;
use super::record::{AttemptRecord, Captured, TaskRecord};
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

/// The version of the envelope. Fields may be added under one version, never changed or removed.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// What stands as the kind of a command.
const COMMANDS: &str = "exec";

/// Appends the line of `task`, with its line end. `time` is set in the events file only; `name_rest` says whether the
/// files with the rest of the output outlive the run and may be named.
pub(crate) fn write_line(
    out: &mut Vec<u8>,
    task: &TaskRecord,
    clock: &RunClock,
    time: Option<Duration>,
    name_rest: bool,
) {
    let mut line = ObjectWriter::open(out);
    line.integer("v", FORMAT_VERSION);
    line.text("type", "result");
    if let Some(time) = time {
        line.time("time", clock, time);
    }
    line.id("id", &task.id);
    line.integer("seq", task.seq);
    let kind = task.of_kind.as_ref().map_or(COMMANDS, |kind| kind.name);
    line.text("kind", kind);
    line.text("status", task.status.word());
    line.integer_or_null("exit", task.exit);
    line.integer_or_null("signal", task.signal);
    line.integer("attempt", task.attempt);
    write_attempts(line.value("attempts"), &task.attempts);
    line.integer_or_null("worker", task.worker);
    match task.started {
        Some(started) => line.time("started", clock, started),
        None => line.null("started"),
    }
    line.seconds("wall_s", task.wall);
    match task.cpu {
        Some(cpu) => line.seconds("cpu_s", cpu),
        None => line.null("cpu_s"),
    }
    line.integer_or_null("max_rss", task.max_rss);
    write_stream(&mut line, &task.stdout, &STDOUT);
    write_stream(&mut line, &task.stderr, &STDERR);
    line.flag(
        "truncated",
        task.stdout.truncated() || task.stderr.truncated(),
    );
    if name_rest {
        write_rest(&mut line, &task.stdout, &STDOUT);
        write_rest(&mut line, &task.stderr, &STDERR);
    }
    write_tail(&mut line, task);
    line.close();
    out.push(b'\n');
}

fn write_tail(line: &mut ObjectWriter<'_>, task: &TaskRecord) {
    let of_kind = task.of_kind.as_ref();
    match of_kind.and_then(|kind| kind.output.as_deref()) {
        Some(output) => line.foreign("output", output),
        None => line.null("output"),
    }
    match &task.error {
        Some(error) => {
            let mut inner = ObjectWriter::open(line.value("error"));
            inner.text("class", error.class);
            inner.text("message", &error.message);
            if let Some(failure) = of_kind.and_then(|kind| kind.failure.as_deref()) {
                inner.foreign("failure", failure);
            }
            inner.close();
        }
        None => line.null("error"),
    }
    line.null("key");
    match &task.meta {
        Some(meta) => line.foreign("meta", meta),
        None => line.null("meta"),
    }
    if let Some(name) = &task.name {
        line.text("name", name);
    }
    if !task.tags.is_empty() {
        let out = line.value("tags");
        serde_json::to_writer(out, &task.tags).expect("a Vec takes every byte");
    }
    if task.left_behind {
        line.flag("left_behind", true);
    }
    if let Some(by) = &task.skipped_by {
        line.id("skipped_by", by);
    }
    if of_kind.is_some_and(|kind| kind.shared) {
        line.flag("shared", true);
    }
}

fn write_attempts(out: &mut Vec<u8>, attempts: &[AttemptRecord]) {
    out.push(b'[');
    for (index, attempt) in attempts.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let mut line = ObjectWriter::open(out);
        attempt_fields(&mut line, attempt);
        line.close();
    }
    out.push(b']');
}

/// The fields of one attempt, the same in the results and in the events.
pub(crate) fn attempt_fields(line: &mut ObjectWriter<'_>, attempt: &AttemptRecord) {
    line.integer("attempt", attempt.attempt);
    line.integer_or_null("worker", attempt.worker);
    line.integer_or_null("pid", attempt.pid);
    line.text("status", attempt.status.word());
    line.integer_or_null("exit", attempt.exit);
    line.integer_or_null("signal", attempt.signal);
    line.seconds("wall_s", attempt.wall);
}

struct StreamKeys {
    text: &'static str,
    base64: &'static str,
    cut: &'static str,
    rest: &'static str,
    rest_base64: &'static str,
}

const STDOUT: StreamKeys = StreamKeys {
    text: "stdout",
    base64: "stdout_b64",
    cut: "stdout_cut_b64",
    rest: "stdout_rest",
    rest_base64: "stdout_rest_b64",
};

const STDERR: StreamKeys = StreamKeys {
    text: "stderr",
    base64: "stderr_b64",
    cut: "stderr_cut_b64",
    rest: "stderr_rest",
    rest_base64: "stderr_rest_b64",
};

fn write_stream(line: &mut ObjectWriter<'_>, captured: &Captured, keys: &StreamKeys) {
    match std::str::from_utf8(&captured.head) {
        Ok(text) => line.text(keys.text, text),
        // `error_len` is none when the bytes end inside a character that could still become valid.
        Err(error) if error.error_len().is_none() && captured.truncated() => {
            let (text, cut) = captured.head.split_at(error.valid_up_to());
            let text = std::str::from_utf8(text).expect("valid up to here, as just found");
            line.text(keys.text, text);
            line.base64(keys.cut, cut);
        }
        Err(_) => line.base64(keys.base64, &captured.head),
    }
}

fn write_rest(line: &mut ObjectWriter<'_>, captured: &Captured, keys: &StreamKeys) {
    if let Some(rest) = &captured.rest {
        line.bytes(keys.rest, keys.rest_base64, rest.as_os_str().as_bytes());
    }
}
