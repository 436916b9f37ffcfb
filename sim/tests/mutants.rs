//! The seeded bugs of the machine are found by each strategy within its number of schedules, from each of 20 seeds, and
//! what is reported can be replayed.
//!
//! A strategy that finds a bug with probability p per schedule misses it in 13.8/p schedules with a probability of
//! 10⁻⁶. The numbers in the table are those of a model that the scenario `mini` was made after; measured on the real
//! machine (30,000 schedules each) 13.8/p is below every one of them but for b1 by pct:3, where it is 149 against 146.
//! For b8 to b12 they are what was asked for; for g1 to g8, which the scenario `groups` finds within 55 schedules from
//! each of the seeds, they are about 13.8/p; for x19 to x32, r1 to r11, s1 to s10 and n1 to n8 they are 13.8/p, measured
//! from 20 seeds each.

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

const ROWS: [Row; 73] = [
    row("b1", "mini", "urw", 66),
    row("b1", "mini", "pct:3", 146),
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
    row("b4", "mini", "pct:3", 16),
    row("b4", "mini", "pct:5", 16),
    row("b4", "mini", "portfolio", 16),
    row("b8", "mini", "portfolio", 500),
    row("b10", "cancel", "portfolio", 1_000),
    row("b11", "chaos", "portfolio", 1_000),
    row("b12", "mini", "portfolio", 200),
    row("g1", "groups", "portfolio", 50),
    row("g2", "groups", "portfolio", 100),
    row("g3", "groups", "portfolio", 50),
    row("g4", "groups", "portfolio", 250),
    row("g5", "groups", "portfolio", 50),
    row("g6", "groups", "portfolio", 250),
    row("g7", "groups", "portfolio", 250),
    row("g8", "groups", "portfolio", 150),
    row("x19", "affinity", "portfolio", 40),
    row("x20", "affinity", "portfolio", 16),
    row("x21", "affinity", "portfolio", 150),
    row("x22", "affinity", "portfolio", 160),
    row("x23", "affinity", "portfolio", 140),
    row("x24", "affinity", "portfolio", 160),
    row("x25", "affinity", "portfolio", 180),
    row("x26", "affinity", "portfolio", 16),
    row("x27", "affinity", "portfolio", 30),
    row("x28", "affinity", "portfolio", 230),
    row("x29", "affinity", "portfolio", 40),
    row("x30", "affinity", "portfolio", 16),
    row("x31", "affinity", "portfolio", 90),
    row("x32", "affinity", "portfolio", 40),
    row("r1", "recycle", "portfolio", 16),
    row("r2", "recycle", "portfolio", 40),
    row("r3", "recycle", "portfolio", 130),
    row("r4", "recycle", "portfolio", 30),
    row("r5", "recycle", "portfolio", 100),
    row("r6", "recycle", "portfolio", 50),
    row("r7", "recycle", "portfolio", 90),
    row("r8", "recycle", "portfolio", 200),
    row("r9", "recycle", "portfolio", 130),
    row("r10", "recycle", "portfolio", 550),
    row("r11", "recycle", "portfolio", 180),
    row("s1", "sharing", "portfolio", 30),
    row("s2", "sharing", "portfolio", 110),
    row("s3", "sharing", "portfolio", 120),
    row("s4", "sharing", "portfolio", 30),
    row("s5", "sharing", "portfolio", 50),
    row("s6", "sharing", "portfolio", 40),
    row("s7", "sharing", "portfolio", 370),
    row("s8", "sharing", "portfolio", 80),
    row("s9", "sharing", "portfolio", 640),
    row("s10", "sharing", "portfolio", 70),
    row("n1", "named", "portfolio", 90),
    row("n2", "named", "portfolio", 240),
    row("n3", "named", "portfolio", 50),
    row("n4", "named", "portfolio", 20),
    row("n5", "named", "portfolio", 20),
    row("n6", "named", "portfolio", 390),
    row("n7", "named", "portfolio", 140),
    row("n8", "named", "portfolio", 270),
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

/// The faults of one line, each in the scenario that has what it breaks.
const FAULTS: [(&str, &str); 18] = [
    ("x1", "backpressure"),
    ("x2", "chaos"),
    ("x3", "chaos"),
    ("x4", "cancel"),
    ("x5", "chaos"),
    ("x6", "pool"),
    ("x7", "pool"),
    ("x8", "cancel"),
    ("x9", "chaos"),
    ("x10", "chaos"),
    ("x11", "cancel"),
    ("x12", "backpressure"),
    ("x13", "chaos"),
    ("x14", "cancel"),
    ("x15", "pool"),
    ("x16", "chaos"),
    ("x17", "chaos"),
    ("x18", "chaos"),
];

/// Within so many schedules each of them is found, from one seed.
const WITHIN: u64 = 20_000;

#[test]
fn faults_of_one_line_are_found() {
    panic::set_hook(Box::new(|_| {}));
    let found = |(bug, scenario): &(&'static str, &'static str)| {
        let sweep = sweep(&row(bug, scenario, "portfolio", WITHIN), 1);
        sweep.make().failed.is_some()
    };
    let missed: Vec<_> = FAULTS.iter().filter(|fault| !found(fault)).collect();
    drop(panic::take_hook());
    assert!(missed.is_empty(), "not found: {missed:?}");
}
