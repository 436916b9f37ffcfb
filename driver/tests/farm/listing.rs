//! What a caller sees of the tasks in a farm, and changes of what waits.

use crate::Test;
use crate::picky::{FOLLOWED, Picky, UNRANKED, picky};
use crate::stage::{LONG, farm, order, pool, soon, stand_still};
use farm_driver::{Farm, Joined, Observer, Silent, TaskQueue};
use farm_master::lane::Entry;
use farm_master::{Outcome, QueueOrder, Refusal, Settlement, Shut, Stands, Why};
use farm_protocol::{Instant, KindId, TaskId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

pub(crate) const TESTS: &[Test] = &[
    (
        "a_listing_has_a_reason_for_each",
        a_listing_has_a_reason_for_each,
    ),
    ("a_snapshot_sees_the_tasks", a_snapshot_sees_the_tasks),
    ("a_queue_has_an_order", a_queue_has_an_order),
    ("a_task_changes_its_priority", a_task_changes_its_priority),
    (
        "a_rank_that_panics_costs_its_task",
        a_rank_that_panics_costs_its_task,
    ),
    (
        "an_overview_does_not_wait_for_ever",
        an_overview_does_not_wait_for_ever,
    ),
    (
        "after_the_end_nothing_is_listed",
        after_the_end_nothing_is_listed,
    ),
    (
        "an_observer_sees_each_task_come_and_go",
        an_observer_sees_each_task_come_and_go,
    ),
];

/// A farm of one worker that stands still with a task, so that what is submitted waits.
fn standing() -> (Farm, TaskQueue<Picky>) {
    let (farm, queue, _) = picky(1);
    assert!(queue.submit(order("double", 0)).wait().is_ok());
    stand_still(&farm);
    drop(queue.submit(order("double", 0)));
    (farm, queue)
}

/// Lets it go, and gives the order in which these tasks ended.
fn order_of_ends(
    farm: &Farm,
    queue: &TaskQueue<Picky>,
    numbers: &[u64],
    change: impl FnOnce(),
) -> Vec<u64> {
    let results = queue.submit_all(numbers.iter().map(|&number| order("double", number)));
    change();
    farm.resume();
    results
        .map(|(index, resolved)| {
            let settled = resolved.expect("admitted");
            assert_eq!(settled.task.1, numbers[index]);
            settled.task.1
        })
        .collect()
}

fn a_listing_has_a_reason_for_each() {
    let (farm, _, queue) = farm(pool("", 1));
    let running = queue.submit(order("hang", 0));
    let waiting: Vec<_> = (1..=5).map(|n| queue.submit(order("double", n))).collect();
    assert_eq!((farm.outstanding(), queue.outstanding()), (6, 6));
    // Until the worker says hello nothing runs.
    soon("it runs", || running.why_waiting().is_none());
    assert_eq!((queue.len(), queue.is_empty()), (5, false));
    let lines = farm.list(100);
    assert_eq!(lines.len(), 6);
    for line in &lines {
        let runs = Some(line.task) == running.id();
        match line.stands {
            Stands::Runs { .. } => assert!(runs),
            Stands::Waits(why) => assert!(!runs && why == Why::NoSlot, "{why}"),
            Stands::Held { .. } | Stands::Stops { .. } => panic!("neither"),
        }
    }
    assert_eq!(queue.list(2).len(), 2);
    assert_eq!(waiting[0].why_waiting(), Some(Why::NoSlot));
    let id = waiting[0].id().expect("it was taken in");
    assert_eq!(farm.why_waiting(id), Some(Why::NoSlot));
    queue.cancel_all("enough");
    for ticket in waiting {
        let settled = ticket
            .wait_timeout(LONG)
            .expect("in time")
            .expect("admitted");
        assert!(matches!(settled.outcome, Outcome::Cancelled { .. }));
    }
    assert!(queue.is_empty());
}

fn a_snapshot_sees_the_tasks() {
    let (_farm, queue) = standing();
    let tickets: Vec<_> = (1..=5).map(|n| queue.submit(order("double", n))).collect();
    tickets[3].set_priority(1);
    let seen = queue.snapshot_with(3, |task| task.1);
    let numbers: Vec<u64> = seen.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, [4, 1, 2], "in the order of their starts");
    assert_eq!(Some(seen[0].0.task), tickets[3].id());
    assert_eq!(seen[0].0.priority, 1);
    let look = AssertUnwindSafe(|| queue.snapshot_with(3, |_| panic!("a look too many")));
    let seen: Result<Vec<(_, ())>, _> = catch_unwind(look);
    let panic = seen.expect_err("it comes out here");
    assert_eq!(panic.downcast_ref(), Some(&"a look too many"));
    assert_eq!(queue.len(), 5, "nobody was harmed");
}

fn a_queue_has_an_order() {
    let numbers = [3, 1, 5, 2, 4];
    let ends = |change: fn(&TaskQueue<Picky>)| {
        let (farm, queue) = standing();
        order_of_ends(&farm, &queue, &numbers, || change(&queue))
    };
    assert_eq!(ends(|_| {}), numbers);
    assert_eq!(
        ends(|queue| queue.set_order(QueueOrder::Newest)),
        [4, 2, 5, 1, 3]
    );
    assert_eq!(
        ends(|queue| queue.set_order(QueueOrder::Ranked)),
        [5, 4, 3, 2, 1]
    );
    // Equal ranks start as they came.
    let near_three =
        |queue: &TaskQueue<Picky>| queue.set_order_by(|task| task.1.abs_diff(3) as i64);
    assert_eq!(ends(near_three), [3, 2, 4, 1, 5]);
    // The last wish counts, and the kind's own rank is back.
    assert_eq!(
        ends(|queue| {
            queue.set_order_by(|task| task.1 as i64);
            queue.set_order(QueueOrder::Ranked);
        }),
        [5, 4, 3, 2, 1]
    );
}

