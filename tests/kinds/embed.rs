//! A farm as part of a program: two at once, and no process left when they are dropped.

use super::Test;
use super::noop::{Behave, Noop};
use farm::{Farm, Pool, Program, Shut};
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("dropping_a_busy_farm_leaves_no_process", dropped),
    ("two_farms_do_not_know_each_other", two_farms),
    ("a_drained_farm_has_run_everything", drained),
];

fn farm(slots: u32) -> (Farm, farm::TaskQueue<Noop>) {
    let mut builder = Farm::builder();
    let kind = builder.kind(Noop, Pool::new(Program::this_executable(), slots));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, queue)
}

fn is_gone(pid: u32) -> bool {
    let gone = || !Path::new(&format!("/proc/{pid}")).exists();
    let deadline = Instant::now() + Duration::from_secs(2);
    while !gone() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    gone()
}

fn dropped() {
    let (farm, queue) = farm(2);
    let tickets: Vec<_> = (0..4).map(|_| queue.submit(Behave::IgnoreCancel)).collect();
    queue
        .submit(Behave::Echo(0))
        .cancel("only to know that the loop has come so far");
    let pids = loop {
        let pids = farm.worker_pids();
        if pids.len() == 2 {
            break pids;
        }
    };
    drop(farm);
    for (_, pid) in pids {
        assert!(is_gone(pid), "{pid} lives on");
    }
    for ticket in tickets {
        let ended = ticket.wait();
        assert!(ended.is_err() || ended.is_ok_and(|settled| !settled.outcome.is_done()));
    }
}

fn two_farms() {
    let ((one, of_one), (_two, of_two)) = (farm(1), farm(1));
    let ticket = of_two.submit(Behave::Echo(1));
    of_one.submit(Behave::Echo(2)).wait().expect("admitted");
    drop(one);
    assert!(ticket.wait().expect("admitted").outcome.is_done());
    assert!(
        of_one.submit(Behave::Echo(3)).wait().is_err(),
        "its farm is gone"
    );
    assert!(
        of_two
            .submit(Behave::Echo(4))
            .wait()
            .expect("admitted")
            .outcome
            .is_done()
    );
}

fn drained() {
    let (farm, queue) = farm(2);
    let tickets: Vec<_> = (0..100).map(|n| queue.submit(Behave::Echo(n))).collect();
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    for mut ticket in tickets {
        ticket = match ticket.wait_timeout(Duration::ZERO) {
            Ok(ended) => {
                assert!(ended.expect("admitted").outcome.is_done());
                continue;
            }
            Err(ticket) => ticket,
        };
        panic!("{ticket:?} has no end");
    }
}
