//! URW against what is known of it in closed form.

use super::*;
use crate::strategy::kernels;

fn begun(steps: Vec<(Role, u64)>) -> Urw {
    let mut strategy = Urw::new();
    strategy.begin(Random::derive(1, 0, 0), &Hint { length: 0, steps });
    strategy
}

#[test]
fn the_closed_forms() {
    let (lost_update, uneven) = kernels::frequencies(&mut Urw::new());
    kernels::assert_near(lost_update, 2, 3);
    kernels::assert_near(uneven, 1, 11);
}

#[test]
fn a_weight_is_what_is_left_and_never_below_the_floor() {
    let mut strategy = begun(vec![(Role::process(3), 600)]);
    strategy.appears(CandidateId(0), Role::process(3));
    strategy.appears(CandidateId(1), Role::process(4));
    strategy.appears(CandidateId(2), Role::process(3));
    assert_eq!(
        strategy.left,
        [600, 256, 600],
        "a role that trial runs did not show is expected to take one step"
    );
    let mut weights = Vec::new();
    for _ in 0..4 {
        strategy.pick(&[CandidateId(2)]);
        weights.push(strategy.left[2]);
    }
    assert_eq!(weights, [344, 88, 64, 64]);
    assert_eq!(strategy.left[..2], [600, 256]);
}

#[test]
fn estimates_beyond_all_bounds_are_bounded() {
    let mut strategy = begun(vec![(Role::CLOCK, 0), (Role::process(0), u64::MAX)]);
    for id in 0..100 {
        strategy.appears(CandidateId(id), Role::process(0));
    }
    strategy.appears(CandidateId(100), Role::CLOCK);
    assert_eq!((strategy.left[99], strategy.left[100]), (u32::MAX, FLOOR));
    let ready: Vec<_> = (0..=100).map(CandidateId).collect();
    for _ in 0..1_000 {
        assert!(
            strategy.pick(&ready) < 100,
            "one in seven thousand millions"
        );
    }
}

#[test]
fn a_second_run_knows_nothing_of_the_first() {
    let ready: Vec<_> = (0..4).map(CandidateId).collect();
    let hint = Hint {
        length: 0,
        steps: vec![(Role::process(1), 4_000)],
    };
    let mut strategy = Urw::new();
    let mut run = |hint: &Hint| {
        strategy.begin(Random::derive(2, 0, 0), hint);
        (0..4).for_each(|id| strategy.appears(CandidateId(id), Role::process(id as u16)));
        (0..40).map(|_| strategy.pick(&ready)).collect::<Vec<_>>()
    };
    let first = run(&hint);
    let other = run(&Hint::default());
    assert_ne!(first, other, "the hint matters");
    assert_eq!(run(&hint), first);
}
