//! Workers that live: results, output, sources, cancelling, suspending, closing.

use crate::Test;
use crate::stage::{LONG, Orders, Streamed, builder, farm, lives, order, pool, run, soon, state};
use farm_driver::{Intake, Observer, Source, SourceState};
use farm_master::lane::Gate;
use farm_master::{
    HowStopped, OUTPUT_KEPT, Outcome, Receive, Refusal, Settled, Shut, TaskKind, TaskOptions,
};
use farm_protocol::{AttemptId, Instant, Session, SlotId, TaskId};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("many_tasks", many_tasks),
    ("many_tasks_with_credit", many_tasks_with_credit),
    ("output_belongs_to_its_task", output_belongs_to_its_task),
    ("a_flood_is_cut", a_flood_is_cut),
    (
        "a_large_response_is_decoded_off_the_loop",
        a_large_response_is_decoded_off_the_loop,
    ),
    ("a_large_request_arrives", a_large_request_arrives),
    ("cancelled_before_the_start", cancelled_before_the_start),
    ("cancelled_while_running", cancelled_while_running),
    ("a_source_is_pulled", a_source_is_pulled),
    (
        "suspended_workers_stand_still",
        suspended_workers_stand_still,
    ),
    (
        "after_the_end_tasks_come_back",
        after_the_end_tasks_come_back,
    ),
    ("drain_runs_what_is_queued", drain_runs_what_is_queued),
    ("two_farms_at_once", two_farms_at_once),
    ("an_observer_sees", an_observer_sees),
    (
        "a_panicking_waiter_harms_nobody",
        a_panicking_waiter_harms_nobody,
    ),
    ("waiting_has_a_limit", waiting_has_a_limit),
    (
        "an_answer_that_is_there_is_not_too_late",
        an_answer_that_is_there_is_not_too_late,
    ),
];

fn output_of<K: TaskKind<Output = String, Failure = ()>>(settled: &Settled<K>) -> &str {
    match &settled.outcome {
        Outcome::Done(output) => output,
        other => panic!("not done: {}", other.status()),
    }
}

fn many_tasks() {
    let (farm, _, queue) = farm(pool("", 2));
    let tickets: Vec<_> = (0..500).map(|n| queue.submit(order("double", n))).collect();
    for (n, ticket) in tickets.into_iter().enumerate() {
        let settled = ticket
            .wait_timeout(LONG)
            .expect("in time")
            .expect("admitted");
        assert_eq!(output_of(&settled), (2 * n).to_string());
        assert_eq!(settled.task, order("double", n as u64));
        assert_eq!(settled.attempts.len(), 1);
    }
    assert_eq!(farm.worker_pids().len(), 2);
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    assert_eq!(farm.worker_pids(), []);
}

fn many_tasks_with_credit() {
    let mut builder = builder();
    let kind = builder.kind(Streamed, pool("", 2));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let tickets: Vec<_> = (0..20_000)
        .map(|n| queue.submit(order("double", n)))
        .collect();
    for (n, ticket) in tickets.into_iter().enumerate() {
        let settled = ticket
            .wait_timeout(LONG)
            .expect("in time")
            .expect("admitted");
        assert_eq!(output_of(&settled), (2 * n).to_string());
    }
}

fn output_belongs_to_its_task() {
    let (_farm, _, queue) = farm(pool("", 1));
    for number in 0..20 {
        let settled = run(&queue, "say", number);
        assert_eq!(output_of(&settled), "said");
        assert_eq!(
            settled.output.stdout,
            format!("out {number}\n").into_bytes()
        );
        assert_eq!(
            settled.output.stderr,
            format!("err {number}\n").into_bytes()
        );
        assert!(!settled.output.shared && !settled.output.truncated);
    }
}

