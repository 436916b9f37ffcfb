//! The seeded bugs of scopes and groups (`g1` to `g8`).

use super::*;
use crate::{Injected, Retries, Rule, Ties};
use std::num::NonZeroU32;

#[test]
fn g1_a_quorum_one_too_early() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let two = NonZeroU32::MIN.saturating_add(1);
        let group = stage.group(Rule::Quorum(two), Ties::Arrival);
        let tasks = stage.members(group, 2);
        stage.skip();
        stage.reply(0, 1, id(tasks[0], 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::QuorumOneTooEarly,
        &config(2, 0),
        play,
        &["settle t2 ok"],
        &["settle t2 ok", "cancel w1 t3#1"],
    );
}

#[test]
fn g2_who_is_below_the_lowest_error_is_cancelled() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let group = stage.group(Rule::FirstError, Ties::Lowest);
        let tasks = stage.members(group, 2);
        stage.skip();
        stage.reply(1, 2, id(tasks[1], 1), FAIL);
        stage.lines()
    };
    contrast(
        Mutation::LowestIsCut,
        &config(2, 0),
        play,
        &["settle t3 failed"],
        &["settle t3 failed", "cancel w0 t2#1"],
    );
}

#[test]
fn g3_a_cancelled_member_counts_as_an_error() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let group = stage.group(Rule::FirstError, Ties::Arrival);
        let tasks = stage.members(group, 2);
        stage.cancel(tasks[0]);
        stage.skip();
        stage.acked(0, 1, id(tasks[0], 1));
        stage.lines()
    };
    contrast(
        Mutation::CancelledIsError,
        &config(2, 0),
        play,
        &["settle t2 cancelled"],
        &["settle t2 cancelled", "cancel w1 t3#1"],
    );
}

#[test]
fn g4_a_member_is_tried_again_after_the_decision() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        // The invariants see it at once; here is what a user sees.
        stage.checks = false;
        let group = stage.group(Rule::FirstError, Ties::Arrival);
        let retried = options(|o| {
            o.retries = Retries {
                delay: 50 * MS,
                ..retries(1)
            };
        });
        let tasks = [stage.member_with(group, retried), stage.member(group)];
        stage.reply(0, 1, id(tasks[0], 1), FAIL);
        stage.skip();
        stage.reply(1, 2, id(tasks[1], 1), FATAL);
        stage.pass(50);
        stage.lines()
    };
    contrast(
        Mutation::DecisionForgetsDelayed,
        &config(2, 0),
        play,
        &["settle t3 failed", "settle t2 cancelled"],
        &["settle t3 failed", "request w0 t2#2"],
    );
}

#[test]
fn g5_a_member_starts_after_the_decision() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        stage.checks = false;
        let group = stage.group(Rule::FirstError, Ties::Arrival);
        let tasks = stage.members(group, 2);
        stage.skip();
        stage.reply(0, 1, id(tasks[0], 1), FATAL);
        stage.lines()
    };
    contrast(
        Mutation::DecisionSparesWaiting,
        &config(1, 0),
        play,
        &["settle t1 failed", "settle t2 cancelled"],
        &["settle t1 failed", "request w0 t2#1"],
    );
}

#[test]
fn g6_a_scope_inside_is_not_cancelled() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        stage.checks = false;
        let outer = stage.open(None, None, None);
        let inner = stage.open(Some(outer), None, None);
        stage.member(inner);
        stage.skip();
        stage.cancel_scope(outer);
        stage.lines()
    };
    contrast(
        Mutation::InnerScopesLeft,
        &config(1, 0),
        play,
        &["cancel w0 t1#1"],
        &[],
    );
}

#[test]
fn g7_a_follow_up_outlives_its_group() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        stage.checks = false;
        let group = stage.group(Rule::All, Ties::Arrival);
        let task = stage.member(group);
        stage.close_scope(group);
        let follow_up = stage.next_id();
        stage.kinds.injects.push(Injected::shared(follow_up));
        stage.skip();
        stage.reply(0, 1, id(task, 1), OK);
        stage.reply(0, 1, id(follow_up, 1), OK);
        stage.lines()
    };
    let ended = "scope-ended c1 all ended, 1 done of 1 (1 done, 0 failed, 0 neither)";
    contrast(
        Mutation::FollowUpsOutlive,
        &config(1, 0),
        play,
        &["settle t1 ok", "request w0 t2#1", "settle t2 ok", ended],
        &["settle t1 ok", ended, "request w0 t2#1", "settle t2 ok"],
    );
}

#[test]
fn g8_who_comes_too_late_runs() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        stage.checks = false;
        let group = stage.group(Rule::FirstError, Ties::Arrival);
        let task = stage.member(group);
        stage.reply(0, 1, id(task, 1), FATAL);
        stage.skip();
        stage.member(group);
        stage.lines()
    };
    contrast(
        Mutation::LateMembersRun,
        &config(1, 0),
        play,
        &["settle t2 cancelled"],
        &["request w0 t2#1"],
    );
}
