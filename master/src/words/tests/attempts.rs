//! What is said of one attempt while it runs.

use super::*;
use crate::Sample;

#[test]
fn usage() {
    let (slot, session) = (SLOT, SESSION);
    let noted = Noted {
        executing: Some(id()),
        ..Noted::default()
    };
    for (told, expected) in [
        (
            Event::Usage {
                slot,
                session,
                id: id(),
                sample: Sample {
                    cpu: Duration::from_millis(1_500),
                    memory: 4096,
                    noted,
                },
            },
            "usage slot 2 session 7 t5#1 1.5s 4096 bytes",
        ),
        (
            Event::Usage {
                slot,
                session,
                id: AttemptId {
                    task: TaskId::new(4, 0),
                    ..id()
                },
                sample: Sample {
                    cpu: Duration::ZERO,
                    memory: 0,
                    noted,
                },
            },
            "usage slot 2 session 7 t4#1 0ns 0 bytes while t5#1 executes",
        ),
    ] {
        assert_eq!(event(&told).to_string(), expected);
    }
}

#[test]
fn actions_about_attempts() {
    let (slot, session) = (SLOT, SESSION);
    for (said, expected) in [
        (
            Action::Watch {
                slot,
                session,
                id: id(),
                cpu: Some(Duration::from_millis(1_500)),
                memory: Some(100),
            },
            "watch slot 2 session 7 t5#1 1.5s 100 bytes",
        ),
        (
            Action::Unwatch {
                slot,
                session,
                id: id(),
            },
            "unwatch slot 2 session 7 t5#1",
        ),
        (
            Action::Progress {
                id: id(),
                progress: half(),
            },
            "progress t5#1 3 of 9 \"ha\\nlf\"",
        ),
        (
            Action::Progress {
                id: id(),
                progress: Progress::new(4, None, ""),
            },
            "progress t5#1 4",
        ),
    ] {
        assert_eq!(action(&said, &[]).to_string(), expected);
    }
}
