//! What a listing shows of what waits, how many there are, and when nothing lets the rest start.

use super::stage::play::options;
use super::stage::*;
use crate::lane::Gate;
use crate::{Event, Phase, QueueOrder, TaskOptions, Why};
use farm_protocol::{KindId, SlotId, TaskId};

const KIND: KindId = KindId(0);

fn waiting(stage: &mut Stage, most: usize) -> Vec<TaskId> {
    let lines = stage.master.list_waiting(&mut stage.kinds, KIND, most);
    lines.iter().map(|line| line.task).collect()
}

#[test]
fn what_waits_is_listed_in_the_order_of_its_starts() {
    let mut stage = Stage::new(config(1, 0));
    let running = stage.task();
    stage.hello(0, 1);
    assert_eq!(stage.slot_of(running), 0);
    let [a, b, c] = [(); 3].map(|()| stage.task());
    let needy = stage.submit(options(|options| {
        options.priority = 9;
        options.needs = vec![crate::Need {
            task: a,
            when: crate::When::Always,
        }];
    }));
    stage.tell(Event::SetPriority {
        task: c,
        priority: 1,
    });
    // Not what runs; and what needs another comes after what only needs a worker.
    assert_eq!(waiting(&mut stage, 10), [c, a, b, needy]);
    assert_eq!(waiting(&mut stage, 2), [c, a]);
    assert_eq!(waiting(&mut stage, 0), []);
    stage.kinds.ranks = [(a, 2), (b, 1)].into();
    stage.tell(Event::SetOrder {
        kind: KIND,
        order: QueueOrder::Ranked,
    });
    assert_eq!(waiting(&mut stage, 3), [c, b, a]);
    let lines = stage.master.list_waiting(&mut stage.kinds, KIND, 1);
    assert_eq!(lines[0].stands, crate::Stands::Waits(Why::NoSlot));
}

#[test]
fn who_was_asked_to_stop_is_outstanding_once() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.cancel(task);
    assert_eq!(stage.master.outstanding(Some(KIND)), 1);
    stage.reply(0, 1, id(task, 1), OK);
    assert_eq!(stage.master.outstanding(Some(KIND)), 0);
}

#[test]
fn a_kind_is_stuck_though_another_one_is_busy() {
    let mut configuration = config(1, 0);
    configuration.kinds.push(configuration.kinds[0].clone());
    let mut stage = Stage::new(configuration);
    let busy = stage.submit_to(1, TaskOptions::default());
    stage.hello(1, 1);
    let picky = stage.coming();
    stage.kinds.refuses = vec![(picky, SlotId(0))];
    stage.kinds.not_for_fresh = vec![picky];
    stage.task();
    stage.skip();
    assert!(stage.master.is_stuck(Some(KIND)));
    assert!(!stage.master.is_stuck(Some(KindId(1))));
    assert!(!stage.master.is_stuck(None));
    // What needs a task of the other kind may still start.
    stage.submit(options(|options| {
        options.needs = vec![crate::Need {
            task: busy,
            when: crate::When::Always,
        }];
    }));
    assert!(!stage.master.is_stuck(Some(KIND)));
}

#[test]
fn lanes_and_workers_are_seen_as_they_are() {
    let mut stage = Stage::new(config(2, 0));
    let first = stage.task();
    stage.task();
    let phases = |stage: &Stage| -> Vec<Phase> {
        let workers = stage.master.workers();
        workers.iter().map(|worker| worker.phase).collect()
    };
    assert_eq!(phases(&stage), [Phase::Launching, Phase::Launching]);
    stage.hello(0, 1);
    stage.hello(1, 2);
    stage.task();
    assert_eq!(phases(&stage), [Phase::Running, Phase::Running]);
    stage.cancel(first);
    let lane = |stage: &Stage| stage.master.lanes().remove(0);
    let seen = lane(&stage);
    assert_eq!((seen.in_flight, seen.stopping, seen.waiting), (1, 1, 1));
    assert_eq!((seen.max_in_flight, seen.gate), (2, Gate::Running));
    let worker = stage.master.workers().remove(0);
    let doing = worker.task.map(|(id, _)| id.task);
    assert_eq!(
        (worker.slot, doing, worker.done),
        (SlotId(0), Some(first), 0)
    );
    stage.acked(0, 1, id(first, 1));
    let worker = stage.master.workers().remove(0);
    assert_eq!((worker.done, worker.held), (1, 0));
    stage.tell(Event::SetGate {
        kind: KIND,
        gate: Gate::Paused,
    });
    let seen = lane(&stage);
    assert_eq!(
        (seen.in_flight, seen.waiting, seen.gate),
        (2, 0, Gate::Paused)
    );
    stage.eof(1, 2);
    assert_eq!(phases(&stage).len(), 2, "until its exit is known as well");
}
