//! Workers that die, or never were any.

use crate::Test;
use crate::record::Kept;
use crate::script::Script;
use crate::stage::{Orders, farm, lives, order, pool, run, soon, stand_still};
use farm_driver::{Farm, Pool, Program};
use farm_master::record::Replayer;
use farm_master::{
    Death, OnLost, Outcome, Response, Settled, Shut, TaskKind, TaskOptions, Verdict, WorkerStatus,
};
use farm_protocol::Termination;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("no_program", no_program),
    ("death_before_the_hello", death_before_the_hello),
    ("garbage_for_a_hello", garbage_for_a_hello),
    ("no_hello_in_time", no_hello_in_time),
    (
        "four_wrong_programs_have_four_errors_and_another_pool_goes_on",
        four_wrong_programs,
    ),
    ("killed_in_a_task", killed_in_a_task),
    ("exit_in_a_task", exit_in_a_task),
    ("poison", poison),
    (
        "the_group_dies_with_its_worker",
        the_group_dies_with_its_worker,
    ),
    (
        "a_dropped_farm_leaves_nothing",
        a_dropped_farm_leaves_nothing,
    ),
    (
        "a_farm_that_is_killed_while_workers_are_started_leaves_nothing",
        killed_while_starting,
    ),
    ("an_idle_death_costs_nobody", an_idle_death_costs_nobody),
    (
        "a_panic_of_the_loop_is_passed_on",
        a_panic_of_the_loop_is_passed_on,
    ),
];

fn spawn_failed(settled: &Settled<Orders>) -> &str {
    match &settled.outcome {
        Outcome::SpawnFailed(error) => error,
        other => panic!("not a failed start: {}", other.status()),
    }
}

fn no_program() {
    let (_farm, _, queue) = farm(Pool::new(Program::path("/no/such/worker"), 1));
    let settled = run(&queue, "double", 1);
    let error = spawn_failed(&settled);
    assert!(
        error.contains("/no/such/worker") && error.contains("check the path"),
        "{error}"
    );
}

fn death_before_the_hello() {
    let (_farm, _, queue) = farm(pool("die", 1));
    let settled = run(&queue, "double", 1);
    let error = spawn_failed(&settled);
    assert!(
        error.contains("code 3") && error.contains("no licence found"),
        "{error}"
    );
}

fn garbage_for_a_hello() {
    let (_farm, _, queue) = farm(pool("garbage", 1));
    let settled = run(&queue, "double", 1);
    let error = spawn_failed(&settled);
    assert!(error.contains("Usage: nothing of the sort"), "{error}");
}

fn no_hello_in_time() {
    let mut builder = crate::stage::builder();
    builder.hello_timeout(Duration::from_millis(20));
    let kind = builder.kind(Orders, pool("mute", 1));
    let farm = builder.start().expect("a farm");
    let settled = run(&farm.queue(kind), "double", 1);
    spawn_failed(&settled);
}

/// Missing, of another version, garbage before the hello, and silence: who is told of one knows what to
/// do. The master lives, so the caller may fall back on another kind, here with a good program.
fn four_wrong_programs() {
    let silence = Duration::from_millis(50);
    let cases = [
        (
            Pool::new(Program::path("/no/such/worker"), 1),
            "/no/such/worker",
        ),
        (pool("future", 1), "protocol version"),
        (pool("garbage", 1), "Usage: nothing of the sort"),
        (pool("mute", 1), "did not say hello"),
    ];
    let mut errors = BTreeSet::new();
    for (wrong, piece) in cases {
        let mut builder = crate::stage::builder();
        let kinds = [
            builder.kind(Orders, wrong.hello_timeout(silence)),
            builder.kind(Orders, pool("", 1)),
        ];
        let farm = builder.start().expect("a farm");
        let [wrong, good] = kinds.map(|kind| farm.queue(kind));
        let settled = run(&wrong, "double", 1);
        let error = spawn_failed(&settled);
        assert!(error.contains(piece), "{error}");
        errors.insert(error.to_owned());
        assert!(settled.attempts.is_empty());
        assert!(run(&good, "double", 2).outcome.is_done());
    }
    assert_eq!(errors.len(), 4, "{errors:?}");
}

fn lost(settled: &Settled<Orders>) -> &Death {
    match &settled.outcome {
        Outcome::WorkerLost(death) => death,
        other => panic!("not lost: {}", other.status()),
    }
}

fn once() -> TaskOptions {
    TaskOptions {
        on_lost: OnLost::Fail,
        ..TaskOptions::default()
    }
}

fn killed_in_a_task() {
    let (_farm, _, queue) = farm(pool("", 1));
    let settled = queue
        .submit_options(order("kill", 5), once())
        .wait()
        .expect("admitted");
    let death = lost(&settled);
    assert_eq!(death.termination.signal(), Some(9));
    assert_eq!(death.last_words, b"last words 5\n");
    assert!(run(&queue, "double", 1).outcome.is_done());
}

fn exit_in_a_task() {
    let (_farm, _, queue) = farm(pool("", 1));
    let settled = queue
        .submit_options(order("exit", 4), once())
        .wait()
        .expect("admitted");
    let death = lost(&settled);
    assert_eq!(death.termination, Termination::Exited(4));
    assert_eq!(
        death.last_words, b"leaving\n",
        "stdout speaks when stderr is silent"
    );
}

fn poison() {
    let (_farm, _, queue) = farm(pool("", 1));
    let settled = run(&queue, "kill", 0);
    let Outcome::Poisoned(deaths) = &settled.outcome else {
        panic!("not poisoned: {}", settled.outcome.status())
    };
    assert_eq!(deaths.len(), 3);
}

