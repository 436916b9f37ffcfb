//! `--workers 0`: the tasks run inside the command's own process, with the same results, and with the differences that
//! the README lists. And farms that are the commands of farms.

use crate::stage::{Ended, LIMIT, Stage, children};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(2);

/// What commands can do, as far as it takes little time.
const ALL_SORTS: &str = r#"{"defaults": {"grace": "300ms"}, "tasks": [
    {"id": "ok", "shell": "echo out; echo err >&2"},
    {"id": "exit", "shell": "exit 3"},
    {"id": "tried", "shell": "exit 1", "retries": 2},
    {"id": "skipped", "shell": "true", "needs": ["exit"]},
    {"id": "missing", "command": ["/no/such/program"]},
    {"id": "signal", "shell": "kill -9 $$"},
    {"id": "stdin", "command": ["cat"], "stdin": "some text"},
    {"id": "closed", "command": ["cat"]},
    {"id": "env", "command": ["env"], "env": {"A": "b"}, "clear_env": true},
    {"id": "cwd", "shell": "pwd", "cwd": "/"},
    {"id": "merged", "shell": "echo a; echo b >&2; echo c", "stderr": "stdout"},
    {"id": "long", "shell": "head -c 100000 /dev/zero | tr '\\0' x"},
    {"id": "asked", "shell": "echo begun; exec sleep 100", "timeout": "200ms"},
    {"id": "deaf", "shell": "trap '' TERM; echo begun; while :; do sleep 0.1; done", "timeout": "200ms"},
    {"id": "left", "shell": "sleep 100 & echo left"},
    {"id": "stall", "shell": "exec sleep 100", "stall": "50ms"},
    {"id": "cpu", "shell": "while :; do :; done", "cpu": "100ms"},
    {"id": "memory", "shell": "head -c 100M /dev/zero | tail | sleep 100", "memory": "40MB"}
]}"#;

/// What is the same wherever a task runs.
fn essence(ended: &Ended) -> Vec<Value> {
    let mut all: Vec<Value> = ended
        .results
        .iter()
        .map(|result| {
            let message = result["error"]["message"].as_str().unwrap_or_default();
            // Which figure it was is chance.
            let message = message.split(|c: char| c.is_ascii_digit()).next();
            let attempts = result["attempts"].as_array().map_or(0, Vec::len);
            json!([
                result["id"],
                result["status"],
                result["exit"],
                result["signal"],
                result["stdout"],
                result["stderr"],
                result["truncated"],
                result["left_behind"],
                result["error"]["class"],
                message,
                attempts
            ])
        })
        .collect();
    all.sort_by_key(Value::to_string);
    all
}

#[test]
fn inside_the_results_are_the_same() {
    let [outside, inside] = ["1", "0"].map(|workers| {
        let stage = Stage::new();
        let ended = stage.tasks(ALL_SORTS, &["--workers", workers]).exits(1);
        stage.all_gone_within(SOON);
        let own = ended.result("ok")["attempts"][0]["worker"].clone();
        assert_eq!(own, 1);
        essence(&ended)
    });
    assert_eq!(inside.len(), 18);
    for (inside, outside) in inside.iter().zip(&outside) {
        assert_eq!(inside, outside);
    }
}

/// A deaf command with a child, inside and running; what it writes to is kept open.
fn deaf<'a>(stage: &'a Stage, more: &[&str]) -> crate::stage::Running<'a> {
    let fifo = stage.fifo("running");
    stage.write(
        "tasks.json",
        r#"["trap '' TERM HUP INT; echo > running; sleep 100; sleep 100", {"id": "queued", "shell": "touch queued"}]"#,
    );
    let mut arguments = vec!["tasks.json", "-j0", "--results", "results"];
    arguments.extend(more);
    let running = stage.start(&arguments);
    fifo.lines(1);
    running
}

