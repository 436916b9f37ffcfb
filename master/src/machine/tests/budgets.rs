//! The three budgets, never mixed: retries, the crash limit, and the farm's own kills, which cost nothing.

use super::stage::play::*;
use super::stage::*;
use crate::{Backoff, CrashLimit, OnLost, Outcome, Retries, RetryOn, TimeLimit};
use farm_protocol::{FrameKind, Termination};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// Fails a task until it settles; the pauses before its retries, in milliseconds.
fn pauses(retries: Retries, seed: u64) -> Vec<u64> {
    let mut stage = Stage::new(crate::Config {
        seed,
        ..config(1, 0)
    });
    let task = stage.submit(options(|o| o.retries = retries));
    stage.hello(0, 1);
    // The timer of the hello is still there; it is harmless and must not be counted.
    stage.pass(20_000);
    let mut pauses = vec![];
    for attempt in 1.. {
        stage.reply(0, 1, id(task, attempt), FAIL);
        if stage.is_settled(task) {
            break;
        }
        pauses.push(stage.await_deadline());
    }
    pauses
}

#[test]
fn delays_are_fixed_or_doubled_up_to_a_maximum() {
    let fixed = Retries {
        count: 3,
        delay: 100 * MS,
        ..Retries::NONE
    };
    assert_eq!(pauses(fixed, 0), [100, 100, 100]);
    let doubled = Retries {
        count: 5,
        backoff: Backoff::Exponential,
        max_delay: 500 * MS,
        ..fixed
    };
    assert_eq!(pauses(doubled, 0), [100, 200, 400, 500, 500]);
    let far = Retries {
        count: 40,
        max_delay: Duration::MAX,
        delay: MS,
        backoff: Backoff::Exponential,
        ..fixed
    };
    let far = pauses(far, 0);
    assert!(far.is_sorted() && far.len() == 40, "{far:?}");
}

#[test]
fn jitter_draws_between_half_and_the_whole_by_the_seed() {
    let retries = Retries {
        count: 50,
        delay: 1000 * MS,
        jitter: true,
        ..Retries::NONE
    };
    let drawn = pauses(retries, 7);
    assert!(
        drawn.iter().all(|ms| (500..=1000).contains(ms)),
        "{drawn:?}"
    );
    assert!(drawn.iter().any(|ms| *ms < 600) && drawn.iter().any(|ms| *ms > 900));
    assert_eq!(drawn, pauses(retries, 7));
    assert_ne!(drawn, pauses(retries, 8));
}

#[test]
fn a_delayed_retry_comes_to_the_millisecond() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.retries = Retries {
            delay: 100 * MS,
            ..retries(1)
        };
    }));
    stage.skip();
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.expect(&["again t1 after Failed"]);
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["request w0 t1#2"]);
}

#[test]
fn only_the_causes_asked_for_are_retried() {
    let causes = [
        (FAIL, RetryOn::EXIT),
        (CRASHED, RetryOn::CRASH),
        (EXCEEDED, RetryOn::RESOURCE),
    ];
    let sets = [
        RetryOn::NONE,
        RetryOn::EXIT,
        RetryOn::CRASH,
        RetryOn::RESOURCE,
        RetryOn::TIMEOUT,
        RetryOn::DEFAULT,
        RetryOn::ALL,
    ];
    for set in sets {
        for (letter, cause) in causes {
            let mut stage = Stage::warm(1, 0);
            let task = stage.submit(options(|o| {
                o.retries = Retries {
                    on: set,
                    ..retries(1)
                };
            }));
            stage.reply(0, 1, id(task, 1), letter);
            assert_eq!(!stage.is_settled(task), set.contains(cause), "{set:?}");
        }
    }
}

#[test]
fn a_time_limit_is_retried_only_when_asked_for() {
    for (on, again) in [(RetryOn::DEFAULT, false), (RetryOn::TIMEOUT, true)] {
        let mut stage = Stage::warm(1, 0);
        let task = stage.submit(options(|o| {
            o.running = Some(100 * MS);
            o.retries = Retries { on, ..retries(1) };
        }));
        stage.skip();
        stage.pass(100);
        stage.expect(&["cancel w0 t1#1"]);
        stage.acked(0, 1, id(task, 1));
        if again {
            stage.expect(&["again t1 after TimedOut(Running)", "request w0 t1#2"]);
        } else {
            stage.expect(&["settle t1 timeout"]);
        }
    }
}

#[test]
fn a_fatal_failure_is_never_retried() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.retries = retries(9)));
    stage.skip();
    stage.reply(0, 1, id(task, 1), FATAL);
    stage.expect(&["settle t1 failed"]);
}

