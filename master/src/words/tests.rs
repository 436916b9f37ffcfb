//! One line per variant, letter by letter: what a person greps for stays.

mod attempts;
mod scopes;

use super::*;
use crate::evidence::{MemoryEvidence, MemoryVerdict};
use crate::lane::{Entry, Gate};
use crate::outcome::{
    AttemptEnd, AttemptReport, CancelledBy, Death, HowStopped, Outcome, Resource, Settlement,
    SkippedBy,
};
use crate::{Exit, Gone, Refusal, TimeLimit, WhoseDoing};
use farm_protocol::{
    Attempt, AttemptHeader, AttemptId, DEFAULT_FRAME_LIMIT, FrameError, FrameKind, Hello, KindId,
    PREAMBLE, Progress, ReplyFlags, ReplyHeader, RequestHeader, TaskId, Termination, attempt_frame,
    attempt_frame_body, begin_frame, encode_into, finish_frame, reply_frame, request_frame,
};
use std::time::Duration;

const SLOT: SlotId = SlotId(2);
const SESSION: Session = Session(7);
const KIND: KindId = KindId(0);
const KILLED: Termination = Termination::Signaled {
    signal: 9,
    core_dumped: false,
};

fn task() -> TaskId {
    TaskId::new(5, 0)
}

fn id() -> AttemptId {
    AttemptId {
        task: task(),
        attempt: Attempt(1),
    }
}

fn header() -> AttemptHeader {
    AttemptHeader {
        number: 1,
        id: id(),
    }
}

fn text(kind: FrameKind, text: &str, out: &mut Vec<u8>) {
    attempt_frame_body::<FrameError>(out, kind, &header(), DEFAULT_FRAME_LIMIT, |out| {
        encode_into(text, out, 100).expect("short");
        Ok(())
    })
    .expect("short");
}

fn half() -> Progress {
    Progress::new(3, Some(9), "ha\nlf")
}

fn progress(out: &mut Vec<u8>) {
    let kind = FrameKind::Progress;
    attempt_frame_body::<FrameError>(out, kind, &header(), DEFAULT_FRAME_LIMIT, |out| {
        encode_into(&half(), out, 100).expect("short");
        Ok(())
    })
    .expect("short");
}

/// What a worker may say first.
fn answers() -> Vec<u8> {
    let mut out = PREAMBLE.to_vec();
    let start = begin_frame(&mut out, FrameKind::Hello);
    let hello = Hello {
        pid: 44,
        build: "b".to_owned(),
        kinds: vec![],
    };
    encode_into(&hello, &mut out, 100).expect("short");
    finish_frame(&mut out, start, DEFAULT_FRAME_LIMIT).expect("short");
    let header = ReplyHeader {
        id: id(),
        flags: ReplyFlags {
            heeded_cancel: true,
            left_behind: true,
        },
        ran_nanos: 1,
    };
    reply_frame::<FrameError>(&mut out, &header, DEFAULT_FRAME_LIMIT, |out| {
        out.extend_from_slice(b"xyz");
        Ok(())
    })
    .expect("short");
    out
}

fn bytes(bytes: &[u8]) -> String {
    event(&Event::Bytes {
        slot: SLOT,
        session: SESSION,
        bytes,
    })
    .to_string()
}

#[test]
fn frames() {
    let mut all = answers();
    assert_eq!(
        bytes(&all),
        "bytes slot 2 session 7 preamble, hello pid 44 of \"b\", reply t5#1 heeded left-behind 3 bytes"
    );
    assert_eq!(
        bytes(&all[9..]),
        format!("bytes slot 2 session 7 {} bytes", all.len() - 9)
    );
    assert_eq!(bytes(b""), "bytes slot 2 session 7 0 bytes");
    all.clear();
    attempt_frame(&mut all, FrameKind::Revoked, &header());
    text(FrameKind::Panicked, "bo\nom", &mut all);
    text(FrameKind::Feedback, "hm", &mut all);
    progress(&mut all);
    all.extend_from_slice(&[9, 0]);
    assert_eq!(
        bytes(&all),
        "bytes slot 2 session 7 revoked t5#1, panicked t5#1 \"bo\\nom\", feedback t5#1 3 bytes, \
         progress t5#1 3 of 9 \"ha\\nlf\", 2 bytes of the next"
    );
    all.clear();
    for _ in 0..9 {
        attempt_frame(&mut all, FrameKind::Revoked, &header());
    }
    assert!(bytes(&all).ends_with(", revoked t5#1, 3 more frames"));
}