fn a_task_changes_its_priority() {
    let (farm, queue) = standing();
    let last = queue.submit(order("double", 9));
    let urgent = queue.submit(order("double", 8));
    let ends = order_of_ends(&farm, &queue, &[1, 2], || {
        last.set_priority(-1);
        for priority in 0..1000 {
            urgent.set_priority(priority);
        }
        // The loop has heard all of it when it answers.
        assert_eq!(queue.snapshot_with(1, |task| task.1)[0].1, 8);
        farm.set_priority(urgent.id().expect("taken in"), 7);
        assert_eq!(
            queue
                .list(10)
                .iter()
                .filter(|line| line.priority == 7)
                .count(),
            1
        );
    });
    assert_eq!(ends, [1, 2]);
    let last = last.wait().expect("admitted");
    let urgent = urgent.wait().expect("admitted");
    assert!(urgent.finished < last.finished);
}

fn a_rank_that_panics_costs_its_task() {
    let (farm, queue) = standing();
    let unranked = queue.submit(order("double", UNRANKED));
    let ends = order_of_ends(&farm, &queue, &[1, 2], || {
        queue.set_order(QueueOrder::Ranked);
    });
    assert_eq!(ends, [2, 1]);
    let settled = unranked.wait().expect("admitted");
    let Outcome::KindFault(fault) = settled.outcome else {
        panic!("its rank panicked");
    };
    assert!(fault.message.contains("no rank for it"), "{fault}");
}

/// While a callback holds the loop it is said so; then it is seen what there is; then that there is nothing.
fn an_overview_does_not_wait_for_ever() {
    let (farm, queue) = standing();
    drop(queue.submit(order("double", 1)));
    let (holds, held) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let hold = move |_: &_| {
            holds.send(()).expect("the test waits");
            let _over = goes.recv();
        };
        queue.snapshot_with(1, hold).len()
    });
    held.recv().expect("the loop is held");
    let limit = std::time::Duration::from_millis(5);
    assert_eq!(farm.overview(9, limit).err(), Some(Silent(limit)));
    drop(go);
    assert_eq!(holder.join().expect("no panic"), 1);
    let seen = farm
        .overview(9, LONG)
        .expect("nothing holds it")
        .expect("it runs");
    assert_eq!(
        (seen.lanes.len(), seen.workers.len(), seen.pids.len()),
        (1, 1, 1)
    );
    assert_eq!((seen.lanes[0].in_flight, seen.lanes[0].waiting), (1, 1));
    assert_eq!(seen.waiting[0].stands, Stands::Waits(Why::NoSlot));
    assert_eq!(seen.workers[0].done, 1);
    farm.shut(Shut::Kill);
    farm.wait_stopped();
    assert!(farm.overview(9, LONG).expect("at once").is_none());
}

fn after_the_end_nothing_is_listed() {
    let (farm, queue, _) = picky(1);
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    let ticket = queue.submit(order("double", 1));
    ticket.set_priority(1);
    assert_eq!(ticket.why_waiting(), None);
    assert!(farm.list(10).is_empty() && queue.list(10).is_empty());
    assert!(queue.snapshot_with(10, |_| ()).is_empty());
    assert_eq!(
        (farm.outstanding(), queue.outstanding(), queue.len()),
        (0, 0, 0)
    );
    queue.set_order_by(|_| 0);
    queue.broadcast();
    farm.cancel_all("nobody is there");
    assert_eq!(farm.join(), Joined::Empty);
}

/// Notes what comes and goes.
struct Ledger(mpsc::Sender<String>);

impl Observer for Ledger {
    fn submitted(&mut self, _: Instant, task: TaskId, kind: KindId, entry: Entry) {
        let line = format!("{task} of {kind}: {}", entry.label());
        self.0.send(line).expect("the test listens");
    }

    fn refused(&mut self, _: Instant, task: TaskId, _: &Refusal) {
        self.0
            .send(format!("{task} refused"))
            .expect("the test listens");
    }

    fn task_ended(&mut self, _: Instant, settlement: &Settlement) {
        let line = format!("{} {}", settlement.task, settlement.outcome.status());
        self.0.send(line).expect("the test listens");
    }
}

fn an_observer_sees_each_task_come_and_go() {
    let (sender, lines) = mpsc::channel();
    let mut builder = crate::stage::builder();
    let kind = builder.kind(Picky::default(), pool("", 1));
    builder.observer(Box::new(Ledger(sender)));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    assert!(queue.submit(order("double", FOLLOWED)).wait().is_ok());
    assert_eq!(
        farm.join(),
        Joined::Empty,
        "its follow-up is a task like any other"
    );
    farm.set_gate(kind, farm_master::lane::Gate::Closed);
    assert!(queue.submit(order("double", 2)).wait().is_err());
    drop(farm);
    let lines: Vec<String> = lines.iter().collect();
    // The last one has the place that was freed last.
    assert_eq!(
        lines,
        [
            "t0 of k0: push",
            "t1 of k0: inject",
            "t0 ok",
            "t1 ok",
            "t1.1 of k0: push",
            "t1.1 refused"
        ]
    );
}
