//! Named workers, on real processes: this program is its own worker. The ids B1 to B25 are those of `docs/backpressure.md`.

#![expect(
    clippy::print_stdout,
    reason = "a test program without a harness prints its own verdicts"
)]

#[path = "named/lives.rs"]
mod lives;
#[path = "named/player.rs"]
mod player;
#[path = "kinds/runner.rs"]
mod runner;

use farm::worker::{Host, Worker, run_if_asked};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(Host::<player::Player>::new()));
    runner::run(&[lives::TESTS].concat())
}