#[test]
fn an_interrupt_ends_what_runs_inside() {
    let stage = Stage::new();
    let running = deaf(&stage, &["--grace", "300ms"]);
    running.signal(Signal::INT);
    let ended = running.end().dies_of(Signal::INT);
    assert_eq!(ended.result("1")["signal"], 9, "with its children");
    assert_eq!(ended.status_of("queued"), "not_run");
    stage.all_gone_within(SOON);
}

#[test]
fn a_second_interrupt_kills_inside_as_well() {
    let stage = Stage::new();
    let running = deaf(&stage, &["--grace", "10m"]);
    running.signal(Signal::INT);
    while !stage.read("stderr").contains("killing") {
        running.signal(Signal::INT);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    running.end().dies_of(Signal::INT);
    stage.all_gone_within(SOON);
}

/// The letter that the kernel gives for the state of a process.
fn state(pid: i32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    after.chars().next().unwrap_or('-')
}

fn until(what: &str, pids: &[i32], is_so: impl Fn(char) -> bool) {
    let begun = Instant::now();
    while !pids.iter().all(|pid| is_so(state(*pid))) {
        assert!(begun.elapsed() < LIMIT, "not {what}: {pids:?}");
        std::thread::yield_now();
    }
}

#[test]
fn a_stop_stops_what_runs_inside() {
    let stage = Stage::new();
    let (fifo, go) = (stage.fifo("running"), stage.fifo("go"));
    stage.write(
        "tasks.json",
        r#"["sleep 100 & echo > running; read x < go; kill $!"]"#,
    );
    let running = stage.start(&["tasks.json", "-j0", "--results", "results"]);
    fifo.lines(1);
    // The master too: it stops last, and who continues it before has continued nobody.
    let master = running.pid().as_raw_nonzero().get();
    let shell = children(master);
    assert_eq!(shell.len(), 1, "the command is its own child");
    let pids = [vec![master], shell.clone(), children(shell[0])].concat();
    assert_eq!(pids.len(), 3);
    running.signal(Signal::TSTP);
    until("stopped", &pids, |state| state == 'T');
    running.signal(Signal::CONT);
    until("continued", &pids, |state| state != 'T');
    fs::write(stage.path("go"), "\n").expect("somebody reads");
    running.end().exits(0);
    stage.all_gone_within(SOON);
    drop(go);
}

/// The difference that nobody can do anything about: with the process goes whoever would have noticed.
#[test]
fn a_command_inside_outlives_a_killed_master() {
    let stage = Stage::new();
    let (fifo, go) = (stage.fifo("running"), stage.fifo("go"));
    stage.write(
        "tasks.json",
        r#"["echo > running; read x < go; echo > running"]"#,
    );
    let running = stage.start(&["tasks.json", "-j0"]);
    fifo.lines(1);
    running.signal(Signal::KILL);
    running.end().dies_of(Signal::KILL);
    fs::write(stage.path("go"), "\n").expect("somebody reads");
    fifo.lines(1);
    stage.all_gone_within(SOON);
    drop(go);
}

#[test]
fn a_farm_may_be_the_command_of_a_farm_up_to_a_depth() {
    for workers in ["1", "0"] {
        let stage = Stage::new();
        let farm = env!("CARGO_BIN_EXE_farm");
        let again = format!(r#"["'{farm}' run again.json -j{workers}"]"#);
        stage.write("again.json", again);
        let ended = stage.run(&["again.json", "-j", workers]).exits(1);
        ended.says("inside of 8 others");
        stage.all_gone_within(SOON);
    }
}

#[test]
fn a_killed_farm_takes_the_farm_that_is_its_command_along() {
    let stage = Stage::new();
    let fifo = stage.fifo("running");
    let farm = env!("CARGO_BIN_EXE_farm");
    stage.write("inner.json", r#"["sleep 100 & echo > running; wait"]"#);
    stage.write("outer.json", format!(r#"["'{farm}' run inner.json -j1"]"#));
    let running = stage.start(&["outer.json", "-j1"]);
    fifo.lines(1);
    running.signal(Signal::KILL);
    running.end().dies_of(Signal::KILL);
    stage.all_gone_within(SOON);
}
