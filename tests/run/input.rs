//! Where tasks come from: three spellings, standard input, endless input, wrong input.

use crate::stage::Stage;
use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn the_three_spellings_and_standard_input() {
    let stage = Stage::new();
    let spellings = [
        r#"["echo 1", ["echo", "2"], {"command": ["echo", "3"]}]"#,
        r#"{"version": 1, "x-mine": 1, "defaults": {"cwd": "."}, "tasks": ["echo 1", "echo 2", "echo 3"]}"#,
        "\u{feff}\"echo 1\"\n\n[\"echo\", \"2\"]\n{\"shell\": \"echo 3\"}",
    ];
    for text in spellings {
        let path = stage.write("tasks", text);
        let ended = stage.run(&["tasks", "-j1"]).exits(0).says("3 ok");
        assert_eq!(ended.text(), "1\n2\n3\n");
        for arguments in [&["-j1", "-"][..], &["-j1"][..]] {
            let mut command = stage.command(arguments);
            command.stdin(File::open(&path).expect("ours"));
            let ended = stage.start_command(&mut command).end().exits(0);
            assert_eq!(ended.text(), "1\n2\n3\n", "from standard input");
        }
    }
}

/// All errors at once, each with its place; nothing starts.
#[test]
fn a_wrong_file_starts_nothing() {
    let stage = Stage::new();
    let ended = stage
        .tasks(
            r#"[
  {"id": "a", "shell": "touch started", "timout": "3s"},
  {"id": "a", "shell": "touch started", "timeout": "soon"},
  {"id": "b", "shell": "touch started", "needs": ["nobody"]},
  {"id": "c", "shell": "true", "needs": ["d"]},
  {"id": "d", "shell": "true", "needs": ["c"]}
]"#,
            &[],
        )
        .exits(2);
    for words in [
        "tasks.json:2:",
        "did you mean `timeout`",
        "tasks[1].timeout",
        "nobody",
        "tasks.json:3:",
    ] {
        assert!(
            ended.stderr.contains(words),
            "{words} in:\n{}",
            ended.stderr
        );
    }
    assert!(!stage.path("started").exists() && !stage.path("results").exists());
    let cycle = stage.tasks(
        r#"[{"id": "c", "shell": "true", "needs": ["d"]}, {"id": "d", "shell": "true", "needs": ["c"]}]"#,
        &[],
    );
    cycle.exits(2).says("c").says("d").says("circle");
}

/// Lines are run as they come: the second is written only when the first has run.
#[test]
fn lines_are_read_lazily_and_a_bad_one_stops_admission() {
    let stage = Stage::new();
    let fifo = stage.fifo("ran");
    let mut command = stage.command(&["-j1", "-", "--results", "results"]);
    command.stdin(Stdio::piped());
    let mut running = stage.start_command(&mut command);
    let mut lines = running.child().stdin.take().expect("piped");
    writeln!(lines, r#"{{"id": "a", "shell": "echo a > ran"}}"#).expect("it reads");
    fifo.lines(1);
    writeln!(
        lines,
        r#"{{"id": "b", "shell": "echo b > ran", "needs": ["a"]}}"#
    )
    .expect("it reads");
    fifo.lines(1);
    writeln!(
        lines,
        "{{\"id\": \"c\", \"shel\": \"true\"}}\n\"echo never > ran\""
    )
    .expect("it reads");
    let ended = running.end().exits(2).says("<stdin>:3:").says("shell");
    assert_eq!(ended.results.len(), 2);
    assert_eq!(ended.status_of("b"), "ok");
}

/// A producer without end is read no faster than its tasks are run.
#[test]
fn an_endless_producer_is_held_back() {
    let stage = Stage::new();
    let fifo = stage.fifo("hold");
    let go = stage.fifo("go");
    let mut source = stage.marked("sh");
    source
        .args([
            "-c",
            "echo '\"echo > hold; read x < go\"'; while echo '\"true\"'; do :; done",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut source = stage.start_command(&mut source);
    let mut command = stage.command(&["-j1", "-", "--joblog", "log", "--progress", "none"]);
    command.stdin(source.child().stdout.take().expect("piped"));
    let running = stage.start_command(&mut command);
    fifo.lines(1);
    running.signal(rustix::process::Signal::TERM);
    let ended = running.end().dies_of(rustix::process::Signal::TERM);
    assert!(ended.stderr.contains("not run"), "{}", ended.stderr);
    let admitted = ended.stderr.split(" tasks:").next().unwrap_or_default();
    let admitted = admitted.lines().last().unwrap_or_default().parse::<u64>();
    assert!(
        admitted.is_ok_and(|count| count < 5_000),
        "{}",
        ended.stderr
    );
    // It holds the reading end of the source's pipe.
    drop(command);
    drop(source.end());
    drop(go);
}

/// However fast the bad line comes: what stands before it is run, what stands after it is not.
#[test]
fn everything_before_a_bad_line_is_run() {
    let stage = Stage::new();
    let mut text: String = (0..20)
        .map(|n| format!("{{\"id\": \"t{n}\", \"shell\": \"echo {n}\"}}\n"))
        .collect();
    text.push_str("not json\n[\"touch\", \"after\"]\n");
    let ended = stage
        .tasks(&text, &["-j", "1"])
        .exits(2)
        .says("is not JSON");
    for n in 0..20 {
        assert_eq!(ended.status_of(&format!("t{n}")), "ok");
    }
    assert!(!stage.path("after").exists());
}
