//! Requests held by workers beyond the one they execute: order, calling back, sharing out, and deaths.

use super::stage::play::*;
use super::stage::*;
use crate::{CrashLimit, Event, LimitId, OnLost, Outcome};
use farm_protocol::{FrameKind, ReplyFlags, SlotId, TaskId, Termination};
use std::time::Duration;

fn tasks<const N: usize>(stage: &mut Stage) -> [TaskId; N] {
    std::array::from_fn(|_| stage.task())
}

#[test]
fn nothing_is_sent_ahead_before_a_task_has_been_measured() {
    let mut stage = Stage::new(config(1, 8));
    let [first, ..] = tasks::<3>(&mut stage);
    stage.hello(0, 1);
    stage.expect(&["spawn w0 s1", "ready w0", "request w0 t0#1"]);
    stage.reply(0, 1, id(first, 1), OK);
    stage.expect(&["settle t0 ok", "request w0 t1#1", "request w0 t2#1"]);
}

#[test]
fn nothing_is_sent_ahead_when_tasks_take_long() {
    let mut stage = Stage::new(config(1, 8));
    let [first, second, ..] = tasks::<4>(&mut stage);
    stage.hello(0, 1);
    stage.skip();
    let long = reply_bytes(
        id(first, 1),
        OK,
        ReplyFlags::default(),
        Duration::from_millis(1),
    );
    stage.say(0, 1, &long);
    stage.expect(&["settle t0 ok", "request w0 t1#1"]);
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t1 ok", "request w0 t2#1"]);
}

#[test]
fn without_a_page_one_at_a_time_and_the_front_one_is_charged() {
    let mut stage = Stage::new(config(1, 8));
    let [first, second, _] = tasks::<3>(&mut stage);
    stage.spawned(0, 1, false);
    stage.say(0, 1, &hello_bytes(vec![kind_hello()]));
    stage.reply(0, 1, id(first, 1), OK);
    stage.expect(&[
        "spawn w0 s1",
        "ready w0",
        "request w0 t0#1",
        "settle t0 ok",
        "request w0 t1#1",
    ]);
    stage.die_without_page(0, 1, SEGV);
    stage.hello(0, 2);
    stage.reply(0, 2, id(second, 2), OK);
    assert_eq!(stage.settlement(second).attempts.len(), 2);
}

#[test]
fn held_requests_are_shared_evenly() {
    let mut stage = Stage::warm(2, 100);
    stage.gate(crate::lane::Gate::Paused);
    let _: [TaskId; 10] = tasks(&mut stage);
    stage.gate(crate::lane::Gate::Running);
    let lines = stage.lines();
    let to = |slot: &str| lines.iter().filter(|line| line.contains(slot)).count();
    assert_eq!((to("w0"), to("w1")), (5, 5), "{lines:?}");
}

#[test]
fn a_death_is_charged_to_the_executing_one_and_the_others_go_back_in_order() {
    let mut stage = Stage::warm(1, 8);
    let sent: [TaskId; 5] = tasks(&mut stage);
    stage.reply(0, 1, id(sent[0], 1), OK);
    let late = stage.task();
    stage.skip();
    stage.die(0, 1, SEGV, Some(id(sent[1], 1)));
    stage.hello(0, 2);
    // All keep their places: the dead one first, as the oldest, the youngest last.
    stage.expect(&[
        "again t2 after Died(Signaled { signal: 11, core_dumped: false })",
        "gone w0: killed by SIGSEGV",
        "spawn w0 s2",
        "ready w0",
        "request w0 t2#2",
        "request w0 t3#2",
        "request w0 t4#2",
        "request w0 t5#2",
        "request w0 t6#2",
    ]);
    for task in [sent[1], sent[2], sent[3], sent[4], late] {
        stage.reply(0, 2, id(task, 2), OK);
        let executed = stage.settlement(task).attempts.len();
        assert_eq!(executed, if task == sent[1] { 2 } else { 1 }, "{task}");
    }
}

#[test]
fn a_note_older_than_its_answer_charges_nobody() {
    let mut stage = Stage::warm(1, 8);
    let [first, second] = tasks(&mut stage);
    stage.reply(0, 1, id(first, 1), OK);
    stage.die(0, 1, SEGV, Some(id(first, 1)));
    stage.hello(0, 2);
    stage.reply(0, 2, id(second, 2), OK);
    assert_eq!(stage.settlement(second).attempts.len(), 1);
}

