//! The seeded bugs about who gets which task (`x19` to `x32`).

use super::super::affinity::{A, B};
use super::*;
use crate::{Affinity, Injected, QueueOrder, Shut, WhenGone};
use farm_protocol::TaskId;

const KIND: KindId = KindId(0);

/// A stage with warm workers that hold these keys.
fn holders(config: Config, keys: &[&[farm_protocol::AffinityKey]]) -> Stage {
    let mut stage = Stage::new(config);
    stage.warmed(keys);
    stage
}

/// A task that no worker of these takes, nor a fresh one.
fn hopeless(stage: &mut Stage, slots: u32) -> TaskId {
    let task = stage.coming();
    let refuses = (0..slots).map(|slot| (task, SlotId(slot)));
    stage.kinds.refuses.extend(refuses);
    stage.kinds.not_for_fresh.push(task);
    stage.task()
}

/// The answer of the first of two warm workers pins two follow-ups to it: one runs, one waits.
fn two_pinned(config: Config, when_gone: WhenGone) -> (Stage, [TaskId; 2]) {
    let mut stage = holders(config, &[&[], &[]]);
    let parent = stage.task();
    let tasks = [stage.next_id(), stage.next_id()];
    stage.kinds.injects = tasks.map(|task| Injected::pinned(task, when_gone)).to_vec();
    stage.skip();
    stage.reply(0, 1, id(parent, 1), OK);
    (stage, tasks)
}

/// One worker that is busy, and two tasks that wait.
fn two_wait(config: Config) -> (Stage, TaskId, [TaskId; 2]) {
    let mut stage = holders(config, &[&[]]);
    let running = stage.task();
    let tasks = [stage.task(), stage.task()];
    stage.skip();
    (stage, running, tasks)
}

