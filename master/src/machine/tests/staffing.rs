//! How many workers there are: the least, the most and a change of both, idle ones that end, spares.

use super::stage::*;
use crate::{Config, DEAR_START, Event, Recycle, Shut, Staffing, WhoseDoing};
use farm_protocol::{KindId, Session, SlotId, Termination};
use std::time::Duration;

const KIND: KindId = KindId(0);

fn staffed(slots: u32, staffing: Staffing) -> Config {
    let mut config = config(slots, 0);
    config.kinds[0].staffing = staffing;
    config
}

fn least(least: u32) -> Staffing {
    Staffing {
        least,
        ..Staffing::default()
    }
}

fn idle(least: u32, millis: u64) -> Staffing {
    Staffing {
        least,
        idle: Some(Duration::from_millis(millis)),
        ..Staffing::default()
    }
}

fn resize(stage: &mut Stage, least: u32, most: u32) {
    stage.tell(Event::Resize {
        kind: KIND,
        least,
        most,
    });
}

#[test]
fn the_least_are_started_with_the_farm_and_again_when_they_die() {
    let mut stage = Stage::new(staffed(3, least(2)));
    assert!(
        stage.master.deadline().is_some_and(|at| at <= stage.now),
        "it wants to be woken at once"
    );
    stage.pass(0);
    stage.expect(&["spawn w0 s1", "spawn w1 s2"]);
    stage.hello(0, 1);
    stage.hello(1, 2);
    stage.skip();
    stage.die(0, 1, Termination::Exited(0), None);
    // It had answered nothing: a start failure, and a pause.
    stage.expect(&["gone w0: exited with code 0"]);
    stage.pass(100);
    stage.expect(&["spawn w0 s3"]);
    stage.shut(Shut::Drain);
    stage.expect(&["kill w0 s3", "stop w1"]);
}

#[test]
fn nobody_is_kept_beside_those_with_work() {
    let mut stage = Stage::new(staffed(4, least(2)));
    stage.pass(0);
    stage.skip();
    let tasks = [stage.task(), stage.task(), stage.task()];
    stage.expect(&["spawn w2 s3"]);
    for slot in 0..3 {
        stage.hello(slot, u64::from(slot) + 1);
    }
    for (slot, task) in (0..).zip(tasks) {
        assert_eq!(stage.running_in(slot), Some(task));
    }
}

#[test]
fn an_idle_worker_beyond_the_least_ends_after_its_time() {
    let mut stage = Stage::warm_with(staffed(2, idle(1, 500)));
    stage.pass(400);
    let task = stage.task();
    stage.skip();
    stage.pass(100);
    // The first one is at work; the other has idled for 500 ms, since its answer.
    stage.expect(&["stop w1"]);
    stage.die(1, 2, Termination::Exited(0), None);
    stage.expect(&["gone w1: exited with code 0"]);
    assert_eq!(stage.whose, Some(WhoseDoing::Finished));
    stage.reply(0, 1, id(task, 1), OK);
    stage.skip();
    for _ in 0..10 {
        stage.pass(500);
    }
    stage.expect(&[]);
    stage.task();
    stage.expect(&["request w0 t3#1"]);
}

#[test]
fn a_worker_that_works_now_and_then_is_not_idle() {
    let mut stage = Stage::warm_with(staffed(1, idle(0, 500)));
    for _ in 0..10 {
        stage.pass(400);
        let task = stage.task();
        stage.reply(0, 1, id(task, 1), OK);
        stage.skip();
    }
    stage.pass(499);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["stop w0"]);
}

#[test]
fn a_resize_down_ends_who_is_lost_with_the_least() {
    let mut stage = Stage::warm(3, 0);
    let (first, second) = (stage.task(), stage.task());
    stage.skip();
    resize(&mut stage, 0, 2);
    stage.expect(&["stop w2"]);
    resize(&mut stage, 0, 1);
    // Both are busy: one goes after what it executes, and gets nothing more.
    stage.expect(&[]);
    let third = stage.task();
    stage.expect(&[]);
    stage.reply(0, 1, id(first, 1), OK);
    stage.expect(&["settle t3 ok", "stop w0"]);
    stage.die(0, 1, Termination::Exited(0), None);
    stage.die(2, 3, Termination::Exited(0), None);
    stage.skip();
    stage.reply(1, 2, id(second, 1), OK);
    stage.expect(&["settle t4 ok", &format!("request w1 {third}#1")]);
}

#[test]
fn a_resize_up_starts_workers_for_what_waits_and_no_more_than_are_numbered() {
    let staffing = Staffing {
        ceiling: 3,
        ..Staffing::default()
    };
    let mut stage = Stage::new(staffed(1, staffing));
    for _ in 0..5 {
        stage.task();
    }
    stage.expect(&["spawn w0 s1"]);
    resize(&mut stage, 0, 2);
    stage.expect(&["spawn w1 s2"]);
    resize(&mut stage, 9, 9);
    stage.expect(&["spawn w2 s3"]);
    resize(&mut stage, 0, 0);
    // None at all would be a pause, and a pause says so.
    stage.expect(&["kill w0 s1", "kill w1 s2"]);
}

