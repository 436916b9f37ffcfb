//! Limits on attempts of a kind of one's own: progress that ceases, memory of the worker itself, a worker that never
//! comes.

use super::Test;
use super::noop::{Behave, Noop, farm, pid};
use farm::master::{HowStopped, Resource, TimeLimit};
use farm::{Farm, Outcome, Pool, Program, TaskOptions};
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("progress_extends_a_stall_and_silence_ends_it", stall),
    ("memory_of_the_worker_itself_counts", memory),
    ("a_worker_that_never_comes_ends_the_task", starting),
];

fn stall() {
    let (_farm, queue) = farm(1);
    let before = pid(&queue);
    let (limit, steps, pause) = (Duration::from_secs(1), 4, Duration::from_millis(300));
    let options = TaskOptions {
        stall: Some(limit),
        ..TaskOptions::default()
    };
    let begin = Instant::now();
    let ticket = queue.submit_options(Behave::Advance(steps, pause), options);
    let Err(ticket) = ticket.wait_timeout(pause * (steps + 1)) else {
        panic!("it ended while it spoke now and then")
    };
    let progress = ticket.progress().expect("it has said something");
    assert_eq!(
        (progress.total, progress.note.as_str()),
        (Some(100), "a step")
    );
    let settled = ticket.wait().expect("admitted");
    let (which, how) = (TimeLimit::Stall, HowStopped::Acked);
    match settled.outcome {
        Outcome::TimedOut { which: w, how: h } => assert_eq!((w, h), (which, how)),
        other => panic!("{other:?}"),
    }
    assert!(begin.elapsed() >= pause * steps + limit);
    assert_eq!(
        pid(&queue),
        before,
        "it heeded the cancel, so its worker stays"
    );
}

fn memory() {
    const LIMIT: u64 = 100 << 20;
    let (_farm, queue) = farm(1);
    let before = pid(&queue);
    let limited = || TaskOptions {
        memory: Some(LIMIT),
        ..TaskOptions::default()
    };
    let settled = queue
        .submit_options(Behave::Eat(300 << 20), limited())
        .wait()
        .expect("admitted");
    match settled.outcome {
        Outcome::LimitExceeded {
            what: Resource::Memory,
            used,
            limit,
            ..
        } => assert!(limit == LIMIT && used > LIMIT, "{used} of {limit}"),
        other => panic!("{other:?}"),
    }
    assert_ne!(pid(&queue), before, "the worker is replaced");
    let fine = queue.submit_options(Behave::Echo(1), limited());
    assert!(fine.wait().expect("admitted").outcome.is_done());
}

fn starting() {
    let mut builder = Farm::builder();
    let silent = Program::path("/bin/sh").arg("-c").arg("sleep 60");
    let kind = builder.kind(
        Noop,
        Pool::new(silent, 1).hello_timeout(Duration::from_secs(60)),
    );
    let farm = builder.start().expect("a farm");
    let options = TaskOptions {
        starting: Some(Duration::from_millis(100)),
        ..TaskOptions::default()
    };
    let ticket = farm.queue(kind).submit_options(Behave::Echo(1), options);
    let outcome = ticket.wait().expect("admitted").outcome;
    let Outcome::TimedOut { which, how } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((which, how), (TimeLimit::Starting, HowStopped::BeforeStart));
}
