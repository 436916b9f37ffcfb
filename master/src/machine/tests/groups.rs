//! Groups: when they are decided, who is cancelled then, and what is told when all is at rest.

use super::stage::play::*;
use super::stage::*;
use crate::lane::Gate;
use crate::{
    CancelledBy, Decision, HowStopped, Outcome, RequestAnswer, Retries, RetryOn, Rule, Shut, Ties,
    TimeLimit,
};
use farm_protocol::{MarshalError, TaskId};
use std::num::NonZeroU32;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn quorum(wanted: u32) -> Rule {
    Rule::Quorum(NonZeroU32::new(wanted).expect("not 0"))
}

#[track_caller]
fn assert_by_group(stage: &Stage, task: TaskId, group: farm_protocol::ScopeId, how: HowStopped) {
    let by = CancelledBy::Group(group);
    assert_eq!(*stage.outcome(task), Outcome::Cancelled { by, how });
}

#[test]
fn the_first_error_cancels_the_others_and_their_rest_is_waited_for() {
    let mut stage = Stage::warm(3, 0);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let [a, b, c, d] = stage.members(group, 4).try_into().expect("four");
    stage.close_scope(group);
    stage.skip();
    stage.reply(1, 2, id(b, 1), FAIL);
    // What waits ends at once, what runs is asked; nothing is spawned and nobody is signalled.
    stage.expect(&[
        "settle t4 failed",
        "cancel w0 t3#1",
        "cancel w2 t5#1",
        "settle t6 cancelled",
    ]);
    assert_by_group(&stage, d, group, HowStopped::BeforeStart);
    stage.acked(0, 1, id(a, 1));
    stage.expect(&["settle t3 cancelled"]);
    stage.reply(2, 3, id(c, 1), OK);
    stage.expect(&[
        "settle t5 cancelled",
        "scope-ended c1 first error 1 t4 (0 done, 1 failed, 3 neither)",
    ]);
    assert_by_group(&stage, a, group, HowStopped::Acked);
    assert_by_group(&stage, c, group, HowStopped::LateReply);
    assert_eq!(stage.ends(group), "-e--");
    assert_eq!(stage.master.deadline(), None);
}

#[test]
fn without_an_error_all_ends_are_waited_for() {
    for rule in [Rule::All, Rule::FirstError] {
        let mut stage = Stage::warm(1, 0);
        let group = stage.group(rule, Ties::Arrival);
        let [a, b] = stage.members(group, 2).try_into().expect("two");
        stage.reply(0, 1, id(a, 1), OK);
        stage.cancel(b);
        stage.acked(0, 1, id(b, 1));
        assert!(!stage.is_over(group), "there might be more members");
        stage.close_scope(group);
        assert_eq!(
            *stage.decision(group),
            Decision::AllEnded { done: 1, of: 2 }
        );
        assert_eq!(stage.ends(group), "d-");
    }
}

#[test]
fn an_error_of_one_that_is_waited_for_by_all_changes_nothing() {
    let mut stage = Stage::warm(2, 0);
    let group = stage.group(Rule::All, Ties::Arrival);
    let [a, b] = stage.members(group, 2).try_into().expect("two");
    stage.close_scope(group);
    stage.skip();
    stage.reply(1, 2, id(b, 1), FATAL);
    stage.expect(&["settle t3 failed"]);
    stage.reply(0, 1, id(a, 1), OK);
    assert_eq!(stage.ends(group), "de");
}

#[test]
fn what_one_reading_brings_counts_together_and_the_lowest_error_is_told() {
    let mut stage = Stage::warm(1, 4);
    stage.gate(Gate::Paused);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let late = stage.member(group);
    let early = stage.member_with(group, options(|o| o.priority = 1));
    stage.close_scope(group);
    stage.gate(Gate::Running);
    stage.skip();
    let answer = |task| reply_bytes(id(task, 1), FAIL, Default::default(), Duration::ZERO);
    let both = [answer(early), answer(late)].concat();
    stage.say(0, 1, &both);
    stage.expect(&[
        "settle t2 failed",
        "settle t1 failed",
        "scope-ended c1 first error 0 t1 (0 done, 2 failed, 0 neither)",
    ]);
}

