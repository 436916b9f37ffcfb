//! What callers may change about tasks that wait: their priority, the order, what the kind looks at; and ending all.

use super::stage::*;
use crate::{Event, LimitId, Outcome, QueueOrder, TaskOptions};
use farm_protocol::{KindId, SlotId, TaskId};

const KIND: KindId = KindId(0);

/// One worker that is busy with `t0`, and three that wait.
fn waiting() -> (Stage, [TaskId; 3]) {
    let mut stage = Stage::new(config(1, 0));
    stage.task();
    let tasks = [0; 3].map(|_| stage.task());
    stage.hello(0, 1);
    stage.skip();
    (stage, tasks)
}

/// The order in which everything that waits starts.
fn rest(stage: &mut Stage) -> Vec<usize> {
    let mut order = vec![];
    let mut last = TaskId::new(0, 0);
    loop {
        stage.reply(0, 1, id(last, 1), OK);
        let running = stage.sent_last(last);
        let Some(next) = running else { return order };
        order.push(next.index());
        last = next;
    }
}

#[test]
fn a_priority_may_be_changed_while_a_task_waits() {
    let (mut stage, tasks) = waiting();
    let set = |stage: &mut Stage, task, priority| stage.tell(Event::SetPriority { task, priority });
    set(&mut stage, tasks[2], 5);
    set(&mut stage, tasks[0], -5);
    set(&mut stage, TaskId::new(9, 0), 7);
    set(&mut stage, TaskId::new(0, 0), 7);
    assert_eq!(rest(&mut stage), [3, 2, 1]);
}

#[test]
fn a_priority_counts_at_a_full_limit_and_after_it() {
    let mut stage = Stage::new(config(2, 0));
    let limited = TaskOptions {
        limit: Some(LimitId(0)),
        ..TaskOptions::default()
    };
    let tasks = [0; 3].map(|_| stage.submit(limited.clone()));
    stage.hello(0, 1);
    stage.hello(1, 2);
    assert_eq!(stage.why(tasks[1]), Some(crate::Why::Limit(LimitId(0))));
    stage.tell(Event::SetPriority {
        task: tasks[2],
        priority: 1,
    });
    stage.skip();
    stage.reply(0, 1, id(tasks[0], 1), OK);
    stage.expect(&["settle t0 ok", "request w0 t2#1"]);
}

#[test]
fn the_newest_first_and_back() {
    let (mut stage, _) = waiting();
    let order = |order| Event::SetOrder { kind: KIND, order };
    stage.tell(order(QueueOrder::Newest));
    assert_eq!(rest(&mut stage), [3, 2, 1]);
    let (mut stage, _) = waiting();
    stage.tell(order(QueueOrder::Newest));
    stage.tell(order(QueueOrder::Arrival));
    assert_eq!(rest(&mut stage), [1, 2, 3]);
}

#[test]
fn by_rank_and_again_at_a_broadcast() {
    let (mut stage, tasks) = waiting();
    stage
        .kinds
        .ranks
        .extend([(tasks[0], 9), (tasks[1], 3), (tasks[2], 3)]);
    stage.tell(Event::SetOrder {
        kind: KIND,
        order: QueueOrder::Ranked,
    });
    stage.kinds.ranks.insert(tasks[0], 1);
    stage.tell(Event::Broadcast { kind: KIND });
    assert_eq!(rest(&mut stage), [1, 2, 3]);
    let (mut stage, tasks) = waiting();
    stage
        .kinds
        .ranks
        .extend([(tasks[0], 9), (tasks[1], 3), (tasks[2], 3)]);
    stage.tell(Event::SetOrder {
        kind: KIND,
        order: QueueOrder::Ranked,
    });
    assert_eq!(rest(&mut stage), [2, 3, 1]);
}

#[test]
fn a_broadcast_has_everything_looked_at_again() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[]]);
    let task = stage.coming();
    stage.kinds.refuses = vec![(task, SlotId(0))];
    stage.kinds.not_for_fresh = vec![task];
    stage.task();
    stage.expect(&["unmatched t1"]);
    stage.kinds.refuses.clear();
    stage.pass(1);
    stage.expect(&[]);
    stage.tell(Event::Broadcast { kind: KIND });
    stage.expect(&["request w0 t1#1"]);
}

#[test]
fn cancelling_all_touches_no_worker_that_does_nothing() {
    let mut stage = Stage::new(config(3, 0));
    stage.warmed(&[&[], &[], &[]]);
    let running = stage.task();
    stage.skip();
    stage.tell(Event::CancelAll {
        kind: Some(KIND),
        reason: "enough".into(),
    });
    stage.expect(&["cancel w0 t3#1"]);
    stage.reply(0, 1, id(running, 1), OK);
    stage.expect(&["settle t3 cancelled"]);
    let after = stage.task();
    stage.expect(&["request w0 t4#1"]);
    stage.tell(Event::CancelAll {
        kind: None,
        reason: "enough".into(),
    });
    stage.reply(0, 1, id(after, 1), OK);
    assert!(matches!(stage.outcome(after), Outcome::Cancelled { .. }));
}
