//! Named workers at work: tables of workers that are somebody, their handles, and the thread that runs their hooks.
//!
//! What is decided is decided by [`farm_master::named::Table`]; here it is done. A table stands on an ordinary pool of the
//! farm: a launch and each request are tasks of it, so starts, deadlines, ladders and evidence are the pool's own.
//!
//! One thread per table, the *attendant*, does what its machine says, in order, and runs the hooks of the kind. Callers
//! tell the machine under its lock, and the farm's loop lays what it has to say in the attendant's inbox: a slow hook holds
//! nothing but its own table.
//!
//! ```no_run
//! # use farm_driver::{Farm, LaunchOptions, Pool, Program, Unbounded, WorkerKind};
//! # fn example<K: WorkerKind>(kind: K, params: <K::Named as farm_protocol::Named>::Params, request: <K::Named as farm_protocol::Named>::Request) -> Result<(), Box<dyn std::error::Error>> {
//! let mut builder = Farm::builder();
//! let named = builder.named::<K::Named>(Pool::new(Program::this_executable(), 8));
//! let farm = builder.start()?;
//! let table = farm.worker_table(named, kind, Unbounded);
//! let ada = table.launch("ada", params, LaunchOptions::default()).map_err(|error| error.to_string())?;
//! let _answer = ada.push_and_wait(request);
//! ada.shutdown(farm_driver::ShutdownMode::Drop)?;
//! # Ok(()) }
//! ```

mod attendant;
mod canceler;
mod cell;
mod core;
mod courier;
mod dropbox;
mod error;
mod handle;
mod hooks;
mod launched;
mod life;
mod queue;
mod reconcile;
mod source;
mod table;

pub use farm_master::named::Verdict as WorkerVerdict;

pub use canceler::CancelToken;
pub use dropbox::{Merge, Put};
pub use error::{
    CalledFromHook, Closed, Crash, Fault, LaunchError, MessageError, PushError, WaitError,
};
pub use handle::{CurrentRequest, PendingRequest, WorkerInformation, WorkerPhase, WorkerRef};
pub use hooks::{Timing, WorkerKind};
pub use life::{LaunchOptions, ShutdownMode};
pub use queue::RequestTicket;
pub use reconcile::ReconcileReport;
pub use source::Pulled;
pub use table::{Bounded, Dropbox, Inbox, Mailbox, NamedRef, Pull, Queued, Unbounded, WorkerTable};