#[test]
fn the_lowest_error_waits_for_those_below_it() {
    let mut stage = Stage::warm(3, 0);
    let group = stage.group(Rule::FirstError, Ties::Lowest);
    let [a, b, c] = stage.members(group, 3).try_into().expect("three");
    stage.close_scope(group);
    stage.skip();
    stage.reply(1, 2, id(b, 1), FAIL);
    stage.expect(&["settle t4 failed", "cancel w2 t5#1"]);
    stage.acked(2, 3, id(c, 1));
    assert!(!stage.is_over(group));
    stage.reply(0, 1, id(a, 1), FAIL);
    assert_eq!(
        *stage.decision(group),
        Decision::FirstError { index: 0, task: a }
    );
}

#[test]
fn the_first_success_wins_and_errors_before_it_do_not_matter() {
    let mut stage = Stage::warm(3, 0);
    let group = stage.group(Rule::FirstSuccess, Ties::Arrival);
    let [a, b, c] = stage.members(group, 3).try_into().expect("three");
    stage.close_scope(group);
    stage.skip();
    stage.reply(0, 1, id(a, 1), FAIL);
    stage.expect(&["settle t3 failed"]);
    stage.reply(2, 3, id(c, 1), OK);
    stage.expect(&["settle t5 ok", "cancel w1 t4#1"]);
    stage.acked(1, 2, id(b, 1));
    let indexes = vec![2];
    assert_eq!(*stage.decision(group), Decision::Succeeded { indexes });
    assert_eq!(stage.ends(group), "e-d");
}

#[test]
fn the_lowest_success_is_the_same_whoever_is_first() {
    for first in [0, 1] {
        let mut stage = Stage::warm(3, 0);
        let group = stage.group(Rule::FirstSuccess, Ties::Lowest);
        let tasks = stage.members(group, 3);
        stage.close_scope(group);
        let mut order = [0, 1];
        order.rotate_left(first);
        for index in order {
            let how = stage.workers()[index as usize].2.clone();
            if how.contains(&id(tasks[index as usize], 1)) {
                stage.reply(
                    index,
                    u64::from(index) + 1,
                    id(tasks[index as usize], 1),
                    OK,
                );
            }
        }
        stage.acked(2, 3, id(tasks[2], 1));
        let indexes = vec![0];
        assert_eq!(*stage.decision(group), Decision::Succeeded { indexes });
    }
}

#[test]
fn a_quorum_that_cannot_be_reached_any_more_cancels_the_rest() {
    let mut stage = Stage::warm(3, 0);
    let group = stage.group(quorum(2), Ties::Arrival);
    let [a, b, c] = stage.members(group, 3).try_into().expect("three");
    stage.reply(0, 1, id(a, 1), FAIL);
    stage.skip();
    stage.reply(1, 2, id(b, 1), FAIL);
    stage.expect(&["settle t4 failed"]);
    stage.close_scope(group);
    stage.expect(&["cancel w2 t5#1"]);
    stage.acked(2, 3, id(c, 1));
    let (done, wanted) = (0, 2);
    assert_eq!(*stage.decision(group), Decision::TooFew { done, wanted });
}

#[test]
fn an_empty_group_is_over_when_it_is_closed() {
    let mut stage = Stage::warm(1, 0);
    let all = stage.group(Rule::All, Ties::Arrival);
    let one = stage.group(Rule::FirstSuccess, Ties::Arrival);
    stage.close_scope(all);
    stage.close_scope(one);
    assert_eq!(*stage.decision(all), Decision::AllEnded { done: 0, of: 0 });
    let (done, wanted) = (0, 1);
    assert_eq!(*stage.decision(one), Decision::TooFew { done, wanted });
}

#[test]
fn a_member_that_was_not_admitted_has_failed_and_keeps_its_index() {
    let mut configuration = config(1, 0);
    configuration.kinds[0].boundary.max_queued = 1;
    let mut stage = Stage::warm_with(configuration);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let [running, queued, refused] = stage.members(group, 3).try_into().expect("three");
    assert_by_group(&stage, queued, group, HowStopped::BeforeStart);
    stage.close_scope(group);
    stage.acked(0, 1, id(running, 1));
    let (index, task) = (2, refused);
    assert_eq!(*stage.decision(group), Decision::FirstError { index, task });
}

