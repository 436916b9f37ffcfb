//! The worker process of a farm: performs requests that come over pipes, and dies with its master.
//!
//! A worker program implements [`Perform`] for its kinds and calls [`run_if_asked`] at the top of `main`:
//!
//! ```no_run
//! # use farm_worker::{Context, Perform, Worker};
//! # use farm_protocol::{Never, Wire};
//! # struct Square;
//! # impl Wire for Square {
//! #     const NAME: &'static str = "square";
//! #     const VERSION: u32 = 1;
//! #     type Request = u64;
//! #     type Response = u64;
//! #     type Feedback = Never;
//! #     type Context = Never;
//! # }
//! # struct Squares;
//! # impl Perform for Squares {
//! #     type Wire = Square;
//! #     fn perform(&mut self, request: u64, _: &Context<'_, Square>) -> u64 { request }
//! # }
//! fn main() {
//!     farm_worker::run_if_asked(|| Worker::new().with(Squares));
//!     // … the rest of the program: not reached in a worker.
//! }
//! ```
//!
//! ```text
//!  requests pipe ─► main thread: decode ─► perform ─► encode ─┐
//!                        │ events      ▲ begin, skip          ├─► answers pipe
//!                        ▼             │                      │
//!                    ┌─ session (pure machine, one lock) ─────┘
//!                        ▲ cancel, revoke, terminate
//!  control pipe ──► watcher thread ◄── SIGTERM      end of file: SIGKILL to the own group
//! ```
//!
//! This crate knows no lane and no other worker.

mod cancel;
pub mod child;
mod context;
mod kept;
mod named;
mod names;
mod pace;
mod page;
mod perform;
mod raw;
mod serve;
pub mod session;
mod wards;

pub use cancel::CancelFlag;
pub use context::{Context, Detached, FeedbackError, Stream};
pub use farm_protocol;
pub use kept::{ANSWER_MAX, Kept, Unanswered};
pub use named::{Host, Launched, NamedContext, Resident};
pub use perform::{Perform, Seated, Worker};
pub use serve::{Ends, Left, exit, run_if_asked, serve_in_process};
pub use wards::{Ward, Wards};