#[test]
fn a_crash_limit_of_n_means_n_deaths_and_one_more_alone() {
    for limit in 0..4 {
        let mut stage = Stage::warm(1, 0);
        let task = stage.submit(options(|o| o.crash_limit = CrashLimit::Deaths(limit)));
        let mut session = 1;
        while !stage.is_settled(task) {
            stage.die(0, session, SEGV, Some(id(task, session as u32)));
            session += 1;
            if !stage.is_settled(task) {
                stage.hello(0, session);
            }
        }
        let Outcome::Poisoned(deaths) = stage.outcome(task) else {
            panic!("{:?}", stage.outcome(task))
        };
        assert_eq!(deaths.len(), limit as usize + 1);
    }
}

#[test]
fn c8_what_a_dead_worker_held_goes_ahead_until_it_is_poisoned() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    let younger = stage.task();
    stage.expect(&["request w0 t1#1"]);
    for session in 1..=3 {
        stage.die(0, session, SEGV, Some(id(task, session as u32)));
        stage.hello(0, session + 1);
        let sent: Vec<String> = stage
            .lines()
            .into_iter()
            .filter(|line| line.starts_with("request"))
            .collect();
        let ahead = format!("request w0 t1#{}", session + 1);
        let expected = if session < 3 {
            ahead.as_str()
        } else {
            "request w0 t2#1"
        };
        assert_eq!(sent, [expected], "after death {session}");
    }
    let Outcome::Poisoned(deaths) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    let attempts: Vec<u32> = deaths.iter().map(|death| death.attempt.0).collect();
    assert_eq!(attempts, [1, 2, 3]);
    stage.reply(0, 4, id(younger, 1), OK);
    assert_eq!(*stage.outcome(younger), Outcome::Done(()));
}

#[test]
fn without_a_limit_deaths_are_only_counted() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.crash_limit = CrashLimit::Unlimited));
    for session in 1..=30 {
        stage.die(0, session, SEGV, Some(id(task, session as u32)));
        stage.hello(0, session + 1);
    }
    stage.reply(0, 31, id(task, 31), OK);
    assert_eq!(*stage.outcome(task), Outcome::Done(()));
    assert_eq!(stage.settlement(task).attempts.len(), 31);
}

#[test]
fn a_suspected_task_runs_alone_in_a_fresh_worker_while_others_go_on() {
    let mut stage = Stage::warm(2, 4);
    let suspect = stage.submit(options(|o| o.crash_limit = CrashLimit::Deaths(1)));
    let other = stage.task();
    stage.skip();
    stage.die(0, 1, SEGV, Some(id(suspect, 1)));
    stage.expect(&[
        "again t2 after Died(Signaled { signal: 11, core_dumped: false })",
        "gone w0: killed by SIGSEGV",
        "spawn w0 s3",
    ]);
    // The old worker takes others, with credit, and not the suspect.
    let third = stage.task();
    stage.expect(&["request w1 t4#1"]);
    stage.reply(1, 2, id(other, 1), OK);
    stage.reply(1, 2, id(third, 1), OK);
    stage.expect(&["settle t3 ok", "settle t4 ok"]);
    stage.hello(0, 3);
    stage.expect(&["ready w0", "request w0 t2#2"]);
    // Nothing is sent behind it.
    let [a, b] = [stage.task(), stage.task()];
    stage.expect(&["request w1 t5#1", "request w1 t6#1"]);
    // Once it has been answered, its worker is like any other.
    stage.reply(0, 3, id(suspect, 2), OK);
    stage.expect(&["settle t2 ok"]);
    stage.reply(1, 2, id(a, 1), OK);
    stage.reply(1, 2, id(b, 1), OK);
    assert_eq!(*stage.outcome(suspect), Outcome::Done(()));
}

#[test]
fn a_suspected_task_makes_an_idle_worker_give_way_to_a_fresh_one() {
    let mut stage = Stage::warm(1, 0);
    let limit = |o: &mut crate::TaskOptions| {
        o.crash_limit = CrashLimit::Deaths(1);
        o.retries = retries(1);
    };
    let task = stage.submit(options(limit));
    stage.die(0, 1, SEGV, Some(id(task, 1)));
    stage.hello(0, 2);
    stage.skip();
    // It failed in its fresh worker, which is not fresh any more.
    stage.reply(0, 2, id(task, 2), FAIL);
    stage.expect(&["again t1 after Failed", "stop w0"]);
    stage.die(0, 2, Termination::Exited(0), None);
    stage.hello(0, 3);
    stage.expect(&[
        "gone w0: exited with code 0",
        "spawn w0 s3",
        "ready w0",
        "request w0 t1#3",
    ]);
    stage.die(0, 3, SEGV, Some(id(task, 3)));
    assert!(matches!(stage.outcome(task), Outcome::Poisoned(deaths) if deaths.len() == 2));
}

#[test]
fn deaths_cost_no_retries_and_failures_no_deaths() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.retries = retries(1);
        o.crash_limit = CrashLimit::Deaths(1);
    }));
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.die(0, 1, SEGV, Some(id(task, 2)));
    stage.hello(0, 2);
    stage.skip();
    // One death and one retry are spent; the second failure is the last, the worker lives.
    stage.reply(0, 2, id(task, 3), FAIL);
    stage.expect(&["settle t1 failed"]);
}

