//! Named workers, on real processes: this program is its own worker. The ids B1 to B25 are those of `docs/backpressure.md`;
//! a comment names the hole of the original (H1 to H12) that a test finds closed.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program without a harness prints its own verdicts"
)]

#[path = "named/boxes.rs"]
mod boxes;
#[path = "named/ends.rs"]
mod ends;
#[path = "named/lives.rs"]
mod lives;
#[path = "named/player.rs"]
mod player;
#[path = "kinds/runner.rs"]
mod runner;
#[path = "named/storms.rs"]
mod storms;

use farm::worker::{Host, Worker, run_if_asked};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// What all of it may take. Who waits for ever is found by this.
const WATCHED: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(Host::<player::Player>::new()));
    thread::spawn(|| {
        thread::sleep(WATCHED);
        eprintln!("the run has not ended within {WATCHED:?}: somebody waits for what never comes");
        std::process::abort();
    });
    runner::run(&[boxes::TESTS, lives::TESTS, storms::TESTS, ends::TESTS].concat())
}
