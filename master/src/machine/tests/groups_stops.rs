//! Scopes cancelled: in every state of a task, down the tree, and never beside it.

use super::stage::play::*;
use super::stage::*;
use crate::{
    CancelledBy, Decision, Event, HowStopped, LimitId, Need, Outcome, Retries, Rule, SCOPE_LIMIT,
    Ties, When,
};
use farm_protocol::{ScopeId, TaskId, Termination};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

#[track_caller]
fn assert_cancelled(stage: &Stage, task: TaskId, scope: ScopeId, how: HowStopped) {
    let reason = "edited".to_owned();
    let by = CancelledBy::Scope { scope, reason };
    assert_eq!(*stage.outcome(task), Outcome::Cancelled { by, how });
}

fn edited() -> Decision {
    Decision::Cancelled {
        reason: "edited".to_owned(),
    }
}

#[test]
fn a_task_is_cancelled_with_its_scope_wherever_it_stands() {
    let mut stage = Stage::warm(2, 0);
    let scope = stage.open(None, None, None);
    let limited = |o: &mut crate::TaskOptions| o.limit = Some(LimitId(0));
    let delayed = stage.member_with(
        scope,
        options(|o| {
            o.retries = Retries {
                delay: 9_000 * MS,
                ..retries(1)
            };
        }),
    );
    stage.reply(0, 1, id(delayed, 1), FAIL);
    let sent = stage.member_with(scope, options(limited));
    let stopping = stage.member(scope);
    let parked = stage.member_with(scope, options(limited));
    let ready = stage.member(scope);
    let needing = stage.member_with(
        scope,
        options(|o| {
            o.needs = vec![Need {
                task: sent,
                when: When::Always,
            }];
        }),
    );
    let beside = stage.task();
    stage.cancel(stopping);
    stage.skip();
    stage.cancel_scope(scope);
    let lines = stage.lines();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(lines[1], format!("cancel w0 {sent}#1"));
    for task in [delayed, parked, ready, needing] {
        assert_cancelled(&stage, task, scope, HowStopped::BeforeStart);
    }
    stage.acked(1, 2, id(stopping, 1));
    stage.acked(0, 1, id(sent, 1));
    assert_cancelled(&stage, sent, scope, HowStopped::Acked);
    // The first reason stands.
    let by = CancelledBy::Caller("enough".to_owned());
    let how = HowStopped::Acked;
    assert_eq!(*stage.outcome(stopping), Outcome::Cancelled { by, how });
    assert_eq!(*stage.decision(scope), edited());
    assert_eq!(stage.slot_of(beside), 1);
    assert!(!stage.is_settled(beside));
}

#[test]
fn an_answer_that_is_being_decoded_counts_and_its_follow_ups_come_in_vain() {
    let mut stage = Stage::warm(1, 0);
    let scope = stage.open(None, None, None);
    let task = stage.member(scope);
    stage.reply(0, 1, id(task, 1), &[b'x'; 1001]);
    stage.cancel_scope(scope);
    let follow_up = stage.next_id();
    stage.kinds.injects.push(crate::Injected::shared(follow_up));
    stage.skip();
    stage.decoded(0, 1, id(task, 1), OK);
    stage.expect(&[
        "settle t1 ok",
        "settle t2 cancelled",
        "scope-ended c1 cancelled \"edited\"",
    ]);
    assert_cancelled(&stage, follow_up, scope, HowStopped::BeforeStart);
    assert_eq!(stage.settlement(follow_up).scope, Some(scope));
}

#[test]
fn follow_ups_and_theirs_are_cancelled_with_the_scope() {
    let mut stage = Stage::warm(1, 0);
    let scope = stage.open(None, None, None);
    let mut task = stage.member(scope);
    for _ in 0..2 {
        let next = stage.next_id();
        stage.kinds.injects.push(crate::Injected::shared(next));
        stage.reply(0, 1, id(task, 1), OK);
        task = next;
    }
    stage.skip();
    stage.cancel_scope(scope);
    stage.expect(&[&format!("cancel w0 {task}#1")]);
    stage.acked(0, 1, id(task, 1));
    assert_cancelled(&stage, task, scope, HowStopped::Acked);
}

