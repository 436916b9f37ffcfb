//! One scenario per row of the table of outcomes: how the task ends, and what becomes of the worker.

use super::stage::play::*;
use super::stage::*;
use crate::lane::Entry;
use crate::{
    AttemptEnd, CancelledBy, CrashLimit, Event, HowStopped, Need, OnLost, Outcome, RequestAnswer,
    Retries, RetryOn, SkippedBy, TimeLimit, When,
};
use farm_protocol::{FrameKind, MarshalError, ReplyFlags, TaskId, Termination};
use std::time::Duration;

/// A stage with a warm worker, a task on it, and another one that waits for the worker.
fn pair() -> (Stage, TaskId, TaskId) {
    let mut stage = Stage::warm(1, 0);
    let (task, next) = (stage.task(), stage.task());
    stage.skip();
    (stage, task, next)
}

/// The worker is replaced: it is asked to end, and the next task goes to a new one.
#[track_caller]
fn replaced(stage: &mut Stage) {
    stage.die(0, 1, Termination::Exited(0), None);
    stage.expect(&["gone w0: exited with code 0", "spawn w0 s2"]);
    stage.hello(0, 2);
    stage.expect(&["ready w0", "request w0 t2#1"]);
}

#[test]
fn done_and_the_worker_stays() {
    let (mut stage, task, _) = pair();
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t1 ok", "request w0 t2#1"]);
    assert_eq!(*stage.outcome(task), Outcome::Done(()));
}

#[test]
fn done_and_the_verdict_ends_the_worker() {
    let (mut stage, task, _) = pair();
    stage.reply(0, 1, id(task, 1), END);
    stage.expect(&["settle t1 ok", "stop w0"]);
    replaced(&mut stage);
}

#[test]
fn done_and_something_left_behind_replaces_the_worker() {
    let (mut stage, task, _) = pair();
    let flags = ReplyFlags {
        heeded_cancel: false,
        left_behind: true,
    };
    stage.reply_with(0, 1, id(task, 1), OK, flags);
    stage.expect(&["settle t1 ok", "stop w0"]);
    replaced(&mut stage);
}

#[test]
fn failed_and_the_worker_stays() {
    let (mut stage, task, _) = pair();
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.expect(&["settle t1 failed", "request w0 t2#1"]);
    assert_eq!(*stage.outcome(task), Outcome::Failed(()));
    assert_eq!(stage.settlement(task).attempts[0].end, AttemptEnd::Failed);
}

#[test]
fn skipped_by_the_kind_touches_no_worker() {
    let mut stage = Stage::warm(1, 0);
    stage
        .kinds
        .unbuilt
        .insert(TaskId::new(1, 0), RequestAnswer::Skip);
    let (task, _) = (stage.task(), stage.task());
    stage.expect(&["settle t1 skipped", "request w0 t2#1"]);
    assert_eq!(*stage.outcome(task), Outcome::Skipped(SkippedBy::Kind));
    assert!(stage.settlement(task).attempts.is_empty());
    assert_eq!(stage.settlement(task).started, None);
}

#[test]
fn skipped_because_of_a_need() {
    let (mut stage, task, _) = pair();
    let dependent = stage.submit(options(|o| {
        o.needs = vec![Need {
            task,
            when: When::Success,
        }];
    }));
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.expect(&["settle t1 failed", "settle t3 skipped", "request w0 t2#1"]);
    assert_eq!(
        *stage.outcome(dependent),
        Outcome::Skipped(SkippedBy::Need(task))
    );
}

#[test]
fn out_of_time_while_waiting_touches_no_worker() {
    let (mut stage, task, _) = pair();
    let late = stage.submit(options(|o| o.waiting = Some(Duration::from_millis(50))));
    stage.pass(49);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["settle t3 timeout"]);
    assert_eq!(
        *stage.outcome(late),
        Outcome::TimedOut {
            which: TimeLimit::Waiting,
            how: HowStopped::BeforeStart
        }
    );
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t1 ok", "request w0 t2#1"]);
}

