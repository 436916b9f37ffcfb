//! What is said over the socket: requests and answers, as JSON. Types only.

use super::status::Status;
use serde::{Deserialize, Serialize};

/// The version of the protocol. A run answers no other; fields may be added within one.
pub(crate) const VERSION: u32 = 1;

/// What is asked of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// [`VERSION`].
    pub(crate) v: u32,
    #[serde(flatten)]
    pub(crate) asked: Asked,
}

/// The requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub(crate) enum Asked {
    /// How the run stands, with at most so many of the tasks that wait.
    Status {
        #[serde(default)]
        waiting: usize,
    },
    /// Start nothing until `resume`; what runs goes on.
    Pause,
    /// Start tasks again.
    Resume,
    /// Start nothing any more, let what runs end, and end.
    Finish,
    /// Ask for the end of the task with this id.
    Cancel { id: String },
}

impl From<Asked> for Request {
    fn from(asked: Asked) -> Self {
        Self { v: VERSION, asked }
    }
}

/// What a run answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) v: u32,
    /// Whether it was done.
    pub(crate) ok: bool,
    /// Whether anything is different now; `false`: it was so already, or it was not done.
    #[serde(default)]
    pub(crate) changed: bool,
    /// One sentence for people: what was done, or why not and what to do.
    #[serde(default)]
    pub(crate) message: String,
    /// Why it was not done, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Box<Status>>,
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    /// The request is none.
    BadRequest,
    /// The request is of another version.
    Version,
    /// Whoever asks is somebody else.
    NotYours,
    /// No task with that id waits or runs.
    UnknownTask,
    /// The run is ending already.
    Ending,
    /// The run did not answer in time.
    Silent,
    /// A reason of a later version.
    #[serde(other)]
    Other,
}

impl Answer {
    /// It was done.
    pub(crate) fn done(changed: bool, message: impl Into<String>) -> Self {
        Self {
            v: VERSION,
            ok: true,
            changed,
            message: message.into(),
            ..Self::default()
        }
    }

    /// It was not done.
    pub(crate) fn refused(code: Code, message: impl Into<String>) -> Self {
        Self {
            v: VERSION,
            code: Some(code),
            message: message.into(),
            ..Self::default()
        }
    }

    /// How the run stands.
    pub(crate) fn status(status: Status) -> Self {
        Self {
            status: Some(Box::new(status)),
            ..Self::done(false, "")
        }
    }
}