fn a_flood_is_cut() {
    let (_farm, _, queue) = farm(pool("", 1));
    let settled = run(&queue, "flood", 4096);
    assert_eq!(output_of(&settled), "flooded");
    assert_eq!(settled.output.stdout.len(), OUTPUT_KEPT);
    assert!(settled.output.truncated);
    let settled = run(&queue, "say", 1);
    assert_eq!(
        settled.output.stdout, b"out 1\n",
        "the flood ended with its task"
    );
}

fn a_large_response_is_decoded_off_the_loop() {
    let mut small = pool("", 1);
    small.decode_above = 1000;
    let (_farm, _, queue) = farm(small);
    for size in [10, 1_000_000, 10, 3_000_000] {
        assert_eq!(output_of(&run(&queue, "big", size)).len() as u64, size);
    }
}

fn a_large_request_arrives() {
    let (_farm, _, queue) = farm(pool("", 1));
    let ticket = queue.submit((format!("double{}", " ".repeat(3_000_000)), 1));
    let settled = ticket
        .wait_timeout(LONG)
        .expect("in time")
        .expect("admitted");
    // No worker knows this order: it came, and was too much for it.
    assert_eq!(settled.outcome.status(), "quarantined");
}

fn cancelled_before_the_start() {
    let (farm, kind, queue) = farm(pool("", 1));
    farm.set_gate(kind, Gate::Paused);
    let ticket = queue.submit(order("hang", 0));
    // The loop need not have seen the task yet.
    ticket.cancel("changed my mind");
    let settled = ticket
        .wait_timeout(LONG)
        .expect("in time")
        .expect("admitted");
    let how = HowStopped::BeforeStart;
    assert!(matches!(settled.outcome, Outcome::Cancelled { how: found, .. } if found == how));
    assert_eq!(farm.worker_pids(), []);
}

fn cancelled_while_running() {
    let (started, starts) = mpsc::channel();
    let mut builder = builder();
    let kind = builder.kind(Orders, pool("", 1));
    builder.observer(Box::new(Starts(started)));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let ticket = queue.submit(order("hang", 0));
    let (id, pid) = starts.recv_timeout(LONG).expect("a start");
    assert_eq!(ticket.id(), Some(id.task));
    farm.cancel(id.task, "enough");
    let settled = ticket
        .wait_timeout(LONG)
        .expect("in time")
        .expect("admitted");
    // A worker by hand does not hear of the cancellation, so the ladder's SIGTERM ends it.
    let how = HowStopped::Terminated;
    assert!(matches!(settled.outcome, Outcome::Cancelled { how: found, .. } if found == how));
    assert!(!lives(pid));
    assert_eq!(output_of(&run(&queue, "double", 4)), "8");
}

struct Starts(mpsc::Sender<(AttemptId, u32)>);

impl Observer for Starts {
    fn started(&mut self, _: Instant, id: AttemptId, _: SlotId, _: Session, pid: u32) {
        self.0.send((id, pid)).expect("the test listens");
    }
}

struct Numbers {
    left: mpsc::Receiver<u64>,
    results: Arc<Sum>,
}

#[derive(Default)]
struct Sum {
    done: AtomicU32,
    sum: AtomicU32,
}