#[test]
fn out_of_time_and_acknowledged_keeps_the_worker() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.running = Some(Duration::from_millis(50))));
    stage.task();
    stage.pass(50);
    stage.skip();
    stage.acked(0, 1, id(task, 1));
    stage.expect(&["settle t1 timeout", "request w0 t2#1"]);
    assert_eq!(
        *stage.outcome(task),
        Outcome::TimedOut {
            which: TimeLimit::Running,
            how: HowStopped::Acked
        }
    );
}

#[test]
fn out_of_time_and_killed_replaces_the_worker() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.running = Some(Duration::from_millis(50));
        o.grace = Some(Duration::ZERO);
    }));
    stage.task();
    stage.skip();
    stage.pass(50);
    stage.expect(&["cancel w0 t1#1", "kill w0 s1"]);
    stage.die(0, 1, KILLED, Some(id(task, 1)));
    stage.expect(&[
        "settle t1 timeout",
        "gone w0: killed by SIGKILL (by the farm)",
        "spawn w0 s2",
    ]);
    assert_eq!(
        stage.settlement(task).attempts[0].end,
        AttemptEnd::TimedOut(TimeLimit::Running)
    );
}

#[test]
fn cancelled_by_a_caller_with_the_reason() {
    let (mut stage, task, _) = pair();
    stage.cancel(task);
    stage.expect(&["cancel w0 t1#1"]);
    stage.acked(0, 1, id(task, 1));
    stage.expect(&["settle t1 cancelled", "request w0 t2#1"]);
    assert_eq!(
        *stage.outcome(task),
        Outcome::Cancelled {
            by: CancelledBy::Caller("enough".into()),
            how: HowStopped::Acked
        }
    );
}

#[test]
fn a_request_that_cannot_be_encoded_touches_no_worker() {
    let mut stage = Stage::warm(1, 0);
    let error = MarshalError::Encode("no length".into());
    let answer = RequestAnswer::NotMarshallable(error.clone());
    stage.kinds.unbuilt.insert(TaskId::new(1, 0), answer);
    let task = stage.submit(options(|o| {
        o.retries = Retries {
            on: RetryOn::ALL,
            ..retries(3)
        };
    }));
    stage.task();
    stage.expect(&["settle t1 failed", "request w0 t2#1"]);
    assert_eq!(*stage.outcome(task), Outcome::RequestNotMarshallable(error));
}

#[test]
fn a_request_over_the_frame_limit_is_not_sent() {
    let mut configuration = config(1, 0);
    configuration.frame_limit = farm_protocol::FrameLimit(8);
    // The hello is larger, so the first task meets the limit before any worker says it.
    let mut stage = Stage::new(configuration);
    stage.task();
    stage.hello(0, 1);
    let lines = stage.lines();
    assert!(lines[1].starts_with("kill"), "{lines:?}");
    let mut configuration = config(1, 0);
    configuration.frame_limit = farm_protocol::FrameLimit(40);
    let mut stage = Stage::new(configuration);
    stage.kinds.length = 64;
    let task = stage.task();
    stage.hello(0, 1);
    stage.expect(&["spawn w0 s1", "ready w0", "settle t0 failed"]);
    assert_eq!(
        *stage.outcome(task),
        Outcome::RequestNotMarshallable(MarshalError::TooLarge {
            size: 69,
            at_least: false,
            limit: 40
        })
    );
}

#[test]
fn a_request_that_the_worker_cannot_decode_replaces_it() {
    let (mut stage, task, _) = pair();
    stage.about(0, 1, FrameKind::Refused, id(task, 1), "left over");
    stage.expect(&["settle t1 failed", "stop w0"]);
    assert_eq!(
        *stage.outcome(task),
        Outcome::RequestRefused("left over".into())
    );
    stage.die(0, 1, Termination::Exited(1), None);
    let lines = stage.lines();
    assert_eq!(lines[1], "spawn w0 s2");
    assert!(lines[0].contains("could not decode a request"), "{lines:?}");
}

#[test]
fn a_response_that_the_worker_cannot_encode_keeps_it() {
    let (mut stage, task, _) = pair();
    stage.about(0, 1, FrameKind::Unmarshallable, id(task, 1), "a map");
    stage.expect(&["settle t1 failed", "request w0 t2#1"]);
    assert_eq!(
        *stage.outcome(task),
        Outcome::ResponseNotMarshallable("a map".into())
    );
    assert_eq!(stage.settlement(task).attempts[0].end, AttemptEnd::Fault);
}

