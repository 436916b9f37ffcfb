//! What an attempt uses: measured while it runs, judged here.

use super::super::stage::play::{TERMED, options, retries};
use super::super::stage::{KILLED, OK, Stage, config, hello_bytes, id, kind_hello};
use crate::{HowStopped, Outcome, Refusal, Resource, Retries, RetryOn, TimeLimit};
use farm_protocol::{ReplyFlags, TaskId};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn limited(stage: &mut Stage, cpu: Option<u32>, memory: Option<u64>) -> TaskId {
    stage.submit(options(|o| {
        o.cpu = cpu.map(|millis| millis * MS);
        o.memory = memory;
    }))
}

fn exceeded(how: HowStopped, used: u64) -> Outcome {
    Outcome::LimitExceeded {
        what: Resource::Memory,
        how,
        used,
        limit: 100,
    }
}

#[test]
fn only_what_is_limited_is_watched() {
    let mut stage = Stage::warm(1, 0);
    let plain = stage.task();
    stage.expect(&["request w0 t1#1"]);
    stage.reply(0, 1, id(plain, 1), OK);
    stage.skip();
    let task = limited(&mut stage, Some(10), Some(100));
    stage.expect(&["request w0 t2#1", "watch w0 t2#1"]);
    stage.usage(0, 1, id(task, 1), 10 * MS, 100);
    stage.expect(&[]);
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["unwatch w0 t2#1", "settle t2 ok"]);
}

#[test]
fn memory_over_the_limit_ends_attempt_and_worker() {
    let mut stage = Stage::warm(1, 0);
    let task = limited(&mut stage, None, Some(100));
    stage.task();
    stage.skip();
    stage.usage(0, 1, id(task, 1), Duration::ZERO, 101);
    stage.expect(&["unwatch w0 t1#1", "cancel w0 t1#1"]);
    // The budget of this lane is a second; who eats memory has less.
    stage.pass(100);
    stage.expect(&["term w0 s1"]);
    stage.pass(100);
    stage.expect(&["kill w0 s1"]);
    stage.die(0, 1, KILLED, Some(id(task, 1)));
    assert_eq!(*stage.outcome(task), exceeded(HowStopped::Killed, 101));
    stage.expect(&[
        "settle t1 resource",
        "gone w0: killed by SIGKILL (by the farm)",
        "spawn w0 s2",
    ]);
}

#[test]
fn a_worker_that_acknowledges_is_replaced_all_the_same() {
    let mut stage = Stage::warm(1, 0);
    let task = limited(&mut stage, None, Some(100));
    stage.skip();
    stage.usage(0, 1, id(task, 1), Duration::ZERO, 300);
    stage.acked(0, 1, id(task, 1));
    stage.expect(&[
        "unwatch w0 t1#1",
        "cancel w0 t1#1",
        "settle t1 resource",
        "stop w0",
    ]);
    assert_eq!(*stage.outcome(task), exceeded(HowStopped::Acked, 300));
}

#[test]
fn a_shorter_grace_stays_shorter() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.memory = Some(100);
        o.grace = Some(Duration::ZERO);
    }));
    stage.skip();
    stage.usage(0, 1, id(task, 1), Duration::ZERO, 101);
    stage.expect(&["unwatch w0 t1#1", "cancel w0 t1#1", "kill w0 s1"]);
}

#[test]
fn processor_time_is_a_time() {
    let mut stage = Stage::warm(1, 0);
    let task = limited(&mut stage, Some(10), None);
    stage.skip();
    stage.usage(0, 1, id(task, 1), 11 * MS, u64::MAX);
    stage.expect(&["unwatch w0 t1#1", "cancel w0 t1#1"]);
    stage.pass(500);
    stage.expect(&["term w0 s1"]);
    stage.die(0, 1, TERMED, Some(id(task, 1)));
    let (which, how) = (TimeLimit::Cpu, HowStopped::Terminated);
    assert_eq!(*stage.outcome(task), Outcome::TimedOut { which, how });
}

