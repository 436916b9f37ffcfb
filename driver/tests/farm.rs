//! Real processes under the real loop: spawning, pipes, exits, signals and what callers see of them.
//!
//! The program is its own worker: started with a launch as its last argument it speaks the
//! protocol by hand (`farm/script.rs`), so that it can also speak it wrongly.
#![expect(
    clippy::print_stdout,
    reason = "without the usual harness the program reports itself"
)]

#[path = "farm/after.rs"]
mod after;
#[path = "farm/deaths.rs"]
mod deaths;
#[path = "farm/drain.rs"]
mod drain;
#[cfg(feature = "future")]
#[path = "farm/future.rs"]
mod future;
#[path = "farm/join.rs"]
mod join;
#[path = "farm/listing.rs"]
mod listing;
#[path = "farm/moments.rs"]
mod moments;
#[path = "farm/picky.rs"]
mod picky;
#[path = "farm/pipes.rs"]
mod pipes;
#[path = "farm/record.rs"]
mod record;
#[path = "farm/results.rs"]
mod results;
#[path = "farm/script.rs"]
mod script;
#[path = "farm/staffing.rs"]
mod staffing;
#[path = "farm/stage.rs"]
mod stage;
#[path = "farm/submit.rs"]
mod submit;
#[path = "farm/two.rs"]
mod two;
#[path = "farm/work.rs"]
mod work;

use farm_protocol::Launch;
use std::panic::catch_unwind;
use std::process::ExitCode;

/// A test and its name.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let last = std::env::args().next_back().unwrap_or_default();
    if let Some(launch) = Launch::from_last_argument(&last) {
        script::work(launch);
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let tests = work::TESTS.iter().chain(deaths::TESTS);
    let tests = tests.chain(moments::TESTS).chain(pipes::TESTS);
    let tests = tests.chain(after::TESTS).chain(record::TESTS);
    let tests = tests.chain(join::TESTS).chain(listing::TESTS);
    let tests = tests.chain(results::TESTS).chain(two::TESTS);
    let tests = tests.chain(staffing::TESTS);
    let tests = tests.chain(submit::TESTS).chain(drain::TESTS);
    #[cfg(feature = "future")]
    let tests = tests.chain(future::TESTS);
    let mut failed = 0;
    for (name, test) in tests {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let passed =
            catch_unwind(test).is_ok() && catch_unwind(stage::c12_no_child_is_left).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += u32::from(!passed);
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