#[test]
fn a_response_that_we_cannot_decode_replaces_the_worker() {
    let (mut stage, task, _) = pair();
    stage.reply(0, 1, id(task, 1), GARBLED);
    stage.expect(&["settle t1 crashed", "stop w0"]);
    assert!(matches!(stage.outcome(task), Outcome::ResponseGarbled(_)));
}

#[test]
fn bytes_that_are_no_frames_are_a_garbled_response() {
    let (mut stage, task, _) = pair();
    stage.say(0, 1, &[1, 0, 0, 0, 99]);
    stage.expect(&["settle t1 crashed", "kill w0 s1"]);
    assert!(matches!(stage.outcome(task), Outcome::ResponseGarbled(_)));
    stage.die(0, 1, KILLED, Some(id(task, 1)));
    stage.expect(&[
        "gone w0: killed by SIGKILL (a frame of unknown kind 99)",
        "spawn w0 s2",
    ]);
}

#[test]
fn a_panic_of_the_match_ends_the_task_and_touches_no_worker() {
    let mut stage = Stage::warm(1, 0);
    stage.kinds.faulty_match = Some(TaskId::new(1, 0));
    let (task, _) = (stage.task(), stage.task());
    stage.expect(&["settle t1 failed", "request w0 t2#1"]);
    assert_eq!(
        *stage.outcome(task),
        Outcome::KindFault(fault("task_match"))
    );
}

#[test]
fn a_panic_before_sending_touches_no_worker() {
    let mut stage = Stage::warm(1, 0);
    let answer = RequestAnswer::Fault(fault("request_of_task"));
    stage.kinds.unbuilt.insert(TaskId::new(1, 0), answer);
    let (task, _) = (stage.task(), stage.task());
    stage.expect(&["settle t1 failed", "request w0 t2#1"]);
    assert!(matches!(stage.outcome(task), Outcome::KindFault(_)));
    assert!(stage.settlement(task).attempts.is_empty());
}

#[test]
fn a_panic_after_sending_replaces_the_worker() {
    let (mut stage, task, _) = pair();
    stage.reply(0, 1, id(task, 1), FAULTY);
    stage.expect(&["settle t1 failed", "stop w0"]);
    assert_eq!(
        *stage.outcome(task),
        Outcome::KindFault(fault("use_response"))
    );
    assert_eq!(stage.settlement(task).attempts[0].end, AttemptEnd::Fault);
    replaced(&mut stage);
}

#[test]
fn c9_injections_beyond_the_limit_are_refused_and_told() {
    let mut configuration = config(1, 0);
    configuration.kinds[0].boundary.max_queued = 1;
    let mut stage = Stage::warm_with(configuration);
    let (task, _waiting) = (stage.task(), stage.task());
    stage.skip();
    let follow_ups: Vec<TaskId> = (0..4).map(|_| stage.next_id()).collect();
    stage.kinds.injects = follow_ups
        .iter()
        .copied()
        .map(crate::Injected::shared)
        .collect();
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&[
        "settle t1 ok",
        "settle t5 not_run",
        "settle t6 not_run",
        "request w0 t2#1",
    ]);
    assert_eq!(
        *stage.outcome(follow_ups[3]),
        Outcome::InjectionRefused { limit: 2 }
    );
}

#[test]
fn a_panic_in_perform_is_a_death_with_its_message() {
    let (mut stage, task, _) = pair();
    let strict = stage.submit(options(|o| o.on_lost = OnLost::Fail));
    stage.about(
        0,
        1,
        FrameKind::Panicked,
        id(task, 1),
        "index out of bounds",
    );
    stage.expect(&[]);
    // The page was cleared while the panic unwound; the frame says who it was.
    stage.die(0, 1, Termination::Exited(101), None);
    stage.hello(0, 2);
    stage.expect(&[
        "again t1 after Panicked",
        "gone w0: exited with code 101",
        "spawn w0 s2",
        "ready w0",
        "request w0 t1#2",
    ]);
    stage.reply(0, 2, id(task, 2), OK);
    let ends: Vec<_> = stage
        .settlement(task)
        .attempts
        .iter()
        .map(|a| a.end.clone())
        .collect();
    assert_eq!(ends, [AttemptEnd::Panicked, AttemptEnd::Done]);
    stage.reply(0, 2, id(TaskId::new(2, 0), 1), OK);
    stage.about(0, 2, FrameKind::Panicked, id(strict, 1), "again");
    stage.die(0, 2, Termination::Exited(101), None);
    let Outcome::Panicked(death) = stage.outcome(strict) else {
        panic!("{:?}", stage.outcome(strict))
    };
    assert_eq!(death.panic.as_deref(), Some("again"));
}

