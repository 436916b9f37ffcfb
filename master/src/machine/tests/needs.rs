//! Who may start before whom: needs, limits and priorities.

use super::stage::play::*;
use super::stage::*;
use crate::lane::Gate;
use crate::{HowStopped, LimitId, Need, Outcome, Retries, SkippedBy, TaskOptions, When};
use farm_protocol::{SlotId, TaskId};
use std::time::Duration;

fn needs(needs: &[(TaskId, When)]) -> TaskOptions {
    options(|o| {
        o.needs = needs
            .iter()
            .map(|&(task, when)| Need { task, when })
            .collect();
    })
}

fn limited(o: &mut TaskOptions) {
    o.limit = Some(LimitId(0));
}

#[test]
fn a_need_is_met_by_the_end_it_names() {
    for (letter, done) in [(OK, true), (FAIL, false)] {
        for (when, runs) in [
            (When::Success, done),
            (When::Failure, !done),
            (When::Always, true),
        ] {
            let mut stage = Stage::warm(1, 0);
            let first = stage.task();
            let second = stage.submit(needs(&[(first, when)]));
            stage.reply(0, 1, id(first, 1), letter);
            assert_eq!(stage.is_settled(second), !runs, "{when:?} {done}");
            if !runs {
                assert_eq!(
                    *stage.outcome(second),
                    Outcome::Skipped(SkippedBy::Need(first))
                );
            }
        }
    }
}

#[test]
fn all_needs_must_be_met_and_a_retry_is_no_end() {
    let mut stage = Stage::warm(2, 0);
    let a = stage.submit(options(|o| o.retries = retries(1)));
    let b = stage.task();
    // Named twice is needed once.
    let both = stage.submit(needs(&[
        (a, When::Success),
        (b, When::Always),
        (a, When::Success),
    ]));
    stage.skip();
    stage.reply(1, 2, id(b, 1), FAIL);
    stage.reply(0, 1, id(a, 1), FAIL);
    stage.expect(&[
        "settle t3 failed",
        "again t2 after Failed",
        "request w0 t2#2",
    ]);
    stage.reply(0, 1, id(a, 2), OK);
    stage.expect(&["settle t2 ok", "request w0 t4#1"]);
    assert!(!stage.is_settled(both));
}

#[test]
fn every_sort_of_end_is_told_to_dependents() {
    let mut stage = Stage::warm(1, 0);
    let first = stage.task();
    let cleanup = stage.submit(needs(&[(first, When::Always)]));
    stage.skip();
    stage.cancel(first);
    stage.acked(0, 1, id(first, 1));
    stage.expect(&["cancel w0 t1#1", "settle t1 cancelled", "request w0 t2#1"]);
    let waits = stage.task();
    let after = stage.submit(needs(&[(waits, When::Failure)]));
    stage.cancel(waits);
    stage.reply(0, 1, id(cleanup, 1), OK);
    stage.expect(&["settle t3 cancelled", "settle t2 ok", "request w0 t4#1"]);
    stage.reply(0, 1, id(after, 1), OK);
}

#[test]
fn a_chain_of_ten_thousand_ends_in_one_step() {
    const LENGTH: usize = 10_000;
    for when in [When::Success, When::Failure] {
        let mut configuration = config(1, 0);
        configuration.kinds[0].boundary.max_queued = 2 * LENGTH;
        let mut stage = Stage::warm_with(configuration);
        stage.checks = false;
        let first = stage.task();
        let mut last = first;
        for _ in 0..LENGTH {
            last = stage.submit(needs(&[(last, when)]));
        }
        stage.cancel(first);
        stage.checks = true;
        stage.acked(0, 1, id(first, 1));
        if when == When::Success {
            assert!(matches!(stage.outcome(last), Outcome::Skipped(_)));
            assert_eq!(stage.master.tasks(), 0);
        } else {
            assert_eq!(
                stage.master.tasks(),
                LENGTH,
                "only the next one became ready"
            );
        }
    }
}