#[test]
fn the_cancel_goes_down_the_tree_and_not_up_or_beside() {
    let mut stage = Stage::warm(3, 0);
    let root = stage.open(None, None, None);
    let rule = Some((Rule::FirstSuccess, Ties::Arrival));
    let [left, right] = [
        stage.open(Some(root), rule, None),
        stage.open(Some(root), None, None),
    ];
    let leaf = stage.open(Some(left), None, None);
    let of_left = stage.member(left);
    let of_right = stage.member(right);
    let of_leaf = stage.member(leaf);
    let of_root = stage.member(root);
    stage.skip();
    stage.cancel_scope(left);
    stage.expect(&["cancel w0 t3#1", "cancel w2 t5#1"]);
    stage.acked(0, 1, id(of_left, 1));
    stage.reply(0, 1, id(of_root, 1), OK);
    assert!(!stage.is_over(left), "one inside it is not");
    stage.skip();
    stage.acked(2, 3, id(of_leaf, 1));
    stage.expect(&[
        "settle t5 cancelled",
        "scope-ended c4 cancelled \"edited\"",
        "scope-ended c2 cancelled \"edited\" (0 done, 0 failed, 1 neither)",
    ]);
    assert_cancelled(&stage, of_leaf, left, HowStopped::Acked);
    stage.close_scope(root);
    stage.reply(1, 2, id(of_right, 1), OK);
    assert!(!stage.is_over(root), "one inside it takes tasks still");
    stage.skip();
    stage.close_scope(right);
    stage.expect(&[
        "scope-ended c3 all ended, 1 done of 1",
        "scope-ended c1 all ended, 1 done of 1",
    ]);
}

#[test]
fn what_takes_nothing_any_more_refuses() {
    let mut stage = Stage::warm(1, 0);
    let [dead, over, closed] = [(); 3].map(|()| stage.open(None, None, None));
    stage.member(dead);
    stage.cancel_scope(dead);
    stage.close_scope(over);
    stage.member(closed);
    stage.close_scope(closed);
    assert!(stage.is_over(over) && !stage.is_over(dead) && !stage.is_over(closed));
    for scope in [dead, over, closed, ScopeId(99)] {
        stage.skip();
        let task = stage.member(scope);
        stage.expect(&[&format!(
            "refuse {task}: its scope {scope} takes nothing any more (it was cancelled, closed, or never opened)"
        )]);
        let child = stage.open(Some(scope), None, None);
        stage.expect(&[&format!(
            "refuse {child}: the scope {scope} that it would be in takes nothing any more"
        )]);
        // What is not there is no matter.
        stage.cancel_scope(child);
        stage.close_scope(child);
        stage.expect(&[]);
    }
    stage.tell(Event::OpenScope {
        scope: dead,
        parent: None,
        rule: None,
        limit: None,
    });
    stage.expect(&["refuse c1: a scope of this id is open already"]);
}

#[test]
fn a_child_times_out_with_its_parent() {
    let mut stage = Stage::warm(1, 0);
    let parent = stage.open(None, None, Some(10 * MS));
    let child = stage.open(Some(parent), None, Some(20 * MS));
    let task = stage.member(child);
    stage.await_deadline();
    stage.acked(0, 1, id(task, 1));
    assert_eq!(*stage.decision(child), Decision::TimedOut);
    assert_eq!(*stage.decision(parent), Decision::TimedOut);
    assert_eq!(stage.master.deadline(), None);
}

#[test]
fn scopes_inside_a_group_end_with_its_decision() {
    let mut stage = Stage::warm(2, 0);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let inside = stage.open(Some(group), None, None);
    let inner = stage.member(inside);
    let member = stage.member(group);
    stage.close_scope(group);
    stage.skip();
    stage.reply(1, 2, id(member, 1), FAIL);
    stage.expect(&["settle t3 failed", "cancel w0 t2#1"]);
    stage.acked(0, 1, id(inner, 1));
    let by = CancelledBy::Group(group);
    let how = HowStopped::Acked;
    assert_eq!(*stage.outcome(inner), Outcome::Cancelled { by, how });
    let (index, task) = (0, member);
    assert_eq!(*stage.decision(group), Decision::FirstError { index, task });
}

