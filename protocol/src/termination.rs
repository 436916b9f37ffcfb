//! How a process ended.

use core::fmt;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// How a process ended, as the system says it. A kind that starts processes may send it in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub enum Termination {
    /// It exited by itself with this code.
    Exited(i32),
    /// A signal ended it.
    Signaled {
        /// The signal's number on this system.
        signal: i32,
        /// Whether it dumped core.
        core_dumped: bool,
    },
    /// Its exit status was collected by somebody else or cannot be had: how it ended is unknown.
    Lost,
}

impl Termination {
    /// Whether it was by this signal.
    #[must_use]
    pub const fn is_by(self, wanted: i32) -> bool {
        matches!(self, Self::Signaled { signal, .. } if signal == wanted)
    }

    /// The signal that ended it, if one did.
    #[must_use]
    pub const fn signal(self) -> Option<i32> {
        match self {
            Self::Signaled { signal, .. } => Some(signal),
            Self::Exited(_) | Self::Lost => None,
        }
    }
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Signaled {
                signal,
                core_dumped,
            } => {
                match signal_name(signal) {
                    Some(name) => write!(f, "killed by {name}")?,
                    None => write!(f, "killed by signal {signal}")?,
                }
                if core_dumped {
                    write!(f, " (core dumped)")
                } else {
                    Ok(())
                }
            }
            Self::Lost => write!(f, "ended in an unknown way"),
        }
    }
}

/// The name of a signal number on Linux (the numbers of x86, Arm and RISC-V).
#[must_use]
pub const fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        16 => "SIGSTKFLT",
        17 => "SIGCHLD",
        18 => "SIGCONT",
        19 => "SIGSTOP",
        20 => "SIGTSTP",
        21 => "SIGTTIN",
        22 => "SIGTTOU",
        23 => "SIGURG",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        26 => "SIGVTALRM",
        27 => "SIGPROF",
        28 => "SIGWINCH",
        29 => "SIGIO",
        30 => "SIGPWR",
        31 => "SIGSYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    //! It can be part of a response.
    use super::*;
    use crate::{decode, encode};

    fn goes_through<T: Schema + Serialize + for<'a> Deserialize<'a> + PartialEq>(sent: &T) -> bool {
        let bytes = encode(sent, 64).expect("it is small");
        decode::<T>(&bytes).is_ok_and(|came| came == *sent)
    }

    #[test]
    fn a_kind_may_send_how_its_process_ended() {
        let signaled = Termination::Signaled {
            signal: 9,
            core_dumped: false,
        };
        for ended in [Termination::Exited(-1), signaled, Termination::Lost] {
            assert!(goes_through(&(ended, 7_u8)));
        }
    }
}