#[test]
fn who_comes_after_the_decision_ends_at_once() {
    let mut stage = Stage::warm(1, 0);
    let group = stage.group(Rule::FirstSuccess, Ties::Arrival);
    let first = stage.member(group);
    stage.reply(0, 1, id(first, 1), OK);
    stage.skip();
    let late = stage.member(group);
    stage.expect(&["settle t2 cancelled"]);
    assert_by_group(&stage, late, group, HowStopped::BeforeStart);
    stage.close_scope(group);
    assert_eq!(stage.ends(group), "d-");
}

/// One reading may end several; what is not sent yet must not be sent for a group that is decided.
#[test]
fn nothing_starts_for_a_group_that_is_decided_while_tasks_start() {
    let mut stage = Stage::new(config(2, 0));
    stage.gate(Gate::Paused);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let tasks = stage.members(group, 3);
    stage.close_scope(group);
    let other = stage.task();
    let too_large = RequestAnswer::NotMarshallable(MarshalError::TooLarge {
        size: 2,
        at_least: false,
        limit: 1,
    });
    stage.kinds.unbuilt.insert(tasks[0], too_large);
    stage.gate(Gate::Running);
    stage.skip();
    stage.hello(0, 1);
    stage.expect(&[
        "ready w0",
        "settle t0 failed",
        "settle t1 cancelled",
        "settle t2 cancelled",
        "scope-ended c1 first error 0 t0 (0 done, 1 failed, 2 neither)",
        &format!("request w0 {other}#1"),
    ]);
}

#[test]
fn a_match_that_panics_decides_before_the_next_is_looked_at() {
    let mut stage = Stage::warm(1, 0);
    stage.gate(Gate::Paused);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let tasks = stage.members(group, 2);
    stage.close_scope(group);
    stage.kinds.faulty_match = Some(tasks[0]);
    stage.skip();
    stage.gate(Gate::Running);
    stage.expect(&[
        "settle t1 failed",
        "settle t2 cancelled",
        "scope-ended c1 first error 0 t1 (0 done, 1 failed, 1 neither)",
    ]);
}

#[test]
fn follow_ups_are_no_members_but_their_group_waits_for_them() {
    let mut stage = Stage::warm(1, 0);
    let group = stage.group(Rule::All, Ties::Arrival);
    let task = stage.member(group);
    stage.close_scope(group);
    let follow_up = stage.next_id();
    stage.kinds.injects.push(crate::Injected::shared(follow_up));
    stage.skip();
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t1 ok", "request w0 t2#1"]);
    assert_eq!(stage.settlement(task).scope, Some(group));
    stage.reply(0, 1, id(follow_up, 1), FATAL);
    stage.expect(&[
        "settle t2 failed",
        "scope-ended c1 all ended, 1 done of 1 (1 done, 0 failed, 0 neither)",
    ]);
    assert_eq!(stage.settlement(follow_up).scope, Some(group));
}

#[test]
fn a_decision_ends_the_follow_ups_of_losers_and_not_of_winners() {
    let mut stage = Stage::warm(2, 0);
    let group = stage.group(Rule::FirstSuccess, Ties::Arrival);
    let [loser, winner] = stage.members(group, 2).try_into().expect("two");
    stage.close_scope(group);
    let of_loser = stage.next_id();
    stage.kinds.injects.push(crate::Injected::shared(of_loser));
    stage.reply(0, 1, id(loser, 1), FATAL);
    let of_winner = stage.next_id();
    stage.kinds.injects.push(crate::Injected::shared(of_winner));
    stage.skip();
    stage.reply(1, 2, id(winner, 1), OK);
    stage.expect(&["settle t3 ok", "cancel w0 t4#1", "request w1 t5#1"]);
    stage.acked(0, 1, id(of_loser, 1));
    assert_by_group(&stage, of_loser, group, HowStopped::Acked);
    stage.reply(1, 2, id(of_winner, 1), OK);
    let indexes = vec![1];
    assert_eq!(*stage.decision(group), Decision::Succeeded { indexes });
}

