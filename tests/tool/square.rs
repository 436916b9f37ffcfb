//! The smallest tool, as its documentation says it is.

use crate::Test;
use crate::stage::{Ended, Stage};

pub(crate) const TESTS: &[Test] = &[
    ("the_example_squares_fails_and_panics", run_all_three),
    ("the_example_says_what_it_is", says),
];

fn square(stage: &Stage, arguments: &[&str]) -> Ended {
    // Examples are built beside the tests' folder.
    let own = std::env::current_exe().expect("Linux");
    let built = own.parent().and_then(std::path::Path::parent);
    let example = built.expect("target/debug/deps").join("examples/square");
    assert!(
        example.exists(),
        "build it first: cargo build --example square"
    );
    let mut command = stage.marked(example.to_str().expect("UTF-8"));
    stage.start_command(command.args(arguments)).end()
}

fn run_all_three() {
    let stage = Stage::new();
    stage.write(
        "tasks.json",
        r#"[{"input": 12}, {"kind": "square", "input": 70000}, {"input": 13, "crash_limit": 0}]"#,
    );
    let arguments = ["run", "tasks.json", "--results", "results"];
    let ended = square(&stage, &arguments).exits(1);
    assert_eq!(ended.text(), "144\n");
    assert_eq!(ended.result("2")["error"]["failure"], "too large");
    assert_eq!(ended.status_of("3"), "quarantined");
    let ended = ended.says("2 (square 70000): failed: too large");
    ended.says("bad luck");
}

fn says() {
    let stage = Stage::new();
    let version = square(&stage, &["--version"]).exits(0).text();
    assert_eq!(version, format!("square {}\n", env!("CARGO_PKG_VERSION")));
    let kinds = square(&stage, &["kinds"]).exits(0).text();
    assert_eq!(kinds, "square (version 1)\n  input: integer (u32)\n");
    let help = square(&stage, &["--help"]).exits(0).text();
    assert!(help.contains("Usage: square <COMMAND>"), "{help}");
    let help = square(&stage, &["run", "--help"]).exits(0).text();
    assert!(help.contains("square run --workers 8 tasks.json"), "{help}");
    let typed = square(&stage, &["worker"]).exits(2);
    assert_eq!(typed.stderr.lines().count(), 1);
    typed.says("`square worker` is what `square run` starts its workers with");
}
