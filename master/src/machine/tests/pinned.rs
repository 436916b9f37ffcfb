//! Tasks that only one process may take, as follow-ups of its answer or by their affinity, and what becomes of them
//! when it is gone.

use super::stage::play::options;
use super::stage::*;
use crate::{Affinity, HowStopped, Injected, Outcome, Shut, TaskOptions, WhenGone, Why};
use farm_protocol::{Session, SlotId, TaskId, Termination};

/// A stage with two warm workers of which the first runs `t2`.
fn stage() -> (Stage, TaskId) {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[], &[]]);
    let parent = stage.task();
    stage.expect(&["request w0 t2#1"]);
    (stage, parent)
}

/// The next answer of the first worker pins one follow-up to it, while an older task waits for it.
fn pinned(stage: &mut Stage, parent: TaskId, when_gone: WhenGone) -> (TaskId, TaskId) {
    let other = stage.task();
    let older = stage.task();
    stage.expect(&["request w1 t3#1"]);
    let follow_up = stage.coming();
    stage.next_id();
    stage.kinds.injects = vec![Injected::pinned(follow_up, when_gone)];
    stage.reply(0, 1, id(parent, 1), OK);
    let _ = older;
    (follow_up, other)
}

#[test]
fn a_pinned_task_comes_before_what_waited_longer() {
    let (mut stage, parent) = stage();
    let (follow_up, other) = pinned(&mut stage, parent, WhenGone::Fail);
    stage.expect(&["settle t2 ok", "request w0 t5#1"]);
    // Its kind is not asked: pinning it was the answer.
    assert!(stage.kinds.asked.iter().all(|(task, _)| *task != follow_up));
    stage.reply(1, 2, id(other, 1), OK);
    stage.expect(&["settle t3 ok", "request w1 t4#1"]);
}

#[test]
fn it_waits_for_its_worker_beside_an_idle_one() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[], &[]]);
    let parent = stage.task();
    let (first, second) = (TaskId::new(3, 0), TaskId::new(4, 0));
    stage.next_id();
    stage.next_id();
    stage.kinds.injects = [first, second]
        .map(|task| Injected::pinned(task, WhenGone::AnyWorker))
        .to_vec();
    stage.skip();
    stage.reply(0, 1, id(parent, 1), OK);
    stage.expect(&["settle t2 ok", "request w0 t3#1"]);
    assert_eq!(stage.why(second), Some(Why::Holder(SlotId(0))));
    // Whoever wants room does not get that worker.
    stage.reply(0, 1, id(first, 1), OK);
    stage.expect(&["settle t3 ok", "request w0 t4#1"]);
}

/// Two follow-ups are pinned; the first runs when the worker dies, the second waits.
fn holder_dies(when_gone: WhenGone) -> (Stage, TaskId, TaskId) {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[], &[]]);
    let parent = stage.task();
    let tasks = [TaskId::new(3, 0), TaskId::new(4, 0)];
    stage.next_id();
    stage.next_id();
    stage.kinds.injects = tasks.map(|task| Injected::pinned(task, when_gone)).to_vec();
    stage.reply(0, 1, id(parent, 1), OK);
    stage.skip();
    stage.die(0, 1, SEGV, Some(id(tasks[0], 1)));
    (stage, tasks[0], tasks[1])
}

#[test]
fn any_worker_takes_it_when_its_own_is_gone() {
    let (mut stage, ..) = holder_dies(WhenGone::AnyWorker);
    stage.expect(&[
        "again t3 after Died(Signaled { signal: 11, core_dumped: false })",
        "gone w0: killed by SIGSEGV",
        "request w1 t3#2",
        "spawn w0 s3",
    ]);
    assert!(stage.kinds.substituted.is_empty());
}

#[test]
fn its_substitute_takes_its_place_when_its_own_is_gone() {
    let (mut stage, first, second) = holder_dies(WhenGone::Substitute);
    stage.expect(&[
        "again t3 after Died(Signaled { signal: 11, core_dumped: false })",
        "gone w0: killed by SIGSEGV",
        "request w1 t3#2",
        "spawn w0 s3",
    ]);
    assert_eq!(stage.kinds.substituted, [first, second]);
}

#[test]
fn it_ends_when_its_own_is_gone_and_with_the_better_cause() {
    let (mut stage, first, second) = holder_dies(WhenGone::Fail);
    stage.expect(&[
        "settle t3 crashed",
        "settle t4 failed",
        "gone w0: killed by SIGSEGV",
    ]);
    assert!(matches!(stage.outcome(first), Outcome::WorkerLost(_)));
    assert_eq!(*stage.outcome(second), Outcome::HolderGone);
    // Nothing is left that a worker would be started for.
    assert_eq!(stage.master.outstanding(None), 0);
}

