//! Scenarios: events in, actions out. After each step the invariants hold, and actions that a
//! scenario does not name fail it.

mod affinity;
mod attack;
mod attack_random;
mod basics;
mod budgets;
mod credit;
mod ends;
mod found;
mod groups;
mod groups_random;
mod groups_stops;
mod keys;
mod limits;
mod listing;
#[cfg(feature = "mutation")]
mod mutants;
mod named;
mod needs;
mod nonsense;
mod offers;
mod orders;
mod overlooked;
mod pinned;
mod recycling;
mod replaying;
mod sessions;
mod sharing;
mod shutting;
mod staffing;
mod staffing_random;
mod stage;
mod stopping;
mod tokens;
mod world;
