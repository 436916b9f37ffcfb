//! Healthy workers that are replaced: by tasks, age, idle time and memory. It costs no task anything.

use super::stage::*;
use crate::lane::Gate;
use crate::{Config, Event, Injected, Outcome, Recycle, WhenGone, WhoseDoing};
use farm_protocol::{KindId, Session, SlotId, TaskId, Termination};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

fn recycled(slots: u32, recycle: Recycle) -> Config {
    let mut config = config(slots, 0);
    config.kinds[0].staffing.recycle = recycle;
    config
}

fn after(tasks: u32) -> Recycle {
    Recycle {
        tasks: NonZeroU32::new(tasks),
        ..Recycle::default()
    }
}

fn weighed(stage: &mut Stage, slot: u32, session: u64, memory: u64) {
    stage.tell(Event::Weighed {
        slot: SlotId(slot),
        session: Session(session),
        memory,
    });
}

#[test]
fn after_so_many_tasks() {
    let mut stage = Stage::warm_with(recycled(1, after(2)));
    let (second, third) = (stage.task(), stage.task());
    stage.skip();
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t1 ok", "stop w0"]);
    stage.die(0, 1, Termination::Exited(0), None);
    stage.expect(&[
        "gone w0: exited with code 0 (recycled after 2 tasks)",
        "spawn w0 s2",
    ]);
    assert_eq!(stage.whose, Some(WhoseDoing::Replaced));
    stage.hello(0, 2);
    assert_eq!(stage.running_in(0), Some(third));
}

#[test]
fn a_worker_for_one_task_each() {
    let mut stage = Stage::new(recycled(1, after(1)));
    let tasks: Vec<_> = (0..20).map(|_| stage.task()).collect();
    for (session, task) in (1..).zip(&tasks) {
        stage.hello(0, session);
        stage.reply(0, session, id(*task, 1), OK);
        stage.die(0, session, Termination::Exited(0), None);
        assert!(matches!(stage.outcome(*task), Outcome::Done(())));
    }
    assert_eq!(stage.master.counters().sessions, 20);
}

#[test]
fn the_number_of_tasks_differs_by_the_jitter_and_no_more() {
    let recycle = Recycle {
        jitter: 5,
        ..after(10)
    };
    let mut stage = Stage::new(recycled(1, recycle));
    let mut lives = BTreeSet::new();
    for session in 1..=60 {
        let mut answered = 0;
        let mut task = stage.task();
        stage.hello(0, session);
        loop {
            stage.reply(0, session, id(task, 1), OK);
            answered += 1;
            if stage.lines().iter().any(|line| line == "stop w0") {
                break;
            }
            task = stage.task();
        }
        lives.insert(answered);
        stage.die(0, session, Termination::Exited(0), None);
    }
    assert_eq!(lives, (5..=10).collect());
}

#[test]
fn what_is_pinned_to_a_worn_worker_comes_first() {
    let mut stage = Stage::warm_with(recycled(1, after(2)));
    let (second, other) = (stage.task(), stage.task());
    let follow_up = stage.next_id();
    stage.kinds.injects.push(Injected {
        task: follow_up,
        pinned: Some(WhenGone::Fail),
    });
    stage.skip();
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t1 ok", &format!("request w0 {follow_up}#1")]);
    stage.reply(0, 1, id(follow_up, 1), OK);
    stage.expect(&[&format!("settle {follow_up} ok"), "stop w0"]);
    assert!(!stage.is_settled(other));
}

#[test]
fn at_an_age_after_what_is_executed() {
    let recycle = Recycle {
        age: Some(Duration::from_secs(10)),
        ..Recycle::default()
    };
    for busy in [false, true] {
        let mut stage = Stage::warm_with(recycled(1, recycle.clone()));
        stage.pass(9_999);
        let task = busy.then(|| stage.task());
        stage.skip();
        stage.pass(1);
        if let Some(task) = task {
            stage.expect(&[]);
            stage.reply(0, 1, id(task, 1), OK);
            stage.expect(&["settle t1 ok", "stop w0"]);
        } else {
            stage.expect(&["stop w0"]);
        }
        stage.die(0, 1, Termination::Exited(0), None);
        stage.expect(&["gone w0: exited with code 0 (recycled for its age)"]);
    }
}

/// The response injects a follow-up for this worker alone.
fn leaves_one_for_itself(stage: &mut Stage) -> TaskId {
    let task = stage.next_id();
    let pinned = Some(WhenGone::Fail);
    stage.kinds.injects.push(Injected { task, pinned });
    task
}

