//! The three streams of a command: what it gets as descriptors 0, 1 and 2, and what stays with us.
//!
//! Opens files and pipes; starts nothing and reads nothing.

use super::{Capture, CommandRequest, CommandWire, HEAD_MAX, Refusal};
use crate::exec::wire::{StderrPlan, StdinPlan, StdoutPlan};
use farm_worker::{Context, Stream};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat, major, minor};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The path that bytes from the wire name.
pub(super) fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// Whether our own standard input is the null device.
pub(super) fn stdin_is_null() -> bool {
    fstat(rustix::stdio::stdin()).is_ok_and(|stat| {
        let device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
        device && (major(stat.st_rdev), minor(stat.st_rdev)) == (1, 3)
    })
}

/// Bytes on their way into a command.
#[derive(Debug)]
pub(super) struct Feed {
    /// Does not block.
    pub(super) pipe: OwnedFd,
    bytes: Vec<u8>,
    written: usize,
}

impl Feed {
    /// Writes what fits; `true` when there is nothing left to do: all is written, or the command reads no more.
    pub(super) fn write(&mut self) -> bool {
        while self.written < self.bytes.len() {
            match rustix::io::write(&self.pipe, &self.bytes[self.written..]) {
                Ok(count) => self.written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return false,
                Err(_) => return true,
            }
        }
        true
    }
}

/// A captured stream: the read end and where the bytes go.
pub(super) type Capturing = (OwnedFd, Capture);

/// All of a command's plumbing, before its start.
#[derive(Debug)]
pub(super) struct Plumbing {
    stdio: Option<[Stdio; 3]>,
    pub(super) feed: Option<Feed>,
    pub(super) stdout: Option<Capturing>,
    pub(super) stderr: Option<Capturing>,
}

impl Plumbing {
    /// Opens what `request` asks for.
    pub(super) fn lay(
        request: &CommandRequest,
        context: &Context<'_, CommandWire>,
        stdin_is_null: bool,
    ) -> Result<Self, Refusal> {
        let (stdin, feed) = lay_stdin(request, stdin_is_null)?;
        let (out, stdout) = lay_stdout(request, context)?;
        let (err, stderr) = lay_stderr(request, context, &out)?;
        Ok(Self {
            stdio: Some([stdin, out.into_stdio(), err.into_stdio()]),
            feed,
            stdout,
            stderr,
        })
    }

    /// The command's ends.
    pub(super) fn take_stdio(&mut self) -> [Stdio; 3] {
        self.stdio.take().expect("a command is started once")
    }
}

/// What a command gets as one of its outputs.
enum Outlet {
    /// This open file or pipe.
    Fd(OwnedFd),
    /// The null device.
    Null,
    /// The worker's own.
    Own(Stream),
}

impl Outlet {
    fn into_stdio(self) -> Stdio {
        match self {
            Self::Fd(fd) => fd.into(),
            Self::Null => Stdio::null(),
            Self::Own(Stream::Stdout) => io::stdout().into(),
            Self::Own(Stream::Stderr) => io::stderr().into(),
        }
    }

    fn again(&self) -> Result<Self, Refusal> {
        Ok(match self {
            Self::Fd(fd) => Self::Fd(fd.try_clone().map_err(no_descriptor)?),
            Self::Null => Self::Null,
            Self::Own(stream) => Self::Own(*stream),
        })
    }
}

fn no_descriptor(error: io::Error) -> Refusal {
    Refusal::of("cannot make a pipe for the command", &error)
}

fn pipe() -> Result<(OwnedFd, OwnedFd), Refusal> {
    pipe_with(PipeFlags::CLOEXEC).map_err(|error| no_descriptor(error.into()))
}

/// A path in a request is meant from where the command runs.
fn from_cwd(request: &CommandRequest, path: &[u8]) -> PathBuf {
    let cwd = request.cwd.as_ref().map(|cwd| path_of(cwd).to_owned());
    cwd.unwrap_or_default().join(path_of(path))
}

