//! The events file, one golden line per event.

use super::kit::{anchor, bare, ms};
use crate::report::clock::RunClock;
use crate::report::events::RunEvent;
use crate::report::summary::{RunCounts, RunEnd};
use crate::report::{AttemptRecord, Status, StopReason, Stream, TaskIdText, TaskRef};
use farm_master::Waits;

fn line(event: &RunEvent<'_>) -> String {
    let mut out = Vec::new();
    event.write(&mut out, &RunClock::new(anchor()), ms(1_500));
    let text = String::from_utf8(out).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let start = r#"{"v":1,"type":""#;
    let time = r#"","time":"2026-01-02T03:04:07.178Z","#;
    let rest = text
        .strip_prefix(start)
        .unwrap()
        .strip_suffix("}\n")
        .unwrap();
    let (word, rest) = rest.split_once(time).unwrap();
    format!("{word} {rest}")
}

fn check(cases: &[(RunEvent<'_>, &str)]) {
    for (event, expected) in cases {
        assert_eq!(line(event), *expected);
    }
}

#[test]
fn the_run_and_its_workers() {
    let mut counts = RunCounts::default();
    counts.add(Status::Ok);
    counts.add(Status::Ok);
    counts.add(Status::NotRun);
    let end = RunEnd {
        halted: Some("first failure".into()),
        ..RunEnd::default()
    };
    let mut waits = Waits::new();
    waits.record(ms(500));
    check(&[
        (
            RunEvent::RunStarted {
                total: None,
                workers: 2,
            },
            r#"run_started "total":null,"workers":2"#,
        ),
        (
            RunEvent::WorkerStarted {
                worker: 4,
                pid: Some(812),
            },
            r#"worker_started "worker":4,"pid":812"#,
        ),
        (
            RunEvent::WorkerStopped {
                worker: 4,
                pid: Some(812),
                reason: StopReason::Died,
                exit: None,
                signal: Some(11),
            },
            r#"worker_stopped "worker":4,"pid":812,"reason":"died","exit":null,"signal":11"#,
        ),
        (
            RunEvent::RunFinished {
                counts: &counts,
                waits: &waits,
                end: &end,
            },
            r#"run_finished "tasks":3,"statuses":{"ok":2,"not_run":1},"waits":{"p50_s":0.5,"p99_s":0.5},"halted":"first failure","wall_s":1.5"#,
        ),
        (
            RunEvent::RunFinished {
                counts: &RunCounts::default(),
                waits: &Waits::new(),
                end: &RunEnd::default(),
            },
            r#"run_finished "tasks":0,"statuses":{},"waits":null,"halted":null,"wall_s":1.5"#,
        ),
    ]);
}

#[test]
fn a_task_and_what_it_says() {
    let id = TaskIdText::new("c", false);
    let attempt = AttemptRecord {
        attempt: 2,
        worker: Some(4),
        pid: Some(812),
        status: Status::Failed,
        exit: Some(1),
        signal: None,
        wall: ms(1_234),
    };
    let task = TaskRef {
        seq: 3,
        id: &id,
        name: Some("n"),
        command: None,
        attempt: 1,
        worker: Some(4),
    };
    let output = |bytes, with_text| RunEvent::TaskOutput {
        seq: 3,
        attempt: 1,
        stream: Stream::Stderr,
        bytes,
        with_text,
    };
    check(&[
        (
            RunEvent::TaskStarted(task),
            r#"task_started "id":"c","seq":3,"name":"n","attempt":1,"worker":4"#,
        ),
        (
            output(b"hi\n", false),
            r#"task_output "seq":3,"attempt":1,"stream":"stderr","bytes":3"#,
        ),
        (
            output(b"hi\n", true),
            r#"task_output "seq":3,"attempt":1,"stream":"stderr","bytes":3,"text":"hi\n""#,
        ),
        (
            output(b"\xff", true),
            r#"task_output "seq":3,"attempt":1,"stream":"stderr","bytes":1,"text_b64":"/w==""#,
        ),
        (
            RunEvent::AttemptFinished {
                seq: 3,
                attempt: &attempt,
            },
            concat!(
                r#"attempt_finished "seq":3,"attempt":2,"worker":4,"pid":812,"status":"failed","exit":1,"#,
                r#""signal":null,"wall_s":1.234"#,
            ),
        ),
    ]);
}

#[test]
fn a_result_event_is_the_results_line_with_a_time() {
    let task = bare(9, Status::Ok);
    let event = RunEvent::Result {
        task: &task,
        name_rest: true,
    };
    let text = line(&event);
    assert!(
        text.starts_with(r#"result "id":9,"seq":9,"kind":"exec","status":"ok""#),
        "{text}"
    );
}
