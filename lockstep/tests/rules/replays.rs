//! A run is a function of its plan and number, and of its record.

use crate::worlds::{DONE, Log, World, dull, millis, one, say, spawn};
use farm_lockstep::{
    Choices, Config, Divergence, End, Event, Part, Pid, Plan, Record, RunReport, SpawnOptions, Spec,
};
use std::collections::BTreeSet;

const CONFIG: Config = Config {
    max_steps: 10_000,
    rough_steps: 5_000,
    timers: farm_lockstep::Timers::Racing {
        horizon: std::time::Duration::from_millis(20),
    },
    faults: 2,
    split_per_mille: 300,
    trace: true,
};

/// A bit of everything: messages, a pipe in pieces, alarms, faults and choices.
fn world(world: &mut World) {
    for index in 0..3 {
        let (mut left, mut pipe) = (5, None);
        spawn(world, move |cx, event| {
            cx.trace(|| format!("{event:?}"));
            match event {
                Event::Start => {
                    let chosen = cx.choose(4, "peer");
                    cx.send(Pid((index + chosen) % 3), chosen);
                    pipe = Some(cx.pipe(0, cx.me(), Pid((index + 1) % 3), 100));
                    cx.alarm(Some(cx.now().after(millis(5))));
                }
                Event::Wake => {
                    left -= 1;
                    if !cx.fault(200, "drop") {
                        cx.write(pipe.expect("it has begun"), b"twelve bytes");
                    }
                    cx.alarm(Some(cx.now().after(millis(5))));
                    cx.send(Pid((index + 1) % 3), left);
                    if left == 0 {
                        cx.exit(DONE);
                    }
                }
                Event::Message { message, .. } => say(cx, format!("{index} gets {message}")),
                Event::Bytes { bytes, .. } => say(cx, format!("{index} reads {}", bytes.len())),
                _ => {}
            }
        });
    }
    let options = SpawnOptions {
        part: Part::Fault,
        ..SpawnOptions::new("maker", 1)
    };
    world.spawn(
        crate::worlds::acts(|cx, _| {
            if !cx.fault(100, "calm") {
                cx.again();
            }
        }),
        options,
    );
}

fn plan(spec: Spec) -> Plan {
    Plan::new(spec, 11, |start| one(CONFIG, start, world).0)
}

fn run(plan: &Plan, number: u64) -> (RunReport, Log) {
    one(CONFIG, plan.start(number, false), world)
}

/// Everything that can be seen of two runs.
#[track_caller]
fn assert_same(one: &(RunReport, Log), other: &(RunReport, Log)) {
    let seen = |(report, log): &(RunReport, Log)| {
        let RunReport {
            end,
            steps,
            digest,
            now,
            faults,
            trace,
            ..
        } = report;
        let trace = trace.as_ref().expect("the worlds of this test are traced");
        format!("{end:?} {steps} {digest} {now} {faults}\n{trace:?}\n{log:?}")
    };
    assert_eq!(seen(one), seen(other));
}

const SPECS: [Spec; 4] = [Spec::Random, Spec::Pct(3), Spec::Urw, Spec::Portfolio];

#[test]
fn a_run_is_the_same_whether_others_were_made_or_not() {
    for spec in SPECS {
        let (first, second) = (plan(spec), plan(spec));
        assert_eq!(first.hint(), second.hint());
        for number in 0..20 {
            run(&first, number);
        }
        for number in [20, 3, 20] {
            assert_same(&run(&first, number), &run(&second, number));
        }
    }
}

#[test]
fn a_replay_is_the_same_run() {
    for spec in SPECS {
        let plan = plan(spec);
        for number in 0..20 {
            let mut recorded = one(CONFIG, plan.start(number, true), world);
            assert_same(&recorded, &run(&plan, number));
            let record = recorded.0.choices.record.take().expect("few decisions");
            let record = Record::from_bytes(&record.to_bytes()).expect("it was just written");
            let start = plan.begin(number, Choices::replayed(record));
            let replayed = one(CONFIG, start, world);
            assert_same(&recorded, &replayed);
            assert_eq!(replayed.0.choices.divergence, None);
        }
    }
}

#[test]
fn an_edited_record_is_noticed() {
    let plan = plan(Spec::Random);
    let (report, _) = one(CONFIG, plan.start(0, true), world);
    assert_eq!(report.end, End::Passed);
    let record = report.choices.record.expect("few decisions");
    let replay = |record| {
        let start = plan.begin(0, Choices::replayed(record));
        one(CONFIG, start, world).0.choices.divergence
    };
    for place in 0..record.choices.len() {
        let mut edited = record.clone();
        edited.choices[place] = if edited.choices[place] == 0 { 1 } else { 0 };
        assert!(replay(edited).is_some(), "decision {place}");
    }
    let mut longer = record.clone();
    longer.choices.push(0);
    assert!(matches!(replay(longer), Some(Divergence::LeftOver { .. })));
    let mut shorter = record;
    shorter.choices.pop();
    assert!(matches!(
        replay(shorter),
        Some(Divergence::Exhausted { .. })
    ));
}

#[test]
fn another_order_is_another_digest() {
    let plan = plan(Spec::Random);
    let runs: Vec<_> = (0..300).map(|number| run(&plan, number)).collect();
    let digests: BTreeSet<u64> = runs.iter().map(|(report, _)| report.digest).collect();
    let traces: BTreeSet<String> = runs
        .iter()
        .map(|(report, _)| format!("{:?}", report.trace))
        .collect();
    assert!(
        traces.len() > 250 && digests.len() >= traces.len(),
        "{} {}",
        traces.len(),
        digests.len()
    );
}

/// Each goes as far as it can before the next one, no fault is made, no byte is cut off, and time comes last.
#[test]
fn the_run_of_zeros_is_the_dull_one() {
    let (report, log) = dull(CONFIG, world);
    assert_eq!((report.faults, report.end), (0, End::Passed));
    assert!(
        log.iter()
            .all(|line| !line.contains("reads") || line.ends_with("12")),
        "{log:?}"
    );
    let (_, log) = dull(Config::default(), |world| {
        for name in ["a", "b"] {
            spawn(world, move |cx, event| match event {
                Event::Start | Event::Turn => {
                    say(cx, format!("{name} at {}", cx.now().0));
                    cx.again();
                    if cx
                        .shared()
                        .iter()
                        .filter(|said| said.starts_with(name))
                        .count()
                        == 2
                    {
                        cx.alarm(Some(farm_lockstep::VTime(9)));
                        cx.send(cx.me(), 0);
                    }
                    if cx.now().0 == 9 || cx.shared().len() > 4 {
                        cx.exit(DONE);
                    }
                }
                _ => {}
            });
        }
    });
    assert_eq!(log[..2], ["a at 0", "a at 0"]);
    assert!(log.iter().all(|line| line.ends_with(" 0")), "{log:?}");
    let (_, log) = dull(Config::default(), |world| {
        for name in ["first", "second"] {
            spawn(world, move |cx, event| {
                if matches!(event, Event::Turn) {
                    say(cx, name);
                    cx.exit(DONE);
                } else if name == "second" {
                    cx.wake(Pid(0));
                    cx.again();
                }
            });
        }
    });
    assert_eq!(log, ["second", "first"], "who is at it goes on");
}
