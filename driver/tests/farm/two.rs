//! Two farms in one process, and what is left when handles are dropped.

use crate::Test;
use crate::picky::Picky;
use crate::stage::{LONG, Orders, Streamed, builder, farm, lives, order, pool, run, soon};
use farm_driver::{Farm, Joined, Observer, TaskQueue};
use farm_protocol::{AttemptId, Instant, Session, SlotId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

pub(crate) const TESTS: &[Test] = &[
    (
        "one_farm_goes_on_without_the_other",
        one_farm_goes_on_without_the_other,
    ),
    ("a_kind_belongs_to_its_farm", a_kind_belongs_to_its_farm),
    (
        "what_is_dropped_leaves_what_it_says",
        what_is_dropped_leaves_what_it_says,
    ),
];

/// Tells which process each attempt was sent to.
struct Pids(mpsc::Sender<u32>);

impl Observer for Pids {
    fn started(&mut self, _: Instant, _: AttemptId, _: SlotId, _: Session, pid: u32) {
        // Nobody may listen any more.
        let _gone = self.0.send(pid);
    }
}

/// A farm with two workers of one kind and one of another, and where it sends its tasks.
fn watched() -> (
    Farm,
    TaskQueue<Orders>,
    TaskQueue<Picky>,
    mpsc::Receiver<u32>,
) {
    let (sender, pids) = mpsc::channel();
    let mut builder = builder();
    let orders = builder.kind(Orders, pool("", 2));
    let picky = builder.kind(Picky::default(), pool("", 1));
    builder.observer(Box::new(Pids(sender)));
    let farm = builder.start().expect("a farm");
    let queues = (farm.queue(orders), farm.queue(picky));
    (farm, queues.0, queues.1, pids)
}

fn pids_of(farm: &Farm) -> Vec<u32> {
    let pids = farm.worker_pids();
    pids.into_iter().map(|(_, pid)| pid).collect()
}

fn one_farm_goes_on_without_the_other() {
    let (first, first_orders, first_picky, first_sent) = watched();
    let (second, second_orders, second_picky, second_sent) = watched();
    let hangs = [(); 2].map(|()| first_orders.submit(order("hang", 0)));
    let waits = first_orders.submit_all((0..50).map(|n| order("double", n)));
    assert!(run_picky(&first_picky, 1));
    let mut results = second_orders.submit_all((0..500).map(|n| order("double", n)));
    assert!(results.next().is_some() && run_picky(&second_picky, 2));
    let (of_first, of_second) = (pids_of(&first), pids_of(&second));
    assert_eq!((of_first.len(), of_second.len()), (3, 3));
    assert!(of_first.iter().all(|pid| !of_second.contains(pid)));
    // Both are busy, and one goes.
    drop(first);
    assert!(
        of_first.iter().all(|&pid| !lives(pid)),
        "no process is left"
    );
    for ticket in hangs {
        assert_eq!(
            ticket.wait().expect("admitted").outcome.status(),
            "cancelled"
        );
    }
    assert_eq!(waits.count(), 50);
    assert_eq!(results.count(), 499);
    assert!(run_picky(&second_picky, 3));
    assert_eq!(pids_of(&second), of_second, "the same workers");
    assert_eq!(second.join(), Joined::Empty);
    drop(second);
    assert!(of_second.iter().all(|&pid| !lives(pid)));
    // No task went to a worker of the other.
    assert!(first_sent.iter().all(|pid| of_first.contains(&pid)));
    assert!(second_sent.iter().all(|pid| of_second.contains(&pid)));
}

fn run_picky(queue: &TaskQueue<Picky>, number: u64) -> bool {
    let ticket = queue.submit(order("double", number));
    let resolved = ticket.wait_timeout(LONG).expect("in time");
    resolved.expect("admitted").outcome.is_done()
}

fn a_kind_belongs_to_its_farm() {
    let (first, first_kind, _) = farm(pool("", 1));
    let mut builder = builder();
    let streamed = builder.kind(Streamed, pool("", 1));
    let second = builder.start().expect("a farm");
    let said = |call: &dyn Fn()| {
        let panic = catch_unwind(AssertUnwindSafe(call)).expect_err("it is of the other farm");
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        text.expect("in words")
    };
    for text in [
        said(&|| drop(second.queue(first_kind))),
        said(&|| drop(first.queue(streamed))),
        said(&|| second.set_gate(first_kind, farm_master::lane::Gate::Paused)),
    ] {
        assert!(text.contains("the kind belongs to another farm"), "{text}");
    }
    assert!(run(&first.queue(first_kind), "double", 1).outcome.is_done());
}

fn what_is_dropped_leaves_what_it_says() {
    let (farm, _, queue) = farm(pool("", 2));
    // A clone, a queue and a ticket: nothing changes.
    let clone = farm.clone();
    drop(farm);
    drop(queue.clone());
    drop(queue.submit(order("double", 1)));
    assert_eq!(clone.join(), Joined::Empty);
    // Results: their tasks end.
    drop(queue.submit_all([order("hang", 1), order("hang", 2)]));
    assert_eq!(clone.join_timeout(LONG), Joined::Empty);
    // The last handle: everything ends, though a queue is there, and nothing is left.
    let hanging = queue.submit(order("hang", 3));
    soon("it runs", || hanging.why_waiting().is_none());
    let pids = pids_of(&clone);
    drop(clone);
    assert!(!pids.is_empty() && pids.iter().all(|&pid| !lives(pid)));
    assert!(hanging.try_take().expect("told already").is_ok());
    assert!(
        queue.submit(order("double", 1)).wait().is_err(),
        "handed back"
    );
}