#[test]
fn warm_workers_outside_hear_nothing_and_deaf_members_are_killed_in_time() {
    let mut stage = Stage::warm(3, 0);
    let outside = stage.task();
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let [deaf, failing] = stage.members(group, 2).try_into().expect("two");
    stage.close_scope(group);
    stage.skip();
    stage.reply(2, 3, id(failing, 1), FAIL);
    stage.expect(&["settle t5 failed", "cancel w1 t4#1"]);
    assert_eq!(stage.await_deadline(), 500);
    stage.expect(&["term w1 s2"]);
    assert_eq!(stage.await_deadline(), 500);
    stage.expect(&["kill w1 s2"]);
    // The group is over when the process is; no other is started for it.
    stage.die(1, 2, KILLED, Some(id(deaf, 1)));
    stage.expect(&[
        "settle t4 cancelled",
        "gone w1: killed by SIGKILL (by the farm)",
        "scope-ended c1 first error 1 t5 (0 done, 1 failed, 1 neither)",
    ]);
    stage.reply(0, 1, id(outside, 1), OK);
    stage.expect(&["settle t3 ok"]);
}

#[test]
fn a_worker_that_dies_holding_two_members_is_met_once() {
    let mut stage = Stage::warm(1, 4);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let fail = |o: &mut crate::TaskOptions| o.on_lost = crate::OnLost::Fail;
    let [executing, held] = [stage.member_with(group, options(fail)), stage.member(group)];
    stage.close_scope(group);
    stage.skip();
    stage.die(0, 1, Termination::Exited(1), Some(id(executing, 1)));
    let lines = stage.lines();
    assert!(
        lines.iter().all(|line| !line.starts_with("spawn")),
        "{lines:?}"
    );
    assert!(matches!(stage.outcome(executing), Outcome::WorkerLost(_)));
    assert!(matches!(stage.outcome(held), Outcome::Cancelled { .. }));
    assert_eq!(stage.ends(group), "e-");
}

#[test]
fn so_many_scopes_and_no_more() {
    let mut stage = Stage::warm(1, 0);
    stage.checks = false;
    for _ in 0..SCOPE_LIMIT {
        stage.open(None, None, None);
    }
    stage.expect(&[]);
    stage.open(None, None, None);
    assert!(stage.lines()[0].starts_with("refuse c262145: 262144 scopes are open"));
    stage.close_scope(ScopeId(7));
    stage.skip();
    stage.open(None, None, None);
    stage.expect(&[]);
}

#[test]
fn a_chain_of_scopes_is_cancelled_without_a_chain_of_calls() {
    const DEPTH: u64 = 100_000;
    let mut stage = Stage::warm(1, 0);
    stage.checks = false;
    let root = stage.open(None, None, None);
    let mut inner = root;
    for _ in 1..DEPTH {
        inner = stage.open(Some(inner), None, None);
    }
    let task = stage.member(inner);
    stage.cancel_scope(root);
    stage.skip();
    stage.acked(0, 1, id(task, 1));
    assert_eq!(stage.lines().len() as u64, DEPTH + 1);
    assert_eq!(*stage.decision(root), edited());
}

#[test]
fn a_hundred_thousand_members() {
    const MEMBERS: usize = 100_000;
    for ties in [Ties::Arrival, Ties::Lowest] {
        let mut configuration = config(1, 0);
        configuration.kinds[0].boundary.max_queued = MEMBERS;
        let mut stage = Stage::warm_with(configuration);
        stage.checks = false;
        let group = stage.group(Rule::FirstError, ties);
        let tasks = stage.members(group, MEMBERS);
        stage.close_scope(group);
        for task in &tasks[..1_000] {
            stage.reply(0, 1, id(*task, 1), OK);
        }
        stage.skip();
        stage.reply(0, 1, id(tasks[1_000], 1), FAIL);
        assert_eq!(stage.lines().len(), MEMBERS - 1_000 + 1);
        let (index, task) = (1_000, tasks[1_000]);
        assert_eq!(*stage.decision(group), Decision::FirstError { index, task });
        assert!(stage.ends(group).starts_with(&"d".repeat(1_000)));
        stage.master.check_invariants();
    }
}
