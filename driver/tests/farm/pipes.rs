//! Workers of several pools that are started at the same time: none holds an end of another's pipes,
//! so the end of each is seen whoever else lives.

use crate::Test;
use crate::stage::{Orders, builder, farm, lives, order, pool, run, soon};
use farm_driver::Farm;
use farm_master::{Outcome, Settled};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

pub(crate) const TESTS: &[Test] = &[
    (
        "pools_that_start_together_share_no_pipe",
        pools_share_no_pipe,
    ),
    (
        "a_death_is_seen_though_another_pool_started_meanwhile",
        death_is_seen,
    ),
];

/// The pipes that a process holds an end of.
fn pipes_of(pid: u32) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return BTreeSet::new();
    };
    let links = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let names = links.map(|link| link.to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("pipe:")).collect()
}

/// A farm of two kinds with two workers each, all of them busy.
fn busy() -> Farm {
    let mut builder = builder();
    let kinds = [0, 1].map(|_| builder.kind(Orders, pool("", 2)));
    let farm = builder.start().expect("a farm");
    for kind in kinds {
        let queue = farm.queue(kind);
        for _ in 0..2 {
            drop(queue.submit(order("hang", 0)));
        }
    }
    soon("all are started", || farm.worker_pids().len() == 4);
    farm
}

fn pools_share_no_pipe() {
    // Whoever started this program may have left something open.
    let inherited = pipes_of(std::process::id());
    for _ in 0..5 {
        let start = Barrier::new(2);
        let farms: Vec<Farm> = thread::scope(|scope| {
            let begin = || {
                start.wait();
                busy()
            };
            let threads = [scope.spawn(begin), scope.spawn(begin)];
            threads.map(|thread| thread.join().expect("a farm")).into()
        });
        let mut holders: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (_, pid) in farms.iter().flat_map(Farm::worker_pids) {
            let own: Vec<_> = pipes_of(pid).difference(&inherited).cloned().collect();
            // Requests, control, answers, standard output and error.
            assert!(own.len() >= 5, "{pid} holds {own:?}");
            for pipe in own {
                holders.entry(pipe).or_default().push(pid);
            }
        }
        holders.retain(|_, pids| pids.len() > 1);
        assert!(holders.is_empty(), "held by several: {holders:?}");
    }
}

#[track_caller]
fn pid_of(settled: &Settled<Orders>) -> u32 {
    match &settled.outcome {
        Outcome::Done(pid) => pid.parse().expect("a pid"),
        other => panic!("not done: {}", other.status()),
    }
}

/// The workers of the second farm are started while that of the first lives, and outlive it.
fn death_is_seen() {
    let (first, _, queue) = farm(pool("", 1));
    let pid = pid_of(&run(&queue, "pid", 0));
    let second = busy();
    let others = second.worker_pids();
    let kill = Command::new("/bin/sh")
        .args(["-c", "kill -9 $1", "sh", &pid.to_string()])
        .status();
    assert!(kill.expect("a shell").success());
    soon("its end is seen", || first.worker_pids().is_empty());
    let settled = run(&queue, "pid", 0);
    assert_ne!(pid_of(&settled), pid);
    assert_eq!(settled.attempts.len(), 1);
    assert_eq!(second.worker_pids(), others, "it is none of their business");
    assert!(others.iter().all(|(_, pid)| lives(*pid)));
}
