//! Two tiny programs whose probabilities are known in closed form, for the tests of the strategies.

use super::{Hint, Strategy};
use crate::candidate::{CandidateId, Role};
use crate::random::Random;

/// How many runs a frequency is taken from.
const RUNS: u32 = 100_000;

/// Runs processes that take these numbers of steps, and calls `step` with who takes each.
fn run(strategy: &mut dyn Strategy, mut left: [u32; 2], mut step: impl FnMut(u32)) {
    let mut ready = Vec::with_capacity(2);
    loop {
        ready.clear();
        ready.extend((0..2).filter(|&id| left[id as usize] > 0).map(CandidateId));
        if ready.is_empty() {
            return;
        }
        let id = ready[strategy.pick(&ready)].0;
        left[id as usize] -= 1;
        step(id);
    }
}

/// Two processes read a number and write it back, greater by one. Whether one of the two increments is lost.
pub(super) fn loses_update(strategy: &mut dyn Strategy) -> bool {
    let (mut number, mut read) = (0, [None; 2]);
    run(strategy, [2, 2], |id| match read[id as usize] {
        None => read[id as usize] = Some(number),
        Some(value) => number = value + 1,
    });
    number == 1
}

/// One process takes ten steps, the other one. Whether the other comes last.
fn comes_last(strategy: &mut dyn Strategy) -> bool {
    let mut last = 0;
    run(strategy, [10, 1], |id| last = id);
    last == 1
}

fn frequency(
    strategy: &mut dyn Strategy,
    lengths: [u64; 2],
    kernel: fn(&mut dyn Strategy) -> bool,
) -> u32 {
    let roles = [Role::process(0), Role::process(1)];
    let hint = Hint {
        length: lengths.iter().sum(),
        steps: roles
            .into_iter()
            .zip(lengths.map(|steps| steps * 256))
            .collect(),
    };
    let mut times = 0;
    for iteration in 0..RUNS {
        strategy.begin(Random::derive(7, 1, u64::from(iteration)), &hint);
        strategy.appears(CandidateId(0), roles[0]);
        strategy.appears(CandidateId(1), roles[1]);
        times += u32::from(kernel(strategy));
    }
    times
}

/// How many of [`RUNS`] runs lose an update, and in how many the short process comes last.
pub(super) fn frequencies(strategy: &mut dyn Strategy) -> (u32, u32) {
    (
        frequency(strategy, [2, 2], loses_update),
        frequency(strategy, [10, 1], comes_last),
    )
}

/// That `times` of [`RUNS`] is within four standard deviations of the probability `numerator / denominator`.
#[track_caller]
pub(super) fn assert_near(times: u32, numerator: u64, denominator: u64) {
    // Compared as whole numbers, multiplied by the denominator and squared.
    let runs = u64::from(RUNS);
    let away = (u64::from(times) * denominator).abs_diff(runs * numerator);
    let variance = runs * numerator * (denominator - numerator);
    assert!(
        away * away <= 16 * variance,
        "{times} of {RUNS} is not {numerator}/{denominator}"
    );
}
