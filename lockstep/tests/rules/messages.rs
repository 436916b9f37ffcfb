//! Messages: in order from one sender, in any order from two, never before the beginning, lost after the end.

use crate::worlds::{DONE, acts, before, both_ways, passed, quiescent, say, spawn};
use farm_lockstep::{Config, Event, Exit, Pid, SpawnOptions};

#[test]
fn one_senders_messages_keep_their_order_and_two_senders_interleave() {
    let logs = passed(Config::default(), 300, |world| {
        for _ in 0..2 {
            spawn(world, |cx, _| {
                (0..3).for_each(|number| cx.send(Pid(2), number));
                cx.exit(DONE);
            });
        }
        let mut left = 6;
        spawn(world, move |cx, event| {
            let Event::Message { from, message } = event else {
                return;
            };
            say(cx, format!("{}:{message}", from.0));
            left -= 1;
            if left == 0 {
                cx.exit(DONE);
            }
        });
    });
    for log in &logs {
        for sender in 0..2 {
            assert!(before(log, &format!("{sender}:0"), &format!("{sender}:1")));
            assert!(before(log, &format!("{sender}:1"), &format!("{sender}:2")));
        }
    }
    both_ways(&logs, |log| before(log, "0:2", "1:0"));
    both_ways(&logs, |log| {
        before(log, "1:0", "0:2") && before(log, "0:0", "1:2")
    });
}

/// The receiver is killed with one message on its way and gets another one afterwards.
#[test]
fn a_message_to_the_dead_is_lost_and_no_step() {
    let runs = crate::worlds::sweep(Config::default(), 50, |world| {
        let receiver = spawn(world, |cx, event| {
            if let Event::Message { .. } = event {
                say(cx, "received");
            }
        });
        spawn(world, move |cx, _| {
            cx.send(receiver, 1);
            cx.kill(receiver, Exit::Signal(9));
            assert!(!cx.is_alive(receiver));
            cx.send(receiver, 2);
            cx.again();
            if cx.step() > 3 {
                cx.exit(DONE);
            }
        });
    });
    for (report, log) in runs {
        assert_eq!(report.end, farm_lockstep::End::Passed);
        assert_eq!(log, [""; 0]);
        let of_link = farm_lockstep::candidate::Role::link(0, 0);
        let taken = report.roles.iter().find(|(role, ..)| *role == of_link);
        assert_eq!(taken.map(|(.., taken)| *taken), Some(0));
    }
}

#[test]
fn the_beginning_comes_before_what_was_sent_to_it() {
    let logs = passed(Config::default(), 100, |world| {
        spawn(world, |cx, _| {
            let child = cx.spawn(
                acts(|cx, event| {
                    say(cx, format!("{event:?}"));
                    if cx.shared().len() == 4 {
                        cx.exit(DONE);
                    }
                }),
                SpawnOptions::new("child", 1),
            );
            let pipe = cx.pipe(0, cx.me(), child, 10);
            cx.write(pipe, b"x");
            cx.send(child, 1);
            cx.exit(DONE);
        });
    });
    assert!(logs.iter().all(|log| log[0] == "Start"), "{logs:?}");
    both_ways(&logs, |log| log[1].starts_with("Message"));
}

/// A process that waits for what is shared is let go by the one that changed it.
#[test]
fn one_process_wakes_another() {
    for log in passed(quiescent(), 50, |world| {
        spawn(world, |cx, event| {
            if matches!(event, Event::Turn) {
                assert_eq!(cx.shared().pop().as_deref(), Some("free"));
                cx.exit(DONE);
            }
        });
        spawn(world, |cx, _| {
            say(cx, "free");
            cx.wake(Pid(0));
            cx.wake(Pid(0));
            cx.exit(DONE);
        });
    }) {
        assert_eq!(log, [""; 0]);
    }
}

/// Of a process whose starter is gone nobody wants to know the end.
#[test]
fn the_end_of_an_orphan_is_no_step() {
    let runs = crate::worlds::sweep(Config::default(), 20, |world| {
        spawn(world, |cx, _| {
            let options = SpawnOptions {
                watched: true,
                ..SpawnOptions::new("child", 1)
            };
            let child = cx.spawn(acts(|_, _| {}), options);
            cx.kill(child, Exit::Signal(9));
            cx.exit(DONE);
        });
        spawn(world, |cx, _| {
            cx.again();
            if cx.step() > 5 {
                cx.exit(DONE);
            }
        });
    });
    for (report, _) in runs {
        let of_end = farm_lockstep::candidate::Role::end_of(1);
        let taken = report.roles.iter().find(|(role, ..)| *role == of_end);
        assert_eq!(taken.map(|(.., taken)| *taken), Some(0));
    }
}
