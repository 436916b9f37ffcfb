//! The two streams of our own process: how they are written, what they are connected to.

use super::outlet::Sink;
use super::patience::PatientWriter;
use super::progress::BarPlace;
use super::relay::Relay;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FileType, fstat};
use std::fmt::{self, Debug, Formatter};
use std::path::Path;
use std::sync::Arc;

/// Which file a descriptor or a path leads to, so that two names of one file are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// The file or pipe behind `fd`; none for terminals and devices, which may well be written twice.
    #[must_use]
    pub fn of(fd: impl AsFd) -> Option<Self> {
        Self::of_one_of(&[FileType::RegularFile, FileType::Fifo], fd)
    }

    /// The pipe or socket behind `fd`: what somebody must read before more can be written.
    pub(crate) fn of_stream(fd: impl AsFd) -> Option<Self> {
        Self::of_one_of(&[FileType::Fifo, FileType::Socket], fd)
    }

    fn of_one_of(types: &[FileType], fd: impl AsFd) -> Option<Self> {
        let stat = fstat(fd).ok()?;
        types
            .contains(&FileType::from_raw_mode(stat.st_mode))
            .then_some(Self {
                device: stat.st_dev,
                inode: stat.st_ino,
            })
    }
}

/// What the two streams are connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
    /// The terminal cannot move its cursor (`TERM=dumb` or none).
    pub dumb: bool,
    /// A build service runs us: its log keeps every redraw.
    pub ci: bool,
}

impl Terminal {
    /// Asks the system and the environment.
    #[must_use]
    pub fn detect() -> Self {
        let term = std::env::var_os("TERM");
        let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        Self {
            stdout: rustix::termios::isatty(rustix::stdio::stdout()),
            stderr: rustix::termios::isatty(rustix::stdio::stderr()),
            dumb: term.is_none_or(|term| term.is_empty() || term == "dumb"),
            ci,
        }
    }
}

/// Where the reporter's own streams go.
pub struct Ends {
    /// Standard output.
    pub stdout: Sink,
    /// Standard error.
    pub stderr: Sink,
    /// The files behind the two, where they are files.
    pub taken: [Option<FileIdentity>; 2],
    /// What the two are connected to.
    pub terminal: Terminal,
    /// Where a bar is drawn, if one is.
    pub bar: BarPlace,
}

impl Ends {
    /// The streams of this process. What their readers do not take at once waits in memory and then in `folder`.
    #[must_use]
    pub fn process(folder: &Path) -> Self {
        let (out, err) = (rustix::stdio::stdout(), rustix::stdio::stderr());
        let [stdout, stderr] = sinks(out, err, &folder.into());
        Self {
            stdout,
            stderr,
            taken: [FileIdentity::of(out), FileIdentity::of(err)],
            terminal: Terminal::detect(),
            bar: BarPlace::stderr(),
        }
    }
}

/// Two that lead to the same pipe share its relay, or their order would be lost.
pub(crate) fn sinks(
    out: BorrowedFd<'static>,
    err: BorrowedFd<'static>,
    folder: &Arc<Path>,
) -> [Sink; 2] {
    let sink = |fd| match Relay::to(fd, Arc::clone(folder)) {
        Ok(Some(relay)) => Sink::Relayed(relay),
        // Without a thread we wait for the reader ourselves.
        Ok(None) | Err(_) => Sink::Direct(Box::new(PatientWriter::new(fd))),
    };
    let first = sink(out);
    let same = FileIdentity::of_stream(out) == FileIdentity::of_stream(err);
    let second = match &first {
        Sink::Relayed(relay) if same => Sink::Relayed(relay.clone()),
        Sink::Relayed(_) | Sink::Direct(_) => sink(err),
    };
    [first, second]
}

impl Debug for Ends {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends")
            .field("taken", &self.taken)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}
