//! Asking a run.

use super::lines::{ANSWER_MAX, read_line, write_line};
use super::words::{Answer, Request, VERSION};
use interprocess::ConnectWaitMode;
use interprocess::local_socket::{
    ConnectOptions, GenericFilePath, Stream, ToFsName as _, traits::StreamCommon as _,
};
use rustix::process::geteuid;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long an answer may take, from the connection to its last byte: longer than a run takes for any.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// Nobody is at the socket, or it has gone away.
    #[error("no run answers at {}: it has ended", .0.display())]
    Gone(PathBuf),
    /// There is none within the time.
    #[error("the run at {} does not answer", .0.display())]
    Silent(PathBuf),
    /// It stands still.
    #[error(
        "the run with the pid {0} is stopped (Ctrl-Z); `fg` in its shell, or `kill -CONT {0}`, lets it go on"
    )]
    Stopped(u32),
    /// It is somebody else's.
    #[error("the socket {} is not yours", .0.display())]
    NotYours(PathBuf),
    /// It speaks another version or nonsense.
    #[error("what answers at {} is no run of this version of farm: {why}", .path.display())]
    Strange {
        /// Who.
        path: PathBuf,
        /// What is strange.
        why: String,
    },
    /// The system says no.
    #[error("cannot speak to the run at {}: {error}", .path.display())]
    Refused {
        /// Who.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Asks the run at this socket.
///
/// # Errors
/// [`NoAnswer`]. Whether anything was done is not known then, but with `Gone` from the connection.
pub(crate) fn ask(path: &Path, request: &Request) -> Result<Answer, NoAnswer> {
    let until = Instant::now() + PATIENCE;
    let failed = |error: io::Error| why(path, error);
    let stream = connect(path, PATIENCE).map_err(failed)?;
    // What it says of itself is believed, so it must be ours.
    let peer = stream.peer_creds().map_err(failed)?;
    if peer.euid() != Some(geteuid().as_raw()) {
        return Err(NoAnswer::NotYours(path.to_owned()));
    }
    if let Some(pid) = peer
        .pid()
        .and_then(|pid| u32::try_from(pid).ok())
        .filter(|pid| is_stopped(*pid))
    {
        return Err(NoAnswer::Stopped(pid));
    }
    let line = serde_json::to_vec(request).expect("no map with other keys than texts");
    write_line(&stream, line, until).map_err(failed)?;
    let line = read_line(&stream, ANSWER_MAX, until).map_err(failed)?;
    if line.is_empty() {
        return Err(NoAnswer::Gone(path.to_owned()));
    }
    let strange = |why: String| NoAnswer::Strange {
        path: path.to_owned(),
        why,
    };
    let answer: Answer =
        serde_json::from_slice(&line).map_err(|error| strange(error.to_string()))?;
    if answer.v != VERSION {
        return Err(strange(format!("it speaks version {}", answer.v)));
    }
    Ok(answer)
}

/// Whether a process stands still, as far as the system says.
fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Its name stands before, in brackets, and may hold anything.
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    matches!(state, Some('T' | 't'))
}

/// Connects, within a time.
pub(super) fn connect(path: &Path, limit: Duration) -> io::Result<Stream> {
    let name = path.to_fs_name::<GenericFilePath>()?;
    ConnectOptions::new()
        .name(name)
        .wait_mode(ConnectWaitMode::Timeout(limit))
        .connect_sync()
}

fn why(path: &Path, error: io::Error) -> NoAnswer {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::BrokenPipe => NoAnswer::Gone(path),
        ErrorKind::TimedOut | ErrorKind::NotConnected => NoAnswer::Silent(path),
        ErrorKind::PermissionDenied => NoAnswer::NotYours(path),
        _ => NoAnswer::Refused { path, error },
    }
}
