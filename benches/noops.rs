//! What a request costs when the work is nothing: the typed API against a bare pipe ping-pong with
//! one worker and no credit, and against `procspawn` with two workers and credit. Everything is
//! measured in the same run, as a median of pairs.
//!
//! `--smoke`: few requests and generous limits. Exit code 1 beyond a limit.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use farm::master::lane::{AdapterMode, Boundary, Gate};
use farm::protocol::{Never, Wire};
use farm::worker::{Context, Perform, Worker, run_if_asked};
use farm::{
    Farm, KindRef, Pool, Program, Receive, Refusal, Settled, TaskKind, Verdict, WorkerStatus,
};
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Time per request with one worker and credit 0, over the ping-pong.
const PING_PONG_LIMIT: f64 = 1.5;
/// Throughput with two workers and credit, over procspawn's.
const PROCSPAWN_LIMIT: f64 = 25.0;
/// What a smoke run on a noisy machine is allowed beyond the limits.
const SMOKE_SLACK: f64 = 1.6;

/// The argument that makes this program the other end of the ping-pong.
const ECHO: &str = "bench-echo";

struct NoopWire;

impl Wire for NoopWire {
    const NAME: &'static str = "noop";
    const VERSION: u32 = 1;
    type Request = u64;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

/// `CREDIT` says whether a worker may be sent requests ahead.
struct Noop<const CREDIT: bool>;

impl<const CREDIT: bool> TaskKind for Noop<CREDIT> {
    type Wire = NoopWire;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    const INDEPENDENT: bool = CREDIT;

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<u64> {
        Some(*task)
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, task: &u64, response: u64) -> Verdict<Self> {
        assert_eq!(*task, response);
        Verdict::done(response, ())
    }
}

struct Echo;

impl Perform for Echo {
    type Wire = NoopWire;

    fn perform(&mut self, request: u64, _: &Context<'_, NoopWire>) -> u64 {
        request
    }
}

/// Counts what ends, and says when it was the last.
struct Countdown {
    left: Mutex<u64>,
    done: Sender<()>,
}

impl<const CREDIT: bool> Receive<Noop<CREDIT>> for Countdown {
    fn settled(&self, settled: Settled<Noop<CREDIT>>) {
        assert!(settled.outcome.is_done(), "{:?}", settled.outcome);
        let mut left = self.left.lock().expect("no panic holds it");
        *left -= 1;
        if *left == 0 {
            self.done.send(()).expect("the bench waits");
        }
    }

