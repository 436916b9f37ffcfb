//! What happens when something cannot be written: the typed trouble, and the list that waits for the caller.

use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;

/// How many troubles wait at most for the caller. Only spills can have more than one each, and the thousandth says
/// nothing that the first did not.
const WAITING_TROUBLES: usize = 16;

/// Something that is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteTarget {
    /// Our standard output.
    Stdout,
    /// Our standard error.
    Stderr,
    /// The results file.
    Results(PathBuf),
    /// The joblog.
    Joblog(PathBuf),
    /// The events file.
    Events(PathBuf),
    /// The record from which the run replays.
    Record(PathBuf),
    /// A file that holds output until it can be shown, or the folder in which an unnamed one lies.
    Spill(PathBuf),
}

impl Display for WriteTarget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::Stderr => f.write_str("standard error"),
            Self::Results(path) => write!(f, "the results file `{}`", path.display()),
            Self::Joblog(path) => write!(f, "the joblog `{}`", path.display()),
            Self::Events(path) => write!(f, "the events file `{}`", path.display()),
            Self::Record(path) => write!(f, "the record `{}`", path.display()),
            Self::Spill(path) => write!(f, "spilled output in `{}`", path.display()),
        }
    }
}

/// An output that failed. Nothing more is written to that target (a spill excepted: each is a file of its own); all
/// others go on.
#[derive(Debug, thiserror::Error)]
pub enum WriteTrouble {
    /// Whoever read our standard output has gone away, which is how `| head` says that it has seen enough.
    #[error("standard output was closed by its reader")]
    StdoutClosed,
    /// Anything else.
    #[error("cannot write {target}: {error}; {}", advice(.target, .error))]
    Failed {
        /// Where it happened.
        target: WriteTarget,
        /// What the system said.
        error: io::Error,
    },
}

fn advice(target: &WriteTarget, error: &io::Error) -> &'static str {
    let full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    );
    match (target, full) {
        (WriteTarget::Spill(_), true) => {
            "free some space there or set TMPDIR to a folder with more"
        }
        (WriteTarget::Spill(_), false) => {
            "output that should have waited there is shown at once or incomplete"
        }
        (WriteTarget::Record(_), true) => {
            "free some space; the run went on, and the record replays up to where it was cut off"
        }
        (WriteTarget::Record(_), false) => {
            "the run went on, and the record replays up to where it was cut off"
        }
        (
            WriteTarget::Stdout
            | WriteTarget::Stderr
            | WriteTarget::Results(_)
            | WriteTarget::Joblog(_)
            | WriteTarget::Events(_),
            true,
        ) => "free some space; its last line may be incomplete and nothing more is written to it",
        (
            WriteTarget::Stdout
            | WriteTarget::Stderr
            | WriteTarget::Results(_)
            | WriteTarget::Joblog(_)
            | WriteTarget::Events(_),
            false,
        ) => "its last line may be incomplete and nothing more is written to it",
    }
}

impl WriteTrouble {
    fn new(target: &WriteTarget, error: io::Error) -> Self {
        if *target == WriteTarget::Stdout && error.kind() == io::ErrorKind::BrokenPipe {
            return Self::StdoutClosed;
        }
        Self::Failed {
            target: target.clone(),
            error,
        }
    }
}

/// The troubles that the caller has not taken yet, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    waiting: VecDeque<WriteTrouble>,
}

impl Troubles {
    pub(crate) fn note(&mut self, target: &WriteTarget, error: io::Error) {
        if self.waiting.len() < WAITING_TROUBLES {
            self.waiting.push_back(WriteTrouble::new(target, error));
        }
    }

    pub(crate) fn take(&mut self) -> Option<WriteTrouble> {
        self.waiting.pop_front()
    }
}