#[test]
fn a_worker_that_is_replaced_is_gone_for_what_is_pinned_to_it() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[]]);
    let parent = stage.task();
    let follow_ups = [TaskId::new(2, 0), TaskId::new(3, 0)];
    stage.next_id();
    stage.next_id();
    stage.kinds.injects = follow_ups
        .map(|task| Injected::pinned(task, WhenGone::Fail))
        .to_vec();
    stage.skip();
    stage.reply(0, 1, id(parent, 1), OK);
    stage.expect(&["settle t1 ok", "request w0 t2#1"]);
    stage.reply(0, 1, id(follow_ups[0], 1), END);
    stage.expect(&["settle t2 ok", "settle t3 failed", "stop w0"]);
}

#[test]
fn a_retry_goes_back_to_its_worker_and_a_late_one_elsewhere() {
    let mut defaults = config(2, 0);
    defaults.kinds[0].defaults.retries = crate::Retries {
        delay: std::time::Duration::from_millis(50),
        ..crate::Retries::immediate(2)
    };
    let mut stage = Stage::new(defaults);
    stage.warmed(&[&[], &[]]);
    let parent = stage.task();
    let follow_up = stage.coming();
    stage.next_id();
    stage.kinds.injects = vec![Injected::pinned(follow_up, WhenGone::AnyWorker)];
    stage.reply(0, 1, id(parent, 1), OK);
    stage.reply(0, 1, id(follow_up, 1), FAIL);
    stage.skip();
    stage.pass(50);
    stage.expect(&["request w0 t3#2"]);
    stage.reply(0, 1, id(follow_up, 2), FAIL);
    stage.die(0, 1, KILLED, None);
    stage.skip();
    stage.pass(50);
    stage.expect(&["request w1 t3#3"]);
}

#[test]
fn cancelling_it_leaves_its_worker_alone() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[], &[]]);
    let parent = stage.task();
    let tasks = [TaskId::new(3, 0), TaskId::new(4, 0)];
    stage.next_id();
    stage.next_id();
    stage.kinds.injects = tasks
        .map(|task| Injected::pinned(task, WhenGone::Fail))
        .to_vec();
    stage.reply(0, 1, id(parent, 1), OK);
    stage.skip();
    stage.tell(crate::Event::Cancel {
        task: tasks[1],
        reason: "enough".into(),
    });
    stage.expect(&["settle t4 cancelled"]);
    let cancelled = stage.outcome(tasks[1]);
    assert!(matches!(
        cancelled,
        Outcome::Cancelled {
            how: HowStopped::BeforeStart,
            ..
        }
    ));
    stage.die(0, 1, Termination::Exited(3), Some(id(tasks[0], 1)));
    assert!(matches!(stage.outcome(tasks[0]), Outcome::WorkerLost(_)));
}

/// A task for the process of this session in this slot.
fn for_worker(stage: &mut Stage, slot: u32, session: u64, options: TaskOptions) -> TaskId {
    let affinity = Affinity::Worker {
        slot: SlotId(slot),
        session: Session(session),
    };
    let task = stage.coming();
    stage.kinds.affinities.insert(task, affinity);
    stage.submit(options)
}

fn plain(stage: &mut Stage, slot: u32, session: u64) -> TaskId {
    for_worker(stage, slot, session, TaskOptions::default())
}

#[test]
fn a_task_for_one_process_goes_there_though_others_idle_and_came_before() {
    let mut stage = Stage::warm(3, 0);
    stage.kinds.asked.clear();
    let first = plain(&mut stage, 2, 3);
    stage.expect(&[&format!("request w2 {first}#1")]);
    // Whose kind would say no is not asked.
    stage.kinds.refuses = (3..9)
        .map(|task| (TaskId::new(task, 0), SlotId(2)))
        .collect();
    let second = plain(&mut stage, 2, 3);
    stage.expect(&[]);
    assert_eq!(stage.why(second), Some(Why::Holder(SlotId(2))));
    stage.reply(2, 3, id(first, 1), OK);
    stage.expect(&["settle t3 ok", &format!("request w2 {second}#1")]);
    assert!(stage.kinds.asked.is_empty());
}

#[test]
fn it_comes_before_what_is_for_any_worker() {
    let mut stage = Stage::warm(1, 0);
    let (running, shared) = (stage.task(), stage.task());
    let own = plain(&mut stage, 0, 1);
    stage.skip();
    stage.reply(0, 1, id(running, 1), OK);
    stage.expect(&["settle t1 ok", &format!("request w0 {own}#1")]);
    stage.reply(0, 1, id(own, 1), OK);
    stage.expect(&["settle t3 ok", &format!("request w0 {shared}#1")]);
}

#[test]
fn it_ends_with_its_process_however_that_ends() {
    // Idle and asked to go: after what it executes, and so before what waits.
    let mut stage = Stage::warm(2, 0);
    let running = plain(&mut stage, 0, 1);
    let waits = plain(&mut stage, 0, 1);
    stage.reply(0, 1, id(running, 1), END);
    assert_eq!(*stage.outcome(waits), Outcome::HolderGone);
    // It dies of another task.
    let running = plain(&mut stage, 1, 2);
    let waits = plain(&mut stage, 1, 2);
    stage.die(1, 2, SEGV, Some(id(running, 1)));
    assert!(matches!(stage.outcome(running), Outcome::WorkerLost(_)));
    assert_eq!(*stage.outcome(waits), Outcome::HolderGone);
    assert_eq!(stage.master.outstanding(None), 0);
}

