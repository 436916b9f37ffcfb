//! Submission with a limit: who waits, who does not, and what stays in memory. The ids are those of `docs/backpressure.md`.

use crate::Test;
use crate::script::Script;
use crate::stage::{Held, LONG, Orders, builder, farm, narrow, order, run, soon};
use farm_driver::{Farm, Intake, KindRef, Source, SourceState, TaskQueue};
use farm_master::lane::Gate;
use farm_master::{
    Outcome, Receive, Refusal, Response, Settled, Shut, TaskKind, Verdict, WorkerStatus,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("c1_many_tasks_through_a_narrow_lane", c1),
    (
        "c2_an_endless_source_is_asked_for_what_there_is_room_for",
        c2,
    ),
    ("c3_a_full_lane_hands_the_task_back", c3_handed_back),
    (
        "c3_a_blocked_submit_times_out_and_leaves_no_ghost",
        c3_no_ghost,
    ),
    ("c3_who_came_first_is_admitted_first", c3_in_order),
    (
        "c10_blocked_submitters_return_when_the_farm_shuts",
        c10_shut,
    ),
    (
        "c10_blocked_submitters_return_when_their_lane_closes",
        c10_gate,
    ),
    ("c15_a_slow_reader_of_results_stops_nobody", c15),
    ("what_ended_says_how_long_it_waited", waits),
];

/// How many tasks of [`Live`] there are, and have been at once.
#[derive(Default)]
struct Census {
    now: AtomicU64,
    most: AtomicU64,
}

/// A task that is counted while it is in memory.
struct Live(u64, Arc<Census>);

impl Live {
    fn new(number: u64, census: &Arc<Census>) -> Self {
        let now = census.now.fetch_add(1, Ordering::Relaxed) + 1;
        census.most.fetch_max(now, Ordering::Relaxed);
        Self(number, Arc::clone(census))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.1.now.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Notes how often each task was done.
struct Tallied(Arc<Mutex<Vec<u8>>>);

impl TaskKind for Tallied {
    type Wire = Script;
    type Task = Live;
    type Competence = ();
    type Output = ();
    type Failure = ();
    const INDEPENDENT: bool = true;

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &Live) -> Option<(String, u64)> {
        Some(order("double", task.0))
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        task: &Live,
        response: Response<Self>,
    ) -> Verdict<Self> {
        assert_eq!(response, (2 * task.0).to_string());
        self.0.lock().expect("no panic holds it")[task.0 as usize] += 1;
        Verdict::done((), ())
    }
}

/// Bytes of this process that are in memory and no file's.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    1024 * kib
        .expect("a line")
        .trim()
        .parse::<u64>()
        .expect("a number")
}

fn c1() {
    const TASKS: u64 = 100_000;
    const QUEUED: u64 = 64;
    let (census, done) = (
        Arc::default(),
        Arc::new(Mutex::new(vec![0; TASKS as usize])),
    );
    let mut builder = builder();
    // Two workers, each with one request and 62 held.
    let mut pool = narrow(2, QUEUED as usize);
    pool.credit_cap = Some(62);
    let kind = builder.kind(Tallied(Arc::clone(&done)), pool);
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let mut before = 0;
    for number in 0..TASKS {
        // The first tenth is for what is taken once and kept.
        if number == TASKS / 10 {
            before = resident();
        }
        drop(queue.submit(Live::new(number, &census)));
    }
    let _all = farm.join();
    let after = resident();
    let sums = queue.sums();
    assert_eq!((sums.ends.done, sums.ends.total()), (TASKS, TASKS));
    assert_eq!(sums.ends.refused, 0);
    assert!(
        done.lock()
            .expect("no panic holds it")
            .iter()
            .all(|count| *count == 1)
    );
    // Those that wait, those with workers, as many that have ended together and are being told of, and ours.
    let most = census.most.load(Ordering::Relaxed);
    assert!(most <= QUEUED + 2 * 2 * 63 + 1, "{most} tasks at once");
    assert_eq!(census.now.load(Ordering::Relaxed), 0);
    // 90,000 tasks later; a byte kept of each would be seen.
    let grown = after.saturating_sub(before);
    assert!(
        grown < 90_000,
        "{grown} bytes more than after a tenth of the tasks"
    );
}

/// Gives tasks without end, and counts.
struct Endless {
    taken: Arc<AtomicU64>,
    waiter: Arc<Balance>,
}

