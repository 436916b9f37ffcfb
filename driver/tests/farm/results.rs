//! The ends of many tasks as an iterator, and what becomes of tasks whose results are not wanted.

use crate::Test;
use crate::stage::{LONG, Orders, builder, farm, lives, order, pool, run, soon, stand_still};
use farm_driver::{Farm, Joined, Pool, Refused, Results, TaskQueue};
use farm_master::Shut;
use farm_master::lane::{AdapterMode, Boundary};
use std::collections::BTreeSet;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("results_come_as_they_end", results_come_as_they_end),
    ("results_come_in_order", results_come_in_order),
    ("an_order_may_begin_late", an_order_may_begin_late),
    ("a_refused_task_is_a_result", a_refused_task_is_a_result),
    (
        "who_leaves_a_loop_leaves_no_work",
        who_leaves_a_loop_leaves_no_work,
    ),
    ("detached_tasks_run_on", detached_tasks_run_on),
    ("results_have_a_limit_of_time", results_have_a_limit_of_time),
    ("results_of_a_farm_that_ends", results_of_a_farm_that_ends),
    ("results_end_with_their_scope", results_end_with_their_scope),
];

fn results_end_with_their_scope() {
    let (farm, _, queue) = farm(pool("", 1));
    let scope = farm.scope();
    let results = queue.submit_all_in(&scope, (0..5).map(|n| order("hang", n)));
    let other = queue.submit(order("double", 1));
    drop(scope);
    let ends = results.map(|(_, end)| end.expect("admitted").outcome.status());
    assert!(ends.eq(["cancelled"; 5]));
    assert!(other.wait().expect("admitted").outcome.is_done());
}

/// A farm of two workers, and this many tasks of which the first holds one of the two until it is cancelled.
fn uneven(count: u64) -> (Farm, Results<Orders>) {
    let (farm, _, queue) = farm(pool("", 2));
    let tasks = (0..count).map(|n| order(if n == 0 { "hang" } else { "double" }, n));
    let results = queue.submit_all(tasks);
    (farm, results)
}

fn results_come_as_they_end() {
    let (_farm, mut results) = uneven(100);
    assert_eq!(results.len(), 100);
    let early: BTreeSet<usize> = results
        .by_ref()
        .take(99)
        .map(|(index, resolved)| {
            let settled = resolved.expect("admitted");
            assert_eq!(settled.task.1, index as u64);
            assert!(settled.outcome.is_done());
            index
        })
        .collect();
    assert_eq!(early, (1..100).collect());
    results.cancel("enough");
    let (last, _) = results.next().expect("one is left");
    assert_eq!((last, results.len()), (0, 0));
    assert!(results.is_empty() && results.next().is_none());
}

fn results_come_in_order() {
    let (farm, results) = uneven(100);
    soon("all but the first end", || farm.outstanding() == 1);
    farm.cancel_all("enough");
    let results = results.in_order();
    assert_eq!(results.len(), 100);
    let numbers = results.map(|resolved| resolved.expect("admitted").task.1);
    assert!(numbers.eq(0..100));
}

fn an_order_may_begin_late() {
    let (farm, mut results) = uneven(20);
    let (taken, _) = results.next().expect("there are some");
    soon("all but the first end", || farm.outstanding() == 1);
    farm.cancel_all("enough");
    let rest: Vec<u64> = results
        .in_order()
        .map(|resolved| resolved.expect("admitted").task.1)
        .collect();
    let expected: Vec<u64> = (0..20).filter(|&n| n != taken as u64).collect();
    assert_eq!(rest, expected);
    assert_eq!(farm.join(), Joined::Empty);
}

fn narrow() -> Pool {
    let boundary = Boundary::new(AdapterMode::PushPull, 1, 2, 2_000).expect("limits");
    pool("", 1).boundary(boundary)
}

