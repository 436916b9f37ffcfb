//! The plain life of a task: spawn, hello, request, reply, settle; and the plain end of the farm.

use super::stage::play::{options, retries};
use super::stage::*;
use crate::{AttemptEnd, CrashLimit, OnLost, Outcome, Retries, Shut, TaskOptions};
use farm_protocol::Termination;
use std::time::Duration;

#[test]
fn one_task_from_submission_to_the_end_of_the_farm() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.task();
    stage.expect(&["spawn w0 s1"]);
    stage.hello(0, 1);
    stage.expect(&["ready w0", "request w0 t0#1"]);
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t0 ok"]);
    assert_eq!(stage.settlement(task).attempts[0].end, AttemptEnd::Done);
    stage.shut(Shut::Drain);
    stage.expect(&["stop w0"]);
    stage.die(0, 1, Termination::Exited(0), None);
    stage.expect(&["gone w0: exited with code 0", "stopped"]);
}

#[test]
fn deaths_are_charged_to_the_executing_task_until_it_is_poisoned() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.task();
    stage.hello(0, 1);
    stage.skip();
    for session in 1..=3 {
        stage.die(0, session, SEGV, Some(id(task, session as u32)));
        if session < 3 {
            stage.hello(0, session + 1);
        }
    }
    let Outcome::Poisoned(deaths) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    assert_eq!(deaths.len(), 3);
    assert!(deaths.iter().all(|death| death.termination == SEGV));
    assert_eq!(stage.settlement(task).attempts.len(), 3);
}

#[test]
fn a_death_before_the_task_began_is_free() {
    let mut stage = Stage::new(config(1, 0));
    let first = stage.task();
    stage.hello(0, 1);
    stage.reply(0, 1, id(first, 1), OK);
    let task = stage.submit(TaskOptions {
        on_lost: OnLost::Fail,
        crash_limit: CrashLimit::Deaths(0),
        ..TaskOptions::default()
    });
    stage.skip();
    stage.die(0, 1, KILLED, None);
    stage.expect(&["gone w0: killed by SIGKILL", "spawn w0 s2"]);
    stage.hello(0, 2);
    stage.reply(0, 2, id(task, 2), OK);
    assert_eq!(*stage.outcome(task), Outcome::Done(()));
    assert_eq!(stage.settlement(task).attempts.len(), 1);
}

#[test]
fn retries_run_out() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.submit(TaskOptions {
        retries: Retries {
            count: 2,
            ..Retries::default()
        },
        ..TaskOptions::default()
    });
    stage.hello(0, 1);
    stage.skip();
    for attempt in 1..=2 {
        stage.reply(0, 1, id(task, attempt), FAIL);
        stage.expect(&[
            "again t0 after Failed",
            &format!("request w0 t0#{}", attempt + 1),
        ]);
    }
    stage.reply(0, 1, id(task, 3), FAIL);
    stage.expect(&["settle t0 failed"]);
}

#[test]
fn the_ladder_climbs_and_the_ticket_resolves_at_rest() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.task();
    stage.hello(0, 1);
    stage.skip();
    stage.tell(crate::Event::Cancel {
        task,
        reason: "enough".into(),
    });
    stage.expect(&["cancel w0 t0#1"]);
    stage.pass(499);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["term w0 s1"]);
    stage.pass(500);
    stage.expect(&["kill w0 s1"]);
    stage.die(0, 1, KILLED, Some(id(task, 1)));
    stage.expect(&[
        "settle t0 cancelled",
        "gone w0: killed by SIGKILL (by the farm)",
    ]);
}

#[test]
fn workers_that_cannot_be_started_end_the_pool_with_one_error() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.task();
    for session in 1..=3 {
        stage.spawned(0, session, true);
        stage.skip();
        stage.die(0, session, Termination::Exited(2), None);
        if session < 3 {
            stage.pass(10_000);
        }
    }
    let why = "the program ended before its hello, so it is no farm worker or could not start: exited with code 2";
    stage.expect(&[
        "gone w0: exited with code 2",
        &format!("pool ended: no worker for kind `ids` could be started (3 attempts): {why}"),
        "settle t0 not_run",
    ]);
    assert!(matches!(stage.outcome(task), Outcome::SpawnFailed(_)));
}

/// Where the time of a task went: how long it waited, how long each attempt took, with the pauses between.
#[test]
fn the_times_of_a_task_are_told() {
    let mut stage = Stage::new(config(1, 0));
    let begin = stage.now;
    let at = |millis| begin.after(Duration::from_millis(millis));
    let task = stage.submit(options(|o| o.retries = retries(1)));
    stage.pass(30);
    stage.hello(0, 1);
    stage.pass(7);
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.pass(11);
    stage.reply(0, 1, id(task, 2), OK);
    let told = stage.settlement(task);
    assert_eq!(told.submitted, begin);
    assert_eq!((told.started, told.finished), (Some(at(37)), at(48)));
    let times: Vec<_> = told
        .attempts
        .iter()
        .map(|a| (a.started, a.finished))
        .collect();
    assert_eq!(times, [(at(30), at(37)), (at(37), at(48))]);
}
