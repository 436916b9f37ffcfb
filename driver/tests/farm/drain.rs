//! Pause, resume, drain and finish of one queue, and that their reports add up.

use crate::Test;
use crate::stage::{Held, LONG, Orders, Streamed, builder, farm, narrow, order, pool, run, soon};
use farm_driver::{DrainReport, TaskQueue};
use farm_master::{Refusal, Shut, TaskOptions};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("c11_a_drain_runs_what_waits_and_adds_up", c11_drain),
    ("c11_a_finish_runs_nothing_more_and_adds_up", c11_finish),
    ("c11_a_drain_gives_up_at_its_deadline", c11_deadline),
    ("c11_a_drain_of_a_farm_that_ends_adds_up", c11_farm_ends),
    ("a_paused_queue_starts_nothing", paused),
    ("a_drain_is_of_one_kind_or_of_all", of_one_kind),
];

/// Submitters of tasks for which there is no room; it returns when all of them wait.
fn blocked(queue: &TaskQueue<Orders>, count: u64) -> Vec<JoinHandle<Refusal>> {
    let threads = (0..count).map(|number| {
        let queue = queue.clone();
        thread::spawn(move || {
            let back = queue.submit_timeout(order("double", number), LONG);
            back.expect_err("there was no room").refusal
        })
    });
    let threads = threads.collect();
    soon("they wait", || queue.sums().offered == count);
    threads
}

fn told(threads: Vec<JoinHandle<Refusal>>) {
    for thread in threads {
        let refusal = thread.join().expect("it ends well");
        assert!(matches!(refusal, Refusal::NotAdmitting(_)), "{refusal}");
    }
}

fn c11_drain() {
    let (_farm, _, queue) = farm(narrow(1, 3));
    let held = Held::new("drain");
    let mut tickets = vec![queue.submit(held.order())];
    let running = held.runs();
    tickets.extend((0..2).map(|n| queue.submit(order("double", n))));
    let options = TaskOptions {
        on_lost: farm_master::OnLost::Fail,
        ..TaskOptions::default()
    };
    tickets.push(queue.submit_options(order("kill", 1), options));
    let threads = blocked(&queue, 3);
    let drain = {
        let queue = queue.clone();
        thread::spawn(move || queue.drain(None))
    };
    told(threads);
    assert!(matches!(
        queue
            .try_submit(order("double", 9))
            .expect_err("it drains")
            .refusal,
        Refusal::NotAdmitting(_)
    ));
    drop(running);
    let report = drain.join().expect("it ends well");
    assert!(report.adds_up(), "{report:?}");
    assert_eq!((report.running, report.queued, report.blocked), (1, 3, 3));
    assert_eq!((report.ends.done, report.ends.crashed), (3, 1));
    assert_eq!(
        (report.handed_back, report.late, report.followed),
        (3, 1, 0)
    );
    for ticket in tickets {
        assert!(ticket.try_take().is_ok(), "told before the report");
    }
    // The farm goes on, and so does the queue when somebody says so.
    queue.resume();
    assert!(run(&queue, "double", 4).outcome.is_done());
    assert_eq!(
        queue.drain(None),
        DrainReport::default(),
        "there was nothing"
    );
}

fn c11_finish() {
    let (_farm, _, queue) = farm(narrow(1, 2));
    let held = Held::new("finish");
    let runs = queue.submit(held.order());
    let running = held.runs();
    let waits = [1, 2].map(|n| queue.submit(order("double", n)));
    let threads = blocked(&queue, 2);
    let finish = {
        let queue = queue.clone();
        thread::spawn(move || queue.finish(None))
    };
    told(threads);
    for ticket in waits {
        let settled = ticket.wait().expect("it was in the farm");
        assert_eq!(settled.outcome.status(), "not_run");
    }
    drop(running);
    let report = finish.join().expect("it ends well");
    assert!(report.adds_up(), "{report:?}");
    assert_eq!((report.running, report.queued, report.blocked), (1, 2, 2));
    assert_eq!((report.ends.done, report.ends.not_run), (1, 2));
    assert!(runs.wait().expect("admitted").outcome.is_done());
}

fn c11_deadline() {
    let (_farm, _, queue) = farm(narrow(1, 2));
    let held = Held::new("deadline");
    let runs = queue.submit(held.order());
    let _running = held.runs();
    let waits = queue.submit(order("double", 1));
    // It never hears that it shall stop: its worker is killed at the end of the budget.
    let report = queue.drain(Some(Duration::from_millis(10)));
    assert!(report.adds_up(), "{report:?}");
    assert_eq!((report.running, report.queued), (1, 1));
    assert_eq!((report.ends.cancelled, report.ends.not_run), (1, 1));
    assert_eq!(runs.wait().expect("admitted").outcome.status(), "cancelled");
    assert_eq!(waits.wait().expect("admitted").outcome.status(), "not_run");
}

fn c11_farm_ends() {
    let (farm, _, queue) = farm(narrow(1, 2));
    let held = Held::new("ends");
    let _runs = queue.submit(held.order());
    let _running = held.runs();
    let threads = blocked_behind_two(&queue);
    let drain = {
        let queue = queue.clone();
        thread::spawn(move || queue.drain(None))
    };
    told(threads);
    farm.shut(Shut::Kill);
    let report = drain.join().expect("it ends well");
    assert!(report.adds_up(), "{report:?}");
    assert_eq!((report.ends.cancelled, report.ends.not_run), (1, 2));
    farm.wait_stopped();
    assert_eq!(queue.drain(None), DrainReport::default());
}

fn blocked_behind_two(queue: &TaskQueue<Orders>) -> Vec<JoinHandle<Refusal>> {
    for number in [1, 2] {
        drop(queue.submit(order("double", number)));
    }
    blocked(queue, 2)
}

fn paused() {
    let (_farm, _, queue) = farm(narrow(1, 5));
    queue.pause();
    let tickets = [1, 2].map(|n| queue.submit(order("double", n)));
    assert_eq!((queue.sums().running, queue.sums().queued), (0, 2));
    queue.resume();
    for ticket in tickets {
        assert!(ticket.wait().expect("admitted").outcome.is_done());
    }
}

fn of_one_kind() {
    let mut builder = builder();
    let (orders, streamed) = (
        builder.kind(Orders, narrow(1, 2)),
        builder.kind(Streamed, pool("", 1)),
    );
    let farm = builder.start().expect("a farm");
    let (orders, streamed) = (farm.queue(orders), farm.queue(streamed));
    let held = Held::new("kinds");
    let runs = orders.submit(held.order());
    let running = held.runs();
    // The other kind's task runs on meanwhile.
    assert_eq!(streamed.drain(None), DrainReport::default());
    streamed.resume();
    let other = streamed.submit(order("double", 1));
    drop(running);
    let report = farm.drain(None);
    assert!(report.adds_up(), "{report:?}");
    assert_eq!(report.ends.total(), report.running + report.queued);
    for done in [
        runs.wait().expect("admitted").outcome,
        other.wait().expect("admitted").outcome,
    ] {
        assert!(done.is_done());
    }
}
