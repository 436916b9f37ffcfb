//! The faults of one line (`x1` to `x18`).

use super::*;
use crate::lane::Entry;
use crate::{CrashLimit, LimitId, OnLost, Retries, Shut, StartFailures};

const DIED: &str = "Died(Signaled { signal: 11, core_dumped: false })";

#[test]
fn x1_one_retry_more() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.submit(options(|o| o.retries = retries(1)));
        stage.reply(0, 1, id(task, 1), FAIL);
        stage.skip();
        stage.reply(0, 1, id(task, 2), FAIL);
        stage.lines()
    };
    contrast(
        Mutation::OneRetryMore,
        &config(1, 0),
        play,
        &["settle t1 failed"],
        &["again t1 after Failed", "request w0 t1#3"],
    );
}

#[test]
fn x2_what_was_held_is_charged() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let (executing, _held) = (stage.task(), stage.task());
        stage.skip();
        stage.die(0, 1, SEGV, Some(id(executing, 1)));
        stage.lines()
    };
    let (first, second) = (
        format!("again t1 after {DIED}"),
        format!("again t2 after {DIED}"),
    );
    let (gone, spawn) = ("gone w0: killed by SIGSEGV", "spawn w0 s2");
    contrast(
        Mutation::HeldIsCharged,
        &config(1, 8),
        play,
        &[&first, gone, spawn],
        &[&first, &second, gone, spawn],
    );
}

#[test]
fn x3_one_death_more() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.submit(options(|o| o.crash_limit = CrashLimit::Deaths(1)));
        stage.die(0, 1, SEGV, Some(id(task, 1)));
        stage.hello(0, 2);
        stage.skip();
        stage.die(0, 2, SEGV, Some(id(task, 2)));
        stage.lines().drain(..1).collect()
    };
    contrast(
        Mutation::OneDeathMore,
        &config(1, 0),
        play,
        &["settle t1 quarantined"],
        &[&format!("again t1 after {DIED}")],
    );
}

#[test]
fn x4_our_own_kill_is_charged() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let (_first, second) = (stage.task(), stage.task());
        stage.reply(0, 1, id(second, 1), OK);
        stage.skip();
        stage.die(0, 1, KILLED, Some(id(second, 1)));
        stage
            .lines()
            .drain(..1)
            .map(|line| line[..7].to_owned())
            .collect()
    };
    contrast(
        Mutation::OurKillIsCharged,
        &config(1, 8),
        play,
        &["gone w0"],
        &["again t"],
    );
}

#[test]
fn x5_an_answer_of_another_attempt_counts() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.task();
        stage.skip();
        stage.reply(0, 1, id(task, 7), OK);
        stage.lines()
    };
    contrast(
        Mutation::AttemptUnfenced,
        &config(1, 0),
        play,
        &["settle t1 crashed", "kill w0 s1"],
        &["settle t1 ok"],
    );
}

#[test]
fn x6_no_pause_after_a_start_failure() {
    let play = |config| {
        let mut stage = Stage::new(config);
        stage.task();
        stage.spawn_fails(0, 1);
        stage.lines()
    };
    contrast(
        Mutation::NoPauseAfterFailure,
        &config(1, 0),
        play,
        &["spawn w0 s1"],
        &["spawn w0 s1", "spawn w0 s2"],
    );
}

#[test]
fn x7_the_youngest_starts_first() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let [busy, _, _] = [stage.task(), stage.task(), stage.task()];
        stage.skip();
        stage.reply(0, 1, id(busy, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::YoungestFirst,
        &config(1, 0),
        play,
        &["settle t1 ok", "request w0 t2#1"],
        &["settle t1 ok", "request w0 t3#1"],
    );
}

fn delayed(stage: &mut Stage) -> farm_protocol::TaskId {
    stage.submit(options(|o| {
        o.retries = Retries {
            delay: 100 * MS,
            ..retries(1)
        };
    }))
}

#[test]
fn x8_a_retry_does_not_wait() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = delayed(&mut stage);
        stage.skip();
        stage.reply(0, 1, id(task, 1), FAIL);
        stage.lines()
    };
    contrast(
        Mutation::RetryWithoutDelay,
        &config(1, 0),
        play,
        &["again t1 after Failed"],
        &["again t1 after Failed", "request w0 t1#2"],
    );
}

#[test]
fn x9_the_waiting_limit_stops_what_has_started() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.submit(options(|o| o.waiting = Some(10 * MS)));
        stage.skip();
        stage.pass(10);
        stage.reply(0, 1, id(task, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::WaitingLimitStays,
        &config(1, 0),
        play,
        &["settle t1 ok"],
        &["cancel w0 t1#1", "settle t1 timeout"],
    );
}