#[test]
fn a_worker_that_lives_on_after_its_panic_is_killed_and_the_panic_is_the_cause() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.on_lost = OnLost::Fail;
        o.running = Some(Duration::from_secs(1));
    }));
    stage.skip();
    stage.about(0, 1, FrameKind::Panicked, id(task, 1), "boom");
    stage.pass(1_999);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["kill w0 s1"]);
    stage.die(0, 1, KILLED, Some(id(task, 1)));
    assert!(matches!(stage.outcome(task), Outcome::Panicked(_)));
}

#[test]
fn a_lost_worker_with_its_evidence() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.on_lost = OnLost::Fail));
    stage.pass(70);
    let exit = crate::Exit {
        termination: KILLED,
        noted: Some(farm_protocol::page::Noted {
            executing: Some(id(task, 1)),
            started_nanos: 1,
            peak_bytes: 0,
        }),
        evidence: crate::MemoryEvidence {
            group_kills: 1,
            peak_bytes: Some(4096),
            last_words: b"help",
            ..crate::MemoryEvidence::default()
        },
    };
    stage.eof(0, 1);
    stage.tell(Event::Exited {
        slot: farm_protocol::SlotId(0),
        session: farm_protocol::Session(1),
        exit,
    });
    let Outcome::WorkerLost(death) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    assert_eq!(death.termination, KILLED);
    assert_eq!(death.last_words, b"help");
    assert_eq!(death.peak_bytes, Some(4096));
    assert_eq!(death.memory, crate::MemoryVerdict::KilledByGroup);
    assert_eq!(death.ran, Duration::from_millis(70));
}

#[test]
fn poisoned_with_the_evidence_of_every_death() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.crash_limit = CrashLimit::Deaths(1)));
    stage.die(0, 1, SEGV, Some(id(task, 1)));
    stage.hello(0, 2);
    stage.die(0, 2, KILLED, Some(id(task, 2)));
    let Outcome::Poisoned(deaths) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    let seen: Vec<_> = deaths
        .iter()
        .map(|d| (d.attempt.0, d.session.0, d.termination))
        .collect();
    assert_eq!(seen, [(1, 1, SEGV), (2, 2, KILLED)]);
    assert_eq!(stage.settlement(task).attempts.len(), 2);
}

#[test]
fn what_is_not_admitted_is_handed_back() {
    let mut configuration = config(1, 0);
    configuration.kinds[0].boundary.max_queued = 1;
    let mut stage = Stage::new(configuration);
    stage.task();
    stage.skip();
    let refused = stage.task();
    assert_eq!(stage.lines().len(), 1);
    assert!(!stage.is_settled(refused));
    let unknown = TaskId::new(77, 0);
    stage.submit(options(|o| {
        o.needs = vec![Need {
            task: unknown,
            when: When::Always,
        }];
    }));
    stage.submit(options(|o| o.limit = Some(crate::LimitId(9))));
    let lines = stage.lines();
    assert!(lines[0].starts_with("refuse t2: it needs t77"), "{lines:?}");
    assert!(lines[1].starts_with("refuse t3: its limit"), "{lines:?}");
    let task = stage.next_id();
    stage.shut(crate::Shut::Drain);
    stage.tell(Event::Submit {
        task,
        kind: farm_protocol::KindId(0),
        entry: Entry::Push,
        options: None,
        scope: None,
    });
    assert!(stage.lines()[0].starts_with("refuse t4"));
    assert_eq!(stage.master.tasks(), 1);
}
