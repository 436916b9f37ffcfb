//! What a worker costs whose start is dear: one forked from a template that holds 200 MB, against one that builds the
//! same itself. Each worker performs one task; the time is that of the whole task, from its submission to its end.
//! Everything is measured in the same run, in pairs; medians are compared.
//!
//! `--smoke`: few pairs. Exit code 1 beyond the limit.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use farm::protocol::{Never, Wire};
use farm::worker::{Context, Perform, Worker, run_if_asked};
use farm::{Farm, Outcome, Pool, Program, TaskKind, TaskQueue, Verdict, WorkerStatus};
use std::time::{Duration, Instant};

/// A start from the template over a cold one.
const LIMIT: f64 = 0.1;
/// What is held by each worker, in words of eight bytes: 200 MB.
const WORDS: usize = 25_000_000;

struct Table;

impl Wire for Table {
    const NAME: &'static str = "table";
    const VERSION: u32 = 1;
    type Request = u64;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

/// Each worker is used once.
impl TaskKind for Table {
    type Wire = Self;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<u64> {
        Some(*task)
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, response: u64) -> Verdict<Self> {
        Verdict::done(response, ()).end_worker()
    }
}

/// The table is as cheap to build as it can be: a multiplication and a store per word.
#[derive(Default)]
struct Holder {
    words: Vec<u64>,
}

impl Perform for Holder {
    type Wire = Table;

    fn warm(&mut self) {
        let next = |word: &u64| Some(word.wrapping_mul(6_364_136_223_846_793_005) + 1);
        self.words = std::iter::successors(Some(1), next).take(WORDS).collect();
    }

    fn perform(&mut self, place: u64, _: &Context<'_, Table>) -> u64 {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        self.words[place % self.words.len()]
    }
}

struct Side {
    farm: Farm,
    queue: TaskQueue<Table>,
}

impl Side {
    fn new(pool: Pool) -> Self {
        let mut builder = Farm::builder();
        let kind = builder.kind(Table, pool.hello_timeout(Duration::from_secs(60)));
        let farm = builder.start().expect("a farm");
        let queue = farm.queue(kind);
        Self { farm, queue }
    }

    /// How long a task takes for which a worker is started.
    fn shot(&self, place: u64) -> (u64, Duration) {
        // The one before has gone, with all that it held: it must not be in this one's way.
        while !self.farm.worker_pids().is_empty() {
            std::thread::yield_now();
        }
        let begun = Instant::now();
        let settled = self.queue.submit(place).wait().expect("admitted");
        let took = begun.elapsed();
        match settled.outcome {
            Outcome::Done(word) => (word, took),
            other => panic!("{other:?}"),
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn main() {
    run_if_asked(|| Worker::new().with(Holder::default()));
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let pairs = if smoke { 7 } else { 41 };
    let cold = Side::new(Pool::new(Program::this_executable(), 1));
    let template = Side::new(Pool::new(Program::this_executable(), 1).template());
    let (word, first) = template.shot(7);
    let (mut colds, mut forks) = (Vec::new(), Vec::new());
    for place in 0..pairs {
        let (built, took) = cold.shot(place);
        colds.push(took);
        let (copied, took) = template.shot(place);
        forks.push(took);
        assert_eq!(built, copied, "the same table");
        assert!(place != 7 || built == word);
    }
    let (cold, fork) = (median(colds), median(forks));
    let ratio = millis(fork) / millis(cold);
    println!(
        "one-shot workers that hold {} MB, whole tasks, medians of {pairs} pairs",
        WORDS * 8 / 1_000_000
    );
    println!("cold start, builds it itself   {:>9.2} ms", millis(cold));
    println!("forked from a template         {:>9.2} ms", millis(fork));
    println!("the first, warms the template  {:>9.2} ms", millis(first));
    println!("ratio {ratio:.3}, limit {LIMIT}");
    if ratio > LIMIT {
        println!("beyond the limit");
        std::process::exit(1);
    }
}
