//! The control socket of a run: where it is, what is said over it, who answers and who asks.
//!
//! One request per connection, one line of JSON each way; `docs/control.md` is the page for other programs. It knows
//! neither the farm nor the reports: what a request means is its caller's, as a function from [`Request`] to [`Answer`].

mod client;
mod lines;
mod place;
mod server;
mod status;
mod words;

pub(crate) use client::{NoAnswer, ask};
pub(crate) use place::{Run, Where, runs};
pub(crate) use server::{Server, Socket};
pub(crate) use status::{
    Held, LaneStatus, State, Status, TaskCounts, Waited, WaitingTask, WorkerStatus,
};
pub(crate) use words::{Answer, Asked, Code, Request, VERSION};