impl Source<Orders> for Endless {
    fn pull(&mut self, demand: usize, intake: &mut Intake<'_, Orders>) -> SourceState {
        for _ in 0..demand {
            let number = self.taken.fetch_add(1, Ordering::Relaxed);
            let waiter = Arc::clone(&self.waiter) as Arc<dyn Receive<Orders>>;
            let _id = intake.submit(order("double", number), None, Some(waiter));
        }
        SourceState::More
    }
}

/// How far the source is ahead of the ends, at each end.
struct Balance {
    taken: Arc<AtomicU64>,
    done: AtomicU64,
    ahead: AtomicU64,
    stop_after: u64,
    stop: mpsc::Sender<u64>,
}

impl Receive<Orders> for Balance {
    fn settled(&self, settled: Settled<Orders>) {
        if !settled.outcome.is_done() {
            return;
        }
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let taken = self.taken.load(Ordering::Relaxed);
        // The one that has just ended is not ahead any more.
        self.ahead.fetch_max(taken - done, Ordering::Relaxed);
        if done == self.stop_after {
            self.stop.send(taken).expect("the test listens");
        }
    }

    fn refused(&self, _: (String, u64), refusal: Refusal) {
        panic!("it was asked for, and is refused: {refusal}");
    }
}

fn c2() {
    const STOP_AFTER: u64 = 2_000;
    let (queued, in_flight) = (16, 2);
    let (farm, kind, _) = farm(narrow(2, queued));
    let (stop, stopped) = mpsc::channel();
    let taken = Arc::new(AtomicU64::new(0));
    let waiter = Arc::new(Balance {
        taken: Arc::clone(&taken),
        done: AtomicU64::new(0),
        ahead: AtomicU64::new(0),
        stop_after: STOP_AFTER,
        stop,
    });
    let balance = Arc::clone(&waiter);
    let _waker = farm.feed(kind, Endless { taken, waiter });
    let taken_by_then = stopped.recv_timeout(LONG).expect("an end in time");
    farm.shut(Shut::Stop);
    farm.wait_stopped();
    let most = queued as u64 + in_flight;
    assert!(
        taken_by_then <= STOP_AFTER + most,
        "{taken_by_then} were taken"
    );
    let ahead = balance.ahead.load(Ordering::Relaxed);
    assert!(ahead <= most, "{ahead} taken and not ended");
}

/// A farm with one worker that runs something until it is let go, and two tasks that wait; no more may.
fn full(name: &str) -> (Farm, KindRef<Orders>, TaskQueue<Orders>, Held) {
    let (farm, kind, queue) = farm(narrow(1, 2));
    let held = Held::new(name);
    let tickets = [held.order(), order("double", 1), order("double", 2)];
    for task in tickets {
        drop(queue.submit(task));
    }
    (farm, kind, queue, held)
}

fn saturated() -> Refusal {
    Refusal::Saturated {
        queued: 2,
        max_queued: 2,
    }
}

fn c3_handed_back() {
    let (farm, kind, queue, held) = full("back");
    let running = held.runs();
    let back = queue.try_submit(order("double", 3)).expect_err("full");
    assert_eq!((back.task, back.refusal), (order("double", 3), saturated()));
    // A form that neither waits nor answers at once: the ticket says the same.
    let (told, heard) = mpsc::channel();
    let told = Mutex::new(told);
    queue.submit_with(order("double", 4), None, Arc::new(Back(told)));
    assert_eq!(heard.recv_timeout(LONG), Ok(saturated()));
    drop(running);
    let _all = farm.join();
    let ticket = queue.try_submit(order("double", 3)).expect("there is room");
    assert!(ticket.wait().expect("admitted").outcome.is_done());
    // What keeps it out whatever room there is, is said as well.
    farm.set_gate(kind, Gate::Closed);
    let back = queue.try_submit(order("double", 5)).expect_err("closed");
    assert_eq!(back.refusal, Refusal::NotAdmitting(Gate::Closed));
    farm.set_gate(kind, Gate::Running);
    assert!(
        queue.try_submit(order("double", 5)).is_ok(),
        "the loop was asked"
    );
}

struct Back(Mutex<mpsc::Sender<Refusal>>);

impl Receive<Orders> for Back {
    fn settled(&self, _: Settled<Orders>) {}

    fn refused(&self, _: (String, u64), refusal: Refusal) {
        let told = self.0.lock().expect("no panic holds it");
        told.send(refusal).expect("the test listens");
    }
}

