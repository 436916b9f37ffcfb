//! Schedules in which the simulator once found a bug of the farm's own machine, all of them fixed: each must pass.
//!
//! A pin is four words and a number, and says something only as long as the scenarios, the simulated world and what is
//! chosen in it stay as they are: after a change there the same number is another schedule, which passes and shows
//! nothing. So this is the record of what was found; the rules themselves are pinned in the tests of `farm-master`
//! (`machine/tests/found.rs`), which know no schedules. Whoever changes what is simulated may drop a pin, or look for
//! a new one: undo the fix, sweep, and write down the first number that fails.

use farm_lockstep::End;
use farm_sim::{Sweep, scenario};

/// A schedule that failed.
struct Pin {
    /// What was wrong.
    found: &'static str,
    scenario: &'static str,
    spec: &'static str,
    seed: u64,
    number: u64,
}

const fn pin(found: &'static str, scenario: &'static str, number: u64) -> Pin {
    Pin {
        found,
        scenario,
        spec: "random",
        seed: 1,
        number,
    }
}

const PINS: [Pin; 16] = [
    pin(
        "an answer under an id that the worker does not hold was dropped, and the task it was meant for waited for ever",
        "chaos",
        25,
    ),
    pin(
        "a worker that was to end with the farm and was killed before it was asked was reported as finished",
        "chaos",
        18,
    ),
    pin(
        "a worker that was to be replaced and was killed before it was asked was reported as replaced",
        "chaos",
        792,
    ),
    pin(
        "a running limit fell after its worker was dead and collected, and its attempt ended as a timeout",
        "cancel",
        154,
    ),
    pin(
        "the last rung of the ladder fell after the worker was dead and collected, and hid that it had not started well",
        "cancel",
        612,
    ),
    pin(
        "a retry whose delay was over waited for room in a full queue, behind what it should have come before",
        "chaos",
        211,
    ),
    pin(
        "a worker that died late of the ladder's SIGTERM was charged to what it was sent after its answer",
        "chaos",
        7_787,
    ),
    pin(
        "a worker that died late of the ladder's SIGTERM was charged to what it had been sent ahead",
        "chaos",
        28_682,
    ),
    pin(
        "a worker without a page that died of the ladder's SIGTERM after its answer was charged to what it never read",
        "chaos",
        34_370,
    ),
    pin(
        "a task that executed when the farm closed was said to be killed, though its worker had died of SIGTERM",
        "chaos",
        89_476,
    ),
    pin(
        "what the few that were done had left behind ran on, though their quorum could not be reached any more",
        "groups",
        56,
    ),
    pin(
        "a scope that was opened in a decided group was forgotten until that was closed",
        "groups",
        75,
    ),
    pin(
        "a paused kind asked for a token for a worker that it keeps, as if what waits could start",
        "sharing",
        269,
    ),
    pin(
        "whoever launched a named worker that was shut down in the moment it came up was never told",
        "named",
        42,
    ),
    pin(
        "a launch that the farm handed back after its end met a table that had given its worker up, and panicked",
        "named",
        366,
    ),
    Pin {
        found: "one that had exited and spoken nonsense was replaced, which was taken to be too early (a fault of the ledger)",
        scenario: "recycle",
        spec: "portfolio",
        seed: 997_822_541_156,
        number: 1974,
    },
];

#[test]
fn what_was_found_stays_fixed() {
    for pin in PINS {
        let scenario = scenario(pin.scenario).expect("it is shipped");
        let sweep = Sweep {
            scenario,
            params: scenario.defaults,
            spec: pin.spec.parse().expect("a strategy"),
            seed: pin.seed,
            schedules: 1,
            jobs: 1,
            limit: None,
        };
        let report = sweep.run(&sweep.plan(), pin.number, false);
        assert_eq!(
            report.end,
            End::Passed,
            "again: {} ({} {} {} #{})",
            pin.found,
            pin.scenario,
            pin.spec,
            pin.seed,
            pin.number
        );
    }
}