fn the_group_dies_with_its_worker() {
    let (farm, _, queue) = farm(pool("", 1));
    // The worker exits at once, and the process it left holds its streams open.
    let settled = queue
        .submit_options(order("grandchild", 1), once())
        .wait()
        .expect("admitted");
    assert_eq!(lost(&settled).termination, Termination::Exited(9));
    let words = String::from_utf8_lossy(&lost(&settled).last_words).into_owned();
    let pid: u32 = words
        .trim()
        .trim_start_matches("left ")
        .parse()
        .expect("a pid");
    soon("the group dies", || !lives(pid));

    let settled = run(&queue, "grandchild", 0);
    let Outcome::Done(pid) = &settled.outcome else {
        panic!("it answered")
    };
    let pid = pid.parse().expect("a pid");
    assert!(lives(pid));
    farm.shut(Shut::Finish);
    farm.wait_stopped();
    soon("the group dies", || !lives(pid));
}

fn a_dropped_farm_leaves_nothing() {
    let (farm, _, queue) = farm(pool("", 2));
    let hanging = queue.submit(order("hang", 0));
    assert!(run(&queue, "double", 1).outcome.is_done());
    let pids = farm.worker_pids();
    assert_eq!(pids.len(), 2);
    let other: Farm = farm.clone();
    drop(farm);
    assert_eq!(other.worker_pids(), pids, "another handle keeps it");
    drop(other);
    for (_, pid) in pids {
        assert!(!lives(pid));
    }
    assert!(!hanging.wait().expect("admitted").outcome.is_done());
}

/// Workers are started on another thread, and their end is wanted before they are there. That none is left is looked at
/// after each test.
fn killed_while_starting() {
    for round in 0..30_u32 {
        let (farm, _, queue) = farm(pool("", 3));
        let tickets: Vec<_> = (0..3).map(|_| queue.submit(order("hang", 0))).collect();
        // Some are killed before the first is ordered, some between two, some when all are there.
        while farm.worker_pids().len() < (round % 4) as usize {
            thread::yield_now();
        }
        farm.shut(Shut::Kill);
        farm.wait_stopped();
        assert_eq!(farm.worker_pids(), []);
        for ticket in tickets {
            let Ok(settled) = ticket.wait() else { continue };
            assert!(!settled.outcome.is_done());
        }
    }
}

fn an_idle_death_costs_nobody() {
    let (farm, _, queue) = farm(pool("", 1));
    assert!(run(&queue, "double", 1).outcome.is_done());
    let pids = farm.worker_pids();
    let [(_, pid)] = pids[..] else {
        panic!("one worker: {pids:?}")
    };
    let pid = pid.to_string();
    let kill = Command::new("/bin/sh")
        .args(["-c", "kill -9 $1", "sh", &pid])
        .status();
    assert!(kill.expect("a shell").success());
    soon("it is collected", || farm.worker_pids().is_empty());
    let settled = run(&queue, "double", 2);
    assert!(settled.outcome.is_done());
    assert_eq!(settled.attempts.len(), 1);
}

/// Panics when it is dropped, the first time.
#[derive(Debug)]
struct Bomb(&'static AtomicBool);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(
            !self.0.swap(false, Ordering::SeqCst),
            "on purpose, by a test"
        );
    }
}

/// A kind whose competence is a bomb: nobody contains the panic of a drop.
#[derive(Debug)]
struct Bombs(&'static AtomicBool);

impl TaskKind for Bombs {
    type Wire = Script;
    type Task = (String, u64);
    type Competence = Bomb;
    type Output = String;
    type Failure = ();

    fn request_of_task(
        &mut self,
        _: &WorkerStatus<Bomb>,
        task: &Self::Task,
    ) -> Option<(String, u64)> {
        Some(task.clone())
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<Bomb>,
        _: &Self::Task,
        response: Response<Self>,
    ) -> Verdict<Self> {
        Verdict::done(response, Bomb(self.0))
    }
}

fn a_panic_of_the_loop_is_passed_on() {
    static ARMED: AtomicBool = AtomicBool::new(false);
    let mut builder = crate::stage::builder();
    let kind = builder.kind(Bombs(&ARMED), pool("", 1));
    let kept = Kept::default();
    builder.record(kept.clone());
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    assert!(
        queue
            .submit(order("double", 1))
            .wait()
            .expect("admitted")
            .outcome
            .is_done()
    );
    let pids = farm.worker_pids();
    assert_eq!(pids.len(), 1);
    ARMED.store(true, Ordering::SeqCst);
    stand_still(&farm);
    let mut many = queue.submit_all([order("double", 2)]);
    let lost = queue.submit(order("double", 2));
    farm.resume();
    let joined = catch_unwind(AssertUnwindSafe(|| farm.join()));
    assert!(joined.is_err(), "before the end or after");
    assert!(catch_unwind(AssertUnwindSafe(|| farm.wait_stopped())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| lost.wait())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| many.next())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| queue.join())).is_err());
    assert_eq!((farm.outstanding(), farm.list(10)), (0, vec![]));
    for (_, pid) in pids {
        assert!(!lives(pid), "a worker outlived its master");
    }
    // The record has the call over which it panicked. Here that was the kind's doing, so a machine
    // without the kind does not.
    let mut replayer = Replayer::new(false);
    replayer.push(&kept.bytes());
    let steps = std::iter::from_fn(|| replayer.next_step().expect("a good record"));
    let difference = steps.last().and_then(|step| step.difference);
    let difference = difference.expect("the last call panicked");
    assert!(difference.recorded.is_none() && difference.replayed.is_some());
    assert!(
        queue.submit(order("double", 3)).wait().is_err(),
        "handed back"
    );
}