#[test]
fn at_most_once_means_that_the_first_death_ends_it() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.on_lost = OnLost::Fail;
        o.crash_limit = CrashLimit::Unlimited;
        o.retries = retries(5);
    }));
    stage.die(0, 1, SEGV, Some(id(task, 1)));
    let Outcome::WorkerLost(death) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    assert_eq!((death.termination, death.attempt.0), (SEGV, 1));
}

#[test]
fn a_kill_for_the_sake_of_another_task_is_free_for_the_executing_one() {
    for (last, signal) in [(TERMED, "term w0 s1"), (KILLED, "kill w0 s1")] {
        let mut stage = Stage::warm(1, 4);
        let [front, held] = [stage.task(), stage.task()];
        stage.skip();
        // The worker does not listen: the held one climbs the ladder.
        stage.cancel(held);
        stage.pass(500);
        if signal.starts_with("kill") {
            stage.pass(500);
        }
        assert_eq!(stage.lines().last().map(String::as_str), Some(signal));
        stage.die(0, 1, last, Some(id(front, 1)));
        stage.hello(0, 2);
        assert!(matches!(stage.outcome(held), Outcome::Cancelled { .. }));
        stage.reply(0, 2, id(front, 2), OK);
        assert_eq!(
            stage.settlement(front).attempts.len(),
            1,
            "the first was free"
        );
    }
}

#[test]
fn a_death_of_its_own_is_charged_although_the_worker_was_being_replaced() {
    let mut stage = Stage::warm(1, 4);
    let [refused, next] = [stage.task(), stage.task()];
    stage.about(0, 1, FrameKind::Refused, id(refused, 1), "no");
    stage.skip();
    // Nobody killed it: it died of what it executed.
    stage.die(0, 1, SEGV, Some(id(next, 1)));
    stage.hello(0, 2);
    stage.reply(0, 2, id(next, 2), OK);
    assert_eq!(stage.settlement(next).attempts.len(), 2);
}

#[test]
fn a_kill_of_ours_never_lets_an_at_most_once_task_run_twice() {
    let mut stage = Stage::warm(1, 4);
    let front = stage.submit(options(|o| o.on_lost = OnLost::Fail));
    let held = stage.task();
    stage.cancel(held);
    stage.pass(500);
    stage.pass(500);
    stage.die(0, 1, KILLED, Some(id(front, 1)));
    assert!(matches!(stage.outcome(front), Outcome::WorkerLost(_)));
}

#[test]
fn a_retry_without_room_takes_the_first_that_comes() {
    let mut configuration = config(2, 0);
    configuration.kinds[0].boundary.max_queued = 1;
    let mut stage = Stage::warm_with(configuration);
    let retried = stage.submit(options(|o| o.retries = retries(1)));
    let busy = stage.task();
    let queued = stage.task();
    stage.skip();
    // Its worker takes the queued task, which leaves room; the other worker ends at that moment.
    stage.tell(crate::Event::SetGate {
        kind: farm_protocol::KindId(0),
        gate: crate::lane::Gate::Paused,
    });
    stage.reply(0, 1, id(retried, 1), FAIL);
    stage.reply(1, 2, id(busy, 1), OK);
    stage.expect(&["again t2 after Failed", "settle t3 ok"]);
    stage.gate(crate::lane::Gate::Running);
    stage.expect(&["request w0 t4#1", "request w1 t2#2"]);
    stage.reply(0, 1, id(queued, 1), OK);
}

#[test]
fn what_ran_out_of_time_before_it_began_tells_no_attempt_twice() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.running = Some(100 * MS);
        o.retries = Retries {
            on: RetryOn::ALL,
            ..retries(2)
        };
    }));
    stage.skip();
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.expect(&["again t1 after Failed", "request w0 t1#2"]);
    stage.pass(100);
    stage.revoked(0, 1, id(task, 2));
    stage.expect(&["cancel w0 t1#2", "request w0 t1#3"]);
    stage.reply(0, 1, id(task, 3), OK);
    let numbers: Vec<u32> = stage
        .settlement(task)
        .attempts
        .iter()
        .map(|a| a.attempt.0)
        .collect();
    assert_eq!(numbers, [1, 3]);
}

#[test]
fn a_time_limit_that_runs_out_of_retries_says_which() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.running = Some(10 * MS);
        o.retries = Retries {
            on: RetryOn::TIMEOUT,
            ..retries(1)
        };
    }));
    for attempt in 1..=2 {
        stage.pass(10);
        stage.acked(0, 1, id(task, attempt));
    }
    assert!(matches!(
        stage.outcome(task),
        Outcome::TimedOut {
            which: TimeLimit::Running,
            ..
        }
    ));
}