#[test]
fn a_worker_that_is_to_go_leaves_its_place_when_it_is_gone() {
    let mut stage = Stage::warm(2, 0);
    resize(&mut stage, 0, 1);
    stage.expect(&["stop w0"]);
    resize(&mut stage, 0, 2);
    let (_, waits) = (stage.task(), stage.task());
    stage.skip();
    stage.die(0, 1, Termination::Exited(0), None);
    stage.expect(&["gone w0: exited with code 0", "spawn w0 s3"]);
    stage.hello(0, 3);
    assert_eq!(stage.running_in(0), Some(waits));
}

#[test]
fn a_start_that_is_not_wanted_any_more_has_not_failed() {
    let mut stage = Stage::new(config(2, 0));
    let _both = (stage.task(), stage.task());
    stage.expect(&["spawn w0 s1", "spawn w1 s2"]);
    resize(&mut stage, 0, 1);
    stage.expect(&["kill w0 s1"]);
    // It was to be forked by a template that has not come to it.
    stage.tell(Event::SpawnFailed {
        slot: SlotId(0),
        session: Session(1),
        error: "withdrawn".into(),
    });
    resize(&mut stage, 0, 2);
    // No pause, as after a failure.
    stage.expect(&["spawn w0 s3"]);
}

#[test]
fn spares_are_kept_while_somebody_works_and_a_start_is_dear() {
    for dear in [true, false] {
        let staffing = Staffing {
            spares: 1,
            ..Staffing::default()
        };
        let mut stage = Stage::new(staffed(3, staffing));
        let task = stage.task();
        stage.expect(&["spawn w0 s1"]);
        stage.pass(if dear {
            DEAR_START.as_millis() as u64
        } else {
            1
        });
        stage.hello(0, 1);
        if !dear {
            stage.expect(&["ready w0", "request w0 t0#1"]);
            continue;
        }
        stage.expect(&["ready w0", "request w0 t0#1", "spawn w1 s2"]);
        stage.pass(60);
        stage.hello(1, 2);
        stage.expect(&["ready w1"]);
        let second = stage.task();
        stage.expect(&[&format!("request w1 {second}#1"), "spawn w2 s3"]);
        stage.pass(60);
        stage.hello(2, 3);
        stage.skip();
        // Every place is taken.
        stage.task();
        stage.skip();
        stage.reply(0, 1, id(task, 1), OK);
        stage.expect(&["settle t0 ok"]);
    }
}

#[test]
fn a_spare_that_is_replaced_for_idling_is_followed_by_the_next_at_once() {
    let staffing = Staffing {
        spares: 1,
        recycle: Recycle {
            idle: Some(Duration::from_secs(1)),
            ..Recycle::default()
        },
        ..Staffing::default()
    };
    let mut stage = Stage::new(staffed(3, staffing));
    stage.task();
    stage.pass(60);
    stage.hello(0, 1);
    stage.pass(60);
    stage.hello(1, 2);
    stage.skip();
    stage.pass(1_000);
    stage.expect(&["stop w1", "spawn w2 s3"]);
}

#[test]
fn who_has_died_is_not_sent_away_by_a_smaller_number() {
    let mut stage = Stage::new(staffed(2, Staffing::default()));
    let tasks = [stage.task(), stage.task()];
    for slot in 0..2 {
        stage.hello(slot, u64::from(slot) + 1);
    }
    stage.tell(Event::Eof {
        slot: SlotId(0),
        session: Session(1),
    });
    stage.skip();
    resize(&mut stage, 0, 1);
    stage.expect(&[]);
    // It lives on without a voice, and is killed for that: it is not said to have finished, and its task pays for it.
    stage.pass(10_000);
    let killed = Termination::Signaled {
        signal: 9,
        core_dumped: false,
    };
    stage.exit(0, 1, killed, Some(id(tasks[0], 1)));
    assert_eq!(stage.whose, Some(WhoseDoing::Killed));
}

/// The exit is told before the end of the answers: what was the worker's fault is known with the later of the two.
#[test]
fn a_kept_worker_is_judged_before_another_one_comes() {
    let mut stage = Stage::new(staffed(3, least(1)));
    stage.pass(0);
    stage.expect(&["spawn w0 s1"]);
    stage.exit(0, 1, Termination::Exited(2), None);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&[]);
    stage.tell(Event::Eof {
        slot: SlotId(0),
        session: Session(1),
    });
    // It has failed, so there is a pause.
    stage.skip();
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["spawn w0 s2"]);
}
