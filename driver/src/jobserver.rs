//! A jobserver of GNU make, as its client or as the server: tokens in a pipe, and what workers are told of it.
//!
//! It knows neither workers nor tasks, and decides nothing: when a token is wanted is the machine's to say.

mod flags;
mod own;

use crate::program::EnvPolicy;
use crate::reap::client_of_environment;
use jobserver::{Acquired, Client, FromEnvErrorKind};
use own::OwnTokens;
use rustix::fs::OFlags;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

/// Why there is no jobserver to be had.
#[derive(Debug, thiserror::Error)]
pub enum JobserverError {
    /// The environment names one, and it cannot be used.
    #[error(
        "{variable} names a jobserver that cannot be used: {reason}; \
         in a makefile, let the line that starts this program begin with `+`"
    )]
    Unusable {
        /// Which variable.
        variable: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A pipe has room for a limited number of tokens.
    #[error("a jobserver has {most} slots at most, not {slots}; ask for fewer")]
    TooMany {
        /// Asked for.
        slots: u32,
        /// The limit.
        most: u32,
    },
    /// The pipe of one's own jobserver could not be made.
    #[error(
        "cannot open a jobserver: {0}; if the limit of open files is reached, raise it (`ulimit -n`)"
    )]
    Open(#[source] io::Error),
}

/// How one's own jobserver is named to the programs that are to share it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobserverStyle {
    /// By two descriptors, which every process below a worker inherits. Every GNU make and cargo understands it.
    #[default]
    Pipe,
    /// By a path, which can be opened as long as the farm lives. GNU make 4.4 and later, cargo, and ninja 1.13 and
    /// later understand it; an older make ends with an error. Linux only.
    Fifo,
}

/// A jobserver for [`FarmBuilder::jobserver`](crate::FarmBuilder::jobserver): so many workers of all kinds of a farm
/// are at work at once as it has tokens for, and one more.
///
/// * A worker is at work from its start to its hello, and from the first request it is sent to its last answer. What
///   is sent to it ahead needs no further token.
/// * **The one more** is the token that every process has from whoever started it. Two farms of one process would both
///   count on it: give a jobserver to one of them.
/// * **No hoarding**: a token is taken when a task could start and lacks nothing else, and goes back when nothing is
///   ready that could use it. While something is, it is kept from task to task.
/// * **Tokens belong to the farm alone.** A worker has none, so its death loses none. They go back when the farm ends
///   or panics, or is dropped. When its program is killed, or calls `exit` beside a running farm, those it held are
///   lost, as with every other client.
/// * **A server that is gone** ends nothing. A pipe lives as long as anybody has it open, so the tokens that are in
///   it still serve. When it cannot be read any more, the farm says so once
///   ([`Observer::tokens_lost`](crate::Observer::tokens_lost)) and goes on with the tokens it holds until it would
///   give them back, and then with one worker at a time.
#[derive(Debug)]
pub struct Jobserver {
    source: Source,
    lending: Lending,
}

#[derive(Debug)]
enum Source {
    /// Somebody else's.
    Client {
        client: Client,
        /// The same pipe, to wait for.
        watched: File,
    },
    /// Ours.
    Own(OwnTokens),
    /// None.
    Hidden,
}

/// A token that is held. Somebody else's goes back when it is dropped.
#[derive(Debug)]
pub(crate) enum Held {
    Lent(Acquired),
    Own,
}

impl Jobserver {
    /// The one that the environment names (`MAKEFLAGS`, or `CARGO_MAKEFLAGS`), if it names one. Workers and what they
    /// start share it too: they inherit its variables and descriptors from this process.
    ///
    /// To be called early, before the program has opened other files: a number of a descriptor that `make` did not
    /// hand down could be that of another pipe by then.
    ///
    /// # Errors
    /// It names one that cannot be used: usually because the line of the makefile does not begin with `+`. Use
    /// [`Jobserver::hidden`] then, so that programs below the workers do not try in vain.
    pub fn from_environment() -> Result<Option<Self>, JobserverError> {
        let found = client_of_environment();
        let client = match found.client {
            Ok(client) => client,
            Err(error) => {
                return match (error.kind(), found.var) {
                    (FromEnvErrorKind::NoEnvVar | FromEnvErrorKind::NoJobserver, _) | (_, None) => {
                        Ok(None)
                    }
                    (_, Some((variable, _))) => {
                        let reason = error.to_string();
                        Err(JobserverError::Unusable { variable, reason })
                    }
                };
            }
        };
        let (variable, value) = found.var.expect("where there is a client it was named");
        let watched = watched(&value).map_err(|error| {
            let reason = error.to_string();
            JobserverError::Unusable { variable, reason }
        })?;
        Ok(Some(Self {
            source: Source::Client { client, watched },
            lending: Lending::default(),
        }))
    }