#[test]
fn a_task_with_a_limit_is_never_sent_behind_another_and_never_overtaken_for_ever() {
    let alone = [
        options(|o| o.running = Some(Duration::from_secs(1))),
        options(|o| o.limit = Some(LimitId(0))),
    ];
    for alone in alone {
        let mut stage = Stage::warm(1, 8);
        let front = stage.task();
        let limited = stage.submit(alone);
        let behind = stage.task();
        // Were the younger one sent ahead, and the next, and the next, the worker would never be empty.
        stage.expect(&["request w0 t1#1"]);
        stage.reply(0, 1, id(front, 1), OK);
        stage.expect(&["settle t1 ok", "request w0 t2#1", "request w0 t3#1"]);
        stage.reply(0, 1, id(limited, 1), OK);
        stage.reply(0, 1, id(behind, 1), OK);
    }
}

#[test]
fn a_full_limit_keeps_nobody_else_from_being_sent_ahead() {
    let mut stage = Stage::warm(2, 8);
    let limited = |o: &mut crate::TaskOptions| o.limit = Some(LimitId(0));
    let holder = stage.submit(options(limited));
    let busy = stage.task();
    let parked = stage.submit(options(limited));
    stage.skip();
    let free = stage.task();
    let lines = stage.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("request") && lines[0].ends_with("t5#1"));
    stage.reply(0, 1, id(holder, 1), OK);
    stage.reply(1, 2, id(busy, 1), OK);
    // The other worker is the first to be empty.
    let sent = format!("request w1 {parked}#1");
    assert!(stage.lines().contains(&sent));
    assert!(!stage.is_settled(free));
}

#[test]
fn what_is_held_behind_a_long_task_is_called_back_for_an_idle_worker() {
    let mut stage = Stage::warm(2, 8);
    stage.gate(crate::lane::Gate::Paused);
    let sent: [TaskId; 6] = tasks(&mut stage);
    stage.gate(crate::lane::Gate::Running);
    stage.skip();
    // Each holds three; one answers all of its own.
    let mine: Vec<TaskId> = sent
        .iter()
        .copied()
        .filter(|t| stage.slot_of(*t) == 1)
        .collect();
    for task in &mine {
        stage.reply(1, 2, id(*task, 1), OK);
    }
    stage.skip();
    stage.pass(2);
    let asked = stage.lines();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with("revoke w0"));
    // Asked once, however long the worker does not listen.
    for _ in 0..100 {
        stage.pass(2);
    }
    assert!(
        stage.lines().len() <= 1,
        "the last of those held may be asked for as well"
    );
    let back = *sent
        .iter()
        .rev()
        .find(|t| stage.slot_of(**t) == 0)
        .expect("w0 holds some");
    stage.revoked(0, 1, id(back, 1));
    stage.expect(&[&format!("request w1 {back}#2")]);
    stage.reply(1, 2, id(back, 2), OK);
    assert_eq!(stage.settlement(back).attempts.len(), 1);
}

#[test]
fn giving_back_unasked_is_no_protocol() {
    let mut stage = Stage::warm(1, 8);
    let [first, second] = tasks(&mut stage);
    stage.skip();
    stage.revoked(0, 1, id(second, 1));
    // Else a worker that gives everything back would be sent it again for ever.
    stage.expect(&["settle t1 crashed", "kill w0 s1"]);
    assert!(matches!(stage.outcome(first), Outcome::ResponseGarbled(_)));
}

#[test]
fn a_revocation_that_comes_too_late_is_answered_normally() {
    let mut stage = Stage::warm(1, 8);
    let [first, second] = tasks(&mut stage);
    stage.skip();
    stage.shut(crate::Shut::Finish);
    stage.expect(&["revoke w0 t2#1"]);
    stage.reply(0, 1, id(first, 1), OK);
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t1 ok", "settle t2 ok", "stop w0"]);
}

#[test]
fn answers_out_of_order_are_no_protocol() {
    let mut stage = Stage::warm(1, 8);
    let [first, second] = tasks(&mut stage);
    stage.skip();
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t1 crashed", "kill w0 s1"]);
    stage.die(0, 1, KILLED, Some(id(second, 1)));
    stage.hello(0, 2);
    stage.reply(0, 2, id(second, 2), OK);
    assert!(matches!(stage.outcome(first), Outcome::ResponseGarbled(_)));
    assert_eq!(
        stage.settlement(second).attempts.len(),
        1,
        "our kill was free"
    );
}

#[test]
fn a_large_answer_is_decoded_while_later_ones_go_on() {
    let mut stage = Stage::warm(1, 8);
    let [large, small, larger] = tasks(&mut stage);
    stage.skip();
    stage.reply(0, 1, id(large, 1), &[b'x'; 1001]);
    stage.reply(0, 1, id(small, 1), OK);
    stage.reply(0, 1, id(larger, 1), &[b'x'; 1001]);
    stage.expect(&["decode t1#1", "settle t2 ok", "decode t3#1"]);
    stage.decoded(0, 1, id(larger, 1), FAIL);
    stage.decoded(0, 1, id(large, 1), OK);
    stage.expect(&["settle t3 failed", "settle t1 ok"]);
    // A second answer to what is being decoded, or to what is done, is no protocol.
    stage.reply(0, 1, id(large, 1), OK);
    stage.expect(&["kill w0 s1"]);
}

