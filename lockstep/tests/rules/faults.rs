//! Faults: within their budget, in the rough phase only, and never instead of everything else.

use crate::worlds::{DONE, acts, both_ways, failure, passed, place, say, spawn, sweep};
use farm_lockstep::{Config, End, Event, Exit, Found, Part, Pid, SpawnOptions};

fn with_budget(faults: u32) -> Config {
    Config {
        faults,
        ..Config::default()
    }
}

const MAKER: SpawnOptions = SpawnOptions {
    part: Part::Fault,
    ..SpawnOptions::new("maker", 2)
};

#[test]
fn the_budget_is_kept() {
    for (report, log) in sweep(with_budget(2), 10, |world| {
        spawn(world, |cx, _| {
            for _ in 0..5 {
                if cx.fault(1_000, "always") {
                    say(cx, "fault");
                }
            }
            cx.exit(DONE);
        });
    }) {
        assert_eq!((report.faults, log.len()), (2, 2));
    }
}

#[test]
fn there_are_none_in_the_calm_phase() {
    for (report, log) in sweep(with_budget(2), 10, |world| {
        spawn(world, |cx, event| {
            if matches!(event, Event::Start) {
                cx.calm();
                cx.calm();
            }
            cx.calm();
            assert!(cx.is_calm());
            assert!(!cx.fault(1_000, "always"));
            say(cx, format!("{event:?}"));
            cx.again();
            if cx.step() == 5 {
                cx.exit(DONE);
            }
        });
    }) {
        assert_eq!((report.end, report.faults), (End::Passed, 0));
        assert_eq!(
            log,
            ["Start", "Calm", "Turn", "Turn", "Turn"],
            "calm begins once"
        );
    }
}

/// Else a run in which nothing can happen any more would be kept going by its fault maker.
#[test]
fn a_fault_maker_goes_on_only_when_others_can() {
    for (report, log) in sweep(with_budget(100), 100, |world| {
        spawn(world, |cx, event| say(cx, format!("{event:?}")));
        world.spawn(
            acts(|cx, _| {
                say(cx, "maker");
                cx.again();
            }),
            MAKER,
        );
    }) {
        failure(&report, Found::Deadlock);
        let start = place(&log, "Start").unwrap();
        assert!(log[start..].iter().all(|line| line != "maker"), "{log:?}");
    }
}

#[test]
fn a_fault_maker_without_budget_does_nothing() {
    for log in passed(with_budget(0), 20, |world| {
        spawn(world, |cx, _| cx.exit(DONE));
        world.spawn(acts(|cx, _| say(cx, "maker")), MAKER);
    }) {
        assert_eq!(log, [""; 0]);
    }
}

#[test]
fn a_fault_maker_strikes_at_any_moment() {
    let logs = passed(with_budget(1), 200, |world| {
        spawn(world, |cx, event| match event {
            Event::Start => {
                let options = SpawnOptions {
                    watched: true,
                    ..SpawnOptions::new("victim", 1)
                };
                cx.spawn(
                    acts(|cx, _| {
                        say(cx, "works");
                        cx.again();
                        if cx.shared().len() == 3 {
                            cx.exit(DONE);
                        }
                    }),
                    options,
                );
            }
            Event::Ended { exit, .. } => {
                say(cx, exit.to_string());
                cx.exit(DONE);
            }
            _ => {}
        });
        world.spawn(
            acts(|cx, _| {
                cx.again();
                let victim = Pid(2);
                let strikes = cx.living().any(|pid| pid == victim) && cx.fault(300, "kill");
                if strikes {
                    cx.kill(victim, Exit::Signal(9));
                }
            }),
            MAKER,
        );
    });
    for works in 0..3 {
        both_ways(&logs, |log| place(log, "signal 9") == Some(works));
    }
    both_ways(&logs, |log| {
        log.last().is_some_and(|line| line == "exit code 0")
    });
}
