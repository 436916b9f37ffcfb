//! What a managed process is: a state machine that is told events and acts through [`Cx`](crate::Cx). It never
//! blocks; what it waits for comes as a later event.

use crate::cx::Cx;
use std::fmt;

/// A process: dense, in the order of spawning, never reused in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pid(pub u32);

/// A byte pipe between two processes: dense, never reused in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipeId(pub u32);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// What a process is told. Each event is one step.
#[derive(Debug)]
pub enum Event<'a, M> {
    /// It begins. Always the first.
    Start,
    /// A message arrived. Messages of one sender arrive in the order of sending.
    Message {
        /// From whom.
        from: Pid,
        /// What.
        message: M,
    },
    /// Some of the bytes in a pipe, in their order; how many is chosen.
    Bytes {
        /// Which pipe it reads.
        pipe: PipeId,
        /// As they came; never empty.
        bytes: &'a [u8],
    },
    /// A pipe has been read to its end. Once.
    Eof {
        /// Which pipe it reads.
        pipe: PipeId,
    },
    /// A pipe that had not taken everything has room again.
    Writable {
        /// Which pipe it writes.
        pipe: PipeId,
    },
    /// A process that it spawned is gone. Independent of the end of that process's pipes.
    Ended {
        /// Which.
        pid: Pid,
        /// How.
        exit: Exit,
    },
    /// The moment set with [`Cx::alarm`] has come. It may be later than that moment.
    Wake,
    /// It wanted to go on, [`Cx::again`], or another one wanted it to, [`Cx::wake`].
    Turn,
    /// The calm phase begins: no new faults from here on, and what was held up goes on.
    Calm,
}

/// A managed process. `S` is what the scenario shares between its processes, `M` what they send each other.
pub trait Process<S, M> {
    /// Takes in an event. What it does through `cx` happens at once, in its order.
    fn step(&mut self, cx: &mut Cx<'_, S, M>, event: Event<'_, M>);

    /// What it waits for, for people who look at a deadlock.
    fn waits_for(&self) -> String {
        "a message".into()
    }
}

/// How a process is started.
#[derive(Clone, Copy, Debug)]
pub struct SpawnOptions {
    /// Its name in traces, together with `number`.
    pub name: &'static str,
    /// Which of those with this name it is.
    pub number: u32,
    /// Its role, below [`ROLES_MAX`](crate::candidate::ROLES_MAX).
    pub role: u16,
    /// Whether its starter is told of its end.
    pub watched: bool,
    /// What it is to the run.
    pub part: Part,
}

/// What a process is to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The run is over when all of these have ended; when they cannot any more it is a deadlock.
    Obliged,
    /// Nobody waits for its end.
    Background,
    /// It makes faults: it takes steps only in the rough phase, while the budget lasts and others can go on.
    Fault,
}

impl SpawnOptions {
    /// An obliged process that is not watched.
    #[must_use]
    pub const fn new(name: &'static str, role: u16) -> Self {
        Self {
            name,
            number: 0,
            role,
            watched: false,
            part: Part::Obliged,
        }
    }
}