#[test]
fn a_chain_over_two_kinds_of_skipped_tasks_takes_no_stack() {
    const LENGTH: u32 = 20_000;
    let mut configuration = config(1, 0);
    configuration.kinds[0].boundary.max_queued = LENGTH as usize;
    configuration.kinds.push(configuration.kinds[0].clone());
    let mut stage = Stage::new(configuration);
    stage.checks = false;
    let mut last = stage.submit_to(0, TaskOptions::default());
    for index in 0..LENGTH {
        last = stage.submit_to((index % 2) as u16, needs(&[(last, When::Always)]));
        stage.kinds.unbuilt.insert(last, crate::RequestAnswer::Skip);
    }
    stage.submit_to(1, TaskOptions::default());
    stage.hello(0, 1);
    stage.hello(1, 2);
    stage.reply(0, 1, id(TaskId::new(0, 0), 1), OK);
    stage.reply(1, 2, id(TaskId::new(LENGTH + 1, 0), 1), OK);
    assert_eq!(*stage.outcome(last), Outcome::Skipped(SkippedBy::Kind));
    assert_eq!(stage.master.tasks(), 0);
}

#[test]
fn a_need_that_has_ended_is_unknown_also_when_its_place_is_taken_again() {
    let mut stage = Stage::warm(1, 0);
    let gone = TaskId::new(0, 0);
    let task = stage.submit(needs(&[(gone, When::Always)]));
    assert!(stage.lines()[0].starts_with("refuse t1: it needs t0"));
    assert!(!stage.is_settled(task));
    let own = stage.peek_id();
    stage.submit(needs(&[(own, When::Always)]));
    assert!(
        stage.lines()[0].starts_with("refuse t2"),
        "nobody needs itself"
    );
}

#[test]
fn a_limit_is_kept_and_everybody_comes_in_order() {
    let mut configuration = config(4, 0);
    configuration.limits = vec![std::num::NonZeroU32::MIN.saturating_add(1)];
    let mut stage = Stage::warm_with(configuration);
    let tasks: Vec<TaskId> = (0..6).map(|_| stage.submit(options(limited))).collect();
    stage.skip();
    let mut started = vec![];
    for _ in 0..6 {
        let running: Vec<_> = stage
            .workers()
            .into_iter()
            .filter(|w| !w.2.is_empty())
            .collect();
        assert!(running.len() <= 2);
        let (slot, session, ids) = running[0].clone();
        started.push(ids[0].task);
        stage.reply(slot, session, ids[0], OK);
    }
    started.sort_unstable();
    assert_eq!(started, tasks);
}

#[test]
fn who_was_woken_and_left_wakes_the_next() {
    for leave in ["cancel", "waiting", "skip", "match"] {
        let mut stage = Stage::warm(2, 0);
        let holder = stage.submit(options(limited));
        let busy = stage.task();
        let woken = stage.submit(options(|o| {
            limited(o);
            o.waiting = (leave == "waiting").then_some(Duration::from_millis(50));
        }));
        let forgotten = stage.submit(options(limited));
        // Both are parked by the time the room comes; the lane is paused, so the woken one stays.
        let probe = stage.task();
        stage.reply(1, 2, id(busy, 1), OK);
        stage.reply(1, 2, id(probe, 1), OK);
        stage.gate(Gate::Paused);
        stage.reply(0, 1, id(holder, 1), OK);
        match leave {
            "cancel" => stage.cancel(woken),
            "waiting" => stage.pass(50),
            "skip" => {
                let skip = crate::RequestAnswer::Skip;
                stage.kinds.unbuilt.insert(woken, skip);
            }
            _ => stage.kinds.faulty_match = Some(woken),
        }
        stage.skip();
        stage.gate(Gate::Running);
        let lines = stage.lines();
        let expected = format!("request w0 {forgotten}#1");
        assert!(lines.contains(&expected), "after {leave}: {lines:?}");
    }
}

