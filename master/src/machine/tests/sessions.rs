//! Beginnings and ends of processes: hello faults, start failures, exit and end-of-file in both
//! orders, stale events, idle deaths, mute and babbling workers.

use super::stage::play::*;
use super::stage::*;
use crate::{CrashLimit, Event, OnLost, Outcome};
use farm_protocol::{KindHello, Session, SlotId, Termination};
use std::time::Duration;

const EXIT_2: Termination = Termination::Exited(2);

/// The first bytes of a worker, and a piece of what is said about them.
fn bad_hellos() -> Vec<(Vec<u8>, &'static str)> {
    let other_version = {
        let mut bytes = hello_bytes(vec![kind_hello()]);
        bytes[4] = 9;
        bytes
    };
    let malformed = {
        let mut bytes = farm_protocol::PREAMBLE.to_vec();
        bytes.extend_from_slice(&[2, 0, 0, 0, 16, 255]);
        bytes
    };
    let kind = |change: fn(&mut KindHello)| {
        let mut kind = kind_hello();
        change(&mut kind);
        hello_bytes(vec![kind])
    };
    vec![
        (b"Hello, world!\n".to_vec(), "no farm worker"),
        (other_version, "protocol version 9"),
        (malformed, "malformed"),
        (hello_bytes(vec![]), "cannot perform kind `ids`"),
        (kind(|kind| kind.version = 2), "version 2 in the worker"),
        (
            kind(|kind| kind.schema = 8),
            "other request or response types",
        ),
    ]
}

#[test]
fn a_bad_hello_is_a_start_failure_that_says_what_is_wrong() {
    for (bytes, piece) in bad_hellos() {
        let mut stage = Stage::new(config(1, 0));
        let task = stage.task();
        for session in 1..=3 {
            stage.spawned(0, session, true);
            stage.skip();
            stage.say(0, session, &bytes);
            stage.expect(&[&format!("kill w0 s{session}")]);
            // What follows is not read any more.
            stage.say(0, session, &hello_bytes(vec![kind_hello()]));
            stage.die(0, session, KILLED, None);
            stage.pass(10_000);
        }
        let Outcome::SpawnFailed(error) = stage.outcome(task) else {
            panic!("{:?}", stage.outcome(task))
        };
        assert!(error.contains(piece), "{error}");
        stage.shut(crate::Shut::Drain);
        assert_eq!(stage.lines().last().map(String::as_str), Some("stopped"));
    }
}

#[test]
fn a_hello_in_single_bytes_is_a_hello() {
    let mut stage = Stage::new(config(1, 0));
    stage.task();
    stage.spawned(0, 1, true);
    for byte in hello_bytes(vec![kind_hello()]) {
        stage.say(0, 1, &[byte]);
    }
    stage.expect(&["spawn w0 s1", "ready w0", "request w0 t0#1"]);
    assert_eq!(stage.kinds.fresh, [SlotId(0)]);
}

#[test]
fn silence_instead_of_a_hello_is_bounded() {
    let cases: [(&[u8], &str); 2] = [(b"", "written nothing"), (b"farm", "not finished it")];
    for (said, piece) in cases {
        let mut stage = Stage::new(config(1, 0));
        stage.task();
        stage.spawned(0, 1, true);
        stage.say(0, 1, said);
        stage.pass(9_999);
        stage.expect(&["spawn w0 s1"]);
        stage.pass(1);
        stage.expect(&["kill w0 s1"]);
        stage.die(0, 1, KILLED, None);
        let lines = stage.lines();
        assert!(lines[0].contains(piece), "{lines:?}");
    }
}

#[test]
fn start_failures_pause_longer_each_time_and_an_answer_resets_them() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.task();
    stage.die(0, 1, EXIT_2, None);
    stage.skip();
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["spawn w0 s2"]);
    stage.die(0, 2, EXIT_2, None);
    stage.skip();
    stage.pass(199);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["spawn w0 s3"]);
    stage.hello(0, 3);
    stage.reply(0, 3, id(task, 1), OK);
    // The count begins again.
    stage.die(0, 3, EXIT_2, None);
    let task = stage.task();
    for (session, pause) in [(4, 100), (5, 200)] {
        stage.die(0, session, EXIT_2, None);
        stage.skip();
        stage.pass(pause);
        stage.expect(&[&format!("spawn w0 s{}", session + 1)]);
    }
    assert!(!stage.is_settled(task));
}

