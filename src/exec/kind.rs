//! The command kind's master half: from a task of the file to a request, from a response to a verdict.
//!
//! It knows what a task file may say. It does not know what is done with output and ends: that is its listener's.

use super::wire::{
    CommandFeedback, CommandRequest, CommandResponse, CommandWire, Ended, StderrPlan, StdinPlan,
    StdoutPlan,
};
use crate::taskfile::{Run, Stderr, Stdin, Stdout, TaskSpec};
use farm_master::{Cause, Sending, TaskKind, Verdict, WorkerStatus};
use farm_worker::Stream;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much of each stream a response carries, in bytes.
pub const HEAD_BYTES: u32 = 64 << 10;

/// The shell of a shell line.
const SHELL: &str = "/bin/sh";

/// What all commands of a farm have in common.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The folder for output beyond what a response carries; `None`: such output is dropped.
    pub spill_folder: Option<PathBuf>,
    /// Whether output is relayed while it comes.
    pub live: bool,
}

/// Told what commands say and how they end, attempt by attempt. Called on the farm's loop.
pub trait Listener: Send {
    /// A command said something: all it says when output is live; else, once it is asked to end, the beginning that a
    /// response would carry.
    fn output(&mut self, task: &TaskSpec, stream: Stream, bytes: &[u8]);
    /// An attempt of a command has ended. The task may go on.
    fn answered(&mut self, task: &TaskSpec, response: &CommandResponse);
    /// An attempt that had been asked to end has ended. The task ends, or goes on, without it.
    fn answered_late(&mut self, task: &TaskSpec, response: CommandResponse);
}

/// Commands as tasks. Output and failure are both the whole response.
pub struct CommandKind {
    settings: Settings,
    listener: Box<dyn Listener>,
}

impl CommandKind {
    /// Commands with these settings, heard by `listener`.
    #[must_use]
    pub fn new(settings: Settings, listener: Box<dyn Listener>) -> Self {
        Self { settings, listener }
    }

    /// Where the rest of an attempt's output goes: one file per attempt, so that a late attempt
    /// cannot write into the output of a later one.
    fn spill(&self, task: &TaskSpec, attempt: u32) -> Option<Vec<u8>> {
        let folder = self.settings.spill_folder.as_ref()?;
        let path = spill_path(folder, task.seq, attempt);
        Some(path.into_os_string().into_vec())
    }
}

/// Where the rest of an attempt's output is, but for the stream's name at the end (`.stdout`, `.stderr`).
#[must_use]
pub fn spill_path(folder: &Path, seq: u64, attempt: u32) -> PathBuf {
    folder.join(format!("{seq}-{attempt}"))
}

impl fmt::Debug for CommandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandKind")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl TaskKind for CommandKind {
    type Wire = CommandWire;
    type Task = Arc<TaskSpec>;
    type Competence = ();
    type Output = Box<CommandResponse>;
    type Failure = Box<CommandResponse>;

    fn request_of_task(
        &mut self,
        _: &WorkerStatus<()>,
        task: &Arc<TaskSpec>,
    ) -> Option<CommandRequest> {
        let settings = &task.settings;
        let argv = match &task.run {
            // It is for another kind.
            Run::Kind(_) => return None,
            Run::Argv(argv) => argv.iter().map(|word| word.to_string()).collect(),
            Run::Shell(line) => vec![SHELL.to_string(), "-c".to_string(), line.to_string()],
        };
        Some(CommandRequest {
            argv,
            env: settings.env.clone(),
            clear_env: settings.clear_env,
            cwd: settings.cwd.as_deref().map(bytes),
            stdin: match &settings.stdin {
                Stdin::Closed => StdinPlan::Closed,
                Stdin::Text(text) | Stdin::Json(text) => StdinPlan::Bytes(text.as_bytes().to_vec()),
                Stdin::File(path) => StdinPlan::File(absolute(path)),
            },
            stdout: match &settings.stdout {
                Stdout::Capture => StdoutPlan::Capture,
                Stdout::Inherit => StdoutPlan::Inherit,
                Stdout::Null => StdoutPlan::Null,
                Stdout::File(path) => StdoutPlan::File(absolute(path)),
            },
            stderr: match &settings.stderr {
                Stderr::Capture => StderrPlan::Capture,
                Stderr::Inherit => StderrPlan::Inherit,
                Stderr::Null => StderrPlan::Null,
                Stderr::File(path) => StderrPlan::File(absolute(path)),
                Stderr::Stdout => StderrPlan::Stdout,
            },
            head_limit: HEAD_BYTES,
            spill: None,
            live: self.settings.live,
            // What is relayed is a sign of life itself; without a limit on silence nobody needs one.
            signs: settings.stall.is_some() && !self.settings.live,
        })
    }

    fn request_of_attempt(
        &mut self,
        sending: Sending,
        status: &WorkerStatus<()>,
        task: &Arc<TaskSpec>,
    ) -> Option<CommandRequest> {
        let mut request = self.request_of_task(status, task)?;
        let attempt = sending.id.attempt.0;
        request.spill = self.spill(task, attempt);
        Some(request)
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        task: &Arc<TaskSpec>,
        response: CommandResponse,
    ) -> Verdict<Self> {
        self.listener.answered(task, &response);
        let settings = &task.settings;
        let (ok, fatal) = match response.ended {
            Ended::Exited(code) => (
                is_ok(&settings.ok_exit, code),
                settings.fatal_exit.contains(&code),
            ),
            Ended::Signaled { .. } | Ended::NotStarted { .. } | Ended::Lost { .. } => {
                (false, false)
            }
        };
        if ok {
            return Verdict::done(Box::new(response), ());
        }
        // An exit with 0 fails too where the task asks for another code.
        let cause = response.failure().unwrap_or(Cause::Exit);
        let verdict = Verdict::failed(Box::new(response), ()).because(cause);
        if fatal { verdict.fatal() } else { verdict }
    }

    fn on_late_response(&mut self, task: &Arc<TaskSpec>, response: CommandResponse) {
        self.listener.answered_late(task, response);
    }

    fn on_feedback(&mut self, task: &Arc<TaskSpec>, feedback: &CommandFeedback) {
        match feedback {
            CommandFeedback::Output { stream, bytes } => self.listener.output(task, *stream, bytes),
        }
    }
}

/// Whether a code counts as success: 0 alone, unless the task names others.
fn is_ok(ok_exit: &[i32], code: i32) -> bool {
    if ok_exit.is_empty() {
        code == 0
    } else {
        ok_exit.contains(&code)
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

/// The task file's folder is meant, not the command's working directory.
fn absolute(path: &Path) -> Vec<u8> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    OsString::from(absolute).into_vec()
}
