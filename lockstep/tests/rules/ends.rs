//! How runs end, and which check says so.

use crate::worlds::{
    DONE, World, failure, millis, quiescent, racing, say, spawn, sweep, sweep_under,
};
use farm_lockstep::{Config, End, Event, Failure, Found, RunReport, Spec, VTime, View};

/// Says three words, and ends.
fn three(world: &mut World) {
    spawn(world, |cx, _| {
        say(cx, "word");
        cx.again();
        if cx.shared().len() == 3 {
            cx.exit(DONE);
        }
    });
}

fn reports(config: Config, build: impl Fn(&mut World)) -> Vec<RunReport> {
    sweep(config, 5, build)
        .into_iter()
        .map(|(report, _)| report)
        .collect()
}

fn fewer_than(words: usize) -> impl FnMut(&View<'_, Vec<String>>) -> Result<(), String> {
    move |view| match view.shared.len() {
        count if count < words => Ok(()),
        count => Err(format!("{count} words in step {}", view.step)),
    }
}

#[test]
fn an_invariant_is_checked_after_every_step() {
    for report in reports(Config::default(), |world| {
        three(world);
        world.invariant("few words", fewer_than(4));
    }) {
        assert_eq!(report.end, End::Passed);
    }
    for report in reports(Config::default(), |world| {
        three(world);
        world.invariant("few words", fewer_than(2));
    }) {
        let failure = failure(&report, Found::Invariant);
        assert_eq!(failure.to_string(), "few words: 2 words in step 2");
        assert_eq!(failure.signature(), "few words: # words in step #");
    }
}

#[test]
fn a_wish_has_time_from_the_beginning_of_calm() {
    let wish = |within, comes_at: u64| {
        move |world: &mut World| {
            spawn(world, move |cx, event| match event {
                Event::Start => {
                    cx.calm();
                    cx.alarm(Some(VTime::START.after(millis(comes_at))));
                }
                Event::Wake => {
                    say(cx, "at last");
                    cx.exit(DONE);
                }
                _ => {}
            });
            world.eventually("comes", millis(within), |view| !view.shared.is_empty());
        }
    };
    // The step in which time passes is over before anybody is woken.
    for report in reports(quiescent(), wish(10, 10)) {
        assert_eq!(report.end, End::Passed);
    }
    for report in reports(quiescent(), wish(10, 11)) {
        assert_eq!(failure(&report, Found::Eventually).name, "comes");
    }
}

/// A run may be over before it is calm.
#[test]
fn a_wish_is_looked_at_in_the_end_as_well() {
    for (words, passes) in [(3, true), (4, false)] {
        for report in reports(Config::default(), |world| {
            three(world);
            world.eventually("words", millis(1), move |view| view.shared.len() == words);
        }) {
            assert_eq!(report.end == End::Passed, passes, "{:?}", report.end);
        }
    }
}

#[test]
fn what_sometimes_happens_is_a_bit() {
    for report in reports(Config::default(), |world| {
        three(world);
        world.sometimes("one word", |view| view.shared.len() == 1);
        world.sometimes("four words", |view| view.shared.len() == 4);
        world.sometimes("three words", |view| view.shared.len() == 3);
        assert_eq!(
            world.sometimes_names(),
            ["one word", "four words", "three words"]
        );
    }) {
        assert_eq!((report.end, report.reached), (End::Passed, 0b101));
    }
}

#[test]
fn the_first_violation_of_a_step_stands() {
    for report in reports(Config::default(), |world| {
        spawn(world, |cx, _| {
            cx.violation("first", || "here".into());
            cx.violation("second", || "there".into());
            panic!("afterwards");
        });
    }) {
        assert_eq!(
            failure(&report, Found::Invariant).to_string(),
            "first: here"
        );
    }
}

#[test]
fn a_panic_is_a_failure_of_the_run() {
    for report in reports(Config::default(), |world| {
        spawn(world, |_, _| panic!("slot {} is taken", 3));
    }) {
        let failure = failure(&report, Found::Panic);
        assert_eq!(failure.signature(), "panic: slot # is taken");
        assert_eq!(report.steps, 1);
    }
}

#[test]
fn a_deadlock_names_who_waits_for_what() {
    for report in reports(Config::default(), |world| {
        spawn(world, |_, _| {});
        world.spawn(
            farm_lockstep::Body::new(|me| async move {
                me.sleep(millis(1)).await;
                me.receive_match(|message| *message == 3, None).await;
                DONE
            }),
            farm_lockstep::SpawnOptions {
                number: 4,
                ..farm_lockstep::SpawnOptions::new("body", 1)
            },
        );
        spawn(world, |cx, _| cx.exit(DONE));
    }) {
        let Failure { detail, .. } = failure(&report, Found::Deadlock);
        let list = "nothing can happen any more; p waits for a message; body4 waits for a message";
        assert_eq!(detail, list);
    }
}

/// Under PCT the one that never rests may keep everybody else from going on: nothing is known then.
#[test]
fn the_step_limit_is_no_pass() {
    let config = Config {
        max_steps: 500,
        ..racing(millis(1))
    };
    for spec in [Spec::Random, Spec::Pct(3), Spec::Urw] {
        for (report, _) in sweep_under(spec, config, 10, |world| {
            spawn(world, |cx, _| cx.again());
            three(world);
        }) {
            assert_eq!((report.end, report.steps), (End::Inconclusive, 500));
        }
    }
}

/// By itself after so many steps, and when nothing else can happen.
#[test]
fn calm_begins() {
    let config = Config {
        rough_steps: 4,
        ..Config::default()
    };
    for (busy, step) in [(true, 5), (false, 2)] {
        for report in reports(config, |world| {
            spawn(world, move |cx, event| match event {
                Event::Calm => {
                    say(cx, format!("{}", cx.step()));
                    cx.exit(DONE);
                }
                _ if busy => cx.again(),
                _ => {}
            });
            world.eventually("calm", millis(0), move |view| {
                view.shared
                    .iter()
                    .any(|said| said.parse() == Ok(step + u64::from(busy)))
            });
        }) {
            assert_eq!(report.end, End::Passed, "{busy}");
        }
    }
}
