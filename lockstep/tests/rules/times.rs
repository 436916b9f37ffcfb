//! Time: it races within a horizon, or waits until nothing else can happen; alarms are kept, moved and taken back.

use crate::worlds::{
    DONE, Hands, World, acts, before, both_ways, millis, passed, place, quiescent, racing, say,
    spawn, sweep, sweep_under,
};
use farm_lockstep::{Config, End, Event, Found, NEVER, Pid, SpawnOptions, Spec, VTime};

/// Asks and waits 10 ms for the answer, which needs no time at all.
fn question(world: &mut World) {
    spawn(world, |cx, event| match event {
        Event::Start => {
            cx.send(Pid(1), 0);
            cx.alarm(Some(VTime::START.after(millis(10))));
        }
        Event::Message { .. } => {
            say(cx, "answer");
            cx.exit(DONE);
        }
        Event::Wake => {
            say(cx, "timeout");
            cx.exit(DONE);
        }
        _ => {}
    });
    spawn(world, |cx, event| match event {
        Event::Message { from, .. } => {
            say(cx, "answered");
            cx.send(from, 1);
            cx.exit(DONE);
        }
        Event::Start => {}
        _ => cx.exit(DONE),
    });
}

fn timed_out_with_the_answer_on_its_way(log: &crate::worlds::Log) -> bool {
    place(log, "timeout").is_some() && log[0] == "answered"
}

#[test]
fn racing_time_finds_the_timeout_although_the_answer_is_one_step_away() {
    let runs = sweep(Config::default(), 100, question);
    let found = runs
        .iter()
        .filter(|(_, log)| timed_out_with_the_answer_on_its_way(log))
        .count();
    assert!(0 < found && found < 100, "{found}");
}

#[test]
fn quiescent_time_never_does() {
    for (report, log) in sweep(quiescent(), 10_000, question) {
        assert_eq!(report.end, End::Passed);
        assert_eq!(log, ["answered", "answer"]);
    }
}

#[test]
fn time_does_not_race_beyond_the_horizon() {
    for (_, log) in sweep(racing(millis(9)), 1_000, question) {
        assert_eq!(log, ["answered", "answer"]);
    }
}

const HORIZON: u64 = 100;

/// Ticks every 10 ms for five seconds, and sends the time as a message and through a pipe that cuts it in pieces.
fn stamps(world: &mut World) {
    let tick = |cx: &mut Hands<'_>, event: Event<'_, u32>| match event {
        Event::Start => {
            cx.pipe(0, cx.me(), Pid(0), 1_000);
            cx.alarm(Some(cx.now().after(millis(10))));
        }
        Event::Wake => {
            let now = cx.now();
            cx.send(Pid(0), (now.0 / 1_000_000) as u32);
            cx.write(farm_lockstep::PipeId(0), &now.0.to_le_bytes());
            cx.alarm(Some(now.after(millis(10))));
            if now >= VTime::START.after(millis(5_000)) {
                cx.exit(DONE);
            }
        }
        _ => {}
    };
    // It stays until it has had everything: what never came would not be found late.
    let (mut bytes, mut ends) = (Vec::new(), 0);
    spawn(world, move |cx, event| {
        match event {
            // Not before it has begun itself: until then nothing that is sent to it is ready.
            Event::Start => {
                cx.spawn(acts(tick), SpawnOptions::new("clock", 1));
            }
            Event::Message { message, .. } => {
                late(cx, "message", u64::from(message));
                ends += u32::from(message >= 5_000);
            }
            Event::Bytes { bytes: more, .. } => {
                bytes.extend_from_slice(more);
                while let Some((stamp, rest)) = bytes.split_first_chunk::<8>() {
                    late(cx, "bytes", u64::from_le_bytes(*stamp) / 1_000_000);
                    bytes = rest.to_vec();
                }
            }
            Event::Eof { .. } => ends += 1,
            _ => {}
        }
        if ends == 2 {
            cx.exit(DONE);
        }
    });
}

fn late(cx: &mut Hands<'_>, what: &str, sent: u64) {
    let late = cx.now().0 / 1_000_000 - sent;
    assert!(late <= HORIZON, "{what} overtaken by {late} ms");
    if late == HORIZON {
        say(cx, format!("{what} at the horizon"));
    }
}

/// Also where a message stands behind others, and where pieces of bytes are left over again and again. That the bound
/// is reached shows that it is not something tighter that holds.
#[test]
fn nothing_ready_is_overtaken_by_more_than_the_horizon() {
    let config = Config {
        split_per_mille: 900,
        rough_steps: 100_000,
        ..racing(millis(HORIZON))
    };
    // A priority schedule lets time go first as long as it may.
    let runs = sweep_under(Spec::Pct(1), config, 60, stamps);
    assert!(runs.iter().all(|(report, _)| report.end == End::Passed));
    for what in ["message at the horizon", "bytes at the horizon"] {
        assert!(
            runs.iter().any(|(_, log)| place(log, what).is_some()),
            "{what}"
        );
    }
}

