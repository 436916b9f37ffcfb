//! How many real workers there are, and which are replaced: kept, idle, worn, resized, shared by kinds.

use crate::Test;
use crate::picky::Picky;
use crate::stage::{LONG, Orders, builder, farm, lives, order, pool, run, soon};
use farm_driver::{Farm, Pool, Program, ResizeError, StartError, TaskQueue};
use farm_master::{Outcome, Recycle, SHORTEST_LIFE};
use rustix::process::{Pid, Signal, kill_process};
use std::num::NonZeroU32;

pub(crate) const TESTS: &[Test] = &[
    ("the_least_are_there_without_work", the_least_are_there),
    ("idle_workers_end", idle_workers_end),
    ("a_worker_per_task", a_worker_per_task),
    ("a_resize_counts_at_once", a_resize_counts_at_once),
    ("kinds_share_one_worker", kinds_share_one_worker),
    ("more_kept_than_allowed", more_kept_than_allowed),
    (
        "a_resize_keeps_no_more_than_allowed",
        resize_beyond_the_farm,
    ),
    #[cfg(not(feature = "portable"))]
    ("a_worker_that_has_grown_goes", a_worker_that_has_grown_goes),
    #[cfg(not(feature = "portable"))]
    (
        "a_limit_below_what_a_worker_holds",
        a_limit_below_what_a_worker_holds,
    ),
    #[cfg(feature = "portable")]
    ("memory_is_not_measured_here", memory_is_not_measured_here),
];

fn pids(farm: &Farm) -> Vec<u32> {
    let pids = farm.worker_pids();
    pids.into_iter().map(|(_, pid)| pid).collect()
}

/// The process that executes a task.
fn pid(queue: &TaskQueue<Orders>) -> u32 {
    match run(queue, "pid", 0).outcome {
        Outcome::Done(pid) => pid.parse().expect("a pid"),
        other => panic!("{}", other.status()),
    }
}

fn the_least_are_there() {
    let (farm, _, queue) = farm(pool("", 3).least(2));
    soon("they come", || pids(&farm).len() == 2);
    // One that has answered: whoever dies before is taken for one that cannot be started.
    let first = pid(&queue);
    let number = Pid::from_raw(i32::try_from(first).expect("a pid")).expect("not zero");
    kill_process(number, Signal::KILL).expect("killed");
    soon("another comes", || {
        !lives(first) && pids(&farm).len() == 2 && !pids(&farm).contains(&first)
    });
}

fn idle_workers_end() {
    let (farm, _, queue) = farm(pool("", 3).idle(SHORTEST_LIFE));
    let first = pid(&queue);
    soon("it ends", || pids(&farm).is_empty());
    assert!(!lives(first));
    assert_ne!(pid(&queue), first);
}

fn a_worker_per_task() {
    let recycle = Recycle {
        tasks: Some(NonZeroU32::MIN),
        ..Recycle::default()
    };
    let (_farm, _, queue) = farm(pool("", 1).recycle(recycle));
    let results = queue.submit_all((0..10).map(|_| order("pid", 0)));
    let mut pids: Vec<String> = results
        .map(|(_, end)| match end.expect("admitted").outcome {
            Outcome::Done(pid) => pid,
            other => panic!("{}", other.status()),
        })
        .collect();
    pids.sort();
    pids.dedup();
    assert_eq!(pids.len(), 10, "a process each");
}

fn a_resize_counts_at_once() {
    let (farm, kind, queue) = farm(pool("", 1).ceiling(3));
    let hangs: Vec<_> = (0..3).map(|_| queue.submit(order("hang", 0))).collect();
    soon("it comes", || pids(&farm).len() == 1);
    let beyond = ResizeError::BeyondCeiling {
        most: 4,
        ceiling: 3,
    };
    assert_eq!(farm.resize(kind, 0, 4), Err(beyond));
    assert_eq!(farm.resize(kind, 0, 0), Err(ResizeError::NoWorker));
    let beyond = ResizeError::LeastBeyondMost { least: 3, most: 2 };
    assert_eq!(farm.resize(kind, 3, 2), Err(beyond));
    farm.resize(kind, 0, 3).expect("in bounds");
    soon("two more come", || pids(&farm).len() == 3);
    farm.resize(kind, 0, 1).expect("in bounds");
    // They go when they have answered, or have been told to stop.
    for ticket in &hangs {
        ticket.cancel("enough");
    }
    soon("one is left, or a new one comes", || pids(&farm).len() <= 1);
    assert!(pid(&queue) > 0);
}

