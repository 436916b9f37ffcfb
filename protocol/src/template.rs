//! What a master and a *template* say to each other: a process that is warmed once and forks workers from then on.
//!
//! ```text
//!   master                                                      template
//!     │                                     preamble: it is warm   │
//!     │◄───────────────────────────────────────────────────────────┤
//!     │ Fork, with the worker's descriptors                        │
//!     ├───────────────────────────────────────────────────────────►│──► worker
//!     │                      Forked, with a descriptor of it; or not
//!     │◄───────────────────────────────────────────────────────────┤
//!     │ Collect, once the master has seen that it has exited       │
//!     ├───────────────────────────────────────────────────────────►│
//!     │                                     Collected: how it ended│
//!     │◄───────────────────────────────────────────────────────────┤
//! ```
//!
//! They speak over a socket that keeps the bounds of messages, one order at a time. The worker itself speaks over its
//! own pipes like any other. Nobody here opens or sends anything.

use crate::launch::NotLaunched;
use crate::name::WorkerName;
use crate::termination::Termination;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// What the last argument of a template begins with.
const PREFIX: &str = "farm-template:";

/// The longest message of either side, in bytes.
pub const TEMPLATE_MESSAGE_MAX: usize = 1024;

/// The most descriptors that come with a message.
pub const TEMPLATE_FDS_MAX: usize = 8;

/// The argument by which a worker program learns that it is to be a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateLaunch {
    /// Descriptor of the socket to the master.
    pub socket: i32,
    /// The process that started it. If the parent is another, the master is gone.
    pub master: u32,
    /// The kind that it is warmed for.
    pub kind: String,
}

impl TemplateLaunch {
    /// The launch described by the last argument of a program, if it was started as a template.
    #[must_use]
    pub fn from_last_argument(argument: &str) -> Option<Self> {
        argument.parse().ok()
    }
}

impl fmt::Display for TemplateLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}:{}", self.socket, self.master, self.kind)
    }
}

impl FromStr for TemplateLaunch {
    type Err = NotLaunched;

    fn from_str(text: &str) -> Result<Self, NotLaunched> {
        let rest = text.strip_prefix(PREFIX).ok_or(NotLaunched)?;
        let (socket, rest) = rest.split_once(':').ok_or(NotLaunched)?;
        let (master, kind) = rest.split_once(':').ok_or(NotLaunched)?;
        let socket: i32 = socket.parse().map_err(|_| NotLaunched)?;
        if socket < 0 {
            return Err(NotLaunched);
        }
        Ok(Self {
            socket,
            master: master.parse().map_err(|_| NotLaunched)?,
            kind: kind.to_string(),
        })
    }
}

/// What the master wants of a template. It sends the next one when the one before is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TemplateOrder {
    /// Fork a worker. With it come the worker's descriptors: requests, control, answers, standard output, standard
    /// error; then its page, if it has one; then the farm's own two streams, if it may write through.
    Fork {
        /// What the worker is called.
        name: WorkerName,
        /// Whether there is a page.
        page: bool,
        /// Whether there are the farm's own streams.
        through: bool,
    },
    /// Collect this worker, which has exited.
    Collect {
        /// Its process.
        pid: u32,
    },
}

impl TemplateOrder {
    /// How many descriptors come with it.
    #[must_use]
    pub const fn fds(self) -> usize {
        match self {
            Self::Fork { page, through, .. } => 5 + page as usize + 2 * through as usize,
            Self::Collect { .. } => 0,
        }
    }
}

/// What a template answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TemplateAnswer {
    /// It has forked a worker. With it comes a descriptor of that process, opened before anybody could collect it.
    Forked {
        /// The worker.
        pid: u32,
        /// How much memory the worker shares with the template at its beginning, in bytes: anonymous memory, which
        /// counts as the worker's own from its first moment and is not.
        shared_bytes: u64,
    },
    /// There is no worker.
    NotForked {
        /// Why, for people.
        why: String,
    },
    /// The worker is collected, or was not there.
    Collected {
        /// How it ended; lost when it was no child of this template.
        termination: Termination,
        /// The most memory it held, what it shared included, in bytes.
        peak_bytes: u64,
    },
}

#[cfg(test)]
mod tests {
    //! The argument is read back as it was written, and no message is longer than is read.
    use super::*;
    use crate::id::Session;
    use crate::marshal::encode;

    #[test]
    fn round_trip() {
        let launch = TemplateLaunch {
            socket: 3,
            master: 4711,
            kind: "a kind: odd".to_string(),
        };
        assert_eq!(launch.to_string(), "farm-template:3:4711:a kind: odd");
        assert_eq!(launch.to_string().parse(), Ok(launch));
        for text in [
            "",
            "farm-template:",
            "farm-template:3:4",
            "farm-template:-1:4:kind",
            "farm-template:3:x:kind",
            "farm-worker:3,4,5,-1,-1,-1:9:f000000000000z_s3w:kind",
        ] {
            assert_eq!(TemplateLaunch::from_last_argument(text), None, "{text}");
        }
    }

    #[test]
    fn messages_fit() {
        let fork = TemplateOrder::Fork {
            name: WorkerName {
                farm: u64::MAX,
                session: Session(u64::MAX),
            },
            page: true,
            through: true,
        };
        assert_eq!(fork.fds(), TEMPLATE_FDS_MAX);
        assert!(encode(&fork, TEMPLATE_MESSAGE_MAX).is_ok());
        let forked = TemplateAnswer::Forked {
            pid: u32::MAX,
            shared_bytes: u64::MAX,
        };
        assert!(encode(&forked, TEMPLATE_MESSAGE_MAX).is_ok());
    }
}