    fn refused(&self, _: u64, refusal: Refusal) {
        panic!("refused: {refusal}");
    }
}

/// Requests per run, and runs.
struct Size {
    requests: u64,
    procspawn_requests: u64,
    rounds: usize,
}

fn main() {
    run_if_asked(|| Worker::new().with(Echo));
    if std::env::args().nth(1).as_deref() == Some(ECHO) {
        return echo();
    }
    procspawn::init();
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let size = if smoke {
        Size {
            requests: 20_000,
            procspawn_requests: 2_000,
            rounds: 3,
        }
    } else {
        Size {
            requests: 100_000,
            procspawn_requests: 10_000,
            rounds: 7,
        }
    };
    let slack = if smoke { SMOKE_SLACK } else { 1.0 };
    println!(
        "{} no-op requests, typed API, median of {} pairs",
        size.requests, size.rounds
    );
    println!(
        "{:<34} {:>10} {:>12} {:>8} {:>8}",
        "", "farm", "yardstick", "ratio", "limit"
    );
    let mut fine = true;
    let ping = pairs(
        size.rounds,
        || credit_zero(size.requests),
        || ping_pong(size.requests),
    );
    fine &= row(
        "1 worker, credit 0 / ping-pong",
        &ping,
        PING_PONG_LIMIT * slack,
        false,
    );
    let wait = median(
        (0..size.rounds)
            .map(|_| submit_and_wait(size.requests / 10))
            .collect(),
    );
    println!(
        "{:<34} {:>7.2} us   (reported, not bounded)",
        "1 worker, submit and wait",
        micros(wait)
    );
    let through = pairs(
        size.rounds,
        || two_workers(size.requests * 5),
        || procspawn_pool(size.procspawn_requests),
    );
    fine &= row(
        "2 workers, credit / procspawn",
        &through,
        PROCSPAWN_LIMIT / slack,
        true,
    );
    if !fine {
        std::process::exit(1);
    }
}

/// Median times per request of both, and the median of the ratios.
struct Pairs {
    ours: Duration,
    theirs: Duration,
    ratio: f64,
}

fn pairs(rounds: usize, ours: impl Fn() -> Duration, theirs: impl Fn() -> Duration) -> Pairs {
    let measured: Vec<(Duration, Duration)> = (0..rounds).map(|_| (ours(), theirs())).collect();
    let mut ratios: Vec<f64> = measured
        .iter()
        .map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64())
        .collect();
    ratios.sort_by(f64::total_cmp);
    Pairs {
        ours: median(measured.iter().map(|pair| pair.0).collect()),
        theirs: median(measured.iter().map(|pair| pair.1).collect()),
        ratio: ratios[ratios.len() / 2],
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Prints a row; `throughput`: the ratio is of throughputs, and larger is better.
fn row(name: &str, pairs: &Pairs, limit: f64, throughput: bool) -> bool {
    let ratio = if throughput {
        1.0 / pairs.ratio
    } else {
        pairs.ratio
    };
    let (ours, theirs) = (micros(pairs.ours), micros(pairs.theirs));
    println!("{name:<34} {ours:>7.2} us {theirs:>9.2} us {ratio:>8.2} {limit:>8.2}");
    if throughput {
        ratio >= limit
    } else {
        ratio <= limit
    }
}

fn farm<const CREDIT: bool>(
    slots: u32,
    queued: u64,
) -> (Farm, farm::TaskQueue<Noop<CREDIT>>, KindRef<Noop<CREDIT>>) {
    let queued = usize::try_from(queued).expect("fits") + 1;
    let boundary =
        Boundary::new(AdapterMode::PushOnly, slots as usize, queued, 1000).expect("valid");
    let mut builder = Farm::builder();
    let pool = Pool::new(Program::this_executable(), slots).boundary(boundary);
    let kind = builder.kind(Noop::<CREDIT>, pool);
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, queue, kind)
}

/// Everything is submitted and in the lane before the clock runs; then the lane is opened.
fn submitted_ahead<const CREDIT: bool>(slots: u32, requests: u64) -> Duration {
    let (farm, queue, kind) = farm::<CREDIT>(slots, requests);
    // The workers are there before the clock runs.
    let warm: Vec<_> = (0..u64::from(slots) * 64)
        .map(|n| queue.submit(n))
        .collect();
    for ticket in warm {
        ticket.wait().expect("admitted");
    }
    let (done, wait) = channel();
    let countdown = Arc::new(Countdown {
        left: Mutex::new(requests),
        done,
    });
    farm.set_gate(kind, Gate::Paused);
    for n in 0..requests {
        queue.submit_with(
            n,
            None,
            Arc::clone(&countdown) as Arc<dyn Receive<Noop<CREDIT>>>,
        );
    }
    // Answered by the loop when it has heard everything before.
    assert!(!farm.worker_pids().is_empty());
    let begin = Instant::now();
    farm.set_gate(kind, Gate::Running);
    wait.recv().expect("the last one says so");
    let took = begin.elapsed();
    drop(farm);
    per(took, requests)
}

/// Submitting is part of what is measured.
fn submitted_meanwhile<const CREDIT: bool>(slots: u32, requests: u64) -> Duration {
    let (farm, queue, _) = farm::<CREDIT>(slots, requests);
    for ticket in (0..64).map(|n| queue.submit(n)).collect::<Vec<_>>() {
        ticket.wait().expect("admitted");
    }
    let begin = Instant::now();
    let tickets: Vec<_> = (0..requests).map(|n| queue.submit(n)).collect();
    for ticket in tickets {
        ticket.wait().expect("admitted");
    }
    let took = begin.elapsed();
    drop(farm);
    per(took, requests)
}

fn per(took: Duration, requests: u64) -> Duration {
    Duration::from_secs_f64(took.as_secs_f64() / requests as f64)
}

fn credit_zero(requests: u64) -> Duration {
    submitted_ahead::<false>(1, requests)
}

fn two_workers(requests: u64) -> Duration {
    submitted_meanwhile::<true>(2, requests)
}

fn submit_and_wait(requests: u64) -> Duration {
    let (farm, queue, _) = farm::<false>(1, 10);
    queue.submit(0).wait().expect("admitted");
    let begin = Instant::now();
    for n in 0..requests {
        queue.submit(n).wait().expect("admitted");
    }
    let took = begin.elapsed();
    drop(farm);
    per(took, requests)
}

/// One message of the size of a request, there and back, and nothing else.
fn ping_pong(requests: u64) -> Duration {
    let (mut from_child, to_us) = pipe().expect("a pipe");
    let (from_us, mut to_child) = pipe().expect("a pipe");
    let mut child = Command::new("/proc/self/exe")
        .arg(ECHO)
        .stdin(Stdio::from(from_us))
        .stdout(Stdio::from(to_us))
        .spawn()
        .expect("this program starts");
    let begin = round_trips(&mut to_child, &mut from_child, 64);
    let took = round_trips(&mut to_child, &mut from_child, requests);
    drop((to_child, begin));
    child.wait().expect("it ends with its input");
    per(took, requests)
}

const MESSAGE: usize = 16;

fn round_trips(to: &mut PipeWriter, from: &mut PipeReader, count: u64) -> Duration {
    let mut message = [7; MESSAGE];
    let begin = Instant::now();
    for _ in 0..count {
        to.write_all(&message).expect("the child reads");
        from.read_exact(&mut message).expect("the child answers");
    }
    begin.elapsed()
}

fn echo() {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut message = [0; MESSAGE];
    while input.read_exact(&mut message).is_ok() {
        output.write_all(&message).expect("the parent reads");
        output.flush().expect("the parent reads");
    }
}

/// Calls in flight at once: each holds two descriptors of procspawn's.
const PROCSPAWN_AT_ONCE: u64 = 500;

fn procspawn_pool(requests: u64) -> Duration {
    let pool = procspawn::Pool::new(2).expect("a pool");
    let batch = |count: u64| {
        let handles: Vec<_> = (0..count)
            .map(|n| procspawn::spawn!(in pool, (n) || n))
            .collect();
        for handle in handles {
            handle.join().expect("it answers");
        }
    };
    batch(64);
    let begin = Instant::now();
    for _ in 0..requests / PROCSPAWN_AT_ONCE {
        batch(PROCSPAWN_AT_ONCE);
    }
    let took = begin.elapsed();
    pool.shutdown();
    per(took, requests)
}