#[test]
fn what_comes_of_the_task_that_it_executes_at_its_age_finds_it_there() {
    let recycle = Recycle {
        age: Some(Duration::from_secs(10)),
        ..Recycle::default()
    };
    let mut stage = Stage::warm_with(recycled(1, recycle));
    let (task, other) = (stage.task(), stage.task());
    stage.skip();
    stage.pass(10_000);
    stage.expect(&[]);
    let follow_up = leaves_one_for_itself(&mut stage);
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t1 ok", &format!("request w0 {follow_up}#1")]);
    stage.reply(0, 1, id(follow_up, 1), OK);
    stage.expect(&[&format!("settle {follow_up} ok"), "stop w0"]);
    assert!(!stage.is_settled(other));
}

#[test]
fn a_worn_worker_that_has_lost_what_was_pinned_to_it_gets_nothing_else() {
    let mut stage = Stage::warm_with(recycled(1, after(2)));
    let (second, other) = (stage.task(), stage.task());
    let kind = KindId(0);
    stage.tell(Event::SetGate {
        kind,
        gate: Gate::Paused,
    });
    let follow_up = leaves_one_for_itself(&mut stage);
    stage.skip();
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t1 ok"]);
    stage.tell(Event::Cancel {
        task: follow_up,
        reason: "enough".to_owned(),
    });
    stage.tell(Event::SetGate {
        kind,
        gate: Gate::Running,
    });
    assert_eq!(stage.running_in(0), None);
    assert!(stage.lines().iter().any(|line| line == "stop w0"));
    assert!(!stage.is_settled(other));
}

#[test]
fn an_idle_one_of_the_least_is_started_anew() {
    let recycle = Recycle {
        idle: Some(Duration::from_secs(1)),
        ..Recycle::default()
    };
    let mut config = recycled(1, recycle);
    config.kinds[0].staffing.least = 1;
    let mut stage = Stage::warm_with(config);
    stage.pass(1_000);
    stage.expect(&["stop w0"]);
    stage.die(0, 1, Termination::Exited(0), None);
    stage.expect(&[
        "gone w0: exited with code 0 (recycled after idling)",
        "spawn w0 s2",
    ]);
}

#[test]
fn beyond_its_baseline_by_so_much() {
    let recycle = Recycle {
        growth: Some(50_000_000),
        ..Recycle::default()
    };
    let mut stage = Stage::new(recycled(1, recycle));
    let first = stage.task();
    stage.hello(0, 1);
    stage.expect(&["spawn w0 s1", "weigh w0 s1", "ready w0", "request w0 t0#1"]);
    weighed(&mut stage, 0, 1, 200_000_000);
    stage.pass(100);
    stage.reply(0, 1, id(first, 1), OK);
    stage.expect(&["settle t0 ok", "weigh w0 s1"]);
    weighed(&mut stage, 0, 1, 250_000_000);
    stage.expect(&[]);
    // Not at each answer: to measure costs time.
    let second = stage.task();
    stage.skip();
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t1 ok"]);
    stage.pass(100);
    let third = stage.task();
    stage.skip();
    stage.reply(0, 1, id(third, 1), OK);
    stage.expect(&["settle t2 ok", "weigh w0 s1"]);
    let fourth = stage.task();
    stage.skip();
    // It goes after what it executes.
    weighed(&mut stage, 0, 1, 250_000_001);
    stage.expect(&[]);
    stage.reply(0, 1, id(fourth, 1), OK);
    stage.expect(&["settle t3 ok", "stop w0"]);
    stage.die(0, 1, Termination::Exited(0), None);
    stage.expect(&["gone w0: exited with code 0 (recycled at 250.0 MB, beyond 250.0 MB)"]);
}

#[test]
fn a_limit_below_the_baseline_ends_the_pool_with_both_figures() {
    let recycle = Recycle {
        memory: Some(100_000_000),
        ..Recycle::default()
    };
    let mut stage = Stage::new(recycled(2, recycle));
    let (first, second) = (stage.task(), stage.task());
    let third = stage.task();
    stage.hello(0, 1);
    stage.skip();
    weighed(&mut stage, 0, 1, 210_300_000);
    let said = "workers of kind `ids` are to be replaced when they hold 100.0 MB, and hold 210.3 MB \
                before their first task: raise the limit well above 210.3 MB";
    let lines = stage.lines();
    assert_eq!(lines[0], format!("pool ended: {said}"));
    for task in [second, third] {
        assert!(matches!(stage.outcome(task), Outcome::SpawnFailed(why) if why == said));
    }
    // What executes already has its end.
    stage.reply(0, 1, id(first, 1), OK);
    assert!(matches!(stage.outcome(first), Outcome::Done(())));
    stage.skip();
    weighed(&mut stage, 1, 2, 210_300_000);
    stage.expect(&[]);
}