fn kinds_share_one_worker() {
    let mut builder = builder();
    let orders = builder.kind(Orders, pool("", 2));
    let picky = builder.kind(Picky::default(), pool("", 2));
    builder.workers(NonZeroU32::MIN);
    let farm = builder.start().expect("a farm");
    let (orders, picky) = (farm.queue(orders), farm.queue(picky));
    for _ in 0..3 {
        pid(&orders);
        assert_eq!(pids(&farm).len(), 1);
        let settled = picky.submit(order("double", 4)).wait_timeout(LONG);
        let settled = settled.expect("in time").expect("admitted");
        assert_eq!(settled.outcome.status(), "ok");
        assert_eq!(pids(&farm).len(), 1);
    }
}

fn more_kept_than_allowed() {
    let mut without = builder();
    without.kind(Orders, pool("", 1));
    without.kind(Picky::default(), Pool::new(Program::path("none"), 0));
    let error = without.start().expect_err("refused");
    assert!(matches!(error, StartError::NoWorkers { .. }));
    let mut builder = builder();
    builder.kind(Orders, pool("", 2).least(2));
    builder.workers(NonZeroU32::MIN);
    let error = builder.start().expect_err("refused");
    assert!(matches!(
        error,
        StartError::TooManyKept { least: 2, most: 1 }
    ));
}

/// What two kinds keep counts together, and what was refused has changed nothing.
fn resize_beyond_the_farm() {
    let mut builder = builder();
    let first = builder.kind(Orders, pool("", 3));
    let second = builder.kind(Picky::default(), pool("", 3).least(1));
    builder.workers(NonZeroU32::new(2).expect("not zero"));
    let farm = builder.start().expect("a farm");
    assert_eq!(farm.resize(first, 1, 3), Ok(()));
    let too_many = Err(ResizeError::TooManyKept { least: 3, most: 2 });
    assert_eq!(farm.resize(first, 2, 3), too_many);
    assert_eq!(farm.resize(second, 2, 2), too_many);
    assert_eq!(farm.resize(second, 0, 2), Ok(()));
    assert_eq!(farm.resize(first, 2, 2), Ok(()));
    soon("they come", || pids(&farm).len() == 2);
}

#[cfg(not(feature = "portable"))]
fn a_worker_that_has_grown_goes() {
    let recycle = Recycle {
        growth: Some(50_000_000),
        ..Recycle::default()
    };
    let (farm, _, queue) = farm(pool("", 1).recycle(recycle));
    let first = pid(&queue);
    assert_eq!(run(&queue, "eat", 10).outcome.status(), "ok");
    assert_eq!(pid(&queue), first, "it may grow by so much");
    assert_eq!(run(&queue, "eat", 80).outcome.status(), "ok");
    // It is measured at most ten times a second, after an answer.
    soon("it is replaced", || pid(&queue) != first);
    assert_eq!(pids(&farm).len(), 1);
}

#[cfg(not(feature = "portable"))]
fn a_limit_below_what_a_worker_holds() {
    let recycle = Recycle {
        memory: Some(20_000_000),
        ..Recycle::default()
    };
    let (_farm, _, queue) = farm(pool("heavy", 1).recycle(recycle));
    let mut said = None;
    soon("the pool ends", || {
        let ticket = queue.submit(order("double", 1));
        match ticket.wait_timeout(LONG).expect("in time") {
            Ok(settled) => match settled.outcome {
                Outcome::SpawnFailed(error) => said = Some(error),
                // Sent before it was measured.
                other => assert_eq!(other.status(), "ok"),
            },
            Err(refused) => said = Some(refused.refusal.to_string()),
        }
        said.is_some()
    });
    let said = said.expect("looked at");
    assert!(said.contains("hold 20.0 MB, and hold 6"), "{said}");
}

#[cfg(feature = "portable")]
fn memory_is_not_measured_here() {
    let mut builder = builder();
    let recycle = Recycle {
        memory: Some(20_000_000),
        ..Recycle::default()
    };
    builder.kind(Orders, pool("", 1).recycle(recycle));
    let error = builder.start().expect_err("refused");
    assert!(matches!(error, StartError::Unmeasured { .. }));
}
