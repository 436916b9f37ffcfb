//! A real run is written down, and replays without workers: the same actions, the same trace.

use crate::stage::Stage;
use farm::command::{ReplayError, ReplayVerdict, replay_run};
use farm::master::record::{Made, RunEncoder};
use farm::master::{Action, Actions, Config, Event, Shut};
use farm::protocol::Instant;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;

/// Replays the stage's record; what it printed, and what came of it.
fn replay(stage: &Stage, trace: bool) -> (String, Result<ReplayVerdict, ReplayError>) {
    let mut out = Vec::new();
    let verdict = replay_run(&stage.path("record"), trace, &mut out);
    (String::from_utf8(out).expect("text"), verdict)
}

/// A run in which much goes wrong.
const TASKS: &str = r#"{"tasks": [
    {"id": "good", "shell": "echo said; echo more >&2"},
    {"id": "bad", "shell": "exit 3", "retries": 2},
    {"id": "slow", "shell": "sleep 100", "timeout": "100ms", "grace": "200ms"},
    {"id": "deaf", "shell": "trap '' TERM; sleep 100 & sleep 100", "timeout": "50ms", "grace": "100ms"},
    {"id": "killer", "shell": "kill -9 $PPID; sleep 100"},
    {"id": "after", "needs": ["bad"], "shell": "true"},
    {"id": "missing", "command": ["no-such-program"]}
]}"#;

#[test]
fn a_recorded_run_replays() {
    let stage = Stage::new();
    let ended = stage.tasks(TASKS, &["-j3", "--record", "record"]).exits(1);
    assert_eq!(ended.results.len(), 7);
    let (text, verdict) = replay(&stage, true);
    let verdict = verdict.expect("a good record");
    assert!(!verdict.diverged && !verdict.truncated, "{text}");
    let lines: Vec<&str> = text.lines().collect();
    let (last, trace) = lines.split_last().expect("lines");
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["replayed_events"], verdict.replayed_events);
    assert_eq!(last["actions"], verdict.actions);
    assert_eq!(
        (&last["diverged"], &last["truncated"]),
        (&false.into(), &false.into())
    );
    assert_eq!(
        trace.len() as u64,
        verdict.replayed_events + verdict.actions
    );
    // Every task's end in the results is its end in the trace.
    let ends = |word: &str| {
        let settles = trace.iter().filter(|line| line.contains("   settle "));
        settles.filter(|line| line.contains(word)).count()
    };
    for status in ["ok", "failed", "timeout", "quarantined"] {
        let results = ended
            .results
            .iter()
            .filter(|result| result["status"] == status);
        assert_eq!(
            ends(&format!(" {status}")),
            results.count(),
            "{status}: {text}"
        );
    }
    assert!(ends("quarantined") == 1 && ends("timeout") == 2, "{text}");
    // The same twice, and without the trace the last line alone.
    assert_eq!(replay(&stage, true).0, text);
    assert_eq!(
        replay(&stage, false).0.lines().collect::<Vec<_>>(),
        [verdict.json()]
    );
}

#[test]
fn a_killed_command_leaves_a_record_that_replays_up_to_there() {
    let stage = Stage::new();
    let fifo = stage.fifo("here");
    stage.write("tasks", "\"true\"\n\"true\"\n\"echo > here; sleep 100\"\n");
    let running = stage.start(&["-j1", "tasks", "--record", "record"]);
    fifo.lines(1);
    running.signal(Signal::KILL);
    running.end().dies_of(Signal::KILL);
    let (text, verdict) = replay(&stage, true);
    let verdict = verdict.expect("a good record");
    assert!(verdict.truncated && !verdict.diverged, "{text}");
    assert!(text.contains("was cut off after"), "{text}");
    assert!(text.matches("   settle ").count() == 2, "{text}");
}

#[test]
fn a_spoiled_record_is_not_believed() {
    let stage = Stage::new();
    stage.tasks(r#"["true"]"#, &["--record", "record"]).exits(0);
    let mut bytes = fs::read(stage.path("record")).expect("written");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    stage.write("record", &bytes);
    let error = replay(&stage, false).1.expect_err("damaged");
    assert!(error.to_string().contains("is damaged"), "{error}");
    stage.write("record", "{}\n");
    let error = replay(&stage, false).1.expect_err("no record");
    assert!(error.to_string().contains("no record of a run"), "{error}");
    fs::remove_file(stage.path("record")).expect("just written");
    let error = replay(&stage, false).1.expect_err("no file");
    assert!(
        error.to_string().contains("cannot read the record"),
        "{error}"
    );
}

/// Unlike the other outputs a record is no part of what was asked to be done: everything runs.
#[test]
fn a_full_disk_costs_the_record_alone() {
    let stage = Stage::new();
    let lines = "\"true\"\n".repeat(200);
    stage.write("tasks", lines);
    let ended = stage.run(&["tasks", "--results", "results", "--record", "/dev/full"]);
    let ended = ended
        .exits(2)
        .says("cannot write the record `/dev/full`")
        .says("space");
    assert_eq!(ended.results.len(), 200);
    assert!(ended.results.iter().all(|result| result["status"] == "ok"));
}

#[test]
fn a_record_that_cannot_be_opened_stops_the_run_before_it_begins() {
    let stage = Stage::new();
    for (path, words) in [
        (
            "no/such/folder",
            "cannot open `no/such/folder` for --record",
        ),
        ("tasks.json", "which this run reads"),
        ("results", "--record and --results both lead to"),
    ] {
        let ended = stage.tasks(r#"["echo > ran"]"#, &["--record", path]);
        ended.exits(2).says(words);
        assert!(!stage.path("ran").exists());
    }
}

/// An old record goes, and a longer one leaves nothing of itself.
#[test]
fn a_record_begins_anew() {
    let stage = Stage::new();
    stage.write("record", vec![b'x'; 1 << 20]);
    stage.tasks(r#"["true"]"#, &["--record", "record"]).exits(0);
    let verdict = replay(&stage, false).1.expect("a good record");
    assert!(!verdict.truncated);
}

/// A machine that decides otherwise than the recorded one is shown, at the place where it does.
#[test]
fn another_decision_is_shown() {
    let mut encoder = RunEncoder::new();
    encoder
        .head("another farm", &Config::default())
        .expect("short");
    let mut actions = Actions::new();
    encoder.begin(Instant::from_millis(7), &Event::Wake);
    encoder.finish(&actions).expect("short");
    // The machine says that it has stopped; the record says nothing.
    encoder.begin(Instant::from_millis(9), &Event::Shut(Shut::Drain));
    encoder.finish(&actions).expect("short");
    actions.push(Action::Stopped);
    encoder.end();
    let stage = Stage::new();
    stage.write("record", encoder.bytes());
    let (text, verdict) = replay(&stage, false);
    let verdict = verdict.expect("a good record");
    assert!(verdict.diverged && !verdict.truncated, "{text}");
    let said = Made::of(&actions, &mut Vec::new()).digest;
    let expected = format!(
        "diverged at entry 2 of the record, which was written by another farm\n  \
           recorded: 0 actions, digest cbf29ce484222325\n  \
           replayed: 1 actions, digest {said:016x}\n  \
           what was told, and what the machine said now:\n        \
             2.000 > shut          drain\n        \
             2.000   stopped\n\
         {}\n",
        verdict.json()
    );
    assert_eq!(text, expected);
}
