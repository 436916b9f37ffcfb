//! The rules of a farm's master: a state machine without I/O.
//!
//! # The contract of the machine
//!
//! 1. [`Master::handle`] returns quickly, never blocks, never fails. A refusal is an action.
//! 2. Actions form one ordered queue across calls. `Send` means appended to the link's buffer.
//! 3. `now` never goes backwards. [`Master::deadline`] says when the machine wants to be woken; extra wake-ups are harmless.
//! 4. Same configuration, seed and sequence of (now, event, answers of the kinds) give the same actions, byte for byte.
//! 5. A peer may say anything; it can never panic us. A broken invariant of our own is an assertion, on in production.
//! 6. Stale is normal: what does not match the session or attempt in flight is dropped and counted.
//!
//! This crate reads no clock, starts no thread, opens nothing, draws no entropy, and has no map of
//! random order. It knows no descriptor, no pid, and not how a worker works.
#![forbid(unsafe_code)]

mod action;
mod affinity;
mod config;
mod ends;
mod event;
pub mod evidence;
pub mod group;
mod kind;
mod kinds;
pub mod lane;
mod listing;
mod machine;
mod mutation;
pub mod named;
mod named_kind;
mod options;
mod outcome;
mod overview;
pub mod record;
mod registry;
mod scope;
mod staffing;
mod waits;
pub mod words;

pub use action::{Action, Actions, Gone, Link, Refusal, Signal, TokenAction, WhoseDoing};
pub use affinity::{Affinity, Injected, KEYS_PER_WORKER, QueueOrder, WhenGone, Whom};
pub use config::{Config, DECODE_ABOVE, KindConfig, StartFailures, Tokens};
pub use ends::{Ends, LaneSums};
pub use event::{Event, Exit, Sample, Shut, Stream};
pub use evidence::{MemoryEvidence, MemoryVerdict};
pub use group::{Group, MemberEnd, Rule, Ties, Verdict as GroupVerdict};
pub use kind::{
    Context, Fallback, Feedback, FollowUp, Next, Request, Response, Sending, TaskKind, Verdict,
    Whose, WorkerStatus,
};
pub use kinds::{Judged, KindFault, Kinds, NextOfWorker, Payload, RequestAnswer, ResponseAnswer};
pub use listing::{Stands, TaskLine, Why};
pub use machine::{Counters, Master};
pub use mutation::{Mutated, Mutation, UnknownMutation};
pub use named_kind::{Errand, Misfit, NamedKind, Report};
pub use options::{
    Backoff, Cause, CrashLimit, LimitId, Need, OnLost, Retries, RetryOn, TaskOptions, TimeLimit,
    When,
};
pub use outcome::{
    AttemptEnd, AttemptReport, CancelledBy, Death, HowStopped, Outcome, Resource, Settlement,
    SkippedBy,
};
pub use overview::{LaneLine, Phase, WorkerLine};
pub use record::{KindAnswer, Recorder, Recording, Replaying};
pub use registry::{Decoder, Held, OUTPUT_KEPT, RankBy, Receive, Registry, Settled, WorkerOutput};
pub use scope::{Decision, GROUP_LIMIT, SCOPE_LIMIT, ScopeEnd, ScopeRefusal};
pub use staffing::{DEAR_START, Recycle, SHORTEST_LIFE, Staffing};
pub use waits::Waits;