#[test]
fn answering_twice_while_the_first_is_decoded_is_no_protocol_and_the_first_counts() {
    let mut stage = Stage::warm(1, 8);
    let [large] = tasks(&mut stage);
    stage.skip();
    stage.reply(0, 1, id(large, 1), &[b'x'; 1001]);
    stage.reply(0, 1, id(large, 1), OK);
    stage.expect(&["decode t1#1", "kill w0 s1"]);
    stage.die(0, 1, KILLED, None);
    stage.expect(&[]);
    stage.decoded(0, 1, id(large, 1), OK);
    assert_eq!(*stage.outcome(large), Outcome::Done(()));
    assert_eq!(stage.lines().len(), 2);
}

#[test]
fn a_worker_that_dies_while_its_answer_is_decoded_has_answered() {
    let mut stage = Stage::warm(1, 8);
    let large = stage.submit(options(|o| o.crash_limit = CrashLimit::Deaths(0)));
    let held = stage.task();
    stage.skip();
    stage.reply(0, 1, id(large, 1), &[b'x'; 1001]);
    stage.die(0, 1, SEGV, Some(id(held, 1)));
    stage.expect(&["decode t1#1"]);
    stage.decoded(0, 1, id(large, 1), OK);
    stage.expect(&[
        "settle t1 ok",
        "again t2 after Died(Signaled { signal: 11, core_dumped: false })",
        "gone w0: killed by SIGSEGV",
        "spawn w0 s2",
    ]);
    stage.hello(0, 2);
    stage.reply(0, 2, id(held, 2), OK);
    assert_eq!(stage.settlement(held).attempts.len(), 2);
}

#[test]
fn a_replaced_worker_finishes_what_executes_and_gives_the_rest_back() {
    let mut stage = Stage::warm(1, 8);
    let [first, second, third] = tasks(&mut stage);
    stage.skip();
    stage.reply(0, 1, id(first, 1), END);
    stage.expect(&["settle t1 ok", "revoke w0 t3#1"]);
    stage.revoked(0, 1, id(third, 1));
    stage.expect(&[]);
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t2 ok", "stop w0"]);
    stage.die(0, 1, Termination::Exited(0), None);
    stage.hello(0, 2);
    stage.reply(0, 2, id(third, 2), OK);
    assert_eq!(stage.settlement(third).attempts.len(), 1);
}

#[test]
fn output_is_attributed_to_the_run_it_fell_in() {
    let mut stage = Stage::warm(1, 8);
    let sent: [TaskId; 3] = tasks(&mut stage);
    for (executing, run) in [(Some(0), 1), (Some(1), 2), (None, 3)] {
        stage.tell(Event::Output {
            slot: SlotId(0),
            session: farm_protocol::Session(1),
            stream: crate::Stream::Stdout,
            noted: farm_protocol::page::Noted {
                executing: executing.map(|index: usize| id(sent[index], 1)),
                started_nanos: 1,
                peak_bytes: 0,
            },
            bytes: b"words",
        });
        let (tasks, bytes) = stage.kinds.outputs.pop().expect("handed over");
        assert_eq!((&tasks[..], &bytes[..]), (&sent[..run], &b"words"[..]));
    }
}

#[test]
fn feedback_of_what_is_in_flight_is_handed_over_and_other_is_stale() {
    let mut stage = Stage::warm(1, 8);
    let [first, second] = tasks(&mut stage);
    stage.about(0, 1, FrameKind::Feedback, id(first, 1), "half");
    stage.reply(0, 1, id(first, 1), OK);
    stage.about(0, 1, FrameKind::Feedback, id(first, 1), "late");
    stage.cancel(second);
    stage.about(0, 1, FrameKind::Feedback, id(second, 1), "still");
    assert_eq!(stage.kinds.feedback, [id(first, 1), id(second, 1)]);
    assert_eq!(stage.master.counters().stale_answers, 1);
}

#[test]
fn nothing_stands_around_a_task_that_must_not_run_twice() {
    let mut stage = Stage::warm(1, 8);
    let once = stage.submit(options(|options| options.on_lost = OnLost::Fail));
    let after = stage.task();
    let log = stage.lines();
    assert_eq!(log, [format!("request w0 {once}#1")], "the next waits");
    stage.reply(0, 1, id(once, 1), OK);
    let log = stage.lines();
    assert_eq!(
        log,
        [format!("settle {once} ok"), format!("request w0 {after}#1")]
    );
}
