//! A multi-process task farm: a master hands tasks to persistent worker processes over pipes, and
//! every task ends exactly once, with a true cause.
//!
//! * **Embed a farm**: [`Farm::builder`], a [`TaskKind`], [`run_if_asked`](worker::run_if_asked) at the top of `main`.
//! * **Teach it a kind**: [`TaskKind`] for the master's half, [`worker::Perform`] for the worker's,
//!   over one [`Wire`](protocol::Wire).
//! * **Give it a command line**: [`main!`] makes a program that runs tasks of such kinds from task files.
//! * **All of that, step by step, with examples**: `docs/kinds.md` in the repository, from a kind of 30 lines upward.
//! * **Run commands**: the command kind in [`exec`], and the command `farm run`.
//! * **Ask a program that goes on running**, such as a solver: [`worker::Kept`].
//! * **End well, and do again only what has changed**: `Interrupts`, `memo`.
//!
//! ```no_run
//! use farm::protocol::{Never, Wire};
//! use farm::worker::{Context, Perform, Worker};
//! use farm::{Farm, Pool, Program, TaskKind, Verdict, WorkerStatus};
//!
//! struct Squares;                                       // what crosses the pipe
//! impl Wire for Squares {
//!     const NAME: &'static str = "square";
//!     const VERSION: u32 = 1;
//!     type Request = u64;
//!     type Response = u64;
//!     type Feedback = Never;
//!     type Context = Never;
//! }
//!
//! struct Square;                                        // the master's half
//! impl TaskKind for Square {
//!     type Wire = Squares;
//!     type Task = u64;
//!     type Competence = ();
//!     type Output = u64;
//!     type Failure = ();
//!     fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<u64> { Some(*task) }
//!     fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, square: u64) -> Verdict<Self> {
//!         Verdict::done(square, ())
//!     }
//! }
//!
//! struct Calculator;                                    // the worker's half
//! impl Perform for Calculator {
//!     type Wire = Squares;
//!     fn perform(&mut self, n: u64, _: &Context<'_, Squares>) -> u64 { n * n }
//! }
//!
//! fn main() {
//!     farm::worker::run_if_asked(|| Worker::new().with(Calculator));
//!     let mut builder = Farm::builder();
//!     let square = builder.kind(Square, Pool::new(Program::this_executable(), 2));
//!     let farm = builder.start().expect("a farm");
//!     let ticket = farm.queue(square).submit(12);
//!     println!("{:?}", ticket.wait().expect("admitted").outcome);
//! }
//! ```
//!
//! # What dropping does
//!
//! Handles of one task let it run; handles of many take theirs with them, and the last one of a farm takes all.
//!
//! | dropped | its tasks | its workers |
//! | --- | --- | --- |
//! | a clone of a [`Farm`], a [`TaskQueue`], a [`SourceWaker`] | – | – |
//! | **the last [`Farm`]** | each ends at once, and whoever waits is told | killed and collected before the drop returns |
//! | a [`Ticket`], and its future (feature `future`) | it runs on, and nobody hears how it ends | – |
//! | **[`Results`], [`InOrder`], [`Scope`], [`Group`], [`GroupTicket`]** | what has not ended is cancelled; the drop does not wait | one that does not heed a cancel is replaced |
//!
//! [`farm_driver`] has all of it. No process is left in any case, also when this program is killed.

#[cfg(feature = "command")]
pub mod command;
#[cfg(feature = "command")]
mod control;
pub mod exec;
mod inside;
#[cfg(feature = "command")]
mod interrupts;
#[cfg(feature = "command")]
pub mod memo;
pub mod prelude;
#[cfg(feature = "command")]
pub mod report;
#[cfg(feature = "command")]
pub mod taskfile;
#[cfg(feature = "command")]
pub mod tool;

pub use farm_driver::*;
#[cfg(feature = "sim")]
pub use farm_lockstep as lockstep;
pub use farm_master as master;
pub use farm_master::{
    Affinity, AttemptReport, Backoff, CancelledBy, Cause, CrashLimit, Decision, Fallback, FollowUp,
    LaneLine, LimitId, MemberEnd, Need, Next, OnLost, Outcome, Phase, QueueOrder, Receive, Recycle,
    Refusal, Retries, RetryOn, Rule, ScopeEnd, ScopeRefusal, Sending, Settled, Settlement, Shut,
    Staffing, Stands, TaskKind, TaskLine, TaskOptions, Ties, Verdict, When, Whose, Why, WorkerLine,
    WorkerStatus,
};
pub use farm_protocol as protocol;
pub use farm_protocol::{AffinityKey, ContextBody, ContextUpdate, Named, NamedWire};
#[cfg(feature = "sim")]
pub use farm_sim as sim;
pub use farm_worker as worker;
pub use inside::in_process;
#[cfg(feature = "command")]
pub use interrupts::Interrupts;

/// Compiles the examples of the guide, and runs those that start no process.
#[cfg(all(doctest, feature = "command", feature = "sim"))]
#[doc = include_str!("../docs/kinds.md")]
struct Guide;

/// The same of the page about limits.
#[cfg(all(doctest, feature = "command", feature = "sim"))]
#[doc = include_str!("../docs/backpressure.md")]
struct Limits;