fn lay_stdin(
    request: &CommandRequest,
    stdin_is_null: bool,
) -> Result<(Stdio, Option<Feed>), Refusal> {
    match &request.stdin {
        StdinPlan::Closed if stdin_is_null => Ok((Stdio::inherit(), None)),
        StdinPlan::Closed => Ok((Stdio::null(), None)),
        StdinPlan::File(path) => {
            let path = from_cwd(request, path);
            let file = File::open(&path);
            let file = file.map_err(|error| {
                Refusal::of(&format!("cannot read standard input from {path:?}"), &error)
            })?;
            Ok((file.into(), None))
        }
        StdinPlan::Bytes(bytes) => {
            let (read, write) = pipe()?;
            // Only our end: the command's must block as every program expects.
            fcntl_getfl(&write)
                .and_then(|flags| fcntl_setfl(&write, flags | OFlags::NONBLOCK))
                .map_err(|error| no_descriptor(error.into()))?;
            let mut feed = Feed {
                pipe: write,
                bytes: bytes.clone(),
                written: 0,
            };
            // What fits in the pipe is there before the command is.
            let all = feed.write();
            Ok((read.into(), (!all).then_some(feed)))
        }
    }
}

fn capture(
    request: &CommandRequest,
    stream: Stream,
) -> Result<(Outlet, Option<Capturing>), Refusal> {
    let (read, write) = pipe()?;
    let spill = request.spill.as_deref();
    let head_limit = (request.head_limit as usize).min(HEAD_MAX);
    let capture = Capture::new(stream, head_limit, spill, request.live);
    Ok((Outlet::Fd(write), Some((read, capture))))
}

fn through(context: &Context<'_, CommandWire>, stream: Stream) -> Result<Outlet, Refusal> {
    Ok(match context.through(stream) {
        Some(lent) => Outlet::Fd(own(lent)?),
        None => Outlet::Own(stream),
    })
}

fn own(lent: BorrowedFd<'_>) -> Result<OwnedFd, Refusal> {
    lent.try_clone_to_owned().map_err(no_descriptor)
}

fn into_file(request: &CommandRequest, what: &str, path: &[u8]) -> Result<Outlet, Refusal> {
    let path = from_cwd(request, path);
    match File::create(&path) {
        Ok(file) => Ok(Outlet::Fd(file.into())),
        Err(error) => Err(Refusal::of(
            &format!("cannot write {what} to {path:?}"),
            &error,
        )),
    }
}

fn lay_stdout(
    request: &CommandRequest,
    context: &Context<'_, CommandWire>,
) -> Result<(Outlet, Option<Capturing>), Refusal> {
    match &request.stdout {
        StdoutPlan::Capture => capture(request, Stream::Stdout),
        StdoutPlan::Inherit => Ok((through(context, Stream::Stdout)?, None)),
        StdoutPlan::Null => Ok((Outlet::Null, None)),
        StdoutPlan::File(path) => Ok((into_file(request, "standard output", path)?, None)),
    }
}

fn lay_stderr(
    request: &CommandRequest,
    context: &Context<'_, CommandWire>,
    out: &Outlet,
) -> Result<(Outlet, Option<Capturing>), Refusal> {
    match &request.stderr {
        StderrPlan::Capture => capture(request, Stream::Stderr),
        StderrPlan::Inherit => Ok((through(context, Stream::Stderr)?, None)),
        StderrPlan::Null => Ok((Outlet::Null, None)),
        StderrPlan::Stdout => Ok((out.again()?, None)),
        // Opened twice, the two streams would write over each other.
        StderrPlan::File(path) if request.stdout == StdoutPlan::File(path.clone()) => {
            Ok((out.again()?, None))
        }
        StderrPlan::File(path) => Ok((into_file(request, "standard error", path)?, None)),
    }
}
