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
#[path = "tool/runs.rs"]
mod runs;
#[cfg(feature = "sim")]
#[path = "tool/sim.rs"]
mod sim;
#[expect(dead_code, reason = "its other half is for the tests of `farm run`")]
#[path = "run/stage.rs"]
mod stage;

use std::panic::catch_unwind;
use std::process::ExitCode;

/// A test of this program: its name, and what panics when it fails.
type Test = (&'static str, fn());

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
    let wanted = std::env::args()
        .nth(1)
        .filter(|argument| !argument.starts_with('-'));
    let tests = [
        files::TESTS,
        runs::TESTS,
        custom_kind::TESTS,
        #[cfg(feature = "sim")]
        sim::TESTS,
    ]
    .concat();
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in tests {
        if wanted
            .as_ref()
            .is_some_and(|wanted| !name.contains(wanted.as_str()))
        {
            continue;
        }
        let fine = catch_unwind(test).is_ok();
        println!("test {name} ... {}", if fine { "ok" } else { "FAILED" });
        if fine { passed += 1 } else { failed += 1 }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n"
    );
    ExitCode::from(u8::from(failed > 0))
}
