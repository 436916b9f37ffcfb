//! The last lines of a run.

use super::kit::{bare, ms, said, spilled};
use crate::report::summary::{RunEnd, Summary};
use crate::report::{Captured, Status, TaskError, TaskIdText, TaskRecord};

fn text(tasks: impl IntoIterator<Item = TaskRecord>) -> String {
    let mut summary = Summary::default();
    for task in tasks {
        summary.note(&task);
    }
    summary.text(ms(1_310), &RunEnd::default())
}

#[test]
fn counts_stand_in_one_line() {
    let mut tasks: Vec<_> = (1..=3998).map(|seq| bare(seq, Status::Ok)).collect();
    assert_eq!(text(tasks.clone()), "3998 tasks: 3998 ok in 1.31 s\n");
    tasks.push(bare(3999, Status::NotRun));
    tasks.push(bare(4000, Status::Skipped));
    assert_eq!(
        text(tasks),
        "4000 tasks: 3998 ok, 1 skipped, 1 not run in 1.31 s\n"
    );
    assert_eq!(text([]), "0 tasks in 1.31 s\n");
}

#[test]
fn waits_stand_in_a_line_of_their_own() {
    let mut summary = Summary::default();
    for wait in 1..=100 {
        summary.waited(ms(wait * 1_000));
    }
    assert_eq!(
        summary.text(ms(1_310), &RunEnd::default()),
        "0 tasks in 1.31 s\n  waited: p50 50.33 s, p99 00:01:40\n"
    );
}

#[test]
fn each_failure_says_why_and_shows_its_last_words() {
    let tasks = [
        TaskRecord {
            exit: Some(3),
            attempt: 2,
            name: Some("the\u{7}name".into()),
            ..TaskRecord {
                status: Status::Failed,
                ..said(1, "out\n", "1\n2\n3\n4\n5\n6 \u{1b}[31mred\r\n\n")
            }
        },
        TaskRecord {
            signal: Some(11),
            stdout: Captured::whole(b"only \xff stdout".to_vec()),
            ..TaskRecord::bare(2, TaskIdText::new("c", false), Status::Crashed)
        },
        TaskRecord {
            wall: ms(75_000),
            signal: Some(9),
            ..bare(3, Status::Timeout)
        },
        TaskRecord {
            error: Some(TaskError {
                class: "memory",
                message: "used 2 GiB, its limit is 1 GiB".into(),
            }),
            ..bare(4, Status::Resource)
        },
        TaskRecord {
            signal: Some(35),
            ..bare(5, Status::Failed)
        },
    ];
    let expected = "\
5 tasks: 2 failed, 1 timeout, 1 resource, 1 crashed in 1.31 s
  1 (the\\u{7}name): exit code 3 (attempt 2)
    | 2
    | 3
    | 4
    | 5
    | 6 \\u{1b}[31mred
  c: its worker died, ended by SIGSEGV (signal 11)
    | only \u{fffd} stdout
  3: timed out after 00:01:15
  4: used 2 GiB, its limit is 1 GiB
  5: ended by signal 35
";
    assert_eq!(text(tasks), expected);
}

#[test]
fn the_last_words_of_a_long_output_are_in_its_spilled_rest() {
    let folder = tempfile::tempdir().unwrap();
    let long: String = (0..2000).map(|n| format!("line {n}\n")).collect();
    let failed = |stderr| TaskRecord {
        stderr,
        ..bare(1, Status::Failed)
    };
    let far = text([failed(spilled(
        folder.path(),
        "far",
        b"head\n",
        long.as_bytes(),
    ))]);
    assert!(far.ends_with("    | line 1998\n    | line 1999\n"), "{far}");
    let near = text([failed(spilled(
        folder.path(),
        "near",
        b"head\ncut in",
        b" two\nend\n",
    ))]);
    assert!(
        near.ends_with("    | head\n    | cut in two\n    | end\n"),
        "{near}"
    );
}

#[test]
fn twenty_failures_are_shown_and_the_others_counted() {
    let text = text((1..=23).map(|seq| bare(seq, Status::Failed)));
    assert_eq!(text.lines().count(), 22);
    assert!(
        text.ends_with("\n  20: failed\n  and 3 more; see --results\n"),
        "{text}"
    );
}

#[test]
fn a_halt_says_why() {
    let end = RunEnd {
        halted: Some("stopped after the first failure".into()),
        ..RunEnd::default()
    };
    let text = Summary::default().text(ms(0), &end);
    assert_eq!(
        text,
        "0 tasks in 0.00 s\n  stopped after the first failure\n"
    );
}

#[test]
fn a_stop_says_who_ran_and_who_had_not_begun() {
    let mut summary = Summary::default();
    let ran = |seq| TaskRecord {
        attempt: 1,
        ..bare(seq, Status::Cancelled)
    };
    let end = RunEnd {
        halted: Some("interrupted".into()),
        ..RunEnd::default()
    };
    let mut line = |task| {
        summary.note(&task);
        let text = summary.text(ms(0), &end);
        text.lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(
        line(ran(1)),
        "  interrupted: 1 task was cancelled while it ran"
    );
    line(bare(2, Status::NotRun));
    line(bare(3, Status::Cancelled));
    assert_eq!(
        line(ran(4)),
        "  interrupted: 2 tasks were cancelled while they ran, 2 had not begun"
    );
}

#[test]
fn deaths_that_cost_nothing_are_a_line() {
    let mut summary = Summary::default();
    summary.note(&bare(1, Status::Ok));
    let rest = |summary: &Summary| {
        let text = summary.text(ms(0), &RunEnd::default());
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rest(&summary), [""; 0]);
    summary.worker_died();
    assert_eq!(rest(&summary), ["  1 worker died and was replaced"]);
    summary.worker_died();
    assert_eq!(rest(&summary), ["  2 workers died and were replaced"]);
    summary.note(&bare(2, Status::Crashed));
    assert_eq!(rest(&summary), ["  2: its worker died"]);
}

#[test]
fn a_panic_is_shown_and_not_the_end_of_its_backtrace() {
    let frames: String = (0..40).map(|n| format!("  {n}: frame\n")).collect();
    let stderr = format!("before\nthread 'main' (7) panicked at a.rs:1:2:\nwhy\nstack:\n{frames}");
    let shown = text([TaskRecord {
        status: Status::Failed,
        ..said(1, "", &stderr)
    }]);
    let lines: Vec<&str> = shown.lines().skip(2).collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(
        lines[..2],
        ["    | thread 'main' (7) panicked at a.rs:1:2:", "    | why"]
    );
    let near = text([TaskRecord {
        status: Status::Failed,
        ..said(
            1,
            "",
            "a\nb\nc\nthread 'main' (7) panicked at a.rs:1:2:\nwhy\n",
        )
    }]);
    assert!(
        near.contains("| a\n") && near.ends_with("| why\n"),
        "{near}"
    );
}