#[test]
fn a_kind_that_cannot_use_the_room_does_not_keep_it_from_another() {
    let mut configuration = config(1, 0);
    configuration.kinds.push(configuration.kinds[0].clone());
    let mut stage = Stage::new(configuration);
    let holder = stage.submit_to(0, options(limited));
    stage.hello(0, 1);
    let other = stage.submit_to(1, options(limited));
    stage.hello(1, 2);
    let same = stage.submit_to(0, options(limited));
    let idle = stage.submit_to(0, TaskOptions::default());
    stage.skip();
    // The first kind is paused when the room comes: the other kind's task takes it.
    stage.gate(Gate::Paused);
    stage.reply(0, 1, id(holder, 1), OK);
    stage.expect(&["settle t0 ok", &format!("request w1 {other}#1")]);
    stage.gate(Gate::Running);
    stage.expect(&[&format!("request w0 {idle}#1")]);
    stage.reply(1, 2, id(other, 1), OK);
    stage.reply(0, 1, id(idle, 1), OK);
    stage.expect(&[
        "settle t1 ok",
        "settle t3 ok",
        &format!("request w0 {same}#1"),
    ]);
}

#[test]
fn a_limit_is_free_when_its_attempt_is_over_whatever_the_end() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        limited(o);
        o.retries = Retries {
            delay: Duration::from_secs(1),
            ..retries(1)
        };
    }));
    let next = stage.submit(options(limited));
    stage.skip();
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.expect(&["again t1 after Failed", "request w0 t2#1"]);
    stage.die(0, 1, SEGV, Some(id(next, 1)));
    stage.hello(0, 2);
    stage.cancel(next);
    stage.acked(0, 2, id(next, 2));
    stage.pass(1_000);
    stage.skip();
    stage.reply(0, 2, id(task, 2), OK);
    stage.expect(&["settle t1 ok"]);
}

#[test]
fn a_parked_task_is_cancelled_and_its_place_in_the_row_is_gone() {
    let mut stage = Stage::warm(2, 0);
    let holder = stage.submit(options(limited));
    let [first, second] = [
        stage.submit(options(limited)),
        stage.submit(options(limited)),
    ];
    stage.cancel(first);
    assert!(matches!(
        stage.outcome(first),
        Outcome::Cancelled {
            how: HowStopped::BeforeStart,
            ..
        }
    ));
    stage.reply(0, 1, id(holder, 1), OK);
    stage.skip();
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t4 ok"]);
}

#[test]
fn larger_priorities_go_first_and_equal_ones_in_order() {
    let mut stage = Stage::warm(1, 0);
    stage.gate(Gate::Paused);
    let tasks: Vec<TaskId> = [0, 5, -3, 5, 0]
        .iter()
        .map(|&priority| stage.submit(options(|o| o.priority = priority)))
        .collect();
    stage.gate(Gate::Running);
    for index in [1, 3, 0, 4, 2] {
        stage.expect(&[&format!("request w0 {}#1", tasks[index])]);
        stage.reply(0, 1, id(tasks[index], 1), OK);
        assert!(stage.is_settled(tasks[index]));
        stage.drop_line();
    }
}

#[test]
fn priorities_hold_among_the_parked() {
    let mut stage = Stage::warm(1, 0);
    let holder = stage.submit(options(limited));
    let low = stage.submit(options(limited));
    let high = stage.submit(options(|o| {
        limited(o);
        o.priority = 1;
    }));
    stage.skip();
    stage.reply(0, 1, id(holder, 1), OK);
    stage.expect(&["settle t1 ok", &format!("request w0 {high}#1")]);
    stage.reply(0, 1, id(high, 1), OK);
    stage.reply(0, 1, id(low, 1), OK);
}

#[test]
fn matching_is_asked_for_each_worker() {
    let mut stage = Stage::warm(2, 0);
    let picky = TaskId::new(2, 0);
    stage.kinds.refuses.push((picky, SlotId(0)));
    stage.task();
    stage.expect(&["request w1 t2#1"]);
    stage.task();
    stage.expect(&["request w0 t3#1"]);
}
