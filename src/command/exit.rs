//! How the command ends: a documented, closed set of exit codes.

use crate::control::Code;
use std::process::ExitCode;

/// How the process is to end. When several apply, the order is: 101, signal, 2, 3, 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: every task did what it was meant to do.
    Success,
    /// 1: some task failed, timed out, crashed, was quarantined, or was skipped because of such a one.
    Failures,
    /// 2: bad command line, bad task file, or something could not be read or written.
    Trouble,
    /// 3: stopped before the end (hangup, workers that cannot be started): some tasks did not run.
    Stopped,
    /// 4: there was no task.
    NoTasks,
    /// 1, of `farm sim`: something that must hold did not.
    Violation,
    /// 3, of `farm sim`: the same run did not go the same way twice.
    Diverged,
    /// 4, of `farm sim`: every run met its step limit, or none was made, so that nothing is known.
    Inconclusive,
    /// 1, of `farm status` and the others that speak to a run: there is no such run or task, or it is ending.
    NotThere,
    /// 101: an error of the farm's own.
    Bug,
    /// 128 + n: ended by this signal; the process ends by the signal itself.
    Signal(i32),
}

impl Exit {
    /// The table of `farm run`, as its `--help` prints it.
    pub const TABLE: &str = "\
Exit codes:
  0    every task ended ok
  1    some task failed, timed out, crashed or was set aside
  2    bad command line or task file, or a file could not be read or written
  3    stopped before the end: some tasks were not run
  4    there was no task
  101  an error of farm's own
  130  ended by Ctrl-C (by the signal itself); 143: by SIGTERM
When several apply: 101, signal, 2, 3, 1.";

    /// The table of `farm sim`, as its `--help` prints it.
    pub const SIM_TABLE: &str = "\
Exit codes:
  0    nothing was violated
  1    something was violated: a token and a trace are printed
  2    bad command line, or a file could not be read or written
  3    the same run did not go the same way twice, or a replay went another way than recorded
  4    nothing is known: every schedule met its step limit
  101  an error of farm's own";

    /// The table of those that speak to a run, as their `--help` prints it.
    pub const CONTROL_TABLE: &str = "\
Exit codes:
  0    done, or it was so already
  1    there is no such run or task, or the run is ending
  2    bad command line, several runs to choose from, or the run does not answer";

    /// How a command ends whose wish a run has refused.
    pub(super) const fn of_refusal(code: Option<Code>) -> Self {
        match code {
            Some(Code::UnknownTask | Code::Ending) => Self::NotThere,
            Some(
                Code::BadRequest | Code::Version | Code::NotYours | Code::Silent | Code::Other,
            )
            | None => Self::Trouble,
        }
    }

    /// The code that a shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failures | Self::Violation | Self::NotThere => 1,
            Self::Trouble => 2,
            Self::Stopped | Self::Diverged => 3,
            Self::NoTasks | Self::Inconclusive => 4,
            Self::Bug => 101,
            Self::Signal(signal) => 128u8.wrapping_add((signal & 0x7f) as u8),
        }
    }

    /// Ends the process this way. A signal's end is the signal itself, so that a calling shell sees
    /// it and stops its own script.
    pub fn end(self) -> ExitCode {
        if let Self::Signal(signal) = self {
            // Returns only if the signal cannot be raised; the code says the same then.
            let _unraised = signal_hook::low_level::emulate_default_handler(signal);
        }
        ExitCode::from(self.code())
    }
}