#[test]
fn equal_alarms_fall_together_and_are_taken_in_any_order() {
    let logs = passed(Config::default(), 50, |world| {
        for name in ["one", "two"] {
            spawn(world, move |cx, event| match event {
                Event::Start => cx.alarm(Some(VTime(5))),
                _ => {
                    assert_eq!(cx.now(), VTime(5));
                    say(cx, name);
                    cx.exit(DONE);
                }
            });
        }
    });
    both_ways(&logs, |log| before(log, "one", "two"));
}

#[test]
fn a_moved_alarm_falls_only_at_its_new_moment() {
    for (first, second) in [(10, 20), (20, 10)] {
        for log in passed(Config::default(), 50, |world| {
            spawn(world, move |cx, event| match event {
                Event::Start => {
                    cx.alarm(Some(VTime(first)));
                    cx.again();
                }
                Event::Turn if cx.now() < VTime(second) => cx.alarm(Some(VTime(second))),
                Event::Turn => cx.exit(DONE),
                Event::Wake => {
                    say(cx, format!("{}", cx.now().0));
                    cx.exit(DONE);
                }
                _ => {}
            });
        }) {
            assert!(
                log.iter()
                    .all(|line| *line == second.to_string() || *line == "10"),
                "{log:?}"
            );
        }
    }
}

/// Also when it has fallen already and was only not told yet.
#[test]
fn a_cancelled_alarm_is_not_told() {
    let logs = passed(Config::default(), 200, |world| {
        let mut cancelled = false;
        spawn(world, move |cx, event| match event {
            Event::Start => cx.alarm(Some(VTime(10))),
            Event::Message { .. } => {
                say(
                    cx,
                    if cx.now() == VTime(10) {
                        "too late"
                    } else {
                        "in time"
                    },
                );
                cancelled = true;
                cx.alarm(None);
                cx.send(Pid(1), 0);
            }
            Event::Wake => {
                assert!(!cancelled);
                say(cx, "woken");
            }
            Event::Turn => cx.exit(DONE),
            _ => {}
        });
        spawn(world, |cx, event| match event {
            Event::Start => cx.send(Pid(0), 0),
            Event::Message { .. } => {
                cx.wake(Pid(0));
                cx.exit(DONE);
            }
            _ => {}
        });
    });
    both_ways(&logs, |log| log[0] == "woken");
    both_ways(&logs, |log| *log == ["too late"]);
}

#[test]
fn an_alarm_set_again_to_what_has_come_is_not_lost() {
    passed(Config::default(), 100, |world| {
        spawn(world, |cx, event| match event {
            Event::Start | Event::Message { .. } => cx.alarm(Some(VTime(10))),
            Event::Wake => cx.exit(DONE),
            _ => {}
        });
        spawn(world, |cx, _| {
            (0..3).for_each(|number| cx.send(Pid(0), number));
            cx.exit(DONE);
        });
    });
}

#[test]
fn never_does_not_come() {
    for (report, _) in sweep(Config::default(), 10, |world| {
        spawn(world, |cx, _| cx.alarm(Some(NEVER)));
    }) {
        crate::worlds::failure(&report, Found::Deadlock);
        assert_eq!(report.now, VTime::START);
    }
}

/// A process that sets its alarm after it has ended has none.
#[test]
fn the_dead_have_no_alarms() {
    for (report, _) in sweep(quiescent(), 10, |world| {
        spawn(world, |cx, _| {
            cx.exit(DONE);
            cx.alarm(Some(VTime(10)));
            cx.again();
        });
        spawn(world, |_, _| {});
    }) {
        crate::worlds::failure(&report, Found::Deadlock);
        assert_eq!(report.now, VTime::START);
    }
}

/// Two wake-ups that stand in each other's way all the time must not hold up the clock.
#[test]
fn who_never_rests_does_not_stop_the_clock() {
    let config = Config {
        max_steps: 2_000,
        rough_steps: 10_000,
        ..racing(millis(1))
    };
    passed(config, 20, |world| {
        spawn(world, |cx, _| {
            cx.wake(Pid(0));
            cx.wake(Pid(1));
            if cx.now() >= VTime::START.after(millis(20)) {
                cx.exit(DONE);
            }
        });
        spawn(world, |cx, _| {
            cx.wake(Pid(0));
            cx.wake(Pid(1));
            if cx.now() >= VTime::START.after(millis(20)) {
                cx.exit(DONE);
            }
        });
        spawn(world, |cx, _| {
            cx.alarm(Some(cx.now().after(millis(1))));
            if cx.now() >= VTime::START.after(millis(20)) {
                cx.exit(DONE);
            }
        });
    });
}