#[test]
fn an_answer_resets_the_count_although_its_worker_lives_on() {
    let mut stage = Stage::new(config(2, 0));
    let [first, second] = [stage.task(), stage.task()];
    for session in [2, 3] {
        stage.die(1, session, EXIT_2, None);
        stage.pass(1_000);
    }
    stage.hello(0, 1);
    stage.reply(0, 1, id(first, 1), OK);
    stage.skip();
    stage.die(1, 4, EXIT_2, None);
    stage.expect(&["gone w1: exited with code 2"]);
    stage.reply(0, 1, id(second, 1), OK);
    assert_eq!(*stage.outcome(second), Outcome::Done(()));
}

#[test]
fn workers_started_side_by_side_fail_as_one() {
    let mut stage = Stage::new(config(4, 0));
    let tasks: [_; 4] = std::array::from_fn(|_| stage.task());
    for round in 0..2 {
        for slot in 0..4 {
            stage.die(slot, u64::from(4 * round + slot) + 1, EXIT_2, None);
        }
        stage.skip();
        stage.pass(100 << round);
        assert_eq!(
            stage.lines().len(),
            4,
            "all are tried again after one pause"
        );
    }
    assert!(!stage.is_settled(tasks[0]));
    stage.die(2, 11, EXIT_2, None);
    assert!(matches!(stage.outcome(tasks[0]), Outcome::SpawnFailed(_)));
}

#[test]
fn a_program_that_cannot_be_started_is_a_start_failure() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.task();
    for session in 1..=3 {
        stage.tell(Event::SpawnFailed {
            slot: SlotId(0),
            session: Session(session),
            error: "cannot start `nothing`: no such file".into(),
        });
        stage.pass(10_000);
    }
    let Outcome::SpawnFailed(error) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    assert!(
        error.contains("no such file") && error.contains("3 attempts"),
        "{error}"
    );
    // One clear error, and what comes later is refused with it.
    let refused = stage.task();
    let lines = stage.lines();
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("pool ended"))
            .count(),
        1
    );
    assert!(
        lines
            .last()
            .is_some_and(|line| line.starts_with("refuse t1: no worker can be started"))
    );
    assert!(!stage.is_settled(refused));
}

#[test]
fn when_the_pool_ends_what_has_run_before_ends_as_it_did() {
    let mut stage = Stage::warm(2, 0);
    let died = stage.task();
    let failed = stage.submit(options(|o| o.retries = retries(1)));
    let never = stage.task();
    stage.gate(crate::lane::Gate::Paused);
    stage.reply(1, 2, id(failed, 1), FAIL);
    stage.die(1, 2, Termination::Exited(0), None);
    stage.die(0, 1, SEGV, Some(id(died, 1)));
    stage.gate(crate::lane::Gate::Running);
    for _ in 0..3 {
        for (slot, session) in stage.launching() {
            stage.die(slot, session, EXIT_2, None);
        }
        stage.pass(10_000);
    }
    assert!(matches!(stage.outcome(died), Outcome::WorkerLost(death) if death.termination == SEGV));
    assert_eq!(*stage.outcome(failed), Outcome::Failed(()));
    assert!(matches!(stage.outcome(never), Outcome::SpawnFailed(_)));
}

#[test]
fn an_answer_that_is_still_in_the_pipe_counts_and_the_task_is_not_run_again() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.on_lost = OnLost::Fail));
    stage.skip();
    stage.exit(0, 1, SEGV, None);
    stage.expect(&[]);
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t1 ok"]);
    stage.eof(0, 1);
    stage.expect(&["gone w0: killed by SIGSEGV"]);
}

#[test]
fn nothing_is_sent_to_a_worker_that_is_half_gone() {
    for exit_first in [true, false] {
        let mut stage = Stage::warm(1, 0);
        stage.skip();
        if exit_first {
            stage.exit(0, 1, SEGV, None);
        } else {
            stage.eof(0, 1);
        }
        stage.task();
        stage.expect(&[]);
        if exit_first {
            stage.eof(0, 1);
        } else {
            stage.exit(0, 1, SEGV, None);
        }
        stage.expect(&["gone w0: killed by SIGSEGV", "spawn w0 s2"]);
    }
}

#[test]
fn an_idle_death_is_noticed_and_costs_nobody_anything() {
    let mut stage = Stage::warm(1, 0);
    for session in 1..=20 {
        stage.die(0, session, KILLED, None);
        let task = stage.task();
        stage.hello(0, session + 1);
        stage.reply(0, session + 1, id(task, 1), OK);
        assert_eq!(stage.settlement(task).attempts.len(), 1);
    }
    assert_eq!(stage.master.counters().idle_deaths, 20);
    assert_eq!(stage.master.counters().sessions, 21);
}