#[test]
fn the_time_limit_ends_the_members_for_good() {
    let mut stage = Stage::warm(1, 0);
    let rule = Some((Rule::All, Ties::Arrival));
    let group = stage.open(None, rule, Some(50 * MS));
    let retried = options(|o| {
        o.retries = Retries {
            on: RetryOn::ALL,
            ..retries(5)
        };
    });
    let running = stage.member_with(group, retried.clone());
    let waiting = stage.member_with(group, retried);
    stage.close_scope(group);
    stage.skip();
    assert_eq!(stage.await_deadline(), 50);
    stage.expect(&["cancel w0 t1#1", "settle t2 timeout"]);
    stage.acked(0, 1, id(running, 1));
    stage.expect(&[
        "settle t1 timeout",
        "scope-ended c1 timed out (0 done, 0 failed, 2 neither)",
    ]);
    for (task, how) in [
        (running, HowStopped::Acked),
        (waiting, HowStopped::BeforeStart),
    ] {
        let which = TimeLimit::Group;
        assert_eq!(*stage.outcome(task), Outcome::TimedOut { which, how });
    }
}

#[test]
fn what_was_decided_before_the_time_limit_stands() {
    let mut stage = Stage::warm(2, 0);
    let rule = Some((Rule::FirstSuccess, Ties::Arrival));
    let group = stage.open(None, rule, Some(50 * MS));
    let [winner, deaf] = stage.members(group, 2).try_into().expect("two");
    stage.close_scope(group);
    stage.reply(0, 1, id(winner, 1), OK);
    stage.pass(60);
    stage.die(1, 2, KILLED, Some(id(deaf, 1)));
    let indexes = vec![0];
    assert_eq!(*stage.decision(group), Decision::Succeeded { indexes });
    assert_by_group(&stage, deaf, group, HowStopped::Exited);
}

#[test]
fn a_group_that_is_over_in_time_leaves_no_timer() {
    let mut stage = Stage::warm(1, 0);
    let group = stage.open(None, Some((Rule::All, Ties::Arrival)), Some(50 * MS));
    let task = stage.member(group);
    stage.close_scope(group);
    stage.reply(0, 1, id(task, 1), OK);
    assert!(stage.is_over(group));
    assert_eq!(stage.master.deadline(), None);
}

#[test]
fn a_farm_that_ends_ends_its_groups_first() {
    for (how, decision) in [
        (Shut::Drain, Decision::AllEnded { done: 2, of: 2 }),
        (Shut::Finish, Decision::AllEnded { done: 1, of: 2 }),
        (Shut::Stop, Decision::AllEnded { done: 0, of: 2 }),
    ] {
        let mut stage = Stage::warm(1, 0);
        let group = stage.group(Rule::All, Ties::Arrival);
        let [a, b] = stage.members(group, 2).try_into().expect("two");
        stage.shut(how);
        match how {
            Shut::Stop => stage.acked(0, 1, id(a, 1)),
            Shut::Drain | Shut::Finish | Shut::Kill => stage.reply(0, 1, id(a, 1), OK),
        }
        if how == Shut::Drain {
            stage.reply(0, 1, id(b, 1), OK);
        }
        assert!(!stage.is_over(group), "its owner may come to close it");
        stage.skip();
        stage.die(0, 1, farm_protocol::Termination::Exited(0), None);
        let lines = stage.lines();
        assert!(lines[1].starts_with("scope-ended c1"), "{lines:?}");
        assert_eq!(lines[2], "stopped");
        assert_eq!(*stage.decision(group), decision);
    }
}

#[test]
fn needs_are_told_of_members_that_the_decision_ended() {
    let mut stage = Stage::warm(2, 0);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let [a, b, waiting] = stage.members(group, 3).try_into().expect("three");
    let after = stage.submit(options(|o| {
        o.needs = vec![crate::Need {
            task: waiting,
            when: crate::When::Failure,
        }];
    }));
    stage.close_scope(group);
    stage.reply(0, 1, id(a, 1), FAIL);
    stage.acked(1, 2, id(b, 1));
    assert_eq!(stage.slot_of(after), 0);
}
