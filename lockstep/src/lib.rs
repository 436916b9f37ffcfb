//! A deterministic controller: processes, messages, byte pipes, time and faults, in an order that a seed chooses.
//!
//! A *scenario* is a world of processes that are state machines without I/O ([`Process`]) or `async` blocks polled by
//! hand ([`Body`]). In each step of a run one *candidate* goes on: a process that wants to, a message or bytes in
//! flight, an end that is still to be noticed, or the clock. Who it is, and everything else that is open (faults, how
//! bytes are cut, what scenarios ask), is one stream of choices in which 0 is the dull alternative. So a run is a
//! function of its scenario, strategy, seed and number; it can be told from a few characters, and replayed.
//!
//! ```
//! use farm_lockstep::{Config, Controller, Cx, End, Event, Exit, Plan, Process, Spec, SpawnOptions};
//!
//! /// Reads a counter in one step and writes it in the next.
//! struct Increment(Option<u32>);
//!
//! impl Process<u32, ()> for Increment {
//!     fn step(&mut self, cx: &mut Cx<'_, u32, ()>, _: Event<'_, ()>) {
//!         match self.0 {
//!             None => {
//!                 self.0 = Some(*cx.shared());
//!                 cx.again();
//!             }
//!             Some(seen) => {
//!                 *cx.shared() = seen + 1;
//!                 cx.exit(Exit::Code(0));
//!             }
//!         }
//!     }
//! }
//!
//! let run = |start: farm_lockstep::Start| {
//!     let mut world = Controller::new(Config::default(), 0, start.strategy, start.choices);
//!     for _ in 0..2 {
//!         world.spawn(Box::new(Increment(None)), SpawnOptions::new("p", 0));
//!     }
//!     world.run()
//! };
//! let plan = Plan::new(Spec::Urw, 1, |start| run(start).0);
//! let lost = (0..100).filter(|number| run(plan.start(*number, false)).1 == 1).count();
//! assert!((50..85).contains(&lost), "two of three schedules lose an update: {lost}");
//! ```
//!
//! It knows nothing of what is simulated. It has no thread, reads no clock, and holds nothing in random order.
//!
//! What is different from its model, Lockstep for Elixir, on purpose: the delivery of a message is a step of its own;
//! time races with everything else, within a horizon that bounds how long anything ready may be overtaken; faults are
//! choices of the search; PCT draws its change points over the length that trial runs had, not over the step limit;
//! URW is there; a replay compares a digest and notices where it goes another way.
#![forbid(unsafe_code)]

mod alarms;
mod body;
pub mod candidate;
mod check;
mod choices;
mod controller;
mod core;
mod cx;
mod digest;
mod pipe;
mod plan;
mod process;
mod random;
mod ready;
mod report;
mod strategy;
mod time;

pub use body::{Body, Handle};
pub use check::View;
pub use choices::{Choices, Divergence, Finished, Record, RecordError};
pub use controller::{Config, Controller, Timers, hint_of};
pub use cx::Cx;
pub use digest::Digest;
pub use plan::{Plan, Start, TRIALS};
pub use process::{Event, Exit, Part, Pid, PipeId, Process, SpawnOptions};
pub use random::Random;
pub use report::{End, Failure, Found, Line, RunReport, Trace};
pub use strategy::{Arm, Hint, Spec, SpecError, Strategy};
pub use time::{NEVER, VTime};
