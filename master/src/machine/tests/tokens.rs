//! Tokens of a jobserver: who begins with how many, when they are asked for and when they go back.

mod lines;
mod random;

use super::stage::play::*;
use super::stage::*;
use crate::lane::Gate;
use crate::{Config, Event, OnLost, Outcome, Shut, Stands, TimeLimit, Tokens, Why};
use farm_protocol::{SlotId, TaskId, Termination};
use std::time::Duration;

pub(super) fn limited(mut config: Config) -> Config {
    config.tokens = Tokens::Shared;
    config
}

fn kinds(count: usize, slots: u32, credit: u32) -> Config {
    let mut config = limited(config(slots, credit));
    config.kinds = vec![config.kinds[0].clone(); count];
    config
}

impl Stage {
    fn token(&mut self) {
        self.tell(Event::TokenCame);
    }

    fn lose_tokens(&mut self) {
        let error = "early EOF".to_owned();
        self.tell(Event::TokensLost { error });
    }
}

/// Two tasks, the first of which is with a worker, and one token was asked for.
fn one_at_work(config: Config) -> (Stage, TaskId, TaskId) {
    let mut stage = Stage::new(config);
    let (first, second) = (stage.task(), stage.task());
    stage.hello(0, 1);
    stage.expect(&["spawn w0 s1", "want", "ready w0", "request w0 t0#1"]);
    (stage, first, second)
}

#[test]
fn one_worker_needs_no_token_and_each_further_one_does() {
    let (mut stage, first, second) = one_at_work(limited(config(3, 0)));
    stage.token();
    stage.expect(&["spawn w1 s2"]);
    let third = stage.task();
    stage.expect(&["want"]);
    stage.hello(1, 2);
    stage.expect(&["ready w1", "request w1 t1#1"]);
    stage.reply(0, 1, id(first, 1), OK);
    // Its token, so to speak, is the third one's now.
    stage.expect(&["settle t0 ok", "request w0 t2#1", "want no more"]);
    stage.reply(1, 2, id(second, 1), OK);
    stage.expect(&["settle t1 ok", "give back"]);
    stage.reply(0, 1, id(third, 1), OK);
    stage.expect(&["settle t2 ok"]);
}

#[test]
fn no_token_is_held_or_asked_for_that_nobody_would_use() {
    let mut stage = Stage::new(limited(config(2, 0)));
    let task = stage.task();
    stage.hello(0, 1);
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["spawn w0 s1", "ready w0", "request w0 t0#1", "settle t0 ok"]);
    // One that comes all the same goes back, and another farm can have it.
    stage.token();
    stage.expect(&["give back"]);
}

#[test]
fn a_token_is_kept_from_task_to_task_while_something_is_ready() {
    let mut stage = Stage::new(limited(config(2, 0)));
    let tasks: Vec<TaskId> = (0..6).map(|_| stage.task()).collect();
    stage.hello(0, 1);
    stage.token();
    stage.hello(1, 2);
    stage.skip();
    // With both slots at work no third token is asked for, and none moves until the last two end.
    for pair in tasks[..4].chunks(2) {
        stage.reply(0, 1, id(pair[0], 1), OK);
        stage.reply(1, 2, id(pair[1], 1), OK);
    }
    let moved = |line: &String| line.contains("want") || line.contains("give");
    let lines = stage.lines();
    assert!(!lines.iter().any(moved), "{lines:?}");
    stage.reply(0, 1, id(tasks[4], 1), OK);
    stage.expect(&["settle t4 ok", "give back"]);
}

#[test]
fn idle_workers_hold_nothing_and_wait_for_tokens_too() {
    let mut stage = Stage::new(limited(config(3, 0)));
    let tasks: Vec<TaskId> = (0..3).map(|_| stage.task()).collect();
    stage.hello(0, 1);
    stage.token();
    stage.hello(1, 2);
    stage.token();
    stage.hello(2, 3);
    for (slot, task) in (0..).zip(&tasks) {
        stage.reply(slot, u64::from(slot) + 1, id(*task, 1), OK);
    }
    stage.skip();
    let (_, second) = (stage.task(), stage.task());
    stage.expect(&["request w0 t3#1", "want"]);
    assert_eq!(stage.why(second), Some(Why::NoToken));
    assert_eq!(Why::NoToken.to_string(), "no token");
    stage.token();
    stage.expect(&["request w1 t4#1"]);
}