fn a_refused_task_is_a_result() {
    let (farm, _, queue) = farm(narrow());
    assert!(run(&queue, "double", 1).outcome.is_done());
    stand_still(&farm);
    let results = queue.submit_all((0..10).map(|n| order("double", n)));
    assert_eq!(
        farm.outstanding(),
        3,
        "one is sent, and there is room for two"
    );
    farm.resume();
    let (mut done, mut back) = (0, BTreeSet::new());
    for (index, resolved) in results {
        match resolved {
            Ok(settled) => done += usize::from(settled.outcome.is_done()),
            Err(Refused { task, .. }) => {
                assert_eq!(task, order("double", index as u64));
                back.insert(index);
            }
        }
    }
    assert_eq!((done, back), (3, (3..10).collect()));
}

fn pid_of_one(farm: &Farm) -> u32 {
    let pids = farm.worker_pids();
    let [(_, pid)] = pids[..] else {
        panic!("one worker: {pids:?}")
    };
    pid
}

fn who_leaves_a_loop_leaves_no_work() {
    let (farm, _, queue) = farm(pool("", 1));
    let tasks = ["double", "hang", "double"].map(|what| order(what, 1));
    for (index, resolved) in queue.submit_all(tasks) {
        assert_eq!(index, 0, "the next one hangs");
        if resolved.expect("admitted").outcome.is_done() {
            break;
        }
    }
    assert_eq!(farm.join_timeout(LONG), Joined::Empty);
    // The same when they are put in order, and when a caller's iterator panics half-way.
    let tasks = ["double", "hang", "double"].map(|what| order(what, 1));
    let first = queue.submit_all(tasks).in_order().next();
    assert!(first.expect("one").is_ok());
    assert_eq!(farm.join_timeout(LONG), Joined::Empty);
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let tasks = (0..10).map(|n| {
            assert!(n < 5, "no more");
            order("hang", n)
        });
        drop(queue.submit_all(tasks));
    }));
    assert!(broken.is_err());
    assert_eq!(farm.join_timeout(LONG), Joined::Empty);
}

fn detached_tasks_run_on() {
    let (farm, _, queue) = farm(pool("", 1));
    assert!(run(&queue, "double", 1).outcome.is_done());
    stand_still(&farm);
    queue
        .submit_all((0..5).map(|n| order("double", n)))
        .detach();
    // As a dropped ticket's does.
    drop(queue.submit(order("double", 5)));
    assert_eq!(farm.outstanding(), 6, "nobody has cancelled them");
    farm.resume();
    assert_eq!(farm.join_timeout(LONG), Joined::Empty);
    assert!(lives(pid_of_one(&farm)), "nothing was asked to stop");
}

fn results_have_a_limit_of_time() {
    let (_farm, _, queue) = farm(pool("", 1));
    let mut results = queue.submit_all([order("double", 1), order("hang", 1)]);
    assert!(results.next_timeout(LONG).is_some());
    assert!(results.next_timeout(Duration::from_millis(20)).is_none());
    assert_eq!(results.len(), 1, "there is one to come");
    results.cancel("enough");
    let (index, resolved) = results.next_timeout(LONG).expect("in time");
    assert_eq!(index, 1);
    assert_eq!(resolved.expect("admitted").outcome.status(), "cancelled");
    assert!(results.next_timeout(LONG).is_none(), "that was all");
}

fn results_of_a_farm_that_ends() {
    let mut builder = builder();
    let kind = builder.kind(Orders, pool("", 1));
    let farm = builder.start().expect("a farm");
    let queue: TaskQueue<Orders> = farm.queue(kind);
    let results = queue.submit_all((0..5).map(|n| order("hang", n)));
    soon("a worker", || !farm.worker_pids().is_empty());
    let pid = pid_of_one(&farm);
    farm.shut(Shut::Kill);
    assert_eq!(results.count(), 5);
    farm.wait_stopped();
    assert!(!lives(pid));
    let back: Vec<_> = queue.submit_all([order("double", 1)]).collect();
    assert!(matches!(back[..], [(0, Err(Refused { .. }))]));
}
