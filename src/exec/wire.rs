//! What crosses the pipe for a command: how to start it, how it ended, and its output as it comes.
//!
//! Both halves of the command kind link this. Paths are bytes: a file name need not be text. What a task file may say,
//! and what a response means for the task, is the master half's.

use farm_protocol::{Schema, Termination, Wire};
use farm_worker::Stream;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The command kind's name, version and types.
#[derive(Clone, Copy, Debug)]
pub struct CommandWire;

impl Wire for CommandWire {
    const NAME: &'static str = "command";
    const VERSION: u32 = 1;
    type Request = CommandRequest;
    type Response = CommandResponse;
    type Feedback = CommandFeedback;
    type Context = farm_protocol::Never;
}

/// A command to start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub struct CommandRequest {
    /// The program, then its arguments. A program without a slash is looked for in `PATH`.
    pub argv: Vec<String>,
    /// Variables added to the worker's environment, or to an empty one.
    pub env: Vec<(String, String)>,
    /// Begin with an empty environment.
    pub clear_env: bool,
    /// Where it runs; `None`: where the worker does.
    #[serde(with = "serde_bytes")]
    pub cwd: Option<Vec<u8>>,
    /// What it reads.
    pub stdin: StdinPlan,
    /// Where its output goes.
    pub stdout: StdoutPlan,
    /// Where its errors go.
    pub stderr: StderrPlan,
    /// How much of each captured stream the response carries, in bytes.
    pub head_limit: u32,
    /// Where the rest of a captured stream goes: to `<prefix>.stdout` or `<prefix>.stderr`, created only when there is
    /// a rest. `None`: the rest is counted and dropped.
    #[serde(with = "serde_bytes")]
    pub spill: Option<Vec<u8>>,
    /// Relay captured output as feedback while it comes. It is kept and spilled as always.
    pub live: bool,
    /// Say, as progress, how much captured output came, while it comes and is not relayed: a sign of life.
    pub signs: bool,
}

/// What a command reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub enum StdinPlan {
    /// Nothing: end of file at once.
    #[default]
    Closed,
    /// These bytes, then end of file. A command that does not read them all is not at fault.
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
    /// This file. A relative path is meant from the command's working directory.
    File(#[serde(with = "serde_bytes")] Vec<u8>),
}

/// Where a command's output goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub enum StdoutPlan {
    /// Into the response, the spill file and the feedback.
    #[default]
    Capture,
    /// To the farm's own output, unchanged.
    Inherit,
    /// Nowhere.
    Null,
    /// Into this file, created or emptied. A relative path is meant from the command's working directory.
    File(#[serde(with = "serde_bytes")] Vec<u8>),
}

/// Where a command's errors go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub enum StderrPlan {
    /// Into the response, the spill file and the feedback.
    #[default]
    Capture,
    /// To the farm's own errors, unchanged.
    Inherit,
    /// Nowhere.
    Null,
    /// Into this file, as for the output. The same path as the output's is the same open file.
    File(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Wherever the output goes, in the order in which both are written.
    Stdout,
}

/// How a command ended and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub struct CommandResponse {
    /// How it ended.
    pub ended: Ended,
    /// Its process id; 0 when it never started.
    pub pid: u32,
    /// Its output, if captured.
    pub stdout: Captured,
    /// Its errors, if captured and not merged into the output.
    pub stderr: Captured,
    /// From the start to the end of its process, in nanoseconds.
    pub wall_nanos: u64,
    /// Processor time in its own code and that of its collected children, in nanoseconds.
    pub user_nanos: u64,
    /// Processor time in the kernel for them, in nanoseconds.
    pub system_nanos: u64,
    /// Peak resident memory of the largest of them, in bytes.
    pub peak_bytes: u64,
    /// It left processes behind that still run.
    pub left_behind: bool,
    /// Memory ran out, in words, when the evidence says so.
    pub out_of_memory: Option<String>,
    /// Output that was lost: which file could not be written, and why.
    pub trouble: Option<String>,
}

impl CommandResponse {
    /// What it wrote to its output, as far as it was captured. What is no UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout.head).into_owned()
    }
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal.
    Signaled {
        /// Its number on the worker's system.
        signal: i32,
        /// Whether it dumped core.
        core_dumped: bool,
    },
    /// It never started.
    NotStarted {
        /// What could not be done, on what, and why.
        message: String,
        /// The system's error number, where it was the system that refused.
        errno: Option<i32>,
    },
    /// It started and is gone, and its exit status cannot be had.
    Lost {
        /// Why not.
        message: String,
    },
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exited(code) => Termination::Exited(code).fmt(f),
            Self::Signaled {
                signal,
                core_dumped,
            } => Termination::Signaled {
                signal,
                core_dumped,
            }
            .fmt(f),
            Self::NotStarted { ref message, .. } | Self::Lost { ref message } => {
                f.write_str(message)
            }
        }
    }
}

/// What was captured of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub struct Captured {
    /// Its beginning, up to the head limit.
    #[serde(with = "serde_bytes")]
    pub head: Vec<u8>,
    /// How many bytes came in all.
    pub total: u64,
    /// The file that holds exactly what followed the head; with `trouble`, possibly less.
    #[serde(with = "serde_bytes")]
    pub rest: Option<Vec<u8>>,
}

/// What a command says while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub enum CommandFeedback {
    /// Captured output as it came: all of a live request's, and the head of any that is asked to end.
    Output {
        /// On which stream.
        stream: Stream,
        /// At most 32 KiB of it.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
}
