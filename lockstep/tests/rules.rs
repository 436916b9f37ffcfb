//! What the controller promises, each promise as its user meets it. Where a promise is that something may happen in
//! more than one order, a sweep must find every order.

#[path = "rules/bodies.rs"]
mod bodies;
#[path = "rules/ends.rs"]
mod ends;
#[path = "rules/faults.rs"]
mod faults;
#[path = "rules/messages.rs"]
mod messages;
#[path = "rules/pipes.rs"]
mod pipes;
#[path = "rules/replays.rs"]
mod replays;
#[path = "rules/times.rs"]
mod times;
#[path = "rules/worlds.rs"]
mod worlds;
