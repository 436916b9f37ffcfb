//! The machine room of a farm's master: one loop thread, worker processes, pipes and timers.
//!
//! All rules are in `farm-master`, a machine without I/O. This crate tells it what happened and
//! does what it says, and does not know why.
//!
//! ```text
//!  TaskQueue, Farm, … ───► mailbox ──┐                         ┌──► spawn, signal, write
//!  pipes, exits ──────────► poll ────┼─► loop ─► Master ─► Action ──► settle ──► Ticket, Receive
//!  Source ────────────────► pull ────┘                         └──► Observer
//! ```
//!
//! # What dropping does
//!
//! Handles of one task let it run; handles of many take theirs with them, and the last one of a farm takes all.
//!
//! | dropped | its tasks | its workers |
//! | --- | --- | --- |
//! | a [`FarmBuilder`] that was not started | – | none was started |
//! | a clone of a [`Farm`] | – | – |
//! | **the last [`Farm`]** | each ends at once, as after a `Shut::Kill`, and whoever waits is told | killed and collected before the drop returns (dropped by a callback on the loop: soon after) |
//! | a [`TaskQueue`], a [`SourceWaker`] | – | – |
//! | a [`Ticket`], a ticket's future | it runs on, and nobody hears how it ends | – |
//! | **[`Results`], [`InOrder`], [`Scope`], [`Group`], [`GroupTicket`]** | what has not ended is cancelled, each with its own budget; the drop does not wait | one that does not heed a cancel is replaced |
//! | [`Partials`] | they run on, and what they say is not kept | – |
//! | what [`Results::detach`] or [`Scope::detach`] was called on | they run on | – |
//!
//! Queues, tickets and results do not keep a farm alive: after its end what is submitted is handed back, and what
//! waits is resolved. A worker inside this process ([`InProcess`]) cannot be killed: one that does not return within a second
//! is left to itself. No process is left in any case, also when this program is killed: a worker whose master is gone
//! kills its own group.
//!
//! Library manners: it installs no signal handler, waits for no child it did not start, sets
//! nothing for the whole process and initialises no logger. Several farms may run in one process.
//! Its threads block SIGPIPE for themselves, so it may be in a program that does not ignore that.

mod admit;
mod answer;
mod ask;
mod body;
mod builder;
mod clock;
mod decode;
mod depth;
mod drain;
mod dying;
mod entrance;
mod exit;
mod farm;
mod forking;
#[cfg(feature = "future")]
mod future;
mod graph;
mod group;
mod hear;
pub mod in_process;
mod jobserver;
mod join;
mod launcher;
mod linger;
mod link;
mod listing;
mod mailbox;
mod memory;
mod message;
#[cfg(all(test, not(feature = "check-loom")))]
#[cfg_attr(
    not(feature = "check-shuttle"),
    expect(dead_code, reason = "some of it is for models alone")
)]
mod models;
mod named;
mod nonce;
mod observer;
mod overview;
mod partials;
mod perform;
mod pool;
mod process;
mod program;
mod pull;
mod queue;
mod reading;
mod reap;
mod record;
mod resize;
mod results;
mod scope;
mod shared;
mod sleeper;
mod source;
mod spawn;
mod starter;
mod sync;
#[cfg(all(target_os = "linux", not(feature = "portable")))]
#[path = "system/linux.rs"]
mod system;
#[cfg(not(all(target_os = "linux", not(feature = "portable"))))]
#[path = "system/portable.rs"]
mod system;
mod tell;
mod template;
mod ticket;
mod tokens;
mod turn;
mod usage;
mod wards;
mod watch;
mod weigh;
mod workers;

pub use builder::{FarmBuilder, KindRef, StartError};
pub use depth::{DEPTH_MAX, DEPTH_VARIABLE, depth};
pub use drain::DrainReport;
pub use farm::Farm;
#[cfg(feature = "future")]
pub use future::{Entering, TicketFuture};
pub use group::{Group, GroupBuilder, GroupEnd, GroupTicket};
pub use in_process::InProcess;
pub use jobserver::{Jobserver, JobserverError, JobserverStyle};
pub use join::{Joined, STUCK_LISTED};
pub use launcher::Launcher;
pub use memory::Memory;
pub use named::{
    Bounded, CalledFromHook, CancelToken, Closed, Crash, CurrentRequest, Dropbox, Fault, Inbox,
    LaunchError, LaunchOptions, Mailbox, Merge, MessageError, NamedRef, PendingRequest, Pull,
    Pulled, PushError, Put, Queued, ReconcileReport, RequestTicket, ShutdownMode, Timing,
    Unbounded, WaitError, WorkerInformation, WorkerKind, WorkerPhase, WorkerRef, WorkerTable,
    WorkerVerdict,
};
pub use observer::Observer;
pub use overview::{Overview, Silent};
pub use partials::{NoPartial, PARTIALS_KEPT, Partial, Partials};
pub use pool::{Pool, QUEUED};
pub use program::{EnvPolicy, Inherit, Program};
pub use queue::TaskQueue;
pub use resize::ResizeError;
pub use results::{InOrder, Results};
pub use scope::Scope;
pub use source::{Intake, Source, SourceState, SourceWaker};
pub use ticket::{Refused, Resolved, Ticket};