#[test]
fn x10_a_cancelled_attempt_keeps_its_limit() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        // The invariants see it at once; here is what a user sees.
        stage.checks = false;
        let limited = || options(|o| o.limit = Some(LimitId(0)));
        let (first, _parked) = (stage.submit(limited()), stage.submit(limited()));
        stage.cancel(first);
        stage.skip();
        stage.acked(0, 1, id(first, 1));
        stage.lines()
    };
    contrast(
        Mutation::LimitKeptByCancel,
        &config(1, 0),
        play,
        &["settle t1 cancelled", "request w0 t2#1"],
        &["settle t1 cancelled"],
    );
}

#[test]
fn x11_what_is_handed_back_is_forgotten() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let [first, _, held] = [stage.task(), stage.task(), stage.task()];
        stage.reply(0, 1, id(first, 1), END);
        stage.revoked(0, 1, id(held, 1));
        vec![in_farm(&stage)]
    };
    contrast(
        Mutation::RevokedForgotten,
        &config(1, 8),
        play,
        &["2 in the farm"],
        &["1 in the farm"],
    );
}

#[test]
fn x12_more_is_pulled_than_there_is_room() {
    let mut configuration = config(1, 0);
    configuration.kinds[0].boundary.max_queued = 2;
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        stage.task();
        stage.skip();
        for _ in 0..stage.master.demand(KindId(0)) {
            let task = stage.next_id();
            stage.tell(Event::Submit {
                task,
                kind: KindId(0),
                entry: Entry::Pull,
                options: None,
                scope: None,
            });
        }
        stage
            .lines()
            .into_iter()
            .map(|line| line[..9].to_owned())
            .collect()
    };
    contrast(
        Mutation::DemandOneMore,
        &configuration,
        play,
        &[],
        &["refuse t4"],
    );
}

#[test]
fn x13_a_drain_forgets_a_retry() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = delayed(&mut stage);
        stage.reply(0, 1, id(task, 1), FAIL);
        stage.skip();
        stage.shut(Shut::Drain);
        stage.die(0, 1, Termination::Exited(0), None);
        let mut lines = stage.lines();
        lines.push(in_farm(&stage));
        lines
    };
    let gone = "gone w0: exited with code 0";
    contrast(
        Mutation::DrainForgetsDelayed,
        &config(1, 0),
        play,
        &[gone, "1 in the farm"],
        &["stop w0", gone, "stopped", "1 in the farm"],
    );
}

#[test]
fn x14_a_worker_that_does_not_end_is_not_killed() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        stage.shut(Shut::Drain);
        for _ in 0..20 {
            stage.pass(500);
        }
        stage.lines()
    };
    contrast(
        Mutation::NoKillOfClosing,
        &config(1, 0),
        play,
        &["stop w0", "term w0 s1", "kill w0 s1"],
        &["stop w0", "term w0 s1"],
    );
}

#[test]
fn x15_one_injected_task_more() {
    let mut configuration = config(1, 0);
    configuration.kinds[0].boundary.max_queued = 1;
    configuration.kinds[0].injection_limit = 0;
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let (first, _second) = (stage.task(), stage.task());
        stage.kinds.injects = vec![crate::Injected::shared(stage.next_id())];
        stage.skip();
        stage.reply(0, 1, id(first, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::OneInjectedMore,
        &configuration,
        play,
        &["settle t1 ok", "settle t3 not_run", "request w0 t2#1"],
        &["settle t1 ok", "request w0 t2#1"],
    );
}

#[test]
fn x16_a_pool_ends_that_has_worked_in_between() {
    let configuration = Config {
        start_failures: StartFailures {
            limit: 2,
            ..StartFailures::default()
        },
        ..config(1, 0)
    };
    let play = |config| {
        let mut stage = Stage::new(config);
        let first = stage.task();
        stage.spawn_fails(0, 1);
        stage.pass(100);
        stage.hello(0, 2);
        stage.reply(0, 2, id(first, 1), OK);
        stage.die(0, 2, Termination::Exited(0), None);
        let second = stage.task();
        stage.spawn_fails(0, 3);
        vec![stage.is_settled(second).to_string()]
    };
    let mutation = Mutation::StartFailuresNeverForgotten;
    contrast(mutation, &configuration, play, &["false"], &["true"]);
}

#[test]
fn x17_what_must_not_run_twice_does() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.submit(options(|o| o.on_lost = OnLost::Fail));
        stage.skip();
        stage.die(0, 1, SEGV, Some(id(task, 1)));
        stage.lines().drain(..1).collect()
    };
    contrast(
        Mutation::LostRunsAgain,
        &config(1, 0),
        play,
        &["settle t1 crashed"],
        &[&format!("again t1 after {DIED}")],
    );
}

#[test]
fn x18_a_worker_that_says_nothing_keeps_its_slot() {
    let play = |config| {
        let mut stage = Stage::new(config);
        stage.task();
        stage.pass(3_600_000);
        stage.lines()
    };
    contrast(
        Mutation::NoHelloLimit,
        &config(1, 0),
        play,
        &["spawn w0 s1", "kill w0 s1"],
        &["spawn w0 s1"],
    );
}
