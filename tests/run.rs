//! `farm run` as its users meet it: real files, real commands, real signals, real deaths.
//!
//! One program, so that it is linked once. Every process that a test starts carries a mark in its environment, by which
//! it is found and, if a test fails, ended. Nothing sleeps to wait: files, named pipes and the ends of processes do.
#![cfg(feature = "command")]

#[path = "run/commands.rs"]
mod commands;
#[path = "run/control.rs"]
mod control;
#[path = "run/faults.rs"]
mod faults;
#[path = "run/input.rs"]
mod input;
#[path = "run/inside.rs"]
mod inside;
#[path = "run/jobserver.rs"]
mod jobserver;
#[path = "run/limits.rs"]
mod limits;
#[path = "run/outputs.rs"]
mod outputs;
#[path = "run/readme.rs"]
mod readme;
#[path = "run/record.rs"]
mod record;
#[path = "run/signals.rs"]
mod signals;
#[path = "run/sockets.rs"]
mod sockets;
#[path = "run/stage.rs"]
mod stage;
