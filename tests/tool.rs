//! A program made with `farm::main!` as its user meets it. This program is its own tool: started with a certain
//! variable it is what `main!` writes, with the kinds of `tool/kinds.rs` and commands; else it runs the tests. The
//! example `custom_kind` is run as well, as the smallest of its sort.
#![cfg(feature = "command")]
#![expect(
    clippy::print_stdout,
    reason = "a test program without a harness prints its own verdicts, and one kind prints"
)]

#[path = "tool/custom_kind.rs"]
mod custom_kind;
#[path = "tool/files.rs"]
mod files;
#[path = "tool/kinds.rs"]
mod kinds;
#[path = "tool/odd.rs"]
mod odd;
#[path = "kinds/runner.rs"]
mod runner;
#[path = "tool/runs.rs"]
mod runs;
#[cfg(feature = "sim")]
#[path = "tool/sim.rs"]
mod sim;
#[expect(dead_code, reason = "its other half is for the tests of `farm run`")]
#[path = "run/stage.rs"]
mod stage;

use runner::Test;
use std::process::ExitCode;

/// With this variable this program is the tool.
const AS_TOOL: &str = "FARM_TEST_TOOL";

fn main() -> ExitCode {
    #[cfg(feature = "sim")]
    if std::env::var_os(sim::AS_DRILL).is_some() {
        return sim::drill();
    }
    if std::env::var_os(AS_TOOL).is_some() {
        return kinds::tool();
    }
    let tests = [
        files::TESTS,
        runs::TESTS,
        custom_kind::TESTS,
        #[cfg(feature = "sim")]
        sim::TESTS,
    ]
    .concat();
    runner::run(&tests)
}
