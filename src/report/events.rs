//! The events file: what happened during the run, one JSON object per line, in the envelope of the results.
//!
//! It knows the shape of every event and nothing about when one happens.

use super::clock::RunClock;
use super::object::ObjectWriter;
use super::record::{AttemptRecord, Stream, TaskIdText, TaskRecord};
use super::results::{FORMAT_VERSION, attempt_fields, write_line};
use super::summary::{RunCounts, RunEnd, wait_fields};
use farm_master::Waits;
use std::time::Duration;

/// A task whose attempt begins.
#[derive(Clone, Copy, Debug)]
pub struct TaskRef<'a> {
    /// Position in the input.
    pub seq: u64,
    /// Id.
    pub id: &'a TaskIdText,
    /// Name for people.
    pub name: Option<&'a str>,
    /// What a task without a name does, for the bar.
    pub command: Option<&'a str>,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// The worker that makes it.
    pub worker: Option<u32>,
}

/// Why a worker stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The run needed it no more.
    Finished,
    /// It was healthy and replaced: tasks done, age, memory.
    Recycled,
    /// The farm killed it: a task's time, a limit, a cancellation.
    Killed,
    /// It died by itself.
    Died,
}

impl StopReason {
    const fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Recycled => "recycled",
            Self::Killed => "killed",
            Self::Died => "died",
        }
    }
}

/// Something that happened during a run.
#[derive(Debug)]
pub(crate) enum RunEvent<'a> {
    /// The run began.
    RunStarted {
        /// How many tasks there are, when that is known.
        total: Option<u64>,
        /// How many workers may run at once.
        workers: u32,
    },
    /// A worker process is there.
    WorkerStarted {
        /// Its number.
        worker: u32,
        /// Its process.
        pid: Option<u32>,
    },
    /// An attempt began.
    TaskStarted(TaskRef<'a>),
    /// A task said something.
    TaskOutput {
        /// Position in the input.
        seq: u64,
        /// Number of the attempt.
        attempt: u32,
        /// On which stream.
        stream: Stream,
        /// What it said; only its length is written unless `with_text`.
        bytes: &'a [u8],
        /// Whether the text itself is wanted.
        with_text: bool,
    },
    /// An attempt ended.
    AttemptFinished {
        /// Position in the input.
        seq: u64,
        /// How it ended.
        attempt: &'a AttemptRecord,
    },
    /// A task ended: the line of the results file, with its time.
    Result {
        /// The task.
        task: &'a TaskRecord,
        /// Whether the files with the rest of its output may be named.
        name_rest: bool,
    },
    /// A worker process is gone.
    WorkerStopped {
        /// Its number.
        worker: u32,
        /// Its process.
        pid: Option<u32>,
        /// Why.
        reason: StopReason,
        /// Exit code, when it exited.
        exit: Option<i32>,
        /// Signal, when one ended it.
        signal: Option<i32>,
    },
    /// The run ended.
    RunFinished {
        /// How the tasks ended.
        counts: &'a RunCounts,
        /// How long they had waited.
        waits: &'a Waits,
        /// How the run ended.
        end: &'a RunEnd,
    },
}

impl RunEvent<'_> {
    const fn word(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "run_started",
            Self::WorkerStarted { .. } => "worker_started",
            Self::TaskStarted(_) => "task_started",
            Self::TaskOutput { .. } => "task_output",
            Self::AttemptFinished { .. } => "attempt_finished",
            Self::Result { .. } => "result",
            Self::WorkerStopped { .. } => "worker_stopped",
            Self::RunFinished { .. } => "run_finished",
        }
    }

    /// Appends the event's line, with its line end.
    pub(crate) fn write(&self, out: &mut Vec<u8>, clock: &RunClock, at: Duration) {
        if let Self::Result { task, name_rest } = self {
            write_line(out, task, clock, Some(at), *name_rest);
            return;
        }
        let mut line = ObjectWriter::open(out);
        line.integer("v", FORMAT_VERSION);
        line.text("type", self.word());
        line.time("time", clock, at);
        self.fields(&mut line, at);
        line.close();
        out.push(b'\n');
    }

    fn fields(&self, line: &mut ObjectWriter<'_>, at: Duration) {
        match self {
            Self::RunStarted { total, workers } => {
                line.integer_or_null("total", *total);
                line.integer("workers", workers);
            }
            Self::WorkerStarted { worker, pid } => {
                line.integer("worker", worker);
                line.integer_or_null("pid", *pid);
            }
            Self::TaskStarted(task) => {
                line.id("id", task.id);
                line.integer("seq", task.seq);
                if let Some(name) = task.name {
                    line.text("name", name);
                }
                line.integer("attempt", task.attempt);
                line.integer_or_null("worker", task.worker);
            }
            Self::TaskOutput {
                seq,
                attempt,
                stream,
                bytes,
                with_text,
            } => {
                line.integer("seq", seq);
                line.integer("attempt", attempt);
                line.text("stream", stream.word());
                line.integer("bytes", bytes.len());
                if *with_text {
                    line.bytes("text", "text_b64", bytes);
                }
            }
            Self::AttemptFinished { seq, attempt } => {
                line.integer("seq", seq);
                attempt_fields(line, attempt);
            }
            Self::Result { .. } => unreachable!("`write` handed this one to the results"),
            Self::WorkerStopped {
                worker,
                pid,
                reason,
                exit,
                signal,
            } => {
                line.integer("worker", worker);
                line.integer_or_null("pid", *pid);
                line.text("reason", reason.word());
                line.integer_or_null("exit", *exit);
                line.integer_or_null("signal", *signal);
            }
            Self::RunFinished { counts, waits, end } => {
                counts.fields(line);
                wait_fields(line, waits);
                match &end.halted {
                    Some(why) => line.text("halted", why),
                    None => line.null("halted"),
                }
                line.seconds("wall_s", at);
            }
        }
    }
}
