//! PCT against what is known of it in closed form.

use super::*;
use crate::strategy::kernels;

/// A PCT before its first step with change points at these steps and candidates 0, 1, … of these priorities.
fn prepared(changes: &[u64], priorities: &[u64]) -> Pct {
    let mut strategy = Pct::new(changes.len() as u32 + 1);
    strategy.changes[..changes.len()].copy_from_slice(changes);
    strategy.priorities = priorities.to_vec();
    strategy.seek_next();
    strategy
}

#[test]
fn depth_three_loses_an_update_at_six_of_sixteen_pairs_of_change_points() {
    let mut lost = Vec::new();
    for first in 1..=4 {
        for second in 1..=4 {
            let mut strategy = prepared(&[first, second], &[HIGH | 2, HIGH | 1]);
            if kernels::loses_update(&mut strategy) {
                lost.push((first, second));
            }
        }
    }
    // Unsorted: the first point drawn gives the lower priority, wherever it lies.
    assert_eq!(lost, [(2, 1), (2, 2), (2, 3), (2, 4), (3, 2), (4, 2)]);
}

#[test]
fn the_closed_forms() {
    let of_depth = |depth| kernels::frequencies(&mut Pct::new(depth)).0;
    kernels::assert_near(of_depth(3), 375, 1_000);
    kernels::assert_near(of_depth(2), 1, 4);
    assert_eq!(
        of_depth(1),
        0,
        "without a change point the first one goes through"
    );
}

#[test]
fn the_highest_goes_until_a_change_point_puts_it_behind() {
    let ready = [CandidateId(0), CandidateId(1), CandidateId(2)];
    let mut strategy = prepared(&[3, 5], &[HIGH | 1, HIGH | 3, HIGH | 2]);
    let picked: Vec<_> = (0..6).map(|_| strategy.pick(&ready)).collect();
    assert_eq!(picked, [1, 1, 2, 2, 0, 0]);
    assert_eq!(strategy.priorities, [HIGH | 1, 1, 2]);
}

#[test]
fn a_change_point_strikes_the_highest_of_those_that_are_ready() {
    let mut strategy = prepared(&[1], &[HIGH | 1, HIGH | 3, HIGH | 2]);
    assert_eq!(strategy.pick(&[CandidateId(0), CandidateId(2)]), 0);
    assert_eq!(strategy.priorities, [HIGH | 1, HIGH | 3, 1]);
}

#[test]
fn steps_with_one_ready_count_too() {
    let mut strategy = prepared(&[2], &[HIGH | 2, HIGH | 1]);
    strategy.pick(&[CandidateId(1)]);
    assert_eq!(strategy.pick(&[CandidateId(0), CandidateId(1)]), 1);
}

#[test]
fn change_points_lie_within_the_observed_length() {
    let mut seen = [false; 8];
    for iteration in 0..1_000 {
        let mut strategy = Pct::new(DEPTH_MAX);
        let hint = Hint {
            length: 7,
            ..Hint::default()
        };
        strategy.begin(Random::derive(1, 0, iteration), &hint);
        strategy
            .changes
            .iter()
            .for_each(|&at| seen[at as usize] = true);
    }
    assert_eq!(seen, [false, true, true, true, true, true, true, true]);
    let mut strategy = Pct::new(3);
    strategy.begin(Random::derive(1, 0, 0), &Hint::default());
    assert_eq!(
        strategy.changes[..2],
        [1, 1],
        "nothing observed counts as one step"
    );
}

#[test]
fn a_newcomer_gets_every_rank() {
    let ready = [
        CandidateId(0),
        CandidateId(1),
        CandidateId(2),
        CandidateId(3),
    ];
    let mut strategy = Pct::new(1);
    let mut first = [0_u32; 4];
    for iteration in 0..40_000 {
        strategy.begin(Random::derive(3, 0, iteration), &Hint::default());
        ready
            .iter()
            .for_each(|&id| strategy.appears(id, Role::CLOCK));
        first[strategy.pick(&ready)] += 1;
    }
    // 10,000 each; four standard deviations are 346.
    assert!(
        first.iter().all(|&count| count.abs_diff(10_000) < 346),
        "{first:?}"
    );
}

#[test]
#[should_panic(expected = "1 to 9")]
fn there_is_no_depth_ten() {
    drop(Pct::new(10));
}
