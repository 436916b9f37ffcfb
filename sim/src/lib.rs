//! The farm in a simulated world: its production machines, frames in the bytes of the real protocol, simulated
//! processes, pipes and clock; scenarios, faults, and what must hold. And kinds of one's own in it: [`sim`].
//!
//! It knows no real process. What is simulated is the driver's part and the worker's loop; `farm_master::Master` and
//! `farm_worker::session::Session` are the shipped ones.
#![forbid(unsafe_code)]

mod caller;
mod columns;
mod faults;
mod jobserver;
mod kind;
mod ledger;
mod master;
mod message;
mod model;
mod named;
mod nature;
mod params;
mod scenario;
mod sweep;
mod token;
mod worker;
mod world;

pub use columns::columns;
pub use kind::{
    Draw, SimEnd, SimFailure, SimKind, SimRun, SimSettings, SimSummary, SimToken, SimTokenError,
    sim, sim_pair, sim_pair_with, sim_with,
};
pub use ledger::names;
pub use params::{Faults, Params, SIZE_MAX};
pub use scenario::{Scenario, scenario, scenarios};
pub use sweep::{Shown, Sweep};
pub use token::{BUILD, Build, SCHEDULES_MAX, STEPS_MAX, TOKEN_MAX, Token, TokenError};
