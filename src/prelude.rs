//! What every kind is written with, for `use farm::prelude::*`.

pub use farm_master::{TaskKind, Verdict, WorkerStatus};
pub use farm_protocol::{Named, NamedWire, Never, Schema, Wire};
pub use farm_worker::{Context, Host, NamedContext, Perform, Resident};
