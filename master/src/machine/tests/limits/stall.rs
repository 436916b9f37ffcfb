//! A stall is silence for too long: progress and feedback extend it, an end of any sort ends it.

use super::super::stage::play::{options, retries};
use super::super::stage::{KILLED, OK, Stage, id};
use crate::{HowStopped, Outcome, Retries, RetryOn, TimeLimit};
use farm_protocol::{AttemptId, FrameKind, Progress};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn stalls(stage: &mut Stage, millis: u32) -> farm_protocol::TaskId {
    let task = stage.submit(options(|o| o.stall = Some(millis * MS)));
    stage.skip();
    task
}

fn gives_a_sign(stage: &mut Stage, id: AttemptId) {
    stage.progress(0, 1, id, &Progress::new(1, None, ""));
    stage.skip();
}

#[test]
fn silence_is_a_stall() {
    let mut stage = Stage::warm(1, 0);
    let task = stalls(&mut stage, 100);
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["cancel w0 t1#1"]);
    stage.acked(0, 1, id(task, 1));
    stage.expect(&["settle t1 timeout"]);
    let which = TimeLimit::Stall;
    let how = HowStopped::Acked;
    assert_eq!(*stage.outcome(task), Outcome::TimedOut { which, how });
}

#[test]
fn progress_and_feedback_extend_it() {
    let mut stage = Stage::warm(1, 0);
    let task = stalls(&mut stage, 100);
    stage.pass(60);
    gives_a_sign(&mut stage, id(task, 1));
    stage.pass(60);
    stage.about(0, 1, FrameKind::Feedback, id(task, 1), "still there");
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["cancel w0 t1#1"]);
}

#[test]
fn many_signs_cost_one_look_each_limit() {
    let mut stage = Stage::warm(1, 0);
    let task = stalls(&mut stage, 100);
    let mut deadlines = std::collections::BTreeSet::new();
    for _ in 0..1_000 {
        stage.pass(1);
        gives_a_sign(&mut stage, id(task, 1));
        deadlines.extend(stage.master.deadline());
    }
    assert_eq!(deadlines.len(), 11);
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t1 ok"]);
    assert_eq!(stage.master.deadline(), None);
}

#[test]
fn the_sign_of_another_is_none() {
    let mut stage = Stage::warm(2, 0);
    let task = stalls(&mut stage, 100);
    let other = stage.task();
    stage.pass(99);
    stage.progress(1, 2, id(other, 1), &Progress::new(1, None, ""));
    stage.skip();
    stage.pass(1);
    stage.expect(&["cancel w0 t2#1"]);
    assert_eq!(task.index(), 2);
}

#[test]
fn what_is_to_stop_already_does_not_stall() {
    let mut stage = Stage::warm(1, 0);
    let task = stalls(&mut stage, 100);
    stage.pass(50);
    stage.cancel(task);
    stage.expect(&["cancel w0 t1#1"]);
    // Its grace is longer than what is left of its stall limit; only the ladder counts.
    stage.pass(200);
    stage.about(0, 1, FrameKind::Feedback, id(task, 1), "ending");
    stage.pass(200);
    stage.expect(&[]);
    stage.acked(0, 1, id(task, 1));
    stage.expect(&["settle t1 cancelled"]);
    assert_eq!(stage.master.deadline(), None);
}

#[test]
fn a_dead_worker_does_not_stall() {
    let mut stage = Stage::warm(1, 0);
    let task = stalls(&mut stage, 100);
    stage.exit(0, 1, KILLED, Some(id(task, 1)));
    // Its answer may still be in the pipe.
    stage.pass(100);
    stage.expect(&[]);
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t1 ok"]);
}

#[test]
fn each_attempt_has_its_own() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.stall = Some(100 * MS);
        o.retries = Retries {
            on: RetryOn::TIMEOUT,
            ..retries(1)
        };
    }));
    stage.pass(100);
    stage.acked(0, 1, id(task, 1));
    stage.skip();
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["cancel w0 t1#2"]);
    stage.acked(0, 1, id(task, 2));
    stage.expect(&["settle t1 timeout"]);
}

#[test]
fn it_is_not_sent_behind_another() {
    let mut stage = Stage::warm(1, 4);
    let front = stage.task();
    let task = stalls(&mut stage, 100);
    stage.pass(1_000);
    stage.expect(&[]);
    stage.reply(0, 1, id(front, 1), OK);
    stage.expect(&["settle t1 ok", "request w0 t2#1"]);
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t2 ok"]);
}