#[test]
fn events_of_callers() {
    for (told, expected) in [
        (
            Event::Submit {
                task: task(),
                kind: KIND,
                entry: Entry::Pull,
                options: Some(Box::default()),
                scope: None,
            },
            "submit t5 kind 0 pull with options",
        ),
        (
            Event::Cancel {
                task: task(),
                reason: "no".to_owned(),
            },
            "cancel t5 \"no\"",
        ),
        (
            Event::SetGate {
                kind: KIND,
                gate: Gate::Paused,
            },
            "gate kind 0 paused",
        ),
        (Event::Shut(Shut::Kill), "shut kill"),
        (Event::TokenCame, "token-came"),
        (
            Event::TokensLost {
                error: "gone".to_owned(),
            },
            "tokens-lost \"gone\"",
        ),
        (Event::TokensCounted, "tokens-counted"),
        (Event::Wake, "wake"),
    ] {
        assert_eq!(event(&told).to_string(), expected);
    }
}

#[test]
fn events_of_workers() {
    let (slot, session) = (SLOT, SESSION);
    let noted = Noted {
        executing: Some(id()),
        ..Noted::default()
    };
    for (told, expected) in [
        (
            Event::Spawned {
                slot,
                session,
                page: false,
            },
            "spawned slot 2 session 7 without a page",
        ),
        (
            Event::SpawnFailed {
                slot,
                session,
                error: "e".repeat(200),
            },
            &format!("spawn-failed slot 2 session 7 \"{}\"…", "e".repeat(100)),
        ),
        (
            Event::Output {
                slot,
                session,
                stream: Stream::Stderr,
                noted,
                bytes: b"a\n",
            },
            "output slot 2 session 7 stderr \"a\\n\" while t5#1 executes",
        ),
        (Event::Eof { slot, session }, "eof slot 2 session 7"),
        (
            Event::Exited {
                slot,
                session,
                exit: Exit {
                    termination: KILLED,
                    noted: Some(noted),
                    evidence: MemoryEvidence::default(),
                },
            },
            "exited slot 2 session 7 killed by SIGKILL while t5#1 executes",
        ),
        (
            Event::Decoded {
                slot,
                session,
                id: id(),
                handle: 1,
            },
            "decoded slot 2 session 7 t5#1",
        ),
    ] {
        assert_eq!(event(&told).to_string(), expected);
    }
}

fn settle(outcome: Outcome, attempts: usize) -> Action {
    let report = AttemptReport {
        attempt: Attempt(1),
        slot: SLOT,
        session: SESSION,
        started: Instant::START,
        finished: Instant::START,
        end: AttemptEnd::Failed,
    };
    Action::Settle(Settlement {
        task: task(),
        scope: None,
        outcome,
        attempts: vec![report; attempts],
        submitted: Instant::START,
        started: None,
        finished: Instant::START,
    })
}

fn death() -> Death {
    Death {
        attempt: Attempt(1),
        slot: SLOT,
        session: SESSION,
        termination: KILLED,
        last_words: vec![],
        peak_bytes: None,
        memory: MemoryVerdict::No,
        ran: Duration::ZERO,
        panic: Some("boom".to_owned()),
    }
}

