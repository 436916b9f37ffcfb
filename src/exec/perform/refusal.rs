//! Why a command did not start, in words a person can act on.
//!
//! Looks at the file system only after a start has failed; a command that starts pays nothing for it.

use super::plumbing::path_of;
use super::{Captured, CommandRequest, CommandResponse, Ended};
use rustix::io::Errno;
use std::fmt::Display;
use std::io;
use std::path::PathBuf;

/// A command that did not start. Nothing of it is left but what files it was to write into, empty.
#[derive(Debug)]
pub(super) struct Refusal {
    message: String,
    errno: Option<i32>,
}

impl Refusal {
    /// Not the system's doing.
    pub(super) fn said(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            errno: None,
        }
    }

    /// `what` failed with `error`.
    pub(super) fn of(what: &str, error: &io::Error) -> Self {
        Self::because(what, &plain(error), error)
    }

    fn because(what: &str, why: &dyn Display, error: &io::Error) -> Self {
        Self {
            message: format!("{what}: {why}"),
            errno: error.raw_os_error(),
        }
    }

    pub(super) fn into_response(self) -> CommandResponse {
        let Self { message, errno } = self;
        CommandResponse {
            ended: Ended::NotStarted { message, errno },
            pid: 0,
            stdout: Captured::default(),
            stderr: Captured::default(),
            wall_nanos: 0,
            user_nanos: 0,
            system_nanos: 0,
            peak_bytes: 0,
            left_behind: false,
            out_of_memory: None,
            trouble: None,
        }
    }
}

/// The error without the standard library's "(os error 2)": the number travels in its own field.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// What it was that the system did not like about starting `program`.
pub(super) fn of_spawn(request: &CommandRequest, program: &str, error: &io::Error) -> Refusal {
    if let Some(cwd) = &request.cwd {
        let cwd = path_of(cwd);
        let what = format!("working directory {cwd:?}");
        match std::fs::metadata(cwd) {
            Err(why) => return Refusal::of(&what, &why),
            Ok(found) if !found.is_dir() => {
                return Refusal::because(&what, &"is not a directory", error);
            }
            Ok(_) => {}
        }
    }
    let what = format!("cannot start {program:?}");
    match Errno::from_io_error(error) {
        Some(Errno::NOENT) => match (find(request, program), program.contains('/')) {
            (Some(path), _) => {
                let why = format!("{path:?} is there, but the interpreter it names is not");
                Refusal::because(&what, &why, error)
            }
            (None, true) => Refusal::of(&what, error),
            (None, false) => Refusal::because(&what, &"not found in PATH", error),
        },
        Some(Errno::ACCESS) => {
            let why = "permission denied; is it an executable file?";
            Refusal::because(&what, &why, error)
        }
        Some(Errno::NOEXEC) => {
            let why = "it is no program of this system, and no script that begins with #!";
            Refusal::because(&what, &why, error)
        }
        Some(Errno::TOOBIG) => {
            let why = "arguments and environment together are too long; pass a file instead";
            Refusal::because(&what, &why, error)
        }
        _ => Refusal::of(&what, error),
    }
}

/// The file that was meant, if it exists.
fn find(request: &CommandRequest, program: &str) -> Option<PathBuf> {
    let base = request.cwd.as_ref().map(|cwd| path_of(cwd).to_owned());
    let base = base.unwrap_or_default();
    if program.contains('/') {
        return Some(base.join(program)).filter(|path| path.exists());
    }
    let given = request.env.iter().rfind(|(name, _)| name == "PATH");
    let search = match given {
        Some((_, path)) => path.into(),
        None if request.clear_env => return None,
        None => std::env::var_os("PATH")?,
    };
    std::env::split_paths(&search)
        .map(|folder| base.join(folder).join(program))
        .find(|path| path.exists())
}
