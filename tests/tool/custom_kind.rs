//! The smallest tool, as its documentation says it is.

use crate::Test;
use crate::stage::{Ended, Stage};

pub(crate) const TESTS: &[Test] = &[
    ("the_example_squares_fails_and_panics", run_all_three),
    ("its_readme_is_true", readme),
    ("the_example_says_what_it_is", says),
];

fn square(stage: &Stage, arguments: &[&str]) -> Ended {
    // Examples are built beside the tests' folder.
    let own = std::env::current_exe().expect("Linux");
    let built = own.parent().and_then(std::path::Path::parent);
    let example = built
        .expect("target/debug/deps")
        .join("examples/custom_kind");
    assert!(
        example.exists(),
        "build it first: cargo build --example custom_kind"
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
    for workers in ["2", "0"] {
        let arguments = ["run", "tasks.json", "--results", "results", "-j", workers];
        let ended = square(&stage, &arguments).exits(1);
        assert_eq!(ended.text(), "144\n");
        assert_eq!(ended.result("2")["error"]["failure"], "too large");
        assert_eq!(ended.status_of("3"), "quarantined");
        let message = ended.result("3")["error"]["message"].as_str().unwrap_or("");
        assert!(message.starts_with("panicked: "), "{message}");
        assert!(
            message.contains("set aside after 1 worker died"),
            "{message}"
        );
        let ended = ended.says("2 (square 70000): failed: too large");
        ended.says("bad luck");
    }
}

/// The file and the words of its README.
fn readme() {
    let stage = Stage::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/custom_kind");
    let words = std::fs::read_to_string(folder.join("README.md")).expect("it has one");
    let command = "cargo run --example custom_kind -- run examples/custom_kind/tasks.json";
    assert!(words.contains(command), "{words}");
    let tasks = folder.join("tasks.json");
    let arguments = ["run", tasks.to_str().expect("UTF-8"), "-k"];
    let ended = square(&stage, &arguments).exits(1);
    for line in ended
        .text()
        .lines()
        .chain(ended.stderr.lines())
        .filter(|line| !line.trim().is_empty())
    {
        let line = line.split(" in ").next().expect("a first part");
        assert!(words.contains(line), "`{line}` is not in the README");
    }
}

fn says() {
    let stage = Stage::new();
    let version = square(&stage, &["--version"]).exits(0).text();
    assert_eq!(
        version,
        format!("custom_kind {}\n", env!("CARGO_PKG_VERSION"))
    );
    let kinds = square(&stage, &["kinds"]).exits(0).text();
    assert_eq!(kinds, "square (version 1)\n  input: integer (u32)\n");
    let help = square(&stage, &["--help"]).exits(0).text();
    assert!(help.contains("Usage: custom_kind <COMMAND>"), "{help}");
    let help = square(&stage, &["run", "--help"]).exits(0).text();
    assert!(
        help.contains("custom_kind run --workers 8 tasks.json"),
        "{help}"
    );
    let typed = square(&stage, &["worker"]).exits(2);
    assert_eq!(typed.stderr.lines().count(), 1);
    typed.says("`custom_kind worker` is what `custom_kind run` starts its workers with");
}
