//! What a run tells people and programs: the results file, the joblog, the events, the tasks' own output, the progress
//! and the summary at the end. [`Reporter`] ties them together.
//!
//! It owns every byte that `farm run` writes to its stdout, its stderr and the files named on its command line. It does
//! not know how tasks run, why they end as they do, or which exit code the command leaves with. One thread uses it; it
//! starts none, except one per pipe that it writes to ([`Relay`]). Times come in as `at`, the monotonic time since the
//! start of the run, so that nothing here reads a clock.

mod clock;
mod ends;
mod events;
mod joblog;
mod line;
mod object;
mod open;
mod options;
mod ordered;
mod outlet;
mod patience;
mod plain;
mod progress;
mod record;
mod relay;
mod reporter;
mod results;
pub mod spool;
mod stdout;
mod store;
mod summary;
mod trouble;

pub use ends::{Ends, FileIdentity, Terminal};
pub use events::{StopReason, TaskRef};
pub use open::OpenTrouble;
pub use options::{ReportOptions, ResultsTarget, StdoutMode};
pub use outlet::Sink;
pub use patience::hurry;
pub(crate) use plain::{harmless, shortened, span};
pub use progress::{BarPlace, ProgressMode};
pub use record::{
    AttemptRecord, Captured, OfKind, Status, Stream, TaskError, TaskIdText, TaskRecord,
};
pub use relay::{Relay, Watcher};
pub use reporter::Reporter;
pub use summary::{RunCounts, RunEnd};
pub use trouble::{WriteTarget, WriteTrouble};

#[cfg(test)]
mod tests;