#[test]
fn settlements() {
    let how = HowStopped::Killed;
    for (outcome, attempts, expected) in [
        (Outcome::Done(()), 1, "settle t5 ok"),
        (Outcome::Failed(()), 3, "settle t5 failed after 3 attempts"),
        (
            Outcome::Skipped(SkippedBy::Need(TaskId::new(1, 2))),
            0,
            "settle t5 skipped by t1.2",
        ),
        (
            Outcome::TimedOut {
                which: TimeLimit::Running,
                how,
            },
            1,
            "settle t5 timeout running killed",
        ),
        (
            Outcome::LimitExceeded {
                what: Resource::Memory,
                how,
                used: 300,
                limit: 100,
            },
            1,
            "settle t5 resource memory 300 of 100 bytes killed",
        ),
        (
            Outcome::Cancelled {
                by: CancelledBy::Stopping,
                how: HowStopped::Acked,
            },
            1,
            "settle t5 cancelled acked stopping",
        ),
        (
            Outcome::WorkerLost(Box::new(death())),
            1,
            "settle t5 crashed killed by SIGKILL, \"boom\"",
        ),
        (
            Outcome::Poisoned(vec![death(), death()]),
            2,
            "settle t5 quarantined 2 deaths, the last: killed by SIGKILL, \"boom\" after 2 attempts",
        ),
        (Outcome::Closed, 0, "settle t5 not_run"),
    ] {
        assert_eq!(
            action(&settle(outcome, attempts), &[]).to_string(),
            expected
        );
    }
}

#[test]
fn sends() {
    let (slot, session, kind) = (SLOT, SESSION, KIND);
    let mut sent = Vec::new();
    let header = RequestHeader {
        number: 1,
        id: id(),
        kind,
    };
    request_frame::<FrameError>(&mut sent, &header, DEFAULT_FRAME_LIMIT, |_| Ok(()))
        .expect("short");
    let requests = sent.len();
    attempt_frame(&mut sent, FrameKind::Cancel, &self::header());
    let send = |link, bytes| Action::Send {
        slot,
        session,
        link,
        bytes,
    };
    for (said, expected) in [
        (
            send(Link::Requests, 0..requests),
            "send slot 2 session 7 request t5#1 0 bytes",
        ),
        (
            send(Link::Control, requests..sent.len()),
            "send slot 2 session 7 cancel t5#1 by control",
        ),
        (
            send(Link::Requests, 0..usize::MAX),
            "send slot 2 session 7 0 bytes",
        ),
    ] {
        assert_eq!(action(&said, &sent).to_string(), expected);
    }
}

#[test]
fn actions_about_processes() {
    let (slot, session, kind) = (SLOT, SESSION, KIND);
    for (said, expected) in [
        (
            Action::Spawn {
                slot,
                session,
                kind,
            },
            "spawn slot 2 session 7 kind 0",
        ),
        (
            Action::Signal {
                slot,
                session,
                signal: Signal::Terminate,
            },
            "signal slot 2 session 7 SIGTERM",
        ),
        (
            Action::Decode {
                slot,
                session,
                id: id(),
                kind,
                bytes: vec![0; 3],
            },
            "decode slot 2 session 7 t5#1 3 bytes",
        ),
        (
            Action::Started {
                id: id(),
                slot,
                session,
            },
            "started slot 2 session 7 t5#1",
        ),
        (
            Action::WorkerReady {
                slot,
                session,
                pid: 3,
            },
            "worker-ready slot 2 session 7 pid 3",
        ),
        (
            Action::WorkerGone {
                slot,
                session,
                gone: Gone {
                    termination: KILLED,
                    whose: WhoseDoing::Died,
                    why: String::new(),
                },
            },
            "worker-gone slot 2 session 7 died, killed by SIGKILL",
        ),
    ] {
        assert_eq!(action(&said, &[]).to_string(), expected);
    }
}

#[test]
fn actions_about_callers() {
    for (said, expected) in [
        (
            Action::Refuse {
                task: task(),
                refusal: Refusal::PoolEnded("no".to_owned()),
            },
            "refuse t5 \"no worker can be started: no\"",
        ),
        (
            Action::PoolEnded {
                kind: KIND,
                error: "no".to_owned(),
            },
            "pool-ended kind 0 \"no\"",
        ),
        (Action::Stopped, "stopped"),
    ] {
        assert_eq!(action(&said, &[]).to_string(), expected);
    }
}

#[test]
fn a_line_has_columns() {
    let start = Instant::from_nanos(5);
    let now = start.after(Duration::from_micros(12_345_678));
    let words = event(&Event::Shut(Shut::Stop));
    assert_eq!(
        line(start, now, Side::Event, &words),
        "  12345.678 > shut          stop"
    );
    let words = event(&Event::Wake);
    assert_eq!(
        line(start, start, Side::Action, &words),
        "      0.000   wake"
    );
}
