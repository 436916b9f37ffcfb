//! The limit on the start of a worker: it counts while a task is ready and nobody is there to start it.

use super::super::stage::play::options;
use super::super::stage::{END, OK, Stage, config, hello_bytes, id, kind_hello};
use crate::lane::Gate;
use crate::{Event, HowStopped, Need, Outcome, TimeLimit, When};
use farm_protocol::{KindId, TaskId, Termination};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn starting(stage: &mut Stage, millis: u32) -> TaskId {
    stage.submit(options(|o| o.starting = Some(millis * MS)))
}

fn timed_out() -> Outcome {
    Outcome::TimedOut {
        which: TimeLimit::Starting,
        how: HowStopped::BeforeStart,
    }
}

fn gate(stage: &mut Stage, gate: Gate) {
    let kind = KindId(0);
    stage.tell(Event::SetGate { kind, gate });
}

#[test]
fn a_hello_that_is_slow_ends_the_task_and_not_the_worker() {
    let mut stage = Stage::new(config(1, 0));
    let task = starting(&mut stage, 100);
    stage.spawned(0, 1, true);
    stage.skip();
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["settle t0 timeout"]);
    assert_eq!(*stage.outcome(task), timed_out());
    // The worker is as welcome as before.
    stage.hello(0, 1);
    let next = starting(&mut stage, 100);
    stage.expect(&["ready w0", "request w0 t1#1"]);
    stage.reply(0, 1, id(next, 1), OK);
    assert!(stage.outcome(next).is_done());
}

#[test]
fn the_first_hello_of_the_pool_disarms_all() {
    let mut stage = Stage::new(config(2, 0));
    let tasks: Vec<_> = (0..4).map(|_| starting(&mut stage, 100)).collect();
    stage.pass(99);
    stage.hello(1, 2);
    stage.skip();
    // Three of them wait, and no longer for the start of a worker.
    stage.pass(5_000);
    stage.expect(&[]);
    assert_eq!(stage.master.tasks(), tasks.len());
    assert_eq!(
        stage.master.deadline(),
        Some(stage.now.after(Duration::from_millis(10_000 - 99 - 5_000))),
        "only the other worker's hello is waited for"
    );
}

#[test]
fn a_hello_at_the_very_moment_is_in_time() {
    let mut stage = Stage::new(config(1, 0));
    let task = starting(&mut stage, 100);
    stage.spawned(0, 1, true);
    stage.now = stage.now.after(100 * MS);
    stage.say(0, 1, &hello_bytes(vec![kind_hello()]));
    stage.reply(0, 1, id(task, 1), OK);
    assert!(stage.outcome(task).is_done());
}

#[test]
fn start_failures_and_their_pauses_count() {
    let mut stage = Stage::new(config(1, 0));
    let task = starting(&mut stage, 150);
    let patient = stage.task();
    stage.die(0, 1, Termination::Exited(1), None);
    stage.pass(100);
    stage.die(0, 2, Termination::Exited(1), None);
    stage.skip();
    stage.pass(50);
    stage.expect(&["settle t0 timeout"]);
    assert_eq!(*stage.outcome(task), timed_out());
    stage.pass(150);
    stage.die(0, 3, Termination::Exited(1), None);
    assert!(matches!(stage.outcome(patient), Outcome::SpawnFailed(_)));
}

#[test]
fn a_pool_that_ends_first_is_the_cause() {
    let mut stage = Stage::new(config(1, 0));
    let task = starting(&mut stage, 10_000);
    for (session, pause) in [(1, 100), (2, 200), (3, 0)] {
        stage.die(0, session, Termination::Exited(1), None);
        stage.pass(pause);
    }
    assert!(matches!(stage.outcome(task), Outcome::SpawnFailed(_)));
    let late = starting(&mut stage, 10_000);
    assert_eq!((stage.master.tasks(), late.index()), (0, 1));
}

#[test]
fn the_loss_of_the_last_worker_lets_it_count_anew() {
    let mut stage = Stage::warm(1, 0);
    let front = stage.task();
    let task = starting(&mut stage, 100);
    stage.pass(1_000);
    stage.die(0, 1, Termination::Exited(3), Some(id(front, 1)));
    stage.skip();
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["settle t2 timeout"]);
    assert_eq!(*stage.outcome(task), timed_out());
}

#[test]
fn a_paused_lane_starts_nobody_and_counts_nothing() {
    let mut stage = Stage::new(config(1, 0));
    gate(&mut stage, Gate::Paused);
    let task = starting(&mut stage, 100);
    stage.pass(1_000);
    stage.expect(&[]);
    gate(&mut stage, Gate::Running);
    stage.expect(&["spawn w0 s1"]);
    stage.pass(99);
    gate(&mut stage, Gate::Paused);
    stage.pass(1_000);
    stage.expect(&[]);
    gate(&mut stage, Gate::Running);
    stage.pass(100);
    stage.expect(&["settle t0 timeout"]);
    assert_eq!(*stage.outcome(task), timed_out());
}

#[test]
fn a_need_must_end_first() {
    let mut stage = Stage::warm(1, 0);
    let first = stage.task();
    let task = stage.submit(options(|o| {
        o.starting = Some(100 * MS);
        o.needs = vec![Need {
            task: first,
            when: When::Always,
        }];
    }));
    stage.skip();
    stage.pass(1_000);
    stage.reply(0, 1, id(first, 1), END);
    stage.expect(&["settle t1 ok", "stop w0"]);
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    assert_eq!(*stage.outcome(task), timed_out());
}

#[test]
fn a_cancel_takes_the_limit_along() {
    let mut stage = Stage::new(config(1, 0));
    let task = starting(&mut stage, 100);
    stage.cancel(task);
    stage.expect(&["spawn w0 s1", "settle t0 cancelled"]);
    stage.pass(100);
    stage.expect(&[]);
}

#[test]
fn a_kind_may_have_its_own_patience_with_workers() {
    let mut config = config(1, 0);
    config.kinds[0].hello_timeout = Some(50 * MS);
    let mut stage = Stage::new(config);
    stage.task();
    stage.spawned(0, 1, true);
    stage.pass(49);
    stage.expect(&["spawn w0 s1"]);
    stage.pass(1);
    stage.expect(&["kill w0 s1"]);
}
