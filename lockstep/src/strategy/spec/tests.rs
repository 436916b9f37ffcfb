//! The names of strategies, and the arms they stand for.

use super::*;
use crate::candidate::{CandidateId, Role};
use crate::random::Random;
use crate::strategy::Hint;

#[test]
fn what_is_written_is_read_back() {
    let mut all = vec![Spec::Random, Spec::Urw, Spec::Portfolio, Spec::Swarm];
    all.extend((1..=DEPTH_MAX).map(Spec::Pct));
    for spec in all {
        assert_eq!(spec.to_string().parse(), Ok(spec));
    }
    assert_eq!(Spec::Pct(3).to_string(), "pct:3");
}

#[test]
fn everything_else_is_refused() {
    for text in [
        "", "Random", "pct", "pct:", "pct:0", "pct:10", "pct:03", "pct:+3", "urw ", "dfs",
    ] {
        let error = text.parse::<Spec>().unwrap_err();
        assert_eq!(error.text, text);
    }
    let told = "dfs".parse::<Spec>().unwrap_err().to_string();
    assert_eq!(
        told,
        "`dfs` is not a strategy: it is one of portfolio, random, swarm, urw, and pct:1 to pct:9"
    );
}

/// The order in which this arm serves four candidates: enough to tell the strategies apart.
fn order(arm: Arm) -> (Vec<usize>, bool) {
    let Arm {
        mut strategy,
        swarm,
    } = arm;
    let ready: Vec<_> = (0..4).map(CandidateId).collect();
    let hint = Hint {
        length: 64,
        steps: vec![(Role::process(2), 256 * 64)],
    };
    strategy.begin(Random::derive(4, 0, 0), &hint);
    (0..4).for_each(|id| strategy.appears(CandidateId(id), Role::process(id as u16)));
    ((0..64).map(|_| strategy.pick(&ready)).collect(), swarm)
}

#[test]
fn the_portfolio_goes_round() {
    let arms = [Spec::Urw, Spec::Pct(3), Spec::Random, Spec::Swarm];
    for (iteration, spec) in (0..8).zip(arms.iter().cycle()) {
        assert_eq!(
            order(Spec::Portfolio.arm(iteration)),
            order(spec.arm(0)),
            "{iteration}"
        );
    }
    assert_ne!(order(Spec::Urw.arm(0)), order(Spec::Random.arm(0)));
    assert_ne!(order(Spec::Pct(3).arm(0)), order(Spec::Random.arm(0)));
    drop(Spec::Portfolio.arm(u64::MAX));
}

#[test]
fn only_swarm_draws_faults_anew() {
    for spec in [Spec::Random, Spec::Pct(1), Spec::Urw] {
        assert!(!spec.arm(3).swarm, "{spec}");
    }
    assert!(Spec::Swarm.arm(0).swarm);
    assert_eq!(
        [0, 1, 2, 3].map(|iteration| Spec::Portfolio.arm(iteration).swarm),
        [false, false, false, true]
    );
}
