//! Uniform drawing against what is known of it in closed form.

use super::*;
use crate::strategy::kernels;

#[test]
fn all_are_as_likely() {
    let mut strategy = Uniform::new();
    strategy.begin(Random::derive(1, 0, 0), &Hint::default());
    let ready: Vec<_> = (0..5).map(CandidateId).collect();
    let mut seen = [0_u32; 5];
    for _ in 0..50_000 {
        seen[strategy.pick(&ready)] += 1;
    }
    // 10,000 each; four standard deviations are 358.
    assert!(
        seen.iter().all(|&count| count.abs_diff(10_000) < 358),
        "{seen:?}"
    );
}

#[test]
fn the_closed_forms() {
    let (lost_update, uneven) = kernels::frequencies(&mut Uniform::new());
    kernels::assert_near(lost_update, 1, 2);
    kernels::assert_near(uneven, 1, 1 << 10);
}