fn c3_no_ghost() {
    let (farm, _, queue, held) = full("ghost");
    let running = held.runs();
    let span = Duration::from_millis(20);
    let back = queue
        .submit_timeout(order("double", 3), span)
        .expect_err("full");
    let timed_out = Refusal::TimedOut {
        queued: 2,
        max_queued: 2,
    };
    assert_eq!((back.task, back.refusal), (order("double", 3), timed_out));
    let sums = queue.sums();
    assert_eq!((sums.running, sums.queued, sums.offered), (1, 2, 0));
    drop(running);
    let _all = farm.join();
    let ends = queue.sums().ends;
    assert_eq!((ends.done, ends.total(), ends.refused), (3, 3, 1));
}

/// Starts a thread that submits `number`, and returns when it waits as the `place`th.
fn blocked(
    queue: &TaskQueue<Orders>,
    (number, place): (u64, u64),
) -> JoinHandle<Result<Settled<Orders>, Refusal>> {
    let submitter = queue.clone();
    let thread = thread::spawn(move || {
        let ticket = submitter.submit(order("double", number));
        ticket.wait().map_err(|refused| refused.refusal)
    });
    soon("it waits", || queue.sums().offered == place);
    thread
}

fn c3_in_order() {
    let (_farm, _, queue, held) = full("order");
    let running = held.runs();
    let threads: Vec<_> = (1..=8).map(|n| blocked(&queue, (n, n))).collect();
    drop(running);
    let settled = threads
        .into_iter()
        .map(|thread| thread.join().expect("it ends well").expect("admitted"));
    let ends: Vec<_> = settled
        .map(|settled| (settled.submitted, settled.started))
        .collect();
    // One worker: they began in the order in which they were let in.
    assert!(ends.is_sorted(), "{ends:?}");
}

fn c10_shut() {
    for how in [Shut::Drain, Shut::Finish, Shut::Stop, Shut::Kill] {
        let (farm, _, queue, held) = full("shut");
        let running = held.runs();
        let threads: Vec<_> = (1..=4).map(|n| blocked(&queue, (n, n))).collect();
        let limited = {
            let queue = queue.clone();
            thread::spawn(move || queue.submit_timeout(order("double", 5), LONG))
        };
        soon("it waits", || queue.sums().offered == 5);
        farm.shut(how);
        // What runs has not ended: they do not wait for that.
        for thread in threads {
            let refusal = thread.join().expect("it ends well").expect_err("refused");
            assert!(
                matches!(refusal, Refusal::NotAdmitting(_)),
                "{how:?}: {refusal}"
            );
        }
        let back = limited.join().expect("it ends well").expect_err("refused");
        assert_eq!(back.task, order("double", 5));
        drop(running);
        farm.wait_stopped();
        let late = queue
            .submit_timeout(order("double", 6), LONG)
            .expect_err("over");
        assert_eq!(late.refusal, Refusal::NotAdmitting(Gate::Closed));
    }
}

fn c10_gate() {
    let (farm, kind, queue, held) = full("gate");
    let _running = held.runs();
    let waits = blocked(&queue, (1, 1));
    farm.set_gate(kind, Gate::Paused);
    assert_eq!(
        queue.sums().offered,
        1,
        "a paused lane takes in what it has room for"
    );
    farm.set_gate(kind, Gate::Draining);
    let refusal = waits.join().expect("it ends well").expect_err("refused");
    assert_eq!(refusal, Refusal::NotAdmitting(Gate::Draining));
    // The last handle goes, and with it who would wait.
    farm.set_gate(kind, Gate::Running);
    let waits = blocked(&queue, (2, 1));
    drop(farm);
    let refusal = waits.join().expect("it ends well").expect_err("refused");
    assert_eq!(refusal, Refusal::NotAdmitting(Gate::Closed));
}

fn c15() {
    let (farm, _, queue) = farm(narrow(2, 1_000));
    let unread = queue.submit_all((0..1_000).map(|n| order("double", n)));
    // Nobody fetches one of them, and all the same they end, and so does what comes after.
    assert_eq!(
        run(&queue, "double", 1).outcome,
        Outcome::Done("2".to_owned())
    );
    let _all = farm.join();
    assert_eq!(queue.sums().ends.done, 1_001);
    assert_eq!(unread.count(), 1_000);
}

fn waits() {
    let (_farm, _, queue, held) = full("waits");
    let running = held.runs();
    let waits = blocked(&queue, (3, 1));
    drop(running);
    let settled = waits.join().expect("it ends well").expect("admitted");
    let waited = settled.waited().expect("it ran");
    assert!(settled.started.expect("it ran").since(settled.submitted) >= waited);
    assert!(settled.finished >= settled.started.expect("it ran"));
    let waits = queue.waits();
    assert_eq!(waits.count(), 4);
    assert!(waits.p50() <= waits.p99() && waits.p99() <= Some(waits.longest()));
    assert!(waits.longest() >= waited);
}
