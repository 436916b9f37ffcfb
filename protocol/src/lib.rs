//! What crosses the pipe between a master and its workers: ids, frames, marshalling, the hello
//! and the layout of the shared page.
//!
//! ```text
//!   master                                                      worker
//!     │ requests pipe:  Request* Stop                              │  read by the thread that performs
//!     ├───────────────────────────────────────────────────────────►│
//!     │ control pipe:   Cancel Revoke                              │  read by the watcher thread, at once
//!     ├───────────────────────────────────────────────────────────►│
//!     │ answers pipe:   preamble Hello (Reply|Feedback|Revoked|…)* │
//!     │◄───────────────────────────────────────────────────────────┤
//!     │ page: (task, attempt, start) of what executes now          │
//!     │◄ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┤
//! ```
//!
//! This crate knows no pipe, no process and no policy: it has no I/O, no clock and no thread, and
//! without `std` it cannot even name them.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod context;
mod frame;
mod hello;
mod id;
mod launch;
mod marshal;
mod message;
mod name;
mod named;
pub mod page;
mod template;
mod termination;
mod time;
mod wire;

pub use context::{ContextBody, ContextUpdate, encode_request, split_request};
pub use frame::{
    DEFAULT_FRAME_LIMIT, Frame, FrameDecoder, FrameError, FrameKind, FrameLimit, begin_frame,
    finish_frame,
};
pub use hello::{Greeting, Hello, HelloFault, KindHello, PREAMBLE, PROTOCOL_VERSION, Preamble};
pub use id::{AffinityKey, Attempt, AttemptId, KindId, ScopeId, Session, SlotId, TaskId};
pub use launch::{Launch, NotLaunched};
pub use marshal::{MarshalError, decode, decode_prefix, encode, encode_into};
pub use message::{
    AttemptHeader, FaultBody, Progress, ReplyFlags, ReplyHeader, RequestHeader, attempt_frame,
    attempt_frame_body, reply_frame, request_frame,
};
pub use name::{NotAWorkerName, WORKER_NAME_MAX, WorkerName};
pub use named::{FromNamed, Named, NamedWire, ToNamed, VIEW_MAX};
pub use postcard_schema::{self, Schema};
pub use template::{
    TEMPLATE_FDS_MAX, TEMPLATE_MESSAGE_MAX, TemplateAnswer, TemplateLaunch, TemplateOrder,
};
pub use termination::{Termination, signal_name};
pub use time::Instant;
pub use wire::{Never, Wire};
