//! The joblog against lines that GNU parallel 20221122 wrote (times replaced).

use super::kit::{anchor, bare, ms};
use crate::report::clock::RunClock;
use crate::report::joblog::{HEADER, write_line};
use crate::report::{Captured, Status, TaskRecord};

fn line(task: &TaskRecord) -> String {
    let mut out = String::new();
    write_line(&mut out, task, &RunClock::new(anchor()));
    out
}

fn ran(seq: u64, status: Status, command: &str) -> TaskRecord {
    TaskRecord {
        started: Some(ms(322)),
        wall: ms(3),
        command: command.into(),
        ..bare(seq, status)
    }
}

#[test]
fn the_header_is_that_of_parallel() {
    assert_eq!(
        HEADER,
        "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
    );
}

#[test]
fn each_end_has_its_line() {
    let echo = TaskRecord {
        exit: Some(0),
        stdout: Captured::whole(b"hi\n".to_vec()),
        ..ran(1, Status::Ok, "echo hi")
    };
    let exit = TaskRecord {
        exit: Some(3),
        ..ran(2, Status::Failed, "exit 3")
    };
    let killed = TaskRecord {
        signal: Some(9),
        ..ran(3, Status::Failed, "kill -9 $$")
    };
    let late = TaskRecord {
        signal: Some(9),
        wall: ms(2_151),
        ..ran(6, Status::Timeout, "sleep 3")
    };
    let skipped = TaskRecord {
        finished: ms(322),
        command: "true 2".into(),
        ..bare(2, Status::Skipped)
    };
    for (task, expected) in [
        (
            &echo,
            "1\t:\t1767323046.000\t     0.003\t0\t3\t0\t0\techo hi\n",
        ),
        (
            &exit,
            "2\t:\t1767323046.000\t     0.003\t0\t0\t3\t0\texit 3\n",
        ),
        (
            &killed,
            "3\t:\t1767323046.000\t     0.003\t0\t0\t0\t9\tkill -9 $$\n",
        ),
        (
            &late,
            "6\t:\t1767323046.000\t     2.151\t0\t0\t-1\t15\tsleep 3\n",
        ),
        (
            &skipped,
            "2\t:\t1767323046.000\t     0.000\t0\t0\t-2\t0\ttrue 2\n",
        ),
    ] {
        assert_eq!(line(task), expected);
    }
}

#[test]
fn tabs_stay_and_line_ends_become_nul() {
    assert!(line(&ran(1, Status::Ok, "printf 'a\tb'")).ends_with("\tprintf 'a\tb'\n"));
    assert!(
        line(&ran(2, Status::Ok, "echo one\necho two\n")).ends_with("\techo one\0echo two\0\n")
    );
}

#[test]
fn receive_counts_all_bytes_and_long_runs_need_more_columns() {
    let task = TaskRecord {
        wall: ms(12_345_678_901),
        exit: Some(0),
        stdout: Captured {
            head: vec![b'x'; 10],
            total: 1_000_000,
            rest: None,
        },
        ..ran(1, Status::Ok, "yes")
    };
    assert_eq!(
        line(&task),
        "1\t:\t1767323046.000\t12345678.901\t0\t1000000\t0\t0\tyes\n"
    );
}

#[test]
fn a_task_that_never_began_has_no_line() {
    for status in Status::ALL {
        let expected = status == Status::Skipped;
        assert_eq!(!line(&bare(1, status)).is_empty(), expected, "{status:?}");
    }
}

#[test]
fn no_failure_looks_like_a_success() {
    for status in Status::ALL {
        let text = line(&ran(1, status, "x"));
        let ok = matches!(status, Status::Ok | Status::Cached);
        assert_eq!(text.ends_with("\t0\t0\tx\n"), ok, "{status:?}: {text}");
    }
}
