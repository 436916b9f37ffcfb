//! Runs the tests of a program that is its own worker or tool, and so cannot have the usual harness.

use std::panic::catch_unwind;
use std::process::ExitCode;

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
