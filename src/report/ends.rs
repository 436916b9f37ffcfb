//! The two streams of our own process: how they are written, what they are connected to.

use super::patience::PatientWriter;
use super::progress::BarPlace;
use rustix::fd::AsFd;
use rustix::fs::{FileType, fstat};
use std::fmt::{self, Debug, Formatter};
use std::io::Write;

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
        let stat = fstat(fd).ok()?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile | FileType::Fifo => Some(Self {
                device: stat.st_dev,
                inode: stat.st_ino,
            }),
            _ => None,
        }
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
    pub stdout: Box<dyn Write + Send>,
    /// Standard error.
    pub stderr: Box<dyn Write + Send>,
    /// The files behind the two, where they are files.
    pub taken: [Option<FileIdentity>; 2],
    /// What the two are connected to.
    pub terminal: Terminal,
    /// Where a bar is drawn, if one is.
    pub bar: BarPlace,
}

impl Ends {
    /// The streams of this process.
    #[must_use]
    pub fn process() -> Self {
        Self {
            stdout: Box::new(PatientWriter::new(rustix::stdio::stdout())),
            stderr: Box::new(PatientWriter::new(rustix::stdio::stderr())),
            taken: [
                FileIdentity::of(rustix::stdio::stdout()),
                FileIdentity::of(rustix::stdio::stderr()),
            ],
            terminal: Terminal::detect(),
            bar: BarPlace::stderr(),
        }
    }
}

impl Debug for Ends {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends")
            .field("taken", &self.taken)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}