    /// One of the farm's own, with so many slots for the farm's workers and everything below them together: tasks that
    /// are `make`, `cargo` or `ninja` share them, if they are not told a number of jobs of their own (`make -j8` makes
    /// a jobserver of its own).
    ///
    /// Tokens that die with a killed `make` are put back when none of the farm's workers works, also for the moment
    /// between two tasks.
    ///
    /// # Errors
    /// More slots than a pipe has room for, or the pipe cannot be made.
    pub fn own(slots: NonZeroU32, style: JobserverStyle) -> Result<Self, JobserverError> {
        let most = own::SLOTS_MOST;
        let slots = slots.get();
        if slots > most {
            return Err(JobserverError::TooMany { slots, most });
        }
        let tokens = OwnTokens::new(slots as usize - 1).map_err(JobserverError::Open)?;
        let lending = Lending {
            variables: flags::naming(slots, &tokens.named(style)),
            descriptors: style == JobserverStyle::Pipe,
        };
        Ok(Self {
            source: Source::Own(tokens),
            lending,
        })
    }

    /// None, and workers are not told of one either: what the environment says of a jobserver is taken out of theirs.
    #[must_use]
    pub fn hidden() -> Self {
        Self {
            source: Source::Hidden,
            lending: Lending {
                variables: flags::hiding(),
                descriptors: false,
            },
        }
    }

    pub(crate) const fn tokens(&self) -> farm_master::Tokens {
        match self.source {
            Source::Client { .. } => farm_master::Tokens::Shared,
            Source::Own(_) => farm_master::Tokens::Own,
            Source::Hidden => farm_master::Tokens::Unlimited,
        }
    }

    /// Takes a token, if there is one. Never waits.
    pub(crate) fn take(&mut self) -> io::Result<Option<Held>> {
        match &mut self.source {
            Source::Client { client, .. } => {
                let token = client.try_acquire()?;
                Ok(token.map(Held::Lent))
            }
            Source::Own(tokens) => Ok(tokens.take()?.then_some(Held::Own)),
            Source::Hidden => Ok(None),
        }
    }

    pub(crate) fn give_back(&mut self, token: Held) {
        match (token, &mut self.source) {
            (Held::Own, Source::Own(tokens)) => tokens.give(1),
            // Its drop gives it back.
            (Held::Lent(token), _) => drop(token),
            (Held::Own, Source::Client { .. } | Source::Hidden) => {}
        }
    }

    /// Makes the tokens as many as they are to be while so many are held and nobody else has any.
    pub(crate) fn make_good(&mut self, held: usize) {
        if let Source::Own(tokens) = &mut self.source {
            tokens.make_good(held);
        }
    }

    /// What is readable when there is a token.
    pub(crate) fn watched(&self) -> Option<RawFd> {
        match &self.source {
            Source::Client { watched, .. } => Some(watched.as_raw_fd()),
            Source::Own(tokens) => Some(tokens.watched()),
            Source::Hidden => None,
        }
    }

    /// Prepares a worker's command so that it, and what it starts, knows the server as it is to.
    pub(crate) fn lend(&self, command: &mut Command, policy: &EnvPolicy) -> io::Result<()> {
        for (name, value) in &self.lending.variables {
            if policy.passes_on(name) {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
        }
        match &self.source {
            Source::Own(tokens) if self.lending.descriptors => tokens.lend(command),
            Source::Own(_) | Source::Client { .. } | Source::Hidden => Ok(()),
        }
    }
}

/// What workers are given besides what they inherit anyway.
#[derive(Debug, Default)]
struct Lending {
    /// Variables that are set, or taken out.
    variables: Vec<(&'static str, Option<OsString>)>,
    /// Whether the descriptors of our own are handed down.
    descriptors: bool,
}

/// Opens the pipe once more, so that it can be waited for: the client does not show its own.
fn watched(value: &OsStr) -> io::Result<File> {
    let value = value.to_str().unwrap_or_default();
    let auth = flags::auth(value).unwrap_or_default();
    let path = match auth.strip_prefix("fifo:") {
        Some(path) => path.to_owned(),
        None => format!("/dev/fd/{}", auth.split(',').next().unwrap_or_default()),
    };
    open(&path, false)
}

/// A description of its own, without waiting: what others set on theirs does not reach it.
fn open(path: &str, write: bool) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(!write).write(write).custom_flags(flags);
    options.open(path)
}
