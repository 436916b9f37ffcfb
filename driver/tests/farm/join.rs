//! Waiting for the end of everything, and for what will never be.

use crate::Test;
use crate::picky::{NOBODY, Picky, picky};
use crate::stage::{LONG, Orders, Streamed, builder, farm, order, pool, soon};
use farm_driver::{Joined, TaskQueue};
use farm_master::lane::Gate;
use farm_master::{Outcome, Receive, Refusal, Settled, Shut, Stands, Why};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("join_waits_for_all", join_waits_for_all),
    ("join_is_of_one_kind", join_is_of_one_kind),
    ("join_says_what_is_stuck", join_says_what_is_stuck),
    (
        "join_ends_when_what_nobody_takes_is_cancelled",
        join_ends_with_a_cancel,
    ),
    ("join_has_a_limit", join_has_a_limit),
    ("many_join_at_once", many_join_at_once),
    ("who_joins_hears_of_the_end", who_joins_hears_of_the_end),
    ("the_loop_does_not_join", the_loop_does_not_join),
    (
        "join_does_not_wait_for_workers",
        join_does_not_wait_for_workers,
    ),
];

fn join_waits_for_all() {
    let (farm, _, queue) = farm(pool("", 2));
    assert_eq!(farm.join(), Joined::Empty, "nothing has come yet");
    let tickets: Vec<_> = (0..200).map(|n| queue.submit(order("double", n))).collect();
    assert_eq!(farm.join(), Joined::Empty);
    assert_eq!((farm.outstanding(), queue.outstanding()), (0, 0));
    for ticket in tickets {
        // Whoever waits for a task has been told before.
        assert!(ticket.try_take().expect("told").is_ok());
    }
    assert_eq!(farm.worker_pids().len(), 2, "the farm goes on");
}

fn join_is_of_one_kind() {
    let mut builder = builder();
    let busy = builder.kind(Orders, pool("", 1));
    let done = builder.kind(Streamed, pool("", 1));
    let farm = builder.start().expect("a farm");
    let (busy, done) = (farm.queue(busy), farm.queue(done));
    let hanging = busy.submit(order("hang", 0));
    let _runs = done.submit(order("double", 1));
    assert_eq!(done.join_timeout(LONG), Joined::Empty);
    let timed_out = Joined::TimedOut { outstanding: 1 };
    assert_eq!(busy.join_timeout(Duration::ZERO), timed_out);
    assert_eq!(farm.join_timeout(Duration::ZERO), timed_out);
    // Cancelling one kind's tasks is no matter of the other's.
    let other = done.submit(order("double", 2));
    busy.cancel_all("enough");
    assert_eq!(farm.join_timeout(LONG), Joined::Empty);
    let settled = hanging.wait().expect("admitted");
    assert!(matches!(settled.outcome, Outcome::Cancelled { .. }));
    assert!(other.wait().expect("admitted").outcome.is_done());
}

fn join_says_what_is_stuck() {
    let (farm, queue, open) = picky(2);
    let fine = queue.submit(order("double", 1));
    let stuck = queue.submit(order("double", NOBODY));
    let Joined::Stuck(lines) = queue.join_timeout(LONG) else {
        panic!("a task is for nobody");
    };
    assert_eq!(lines.len(), 1);
    assert_eq!(Some(lines[0].task), stuck.id());
    assert_eq!(lines[0].stands, Stands::Waits(Why::NoMatch));
    assert_eq!(stuck.why_waiting(), Some(Why::NoMatch));
    assert!(fine.try_take().expect("told").is_ok());
    // While something goes on it may teach a worker what it needs.
    let hanging = queue.submit(order("hang", 0));
    let timed_out = Joined::TimedOut { outstanding: 2 };
    assert_eq!(farm.join_timeout(Duration::from_millis(20)), timed_out);
    hanging.cancel("enough");
    assert!(matches!(farm.join_timeout(LONG), Joined::Stuck(_)));
    open.store(true, Ordering::Relaxed);
    queue.broadcast();
    assert_eq!(farm.join_timeout(LONG), Joined::Empty);
    assert!(stuck.wait().expect("admitted").outcome.is_done());
}

