//! What only the crate itself can do to a farm: have its loop panic.

use crate::models::{narrow, task_of};
use farm_master::Refusal;
use farm_master::lane::Gate;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

#[test]
fn c10_whoever_waits_for_room_returns_when_the_loop_panics() {
    let (farm, _, queue) = narrow(1);
    let inside = queue.submit(1);
    let [patient, limited] = [None, Some(Duration::from_secs(600))].map(|span| {
        let queue = queue.clone();
        thread::spawn(move || match span {
            None => Ok(queue.submit(2)),
            Some(span) => queue.submit_timeout(3, span),
        })
    });
    while queue.sums().offered < 2 {
        thread::yield_now();
    }
    farm.shared().have_done(|_| panic!("on purpose, by a test"));
    let patient = patient.join().expect("it ends well").expect("a ticket");
    // Their tasks never were in the farm: they are handed back all the same.
    assert_eq!(task_of(patient.wait()), 2);
    let limited = limited
        .join()
        .expect("it ends well")
        .expect_err("handed back");
    assert_eq!(limited.refusal, Refusal::NotAdmitting(Gate::Closed));
    assert_eq!(limited.task, 3);
    assert!(catch_unwind(AssertUnwindSafe(|| inside.wait())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| farm.wait_stopped())).is_err());
    // Nor does anybody wait who comes later.
    assert_eq!(task_of(queue.submit(4).wait()), 4);
    assert_eq!(queue.try_submit(5).expect_err("handed back").task, 5);
}

#[test]
fn on_the_loop_nobody_waits_for_room() {
    let (farm, _, queue) = narrow(1);
    let inside = queue.submit(1);
    let (asked, answer) = std::sync::mpsc::channel();
    let of_loop = queue.clone();
    farm.shared().have_done(move |_| {
        let tried = of_loop.submit_timeout(3, Duration::from_secs(600));
        asked.send((of_loop.submit(2), tried)).expect("heard");
    });
    let (ticket, tried) = answer.recv().expect("answered");
    let full = Refusal::Saturated {
        queued: 1,
        max_queued: 1,
    };
    let refused = ticket.wait().expect_err("refused");
    assert_eq!((refused.task, &refused.refusal), (2, &full));
    let refused = tried.expect_err("refused");
    assert_eq!((refused.task, &refused.refusal), (3, &full));
    assert!(inside.try_take().is_err(), "it is in the farm");
}