impl Receive<Orders> for Sum {
    fn settled(&self, settled: Settled<Orders>) {
        let value: u32 = output_of(&settled).parse().expect("a number");
        self.sum.fetch_add(value, Ordering::SeqCst);
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    fn refused(&self, _: (String, u64), refusal: Refusal) {
        panic!("what was asked for is admitted: {refusal}");
    }
}

impl Source<Orders> for Numbers {
    fn pull(&mut self, demand: usize, intake: &mut Intake<'_, Orders>) -> SourceState {
        for _ in 0..demand {
            match self.left.try_recv() {
                Ok(number) => {
                    let waiter = Arc::clone(&self.results) as Arc<dyn Receive<Orders>>;
                    let _id: TaskId = intake.submit(order("double", number), None, Some(waiter));
                }
                Err(mpsc::TryRecvError::Empty) => return SourceState::Waiting,
                Err(mpsc::TryRecvError::Disconnected) => return SourceState::Ended,
            }
        }
        SourceState::More
    }
}

fn a_source_is_pulled() {
    let (farm, kind, _queue) = farm(pool("", 2));
    let (sender, left) = mpsc::channel();
    let results = Arc::new(Sum::default());
    let waker = farm.feed(
        kind,
        Numbers {
            left,
            results: Arc::clone(&results),
        },
    );
    for number in 0..300 {
        sender.send(number).expect("the source is there");
        waker.wake();
    }
    soon("all are pulled", || {
        results.done.load(Ordering::SeqCst) == 300
    });
    assert_eq!(results.sum.load(Ordering::SeqCst), 299 * 300);
    drop(sender);
    waker.wake();
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    waker.wake();
}

fn suspended_workers_stand_still() {
    let (farm, _, queue) = farm(pool("", 1));
    let first = run(&queue, "double", 1);
    let pids = farm.worker_pids();
    let [(_, pid)] = pids[..] else {
        panic!("one worker: {pids:?}")
    };
    farm.suspend();
    soon("it stops", || state(pid) == Some('T'));
    let ticket = queue.submit(order("double", 5));
    let ticket = ticket
        .wait_timeout(Duration::from_millis(50))
        .expect_err("it stands still");
    farm.resume();
    let settled = ticket
        .wait_timeout(LONG)
        .expect("in time")
        .expect("admitted");
    assert_eq!(output_of(&settled), "10");
    let between = settled.finished.since(first.finished);
    assert!(
        between < Duration::from_millis(50),
        "suspended time counted: {between:?}"
    );
    // Killed while it is stopped, it is gone all the same.
    farm.suspend();
    drop(farm);
    assert!(!lives(pid));
}

fn after_the_end_tasks_come_back() {
    let (farm, _, queue) = farm(pool("", 1));
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    let refused = queue.submit(order("double", 7)).wait().expect_err("closed");
    assert_eq!(refused.task, order("double", 7));
    assert_eq!(refused.refusal, Refusal::NotAdmitting(Gate::Closed));
    farm.wait_stopped();
    farm.suspend();
    farm.resume();
}

fn drain_runs_what_is_queued() {
    let (farm, _, queue) = farm(pool("", 1));
    let tickets: Vec<_> = (0..50).map(|n| queue.submit(order("double", n))).collect();
    farm.shut(Shut::Drain);
    let late = queue.submit(order("double", 1));
    for ticket in tickets {
        let settled = ticket
            .wait_timeout(LONG)
            .expect("in time")
            .expect("admitted before");
        assert!(settled.outcome.is_done());
    }
    assert!(late.wait().is_err(), "admitted while draining");
    farm.wait_stopped();
}

fn two_farms_at_once() {
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for round in 0..5 {
                    let (farm, _, queue) = farm(pool("", 2));
                    let tickets: Vec<_> =
                        (0..4).map(|n| queue.submit(order("double", n))).collect();
                    for ticket in tickets {
                        let settled = ticket
                            .wait_timeout(LONG)
                            .expect("in time")
                            .expect("admitted");
                        assert!(settled.outcome.is_done(), "round {round}");
                    }
                    // A worker whose pipes had leaked into the other farm's would not hear the end of its requests.
                    farm.shut(Shut::Finish);
                    farm.wait_stopped();
                }
            });
        }
    });
}

struct Diary(mpsc::Sender<String>);

impl Observer for Diary {
    fn started(&mut self, _: Instant, id: AttemptId, _: SlotId, _: Session, _: u32) {
        let _over = self.0.send(format!("started {}", id.attempt));
    }
    fn worker_ready(&mut self, _: Instant, slot: SlotId, _: Session, _: u32) {
        let _over = self.0.send(format!("ready {slot}"));
    }
    fn worker_gone(&mut self, _: Instant, slot: SlotId, _: Session, _: &farm_master::Gone) {
        let _over = self.0.send(format!("gone {slot}"));
    }
}