#[test]
fn what_waits_for_a_token_is_not_taken_out_of_its_place() {
    let (mut stage, first, second) = one_at_work(limited(config(2, 0)));
    stage.cancel(second);
    stage.expect(&["settle t1 cancelled", "want no more"]);
    let (low, high) = (
        stage.task(),
        stage.submit(options(|options| options.priority = 5)),
    );
    stage.expect(&["want"]);
    stage.token();
    stage.hello(1, 2);
    stage.expect(&["spawn w1 s2", "ready w1", &format!("request w1 {high}#1")]);
    assert_eq!(stage.why(low), Some(Why::NoSlot));
    stage.reply(0, 1, id(first, 1), OK);
    stage.skip();
    assert_eq!(stage.running_in(0), Some(low));
}

#[test]
fn a_token_that_came_too_late_goes_back() {
    let (mut stage, _, second) = one_at_work(limited(config(2, 0)));
    stage.cancel(second);
    stage.token();
    stage.expect(&["settle t1 cancelled", "want no more", "give back"]);
}

#[test]
fn what_is_sent_ahead_needs_no_token() {
    let mut stage = Stage::warm_with(limited(config(1, 8)));
    let tasks: Vec<TaskId> = (0..5).map(|_| stage.task()).collect();
    stage.reply(0, 1, id(tasks[0], 1), OK);
    let lines = stage.lines();
    let sent = lines.iter().filter(|line| line.starts_with("request"));
    assert_eq!(sent.count(), 5, "{lines:?}");
    assert!(!lines.contains(&"give back".to_owned()));
}

#[test]
fn the_death_of_a_worker_loses_no_token() {
    let (mut stage, first, second) = one_at_work(limited(config(2, 0)));
    stage.token();
    stage.hello(1, 2);
    stage.expect(&["spawn w1 s2", "ready w1", "request w1 t1#1"]);
    // The token stays while the task is to run again, also while its worker starts.
    stage.die(1, 2, SEGV, Some(id(second, 1)));
    stage.hello(1, 3);
    let lines = stage.lines();
    let moved = |line: &&String| line.contains("want") || line.contains("give");
    assert_eq!(lines.iter().find(moved), None);
    stage.die(1, 3, KILLED, Some(id(second, 2)));
    stage.hello(1, 4);
    stage.die(1, 4, KILLED, Some(id(second, 3)));
    assert!(matches!(stage.outcome(second), Outcome::Poisoned(_)));
    let lines = stage.lines();
    assert_eq!(lines.iter().filter(|line| *line == "give back").count(), 1);
    stage.die(0, 1, KILLED, Some(id(first, 1)));
    stage.skip();
}

#[test]
fn with_at_most_once_the_token_of_the_dead_goes_back_at_once() {
    let mut stage = Stage::new(limited(config(2, 0)));
    let _long = stage.task();
    stage.hello(0, 1);
    let fatal = stage.submit(options(|options| options.on_lost = OnLost::Fail));
    stage.token();
    stage.hello(1, 2);
    stage.skip();
    stage.die(1, 2, KILLED, Some(id(fatal, 1)));
    let why = "gone w1: killed by SIGKILL";
    stage.expect(&[&format!("settle {fatal} crashed"), why, "give back"]);
}

#[test]
fn a_start_that_fails_gives_the_token_back_for_the_pause() {
    let (mut stage, _, _) = one_at_work(limited(config(2, 0)));
    stage.token();
    stage.expect(&["spawn w1 s2"]);
    stage.tell(Event::SpawnFailed {
        slot: SlotId(1),
        session: farm_protocol::Session(2),
        error: "no".into(),
    });
    stage.expect(&["give back"]);
    stage.pass(100);
    stage.expect(&["want"]);
}

#[test]
fn a_paused_lane_wants_no_tokens() {
    let (mut stage, _, second) = one_at_work(limited(config(2, 0)));
    stage.gate(Gate::Paused);
    stage.expect(&["want no more"]);
    assert_eq!(stage.why(second), Some(Why::Paused));
    stage.gate(Gate::Running);
    stage.expect(&["want"]);
}

#[test]
fn a_paused_lane_wants_no_tokens_for_the_workers_that_it_keeps() {
    let mut config = limited(config(2, 0));
    config.kinds[0].staffing.least = 2;
    let (mut stage, _, second) = one_at_work(config);
    stage.gate(Gate::Paused);
    stage.expect(&["want no more"]);
    assert_eq!(stage.why(second), Some(Why::Paused));
    stage.gate(Gate::Running);
    stage.expect(&["want"]);
}

#[test]
fn a_drain_waits_for_tokens_and_a_finish_does_not() {
    let (mut stage, first, second) = one_at_work(limited(config(2, 0)));
    stage.shut(Shut::Drain);
    assert!(!stage.master.is_stuck(None));
    stage.expect(&[]);
    stage.shut(Shut::Finish);
    stage.expect(&["settle t1 not_run", "want no more"]);
    assert_eq!(*stage.outcome(second), Outcome::Closed);
    stage.reply(0, 1, id(first, 1), OK);
    stage.die(0, 1, Termination::Exited(0), None);
    assert_eq!(stage.lines().last().map(String::as_str), Some("stopped"));
}

