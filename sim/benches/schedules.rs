//! What a schedule costs: the stock scenario `pool` (50 tasks, 4 workers, the real frames in bytes, every invariant
//! held), against a bare loop that takes as many steps of boxed state machines with queues.
//!
//! Simulation and loop take turns and the ratio is the median over these pairs, so that a busy machine slows both.
//! `--smoke` takes short rounds and holds twice the ratio only, for builds without link-time optimisation on a machine
//! that does other things; otherwise schedules and steps per second are held as well, for
//! one core of the reference machine. Exits with 1 when a limit is exceeded.

#![expect(clippy::print_stdout, reason = "a bench's table is its purpose")]

use farm_lockstep::{Plan, Spec};
use farm_sim::{Sweep, scenario};
use std::collections::VecDeque;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

/// The least schedules per second of one core.
const SCHEDULES_MIN: f64 = 4_000.0;

/// The least steps per second of one core.
const STEPS_MIN: f64 = 1e6;

/// A step of the simulation may cost so many times one of the bare loop.
const RATIO_LIMIT: f64 = 300.0;

/// How much is measured: pairs, and schedules per pair.
const WHOLE: (usize, u64) = (9, 4_000);
const SMOKE: (usize, u64) = (5, 400);

/// The machines of the bare loop.
const MACHINES: usize = 5;

/// A state machine of the bare loop: takes what is in its queue and gives it on.
trait Bare {
    fn step(&mut self, given: u64) -> u64;
}

struct Adder(u64);

impl Bare for Adder {
    fn step(&mut self, given: u64) -> u64 {
        self.0 = self.0.wrapping_add(given).rotate_left(7);
        self.0
    }
}

/// As many steps of boxed machines, each with a queue: seconds.
fn bare(steps: u64) -> f64 {
    let mut machines: Vec<(Box<dyn Bare>, VecDeque<u64>)> = (0..MACHINES as u64)
        .map(|number| -> (Box<dyn Bare>, VecDeque<u64>) {
            (Box::new(Adder(number)), VecDeque::from([number]))
        })
        .collect();
    let begun = Instant::now();
    for step in 0..steps {
        let at = step as usize % MACHINES;
        let (machine, queue) = &mut machines[at];
        let given = queue.pop_front().unwrap_or(step);
        let gives = machine.step(given);
        machines[(at + 1) % MACHINES].1.push_back(gives);
    }
    black_box(&machines.len());
    begun.elapsed().as_secs_f64()
}

/// One pair: seconds and steps of the simulation, and the ratio per step.
fn pair(sweep: &Sweep, plan: &Plan, first: u64) -> (f64, u64, f64) {
    let begun = Instant::now();
    let steps: u64 = (first..first + sweep.schedules)
        .map(|number| sweep.run(plan, number, false).steps)
        .sum();
    let took = begun.elapsed().as_secs_f64();
    (took, steps, took / bare(steps))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> ExitCode {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let (pairs, schedules) = if smoke { SMOKE } else { WHOLE };
    let scenario = scenario("pool").expect("it is shipped");
    let sweep = Sweep {
        scenario,
        params: scenario.defaults,
        spec: Spec::Portfolio,
        seed: 1,
        schedules,
        jobs: 1,
        limit: None,
    };
    let plan = sweep.plan();
    let taken: Vec<_> = (0..pairs as u64)
        .map(|nth| pair(&sweep, &plan, nth * schedules))
        .collect();
    let per_second = |count: fn(&(f64, u64, f64), u64) -> f64| {
        median(taken.iter().map(|part| count(part, schedules)).collect())
    };
    let schedules_per_second = per_second(|(took, ..), schedules| schedules as f64 / took);
    let steps_per_second = per_second(|(took, steps, _), _| *steps as f64 / took);
    let ratio = per_second(|(_, _, ratio), _| *ratio);
    println!("pool schedules/s {schedules_per_second:.0}");
    println!("pool steps/s     {steps_per_second:.0}");
    let limit = if smoke {
        2.0 * RATIO_LIMIT
    } else {
        RATIO_LIMIT
    };
    println!("pool step        {ratio:.0} x a step of the bare loop (limit {limit})");
    let slow = schedules_per_second < SCHEDULES_MIN || steps_per_second < STEPS_MIN;
    if ratio > limit || (slow && !smoke) {
        println!(
            "beyond the limit: at least {SCHEDULES_MIN} schedules/s and {STEPS_MIN} steps/s, at most {limit} x"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