#[test]
fn a_session_that_is_over_is_stale() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.die(0, 1, SEGV, Some(id(task, 1)));
    stage.hello(0, 2);
    stage.skip();
    stage.reply(0, 1, id(task, 1), OK);
    stage.die(0, 1, SEGV, Some(id(task, 2)));
    stage.spawned(0, 1, false);
    stage.spawned(7, 1, false);
    stage.tell(Event::SpawnFailed {
        slot: SlotId(0),
        session: Session(9),
        error: String::new(),
    });
    stage.expect(&[]);
    assert_eq!(stage.master.counters().stale_sessions, 6);
    // The fence: the answer of the first attempt is not the answer of the second, and a session
    // that was never sent the first has no business answering it.
    stage.reply(0, 2, id(task, 1), OK);
    stage.expect(&["settle t1 crashed", "kill w0 s2"]);
}

#[test]
fn a_mute_worker_is_killed_and_its_task_charged() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.crash_limit = CrashLimit::Deaths(0)));
    stage.skip();
    stage.eof(0, 1);
    stage.pass(999);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["kill w0 s1"]);
    stage.exit(0, 1, KILLED, Some(id(task, 1)));
    assert!(matches!(stage.outcome(task), Outcome::Poisoned(_)));
}

#[test]
fn a_worker_that_babbles_before_it_gets_anything_is_a_start_failure() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.task();
    let mut bytes = hello_bytes(vec![kind_hello()]);
    bytes.extend_from_slice(&[3, 0, 0, 0, 200, 1, 2]);
    for session in 1..=3 {
        stage.spawned(0, session, true);
        stage.say(0, session, &bytes);
        stage.die(0, session, KILLED, None);
        stage.pass(10_000);
    }
    let Outcome::SpawnFailed(error) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    assert!(error.contains("unknown kind 200"), "{error}");
}

#[test]
fn a_worker_that_babbles_when_idle_costs_nobody_anything() {
    let mut stage = Stage::warm(1, 0);
    // A frame that only a master sends.
    stage.say(0, 1, &[1, 0, 0, 0, 2]);
    stage.expect(&["kill w0 s1"]);
    stage.task();
    stage.expect(&[]);
    stage.die(0, 1, KILLED, None);
    let lines = stage.lines();
    assert_eq!(lines[1], "spawn w0 s2");
}

#[test]
fn a_death_between_request_and_note_is_free_and_bounded() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.submit(options(|o| o.on_lost = OnLost::Fail));
    for session in 1..=3 {
        stage.hello(0, session);
        stage.die(0, session, SEGV, None);
        stage.pass(10_000);
    }
    let Outcome::SpawnFailed(error) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    assert!(error.contains("before it answered anything") && error.contains("SIGSEGV"));
    assert!(stage.settlement(task).attempts.is_empty());
}

#[test]
fn a_charged_death_is_no_start_failure_and_makes_no_pause() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.submit(options(|o| o.crash_limit = CrashLimit::Unlimited));
    for session in 1..=20 {
        stage.hello(0, session);
        stage.skip();
        stage.die(0, session, SEGV, Some(id(task, session as u32)));
        let lines = stage.lines();
        assert_eq!(lines[2], format!("spawn w0 s{}", session + 1));
    }
}

#[test]
fn workers_are_started_for_what_waits_and_no_more() {
    let mut stage = Stage::new(config(8, 0));
    let _ = [stage.task(), stage.task(), stage.task()];
    assert_eq!(stage.lines().len(), 3);
    stage.hello(0, 1);
    stage.skip();
    stage.task();
    stage.expect(&["spawn w3 s4"]);
}

#[test]
fn a_worker_that_ignores_the_stop_is_ended_in_steps() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.skip();
    stage.reply(0, 1, id(task, 1), END);
    stage.expect(&["settle t1 ok", "stop w0"]);
    stage.pass(1_000);
    stage.expect(&["term w0 s1"]);
    stage.pass(1_000);
    stage.expect(&["kill w0 s1"]);
    stage.pass(60_000);
    stage.expect(&[]);
    assert_eq!(
        Duration::from_secs(2),
        crate::Config::default().close_budget
    );
}

#[test]
fn a_worker_that_suits_nobody_gives_way_to_a_fresh_one() {
    let mut stage = Stage::warm(1, 0);
    let next = farm_protocol::TaskId::new(1, 0);
    stage.kinds.refuses.push((next, SlotId(0)));
    stage.task();
    stage.expect(&["stop w0"]);
    stage.die(0, 1, Termination::Exited(0), None);
    stage.kinds.refuses.clear();
    stage.hello(0, 2);
    stage.expect(&[
        "gone w0: exited with code 0",
        "spawn w0 s2",
        "ready w0",
        "request w0 t1#1",
    ]);
}
