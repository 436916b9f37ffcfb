//! What a task costs in a lane, against a bare queue that does the least one could do.
//!
//! The yardstick pushes and pops a `(u64, u32)` at a `VecDeque` and stores twice into indexed vectors. Lane and
//! yardstick take turns and each ratio is the median over these pairs, so that a busy machine slows both. `--smoke` takes
//! a few short rounds. Exits with 1 when a limit is exceeded.

#![expect(clippy::print_stdout, reason = "a bench's table is its purpose")]

use farm_master::lane::{AdapterMode, Boundary, Entry, Key, Lane};
use std::collections::VecDeque;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

/// A task in the lane may cost so many times the yardstick's.
const RATIO_LIMIT: f64 = 8.0;

/// A task among a million may cost so many times one among a thousand.
const GROWTH_LIMIT: f64 = 3.0;

const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;

/// How much is measured.
struct Effort {
    /// Pairs of lane and yardstick per median.
    pairs: usize,
    /// Tasks per measurement.
    tasks: u32,
}

/// One kind of load: the lane's form of it and the yardstick's, each doing `tasks` tasks over `keys` keys.
struct Load {
    name: &'static str,
    keys: u32,
    lane: fn(&mut Lane, u32),
    bare: fn(&mut Bare, u32),
}

/// The yardstick.
struct Bare {
    queue: VecDeque<(u64, u32)>,
    started: Vec<u64>,
    ended: Vec<u64>,
    next: u64,
}

impl Bare {
    fn new(keys: u32) -> Self {
        Self {
            queue: VecDeque::new(),
            started: vec![0; keys as usize],
            ended: vec![0; keys as usize],
            next: 0,
        }
    }

    #[inline]
    fn push(&mut self, key: u32) {
        self.next += 1;
        self.queue.push_back((self.next, key));
    }

    #[inline]
    fn pop(&mut self) {
        let (seq, key) = self.queue.pop_front().expect("one was pushed");
        self.started[key as usize] = seq;
        self.ended[key as usize] = seq + 1;
    }
}

/// One task at a time, from enqueue to forget.
fn steady(lane: &mut Lane, keys: u32) {
    for index in 0..keys {
        let key = black_box(Key::new(index));
        lane.enqueue(key, Entry::Push).expect("the key is free");
        lane.start(key, 1).expect("nothing else is in flight");
        lane.succeed(key).expect("it is in flight");
        black_box(lane.forget(key));
    }
}

fn steady_bare(bare: &mut Bare, keys: u32) {
    for index in 0..keys {
        bare.push(black_box(index));
        bare.pop();
        black_box(&mut *bare);
    }
}

/// All tasks at once: all wait, then all are in flight, then all have ended.
fn batch(lane: &mut Lane, keys: u32) {
    for index in 0..keys {
        lane.enqueue(black_box(Key::new(index)), Entry::Push)
            .expect("the key is free");
    }
    while let Some((key, started)) = lane.start_next(1) {
        black_box((key, started));
    }
    for index in 0..keys {
        lane.succeed(black_box(Key::new(index)))
            .expect("it is in flight");
    }
    for index in 0..keys {
        black_box(lane.forget(black_box(Key::new(index))));
    }
}

fn batch_bare(bare: &mut Bare, keys: u32) {
    for index in 0..keys {
        bare.push(black_box(index));
    }
    for _ in 0..keys {
        bare.pop();
        black_box(&mut *bare);
    }
}

/// Nanoseconds per task of both, and the median of their ratios.
struct Figures {
    lane: f64,
    bare: f64,
    ratio: f64,
}

fn measure(load: &Load, effort: &Effort) -> Figures {
    let room = MANY as usize;
    let boundary =
        Boundary::new(AdapterMode::PushPull, room, room, 0).expect("more than nothing in flight");
    let mut lane = Lane::new(boundary);
    let mut bare = Bare::new(load.keys);
    let rounds = (effort.tasks / load.keys).max(1);
    // Once without the clock: growing to full size is paid once in a lane's life, not per task.
    (load.lane)(&mut lane, load.keys);
    (load.bare)(&mut bare, load.keys);
    let tasks = f64::from(rounds) * f64::from(load.keys);
    let time = |work: &mut dyn FnMut()| {
        let begin = Instant::now();
        for _ in 0..rounds {
            work();
        }
        begin.elapsed().as_secs_f64() * 1e9 / tasks
    };
    let (mut lanes, mut bares, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.pairs {
        let of_lane = time(&mut || (load.lane)(&mut lane, load.keys));
        let of_bare = time(&mut || (load.bare)(&mut bare, load.keys));
        lanes.push(of_lane);
        bares.push(of_bare);
        ratios.push(of_lane / of_bare);
    }
    Figures {
        lane: median(lanes),
        bare: median(bares),
        ratio: median(ratios),
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() -> ExitCode {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let effort = if smoke {
        Effort {
            pairs: 3,
            tasks: 100_000,
        }
    } else {
        Effort {
            pairs: 15,
            tasks: MANY,
        }
    };
    let load = |name, keys, lane, bare| Load {
        name,
        keys,
        lane,
        bare,
    };
    let loads = [
        load(
            "steady, 1,000 keys",
            FEW,
            steady as fn(&mut Lane, u32),
            steady_bare as fn(&mut Bare, u32),
        ),
        load("batch of 1,000", FEW, batch, batch_bare),
        load("batch of 1,000,000", MANY, batch, batch_bare),
    ];

    println!(
        "{:<20} {:>12} {:>12} {:>8} {:>8}",
        "load", "lane ns/task", "bare ns/task", "ratio", "limit"
    );
    let mut kept = true;
    let mut per_task = Vec::new();
    for load in &loads {
        let Figures { lane, bare, ratio } = measure(load, &effort);
        println!(
            "{:<20} {lane:>12.2} {bare:>12.2} {ratio:>8.2} {RATIO_LIMIT:>8.2}",
            load.name
        );
        kept &= ratio <= RATIO_LIMIT;
        per_task.push(lane);
    }
    let growth = per_task[2] / per_task[1];
    println!(
        "{:<20} {:>12} {:>12} {growth:>8.2} {GROWTH_LIMIT:>8.2}",
        "a million / 1,000", "", ""
    );
    kept &= growth <= GROWTH_LIMIT;
    if kept {
        ExitCode::SUCCESS
    } else {
        println!("a limit is exceeded");
        ExitCode::FAILURE
    }
}
