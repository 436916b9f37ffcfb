//! The command kind: a task is a command, a response is how it ended. Both halves, written against
//! the public traits with no back door; whoever writes a kind of their own can read it as an example.
//!
//! The master's half is there twice: [`Runs`] for whoever embeds a farm, `CommandKind` for task files.

#[cfg(feature = "command")]
mod kind;
mod perform;
mod runs;
mod said;
mod wire;

#[cfg(feature = "command")]
pub use kind::{CommandKind, HEAD_BYTES, Listener, Settings, spill_path};
pub use perform::{Commands, HEAD_MAX};
pub use runs::Runs;
pub use said::said;
pub use wire::{
    Captured, CommandFeedback, CommandRequest, CommandResponse, CommandWire, Ended, StderrPlan,
    StdinPlan, StdoutPlan,
};