#[test]
fn a_stop_gives_back_when_the_workers_are_at_rest() {
    let (mut stage, first, second) = one_at_work(limited(config(2, 0)));
    stage.token();
    stage.hello(1, 2);
    stage.shut(Shut::Kill);
    let lines = stage.lines();
    assert!(!lines.contains(&"give back".to_owned()), "it still runs");
    stage.die(1, 2, KILLED, Some(id(second, 1)));
    assert!(stage.lines().contains(&"give back".to_owned()));
    stage.die(0, 1, KILLED, Some(id(first, 1)));
    assert_eq!(stage.lines().last().map(String::as_str), Some("stopped"));
}

#[test]
fn without_its_server_the_farm_goes_on_with_what_it_has_and_then_alone() {
    let mut stage = Stage::new(limited(config(3, 0)));
    let tasks: Vec<TaskId> = (0..5).map(|_| stage.task()).collect();
    stage.hello(0, 1);
    stage.token();
    stage.hello(1, 2);
    stage.skip();
    stage.lose_tokens();
    stage.lose_tokens();
    stage.expect(&["tokens lost: early EOF"]);
    stage.reply(0, 1, id(tasks[0], 1), OK);
    stage.reply(1, 2, id(tasks[1], 1), OK);
    stage.reply(0, 1, id(tasks[2], 1), OK);
    stage.skip();
    assert!(stage.running_in(0).is_some() && stage.running_in(1).is_some());
    stage.reply(1, 2, id(tasks[3], 1), OK);
    stage.expect(&["settle t3 ok", "give back"]);
    let (next, last) = (stage.task(), stage.task());
    stage.expect(&[]);
    stage.reply(0, 1, id(tasks[4], 1), OK);
    stage.expect(&["settle t4 ok", &format!("request w0 {next}#1")]);
    assert_eq!(stage.why(last), Some(Why::NoToken));
}

#[test]
fn a_worker_is_replaced_for_another_only_when_that_may_start() {
    let mut stage = Stage::warm_with(kinds(2, 1, 0));
    let busy = stage.submit_to(1, options(|_| ()));
    stage.hello(1, 2);
    stage.skip();
    stage.kinds.refuses.push((stage.coming(), SlotId(0)));
    let task = stage.task();
    stage.expect(&["want"]);
    stage.reply(1, 2, id(busy, 1), OK);
    stage.expect(&["settle t1 ok", "stop w0", "want no more"]);
    assert!(stage.why(task).is_some());
}

#[test]
fn the_limit_on_a_start_does_not_count_while_a_token_is_missing() {
    let mut stage = Stage::new(kinds(2, 1, 0));
    let busy = stage.submit_to(0, options(|_| ()));
    stage.hello(0, 1);
    let limit = Some(Duration::from_millis(50));
    let task = stage.submit_to(1, options(|options| options.starting = limit));
    stage.pass(1_000);
    assert_eq!(stage.why(task), Some(Why::NoToken));
    stage.skip();
    stage.reply(0, 1, id(busy, 1), OK);
    stage.expect(&["settle t0 ok", "spawn w1 s2", "want no more"]);
    stage.pass(50);
    let starting = TimeLimit::Starting;
    assert!(matches!(stage.outcome(task), Outcome::TimedOut { which, .. } if *which == starting));
}

#[test]
fn what_nobody_takes_is_said_when_the_others_had_their_tokens() {
    let (mut stage, first, second) = one_at_work(limited(config(2, 0)));
    let coming = stage.coming();
    stage.kinds.not_for_fresh.push(coming);
    stage.kinds.refuses = vec![(coming, SlotId(0)), (coming, SlotId(1))];
    let odd = stage.task();
    stage.shut(Shut::Drain);
    stage.expect(&[]);
    stage.reply(0, 1, id(first, 1), OK);
    stage.skip();
    stage.reply(0, 1, id(second, 1), OK);
    assert!(matches!(stage.outcome(odd), Outcome::Skipped(_)));
}

#[test]
fn without_a_jobserver_there_are_no_tokens() {
    let mut stage = Stage::new(config(2, 0));
    stage.token();
    stage.lose_tokens();
    stage.tell(Event::TokensCounted);
    stage.expect(&["give back"]);
    let (first, _) = (stage.task(), stage.task());
    stage.expect(&["spawn w0 s1", "spawn w1 s2"]);
    assert!(matches!(stage.why(first), Some(Why::Starting)));
    let listed = stage.master.list(&mut stage.kinds, None, 9);
    assert!(matches!(listed[0].stands, Stands::Waits(_)));
}
