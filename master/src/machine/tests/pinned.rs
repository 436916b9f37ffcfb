//! Follow-up tasks that only the worker that answered may take, and what becomes of them when it is gone.

use super::stage::*;
use crate::{HowStopped, Injected, Outcome, WhenGone, Why};
use farm_protocol::{SlotId, TaskId, Termination};

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