#[test]
fn who_died_idle_or_was_replaced_takes_nothing() {
    let mut stage = Stage::warm(2, 0);
    stage.eof(0, 1);
    // Dead, and not collected.
    let limbo = plain(&mut stage, 0, 1);
    assert_eq!(*stage.outcome(limbo), Outcome::HolderGone);
    stage.exit(0, 1, KILLED, None);
    let gone = plain(&mut stage, 0, 1);
    assert_eq!(*stage.outcome(gone), Outcome::HolderGone);
    // Another has its slot.
    let _both = (stage.task(), stage.task());
    stage.hello(0, 3);
    let stale = plain(&mut stage, 0, 1);
    assert_eq!(*stage.outcome(stale), Outcome::HolderGone);
    let there = plain(&mut stage, 0, 3);
    assert!(!stage.is_settled(there));
}

#[test]
fn a_process_that_never_was_is_gone() {
    let mut config = config(1, 0);
    config.kinds.push(config.kinds[0].clone());
    let mut stage = Stage::warm_with(config);
    for (slot, session) in [(0, 2), (1, 1), (2, 1), (u32::MAX, u64::MAX), (0, 0)] {
        let task = plain(&mut stage, slot, session);
        assert_eq!(*stage.outcome(task), Outcome::HolderGone);
    }
    // One of another kind.
    stage.submit_to(1, TaskOptions::default());
    stage.hello(1, 2);
    let task = plain(&mut stage, 1, 2);
    assert_eq!(*stage.outcome(task), Outcome::HolderGone);
}

#[test]
fn one_that_could_not_be_started_is_gone_for_what_waits_for_it() {
    let mut stage = Stage::new(config(1, 0));
    stage.task();
    let waits = plain(&mut stage, 0, 1);
    stage.expect(&["spawn w0 s1"]);
    stage.tell(crate::Event::SpawnFailed {
        slot: SlotId(0),
        session: Session(1),
        error: "no such program".into(),
    });
    stage.expect(&["settle t1 failed"]);
    assert_eq!(*stage.outcome(waits), Outcome::HolderGone);
}

#[test]
fn a_retry_goes_to_its_process_again_and_a_suspect_ends_as_its_attempt_did() {
    let mut stage = Stage::warm(2, 0);
    let task = for_worker(
        &mut stage,
        1,
        2,
        options(|options| options.retries = crate::Retries::immediate(1)),
    );
    stage.reply(1, 2, id(task, 1), FAIL);
    stage.skip();
    stage.expect(&[]);
    assert_eq!(stage.running_in(1), Some(task));
    stage.die(1, 2, SEGV, Some(id(task, 2)));
    assert!(matches!(stage.outcome(task), Outcome::WorkerLost(_)));
}

#[test]
fn a_need_that_is_met_when_its_process_is_gone_is_met_in_vain() {
    let mut stage = Stage::warm(2, 0);
    let needed = stage.task();
    let task = for_worker(
        &mut stage,
        1,
        2,
        options(|options| {
            options.needs = vec![crate::Need {
                task: needed,
                when: crate::When::Success,
            }];
        }),
    );
    stage.die(1, 2, KILLED, None);
    assert!(!stage.is_settled(task));
    stage.reply(0, 1, id(needed, 1), OK);
    assert_eq!(*stage.outcome(task), Outcome::HolderGone);
}

#[test]
fn a_follow_up_falls_back_on_the_process_that_its_affinity_names() {
    let (mut stage, parent) = stage();
    let follow_up = stage.coming();
    stage.next_id();
    let other = Affinity::Worker {
        slot: SlotId(1),
        session: Session(2),
    };
    stage.kinds.affinities.insert(follow_up, other);
    let running = plain(&mut stage, 1, 2);
    stage.kinds.injects = vec![Injected::pinned(follow_up, WhenGone::AnyWorker)];
    stage.skip();
    stage.reply(0, 1, id(parent, 1), END);
    stage.expect(&["settle t2 ok", "stop w0"]);
    assert_eq!(stage.why(follow_up), Some(Why::Holder(SlotId(1))));
    stage.reply(1, 2, id(running, 1), END);
    assert_eq!(*stage.outcome(follow_up), Outcome::HolderGone);
}

#[test]
fn it_ends_with_a_farm_that_drains_or_stops() {
    for how in [Shut::Drain, Shut::Finish, Shut::Stop] {
        let mut stage = Stage::warm(2, 0);
        let running = plain(&mut stage, 0, 1);
        let waits = plain(&mut stage, 0, 1);
        stage.shut(how);
        let drains = how == Shut::Drain;
        assert_eq!(stage.is_settled(waits), !drains);
        stage.reply(0, 1, id(running, 1), OK);
        if drains {
            stage.reply(0, 1, id(waits, 1), OK);
        }
        assert_eq!(stage.outcome(waits).is_done(), drains);
        stage.die(0, 1, Termination::Exited(0), None);
        stage.die(1, 2, Termination::Exited(0), None);
        assert!(stage.master.is_stopped());
    }
}
