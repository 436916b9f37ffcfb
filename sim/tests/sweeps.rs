//! A sweep shows the same whoever makes it and on how many threads, also when it fails.

use farm_lockstep::Spec;
use farm_sim::{Params, Sweep, scenario};

fn shown(jobs: u32, params: Params) -> (u64, u64, u64, u64, u64, Option<u64>) {
    let sweep = Sweep {
        scenario: scenario("chaos").expect("it is shipped"),
        params,
        spec: Spec::Portfolio,
        seed: 5,
        schedules: 1_500,
        jobs,
        limit: None,
    };
    let shown = sweep.make();
    let failed = shown.failed.map(|(number, _)| number);
    (
        shown.schedules,
        shown.steps,
        shown.inconclusive,
        shown.reached,
        shown.faults,
        failed,
    )
}

#[test]
fn jobs_change_nothing() {
    let params = scenario("chaos").expect("it is shipped").defaults;
    assert_eq!(shown(1, params), shown(5, params));
    assert_eq!(shown(1, params).5, None, "the shipped machine is clean");
}

#[cfg(feature = "mutation")]
#[test]
fn jobs_change_nothing_when_something_fails() {
    let mut params = scenario("chaos").expect("it is shipped").defaults;
    // Deaths beyond the crash limit: rare enough that several threads are far apart.
    params.mutation = 11;
    let one = shown(1, params);
    assert!(one.5.is_some(), "the bug is found: {one:?}");
    for _ in 0..3 {
        assert_eq!(one, shown(5, params));
    }
}

#[test]
fn affinity_is_clean_and_shows_all_that_it_is_for() {
    shows_all("affinity");
}

#[test]
fn recycle_is_clean_and_shows_all_that_it_is_for() {
    shows_all("recycle");
}

#[test]
fn sharing_is_clean_and_shows_all_that_it_is_for() {
    shows_all("sharing");
}

#[test]
fn named_is_clean_and_shows_all_that_it_is_for() {
    shows_all("named");
}

fn shows_all(name: &str) {
    let scenario = scenario(name).expect("it is shipped");
    let sweep = Sweep {
        scenario,
        params: scenario.defaults,
        spec: Spec::Portfolio,
        seed: 1,
        schedules: 600,
        jobs: 2,
        limit: None,
    };
    let shown = sweep.make();
    assert_eq!(shown.failed, None);
    let names = (0..).zip(scenario.sometimes());
    let never: Vec<_> = names
        .filter(|(bit, _)| shown.reached & 1 << bit == 0)
        .collect();
    assert!(never.is_empty(), "never seen: {never:?}");
}
