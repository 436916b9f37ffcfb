//! The examples that work with other people's programs, each as its user meets it: built, started, killed.
//!
//! What a test needs and is not installed it says, and passes; with `FARM_REQUIRE_PROGRAMS` that is a failure.
#![cfg(feature = "command")]

#[path = "examples/builder.rs"]
mod builder;
#[path = "examples/coq.rs"]
mod coq;
#[path = "examples/game_room.rs"]
mod game_room;
#[path = "examples/prover.rs"]
mod prover;
#[expect(dead_code, reason = "its other half is for the tests of `farm run`")]
#[path = "run/stage.rs"]
mod stage;
#[path = "examples/watcher.rs"]
mod watcher;