#[test]
fn a_measurement_that_comes_too_late_is_dropped() {
    let mut stage = Stage::warm(1, 0);
    let first = limited(&mut stage, None, Some(100));
    stage.reply(0, 1, id(first, 1), OK);
    let second = limited(&mut stage, None, Some(100));
    stage.skip();
    stage.usage(0, 1, id(first, 1), Duration::ZERO, 101);
    assert_eq!(stage.master.counters().stale_samples, 1);
    stage.usage(0, 9, id(second, 1), Duration::ZERO, 101);
    assert_eq!(stage.master.counters().stale_sessions, 1);
    // The page says that another executes, or nothing yet: what was measured is not its own.
    stage.usage_while(0, 1, id(second, 1), Some(id(first, 1)), Duration::ZERO, 101);
    stage.usage_while(0, 1, id(second, 1), None, Duration::ZERO, 101);
    stage.expect(&[]);
}

#[test]
fn without_a_page_there_is_nobody_else() {
    let mut stage = Stage::new(config(1, 0));
    let task = limited(&mut stage, None, Some(100));
    stage.spawned(0, 1, false);
    stage.say(0, 1, &hello_bytes(vec![kind_hello()]));
    stage.skip();
    stage.usage_while(0, 1, id(task, 1), None, Duration::ZERO, 101);
    stage.expect(&["unwatch w0 t0#1", "cancel w0 t0#1"]);
}

#[test]
fn what_has_answered_or_is_to_stop_is_not_measured() {
    let mut stage = Stage::warm(2, 0);
    let large = limited(&mut stage, None, Some(100));
    let cancelled = limited(&mut stage, Some(10), None);
    stage.skip();
    stage.reply_with(0, 1, id(large, 1), &[b'x'; 1001], ReplyFlags::default());
    stage.expect(&["unwatch w0 t2#1", "decode t2#1"]);
    stage.cancel(cancelled);
    stage.expect(&["unwatch w1 t3#1", "cancel w1 t3#1"]);
    stage.usage(0, 1, id(large, 1), Duration::ZERO, 101);
    stage.usage(1, 2, id(cancelled, 1), 11 * MS, 0);
    stage.expect(&[]);
    stage.decoded(0, 1, id(large, 1), OK);
    stage.acked(1, 2, id(cancelled, 1));
    stage.expect(&["settle t2 ok", "settle t3 cancelled"]);
}

#[test]
fn a_retry_for_a_resource_is_watched_anew() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.memory = Some(100);
        o.retries = Retries {
            on: RetryOn::RESOURCE,
            ..retries(1)
        };
    }));
    stage.usage(0, 1, id(task, 1), Duration::ZERO, 101);
    stage.pass(200);
    stage.die(0, 1, KILLED, Some(id(task, 1)));
    stage.skip();
    stage.hello(0, 2);
    stage.expect(&["ready w0", "request w0 t1#2", "watch w0 t1#2"]);
    stage.usage(0, 2, id(task, 2), Duration::ZERO, 102);
    stage.pass(200);
    stage.die(0, 2, KILLED, Some(id(task, 2)));
    assert_eq!(*stage.outcome(task), exceeded(HowStopped::Killed, 102));
    assert_eq!(stage.settlement(task).attempts.len(), 2);
}

#[test]
fn without_being_asked_for_it_is_not_retried() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.memory = Some(100);
        o.retries = retries(3);
    }));
    stage.usage(0, 1, id(task, 1), Duration::ZERO, 101);
    stage.acked(0, 1, id(task, 1));
    assert_eq!(*stage.outcome(task), exceeded(HowStopped::Acked, 101));
}

#[test]
fn a_death_that_comes_first_is_a_death() {
    let mut stage = Stage::warm(1, 0);
    let task = limited(&mut stage, None, Some(100));
    stage.skip();
    stage.exit(0, 1, KILLED, Some(id(task, 1)));
    stage.usage(0, 1, id(task, 1), Duration::ZERO, 101);
    stage.expect(&[]);
    stage.eof(0, 1);
    assert_eq!(stage.master.tasks(), 1, "it runs again");
}

#[test]
fn where_nobody_measures_a_limit_is_refused() {
    let mut config = config(1, 0);
    config.measures = false;
    let mut stage = Stage::new(config);
    limited(&mut stage, Some(10), None);
    limited(&mut stage, None, Some(100));
    let refusal = Refusal::Unmeasured;
    stage.expect(&[
        &format!("refuse t0: {refusal}"),
        &format!("refuse t1: {refusal}"),
    ]);
}