#[test]
fn x19_a_dead_holder_is_waited_for() {
    let play = |config| {
        let mut stage = holders(config, &[&[A], &[]]);
        stage.die(0, 1, KILLED, None);
        let running = stage.task();
        stage.task_for(Affinity::Prefers(A));
        stage.task();
        stage.skip();
        stage.reply(1, 2, id(running, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::DeadHolderRemembered,
        &config(2, 0),
        play,
        &["settle t2 ok", "request w1 t3#1"],
        &["settle t2 ok", "request w1 t4#1"],
    );
}

#[test]
fn x20_whoever_is_free_takes_what_is_pinned() {
    let play = |config| two_pinned(config, WhenGone::AnyWorker).0.lines();
    contrast(
        Mutation::PinnedGivenAway,
        &config(2, 0),
        play,
        &["settle t2 ok", "request w0 t3#1"],
        &["settle t2 ok", "request w0 t3#1", "request w1 t4#1"],
    );
}

#[test]
fn x21_what_should_end_with_its_worker_goes_elsewhere() {
    let play = |config| {
        let (mut stage, [running, _]) = two_pinned(config, WhenGone::Fail);
        stage.skip();
        stage.die(0, 1, SEGV, Some(id(running, 1)));
        stage.lines()
    };
    let gone = "gone w0: killed by SIGSEGV";
    contrast(
        Mutation::FailIgnored,
        &config(2, 0),
        play,
        &["settle t3 crashed", "settle t4 failed", gone],
        &["settle t3 crashed", gone, "request w1 t4#1"],
    );
}

#[test]
fn x22_no_substitute_is_asked_for() {
    let play = |config| {
        let (mut stage, [running, _]) = two_pinned(config, WhenGone::Substitute);
        stage.die(0, 1, SEGV, Some(id(running, 1)));
        let substituted = stage.kinds.substituted.iter();
        substituted.map(ToString::to_string).collect()
    };
    contrast(
        Mutation::SubstituteNotCalled,
        &config(2, 0),
        play,
        &["t3", "t4"],
        &[],
    );
}

#[test]
fn x23_what_was_refused_is_not_looked_at_again() {
    let play = |config| {
        let mut stage = holders(config, &[&[]]);
        hopeless(&mut stage, 1);
        let lesson = stage.task();
        stage.kinds.refuses.clear();
        stage.skip();
        stage.reply(0, 1, id(lesson, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::RefusalKept,
        &config(1, 0),
        play,
        &["settle t2 ok", "request w0 t1#1"],
        &["settle t2 ok"],
    );
}

#[test]
fn x24_a_broadcast_is_not_heard() {
    let play = |config| {
        let mut stage = holders(config, &[&[]]);
        hopeless(&mut stage, 1);
        stage.kinds.refuses.clear();
        stage.skip();
        stage.tell(Event::Broadcast { kind: KIND });
        stage.lines()
    };
    contrast(
        Mutation::BroadcastUnheard,
        &config(1, 0),
        play,
        &["request w0 t1#1"],
        &[],
    );
}

#[test]
fn x25_nobody_says_that_nothing_will_start_a_task() {
    let play = |config| {
        let mut stage = holders(config, &[&[]]);
        hopeless(&mut stage, 1);
        stage.lines()
    };
    contrast(
        Mutation::UnmatchedUnsaid,
        &config(1, 0),
        play,
        &["unmatched t1"],
        &[],
    );
}

#[test]
fn x26_a_required_key_is_only_preferred() {
    let play = |config| {
        let mut stage = holders(config, &[&[A], &[B]]);
        stage.task_for(Affinity::Requires(A));
        stage.task_for(Affinity::Requires(A));
        stage.lines()
    };
    contrast(
        Mutation::RequiresAsPrefers,
        &config(2, 0),
        play,
        &["request w0 t2#1"],
        &["request w0 t2#1", "request w1 t3#1"],
    );
}

#[test]
fn x27_a_new_priority_moves_nothing() {
    let play = |config| {
        let (mut stage, running, [_, urgent]) = two_wait(config);
        stage.tell(Event::SetPriority {
            task: urgent,
            priority: 1,
        });
        stage.reply(0, 1, id(running, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::PriorityLost,
        &config(1, 0),
        play,
        &["settle t1 ok", "request w0 t3#1"],
        &["settle t1 ok", "request w0 t2#1"],
    );
}

#[test]
fn x28_an_idle_holder_is_robbed() {
    let play = |config| {
        let mut stage = holders(config, &[&[B], &[A]]);
        stage.task_for(Affinity::Prefers(A));
        stage.lines()
    };
    contrast(
        Mutation::HolderRobbed,
        &config(2, 0),
        play,
        &["request w1 t2#1"],
        &["request w0 t2#1"],
    );
}

#[test]
fn x29_a_new_order_leaves_what_waits() {
    let play = |config| {
        let (mut stage, running, _) = two_wait(config);
        let order = QueueOrder::Newest;
        stage.tell(Event::SetOrder { kind: KIND, order });
        stage.reply(0, 1, id(running, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::OrderForNewcomers,
        &config(1, 0),
        play,
        &["settle t1 ok", "request w0 t3#1"],
        &["settle t1 ok", "request w0 t2#1"],
    );
}

#[test]
fn x30_what_is_pinned_comes_last() {
    let play = |config| {
        let mut stage = holders(config, &[&[]]);
        let parent = stage.task();
        stage.task();
        let follow_up = stage.next_id();
        stage.kinds.injects = vec![Injected::pinned(follow_up, WhenGone::Fail)];
        stage.skip();
        stage.reply(0, 1, id(parent, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::PinnedLast,
        &config(1, 0),
        play,
        &["settle t1 ok", "request w0 t3#1"],
        &["settle t1 ok", "request w0 t2#1"],
    );
}

#[test]
fn x31_no_idle_worker_makes_room() {
    let play = |config| {
        let mut stage = holders(config, &[&[A]]);
        stage.task_for(Affinity::Requires(B));
        stage.lines()
    };
    contrast(
        Mutation::NoRoomMade,
        &config(1, 0),
        play,
        &["stop w0"],
        &["unmatched t1"],
    );
}

#[test]
fn x32_a_drain_keeps_what_nothing_will_start() {
    let play = |config| {
        let mut stage = holders(config, &[&[]]);
        hopeless(&mut stage, 1);
        stage.skip();
        stage.shut(Shut::Drain);
        stage.lines()
    };
    contrast(
        Mutation::DrainKeepsUnmatched,
        &config(1, 0),
        play,
        &["settle t1 skipped", "stop w0"],
        &[],
    );
}