/// All workers are idle and none will ever take the task: nothing but the cancel itself can wake who joins.
fn join_ends_with_a_cancel() {
    let mut builder = builder();
    let kind = builder.kind(Picky::default(), pool("", 2));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let fine = queue.submit(order("double", 1));
    assert!(fine.wait().expect("admitted").outcome.is_done());
    let stuck = queue.submit(order("double", NOBODY));
    assert!(matches!(queue.join_timeout(LONG), Joined::Stuck(_)));
    stuck.cancel("enough");
    assert_eq!(queue.join_timeout(LONG), Joined::Empty);
    let settled = stuck.try_take().expect("told").expect("admitted");
    assert!(matches!(settled.outcome, Outcome::Cancelled { .. }));
    // A paused lane is waited for, so this one sleeps until the cancel.
    farm.set_gate(kind, Gate::Paused);
    let stuck = queue.submit(order("double", NOBODY));
    let timed_out = Joined::TimedOut { outstanding: 1 };
    assert_eq!(farm.join_timeout(Duration::from_millis(20)), timed_out);
    thread::scope(|scope| {
        let joining = scope.spawn(|| farm.join_timeout(LONG));
        stuck.cancel("enough");
        assert_eq!(joining.join().expect("no panic"), Joined::Empty);
    });
}

fn join_has_a_limit() {
    let (farm, _, queue) = farm(pool("", 1));
    let _hangs = queue.submit(order("hang", 0));
    let _waits = queue.submit(order("double", 0));
    let begin = Instant::now();
    let span = Duration::from_millis(30);
    let timed_out = Joined::TimedOut { outstanding: 2 };
    assert_eq!(farm.join_timeout(span), timed_out);
    assert!(begin.elapsed() >= span, "it waited");
    assert_eq!(farm.join_timeout(Duration::ZERO), timed_out);
    farm.cancel_all("enough");
    assert_eq!(farm.join_timeout(Duration::MAX), Joined::Empty);
    assert_eq!(farm.join_timeout(Duration::ZERO), Joined::Empty);
}

fn many_join_at_once() {
    let (farm, _, queue) = farm(pool("", 2));
    let _all: Vec<_> = (0..100).map(|n| queue.submit(order("double", n))).collect();
    thread::scope(|scope| {
        for n in 0..16 {
            let (farm, queue) = (&farm, &queue);
            scope.spawn(move || {
                let joined = match n % 4 {
                    0 => farm.join(),
                    1 => queue.join(),
                    2 => queue.join_timeout(LONG),
                    _ => {
                        // Some give up before: that is nobody else's loss.
                        let _given_up = farm.join_timeout(Duration::ZERO);
                        farm.join_timeout(LONG)
                    }
                };
                assert_eq!(joined, Joined::Empty);
            });
        }
    });
}

fn who_joins_hears_of_the_end() {
    let (farm, _, queue) = farm(pool("", 1));
    let hanging = queue.submit(order("hang", 0));
    let joining = thread::spawn({
        let queue = queue.clone();
        move || queue.join()
    });
    soon("it runs", || hanging.why_waiting().is_none());
    drop(farm);
    assert_eq!(joining.join().expect("no panic"), Joined::Empty);
    assert_eq!(queue.join(), Joined::Empty, "joined after the end");
    assert_eq!(queue.join_timeout(LONG), Joined::Empty);
    assert!(hanging.try_take().expect("told").is_ok());
}

/// Joins where it is told of an end, and says what came of that.
struct Joins {
    queue: TaskQueue<Orders>,
    said: Mutex<mpsc::Sender<String>>,
}

impl Receive<Orders> for Joins {
    fn settled(&self, _: Settled<Orders>) {
        let joined = catch_unwind(AssertUnwindSafe(|| self.queue.join()));
        let panic = joined.expect_err("it would wait for itself");
        let said = panic.downcast_ref::<&str>().copied().unwrap_or_default();
        let sender = self.said.lock().expect("whole");
        sender.send(said.to_owned()).expect("the test listens");
    }

    fn refused(&self, _: (String, u64), refusal: Refusal) {
        panic!("refused: {refusal}");
    }
}

fn the_loop_does_not_join() {
    let (farm, _, queue) = farm(pool("", 1));
    let (said, heard) = mpsc::channel();
    let joins = Joins {
        queue: queue.clone(),
        said: Mutex::new(said),
    };
    queue.submit_with(order("double", 1), None, std::sync::Arc::new(joins));
    let said = heard.recv_timeout(LONG).expect("told");
    assert!(said.contains("waits for that loop"), "{said}");
    assert_eq!(farm.join(), Joined::Empty);
}

fn join_does_not_wait_for_workers() {
    let (farm, _, queue) = farm(pool("", 1));
    let dies = queue.submit_options(
        order("kill", 1),
        farm_master::TaskOptions {
            on_lost: farm_master::OnLost::Fail,
            ..Default::default()
        },
    );
    assert_eq!(farm.join_timeout(LONG), Joined::Empty);
    let settled = dies.try_take().expect("told").expect("admitted");
    assert!(matches!(settled.outcome, Outcome::WorkerLost(_)));
    assert_eq!(farm.worker_pids(), [], "and none was started for nothing");
    farm.shut(Shut::Drain);
    farm.wait_stopped();
}
