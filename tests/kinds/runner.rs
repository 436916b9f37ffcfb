//! Runs the tests of a program that is its own worker or tool, and so cannot have the usual harness.

use std::fs;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// The system takes a moment to show who was collected.
const SOON: Duration = Duration::from_secs(5);

/// A test: its name, and what panics when it fails.
pub(crate) type Test = (&'static str, fn());

/// Runs those whose name contains the first argument, or all, one after the other, and says how each went.
pub(crate) fn run(tests: &[Test]) -> ExitCode {
    let wanted = std::env::args()
        .nth(1)
        .filter(|argument| !argument.starts_with('-'));
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in tests {
        if wanted
            .as_ref()
            .is_some_and(|wanted| !name.contains(wanted.as_str()))
        {
            continue;
        }
        let fine = catch_unwind(test).is_ok() && catch_unwind(c12_no_child_is_left).is_ok();
        println!("test {name} ... {}", if fine { "ok" } else { "FAILED" });
        if fine { passed += 1 } else { failed += 1 }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n"
    );
    ExitCode::from(u8::from(failed > 0))
}

/// After each test: no child of this process is left, not even a dead one that nobody has collected. That nobody waits
/// for a ticket any more, the farm's loop asserts itself at its end.
fn c12_no_child_is_left() {
    let begin = Instant::now();
    loop {
        let left = children();
        if left.is_empty() {
            return;
        }
        assert!(begin.elapsed() < SOON, "processes are left: {left:?}");
        thread::yield_now();
    }
}

/// The children of this process, each as the process table shows it.
fn children() -> Vec<String> {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").expect("a Linux").flatten();
    let stats = processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    // Behind the name, which may hold anything, come the state and the parent.
    let parent = |stat: &str| {
        let (_, fields) = stat.rsplit_once(')')?;
        fields.split_whitespace().nth(1).map(str::to_owned)
    };
    stats
        .filter(|stat| parent(stat).as_ref() == Some(&own))
        .collect()
}
