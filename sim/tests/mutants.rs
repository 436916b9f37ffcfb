//! The seeded bugs of the machine are found by each strategy within its number of schedules, from each of 20 seeds, and
//! what is reported can be replayed.
//!
//! A strategy that finds a bug with probability p per schedule misses it in 13.8/p schedules with a probability of
//! 10⁻⁶. The p stand in the table as they were measured over 100,000 schedules (10,000 for those above .5); where the
//! model that the thresholds come from has a smaller number of schedules, that one is held.

use farm_lockstep::{End, Spec};
use farm_master::Mutation;
use farm_sim::{Sweep, scenario};
use std::panic;

/// Seeds from which each bug must be found.
const SEEDS: u64 = 20;

/// One bug, where it is looked for, by whom, and within how many schedules.
struct Row {
    bug: &'static str,
    scenario: &'static str,
    spec: &'static str,
    within: u64,
}

const fn row(bug: &'static str, scenario: &'static str, spec: &'static str, within: u64) -> Row {
    Row {
        bug,
        scenario,
        spec,
        within,
    }
}

const ROWS: [Row; 24] = [
    row("b1", "mini", "urw", 66),
    row("b1", "mini", "pct:3", 160),
    row("b1", "mini", "random", 2_657),
    row("b1", "mini", "portfolio", 400),
    row("b2", "mini", "urw", 125),
    row("b2", "mini", "pct:5", 174),
    row("b2", "mini", "pct:3", 256),
    row("b2", "mini", "random", 898),
    row("b2", "mini", "portfolio", 500),
    row("b3", "mini", "urw", 37),
    row("b3", "mini", "random", 149),
    row("b3", "mini", "pct:3", 226),
    row("b3", "mini", "portfolio", 40),
    row("b4", "mini", "urw", 16),
    row("b4", "mini", "random", 16),
    row("b4", "mini", "pct:3", 22),
    row("b4", "mini", "pct:5", 22),
    row("b4", "mini", "portfolio", 20),
    row("b8", "mini", "portfolio", 500),
    row("b10", "cancel", "portfolio", 1_000),
    row("b11", "chaos", "portfolio", 1_000),
    row("b12", "mini", "portfolio", 200),
    row("x5", "chaos", "portfolio", 1_000),
    row("x7", "pool", "portfolio", 1_000),
];

fn sweep(row: &Row, seed: u64) -> Sweep {
    let scenario = scenario(row.scenario).expect("it is shipped");
    let mutation: Mutation = row.bug.parse().expect("it is one of ours");
    let place = Mutation::ALL.iter().position(|other| *other == mutation);
    let mut params = scenario.defaults;
    params.mutation = u8::try_from(place.expect("all are listed") + 1).expect("few");
    Sweep {
        scenario,
        params,
        spec: row.spec.parse::<Spec>().expect("a strategy"),
        seed,
        schedules: row.within,
        jobs: 1,
        limit: None,
    }
}

#[test]
fn every_bug_is_found_in_time_and_replayed() {
    // Machines with a bug may panic; the controller makes that a failure of the run, and nobody needs to read it here.
    panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for row in &ROWS {
        for seed in 1..=SEEDS {
            let sweep = sweep(row, seed);
            match sweep.make().failed {
                Some((number, failure)) => {
                    let plan = sweep.plan();
                    let again = [0, 1].map(|_| sweep.run(&plan, number, true));
                    for report in &again {
                        assert_eq!(
                            report.end,
                            End::Failed(failure.clone()),
                            "{} {}",
                            row.bug,
                            row.spec
                        );
                    }
                    let [one, two] = again;
                    assert_eq!(one.trace, two.trace, "{} {}", row.bug, row.spec);
                    assert_eq!(one.digest, two.digest, "{} {}", row.bug, row.spec);
                }
                None => missed.push(format!(
                    "{} by {} from seed {seed} in {}",
                    row.bug, row.spec, row.within
                )),
            }
        }
    }
    drop(panic::take_hook());
    assert!(missed.is_empty(), "not found: {missed:#?}");
}