fn an_observer_sees() {
    let (sender, lines) = mpsc::channel();
    let mut builder = builder();
    let kind = builder.kind(Orders, pool("", 1));
    builder.observer(Box::new(Diary(sender)));
    let farm = builder.start().expect("a farm");
    assert!(run(&farm.queue(kind), "double", 1).outcome.is_done());
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    let lines: Vec<String> = lines.iter().collect();
    assert_eq!(lines, ["ready w0", "started #1", "gone w0"]);
}

struct Panics;

impl Receive<Orders> for Panics {
    fn settled(&self, _: Settled<Orders>) {
        panic!("on purpose, by a test");
    }
    fn refused(&self, _: (String, u64), _: Refusal) {}
}

fn a_panicking_waiter_harms_nobody() {
    let (farm, _, queue) = farm(pool("", 1));
    queue.submit_with(order("double", 1), None, Arc::new(Panics));
    assert!(run(&queue, "double", 2).outcome.is_done());
    farm.shut(Shut::Drain);
    farm.wait_stopped();
}

fn waiting_has_a_limit() {
    let (farm, _, queue) = farm(pool("", 1));
    let ticket = queue.submit(order("hang", 0));
    let ticket = ticket.try_take().expect_err("it hangs");
    let ticket = ticket
        .wait_timeout(Duration::from_millis(10))
        .expect_err("it hangs");
    farm.shut(Shut::Kill);
    let settled = ticket
        .wait_timeout(LONG)
        .expect("in time")
        .expect("admitted");
    assert!(!settled.outcome.is_done());
    farm.wait_stopped();
}

/// Counts ready workers; holds the loop up once, after two tasks were sent when all were ready.
struct HoldsUp {
    ready: Arc<AtomicU32>,
    started: u32,
    span: Duration,
}

impl Observer for HoldsUp {
    fn worker_ready(&mut self, _: Instant, _: SlotId, _: Session, _: u32) {
        self.ready.fetch_add(1, Ordering::SeqCst);
    }
    fn started(&mut self, _: Instant, _: AttemptId, _: SlotId, _: Session, _: u32) {
        self.started += u32::from(self.ready.load(Ordering::SeqCst) == ARMED);
    }
    fn turn(&mut self, _: Instant) {
        if self.started == 2 {
            self.started = 0;
            std::thread::sleep(self.span);
        }
    }
}

/// Both workers are ready and the test has said so.
const ARMED: u32 = 3;

fn an_answer_that_is_there_is_not_too_late() {
    let limit = Duration::from_millis(500);
    let ready = Arc::new(AtomicU32::new(0));
    let mut builder = builder();
    let kind = builder.kind(Orders, pool("", 2));
    let span = limit + limit / 4;
    builder.observer(Box::new(HoldsUp {
        ready: Arc::clone(&ready),
        started: 0,
        span,
    }));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    for ticket in [1, 2].map(|n| queue.submit(order("double", n))) {
        assert!(ticket.wait().expect("admitted").outcome.is_done());
    }
    soon("both workers are ready", || {
        ready.load(Ordering::SeqCst) == 2
    });
    ready.store(ARMED, Ordering::SeqCst);
    // Sent together, their answers wait together when the loop comes back, both past the limit.
    farm.set_gate(kind, Gate::Paused);
    let options = TaskOptions {
        running: Some(limit),
        ..TaskOptions::default()
    };
    let tickets = [1, 2].map(|n| queue.submit_options(order("double", n), options.clone()));
    farm.set_gate(kind, Gate::Running);
    for ticket in tickets {
        let settled = ticket
            .wait_timeout(LONG)
            .expect("in time")
            .expect("admitted");
        assert!(settled.outcome.is_done(), "{}", settled.outcome.status());
    }
}
