//! What a step costs: ten processes that send each other messages, as state machines and as `async` bodies, against a
//! bare loop that steps the same state machines round robin, each with a queue.
//!
//! Controller and loop take turns and each ratio is the median over these pairs, so that a busy machine slows both.
//! `--smoke` takes a few short rounds and holds the ratios only; otherwise the steps per second are held as well. Exits
//! with 1 when a limit is exceeded.

#![expect(clippy::print_stdout, reason = "a bench's table is its purpose")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads the clock and its command line; what it measures does neither"
)]

use farm_lockstep::{
    Body, Config, Controller, Cx, End, Event, Exit, Handle, Pid, Plan, Process, SpawnOptions, Spec,
    Start,
};
use std::collections::VecDeque;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

/// The least steps per second of the controller, wherever this runs as a whole.
const STEPS_PER_SECOND_MIN: f64 = 1e6;

/// How many processes there are.
const PROCESSES: u32 = 10;

/// How many messages each of them gets in one run.
const MESSAGES: u32 = 100;

/// How much is measured.
struct Effort {
    /// Pairs of controller and bare loop per median.
    pairs: usize,
    /// Runs per measurement.
    runs: u64,
}

/// One of the ten in a ring: answers each message with one to the next.
struct Relay {
    next: Pid,
    received: u32,
}

impl Process<u64, u32> for Relay {
    fn step(&mut self, cx: &mut Cx<'_, u64, u32>, event: Event<'_, u32>) {
        if let Event::Message { message, .. } = event {
            self.received += 1;
            *cx.shared() += u64::from(message);
        }
        if self.received < MESSAGES {
            cx.send(self.next, self.received);
        } else {
            cx.exit(Exit::Code(0));
        }
    }
}

/// The same as a straight line.
async fn relay(me: Handle<u32>, next: Pid) -> Exit {
    for received in 0..MESSAGES {
        me.send(next, received).await;
        black_box(me.receive().await);
    }
    Exit::Code(0)
}

type Machine = Box<dyn Process<u64, u32>>;

fn machine(next: Pid) -> Machine {
    Box::new(Relay { next, received: 0 })
}

fn body(next: Pid) -> Machine {
    Body::new(move |me| relay(me, next))
}

/// One run of ten; how many steps it took.
fn run(make: fn(Pid) -> Machine, start: Start) -> farm_lockstep::RunReport {
    let mut world = Controller::new(Config::default(), 0, start.strategy, start.choices);
    for index in 0..PROCESSES {
        let options = SpawnOptions::new("relay", 0);
        world.spawn(make(Pid((index + 1) % PROCESSES)), options);
    }
    let (report, sum) = world.run();
    assert_eq!(report.end, End::Passed, "a ring of relays always ends");
    black_box(sum);
    report
}

/// What the bare loop steps.
trait Bare {
    /// Takes a message from its queue, if there is one; whether it goes on.
    fn step(&mut self, queues: &mut [VecDeque<u32>], sum: &mut u64) -> bool;
}

/// A relay without a controller.
struct BareRelay {
    me: usize,
    next: usize,
    received: u32,
    started: bool,
}

impl Bare for BareRelay {
    fn step(&mut self, queues: &mut [VecDeque<u32>], sum: &mut u64) -> bool {
        if !std::mem::replace(&mut self.started, true) {
            queues[self.next].push_back(0);
        } else if let Some(message) = queues[self.me].pop_front() {
            self.received += 1;
            *sum += u64::from(message);
            queues[self.next].push_back(self.received);
        }
        self.received < MESSAGES
    }
}

/// One run of the yardstick; how many steps it took.
fn run_bare() -> u64 {
    let count = PROCESSES as usize;
    let mut queues = vec![VecDeque::new(); count];
    let mut machines: Vec<Box<dyn Bare>> = Vec::new();
    for me in 0..count {
        let next = (me + 1) % count;
        machines.push(Box::new(BareRelay {
            me,
            next,
            received: 0,
            started: false,
        }));
    }
    let (mut steps, mut sum, mut alive) = (0, 0, true);
    while alive {
        alive = false;
        for machine in &mut machines {
            alive |= black_box(machine).step(&mut queues, &mut sum);
            steps += 1;
        }
    }
    black_box(sum);
    steps
}

/// Steps per second of `runs` runs.
fn rate(runs: u64, mut run: impl FnMut(u64) -> u64) -> f64 {
    let begin = Instant::now();
    let steps: u64 = (0..runs).map(&mut run).sum();
    steps as f64 / begin.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// One kind of load.
struct Load {
    name: &'static str,
    spec: Spec,
    make: fn(Pid) -> Machine,
    /// A step may cost so many of the bare loop's.
    limit: f64,
}

/// Prints what a load does; whether it keeps to its limits.
fn measure(load: &Load, effort: &Effort, smoke: bool) -> bool {
    let plan = Plan::new(load.spec, 1, |start| run(load.make, start));
    let (mut rates, mut bares, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.pairs {
        let of_bare = rate(effort.runs, |_| run_bare());
        let one = |number| run(load.make, plan.start(number, false)).steps;
        let of_load = rate(effort.runs, one);
        rates.push(of_load);
        bares.push(of_bare);
        ratios.push(of_bare / of_load);
    }
    let (rate, bare, ratio) = (median(rates), median(bares), median(ratios));
    let Load { name, limit, .. } = load;
    println!("{name:<20} {rate:>12.0} steps/s {ratio:>8.2} (bare loop {bare:.0}, limit {limit})");
    ratio <= *limit && (smoke || rate >= STEPS_PER_SECOND_MIN)
}

fn main() -> ExitCode {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let (pairs, runs) = if smoke { (3, 200) } else { (15, 1_000) };
    let effort = Effort { pairs, runs };
    let load = |name, spec, make, limit| Load {
        name,
        spec,
        make,
        limit,
    };
    let loads = [
        load(
            "machines, random",
            Spec::Random,
            machine as fn(Pid) -> Machine,
            40.0,
        ),
        load("machines, urw", Spec::Urw, machine, 40.0),
        load("machines, pct:3", Spec::Pct(3), machine, 40.0),
        load("bodies, random", Spec::Random, body, 50.0),
    ];
    let mut kept = true;
    for load in &loads {
        kept &= measure(load, &effort, smoke);
    }
    if kept {
        ExitCode::SUCCESS
    } else {
        println!("a limit is exceeded");
        ExitCode::FAILURE
    }
}
