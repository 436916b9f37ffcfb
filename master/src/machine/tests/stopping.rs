//! Cancel and time limits: in every state of a task, how its attempt comes to rest, and when.

use super::stage::play::*;
use super::stage::*;
use crate::{
    AttemptEnd, CrashLimit, HowStopped, LimitId, Need, OnLost, Outcome, Retries, RetryOn, Shut,
    TimeLimit, When, WhoseDoing,
};
use farm_protocol::{Instant, KindId, ReplyFlags, TaskId, Termination};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

#[track_caller]
fn how(stage: &Stage, task: TaskId) -> HowStopped {
    let Outcome::Cancelled { how, .. } = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    *how
}

#[test]
fn what_waits_is_cancelled_at_once() {
    let mut stage = Stage::warm(1, 0);
    let limited = |o: &mut crate::TaskOptions| o.limit = Some(LimitId(0));
    let busy = stage.submit(options(limited));
    let ready = stage.task();
    let parked = stage.submit(options(limited));
    let needing = stage.submit(options(|o| {
        o.needs = vec![Need {
            task: busy,
            when: When::Always,
        }];
    }));
    stage.skip();
    for task in [needing, parked, ready] {
        stage.cancel(task);
        assert_eq!(how(&stage, task), HowStopped::BeforeStart);
        assert!(stage.settlement(task).attempts.is_empty());
    }
    assert_eq!(stage.lines().len(), 3);
    stage.reply(0, 1, id(busy, 1), OK);
    stage.expect(&["settle t1 ok"]);
}

#[test]
fn what_waits_for_a_retry_is_cancelled_at_once() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.retries = Retries {
            delay: 100 * MS,
            ..retries(1)
        };
    }));
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.cancel(task);
    assert_eq!(how(&stage, task), HowStopped::BeforeStart);
    assert_eq!(stage.settlement(task).attempts.len(), 1);
    // The timer of the delay is gone with it.
    stage.skip();
    stage.pass(200);
    stage.expect(&[]);
}

#[test]
fn a_retry_that_waits_for_room_is_cancelled_at_once() {
    let mut configuration = config(1, 0);
    configuration.kinds[0].boundary.max_queued = 1;
    let mut stage = Stage::warm_with(configuration);
    let task = stage.submit(options(|o| o.retries = retries(1)));
    let queued = stage.task();
    stage.gate(crate::lane::Gate::Paused);
    stage.reply(0, 1, id(task, 1), FAIL);
    assert_eq!(stage.master.demand(KindId(0)), 0);
    stage.cancel(task);
    assert_eq!(how(&stage, task), HowStopped::BeforeStart);
    stage.skip();
    stage.gate(crate::lane::Gate::Running);
    stage.reply(0, 1, id(queued, 1), OK);
    stage.expect(&["request w0 t2#1", "settle t2 ok"]);
}

#[test]
fn unknown_and_ended_tasks_are_no_matter() {
    let mut stage = Stage::warm(1, 0);
    for task in [TaskId::new(0, 0), TaskId::new(900, 0), TaskId::new(0, 7)] {
        stage.cancel(task);
    }
    stage.expect(&[]);
}

#[test]
fn how_it_came_to_rest_is_true() {
    let ends = [
        (TERMED, 500, HowStopped::Terminated),
        (TERMED, 0, HowStopped::Exited),
        (Termination::Exited(143), 500, HowStopped::Exited),
        (KILLED, 1000, HowStopped::Killed),
        (KILLED, 500, HowStopped::Exited),
        (SEGV, 1000, HowStopped::Exited),
        (Termination::Exited(0), 0, HowStopped::Exited),
    ];
    for (termination, after, expected) in ends {
        let mut stage = Stage::warm(1, 0);
        let task = stage.task();
        stage.cancel(task);
        stage.pass(after.min(500));
        stage.pass(after.saturating_sub(500));
        stage.die(0, 1, termination, Some(id(task, 1)));
        assert_eq!(
            how(&stage, task),
            expected,
            "{termination} after {after} ms"
        );
        assert_eq!(
            stage.settlement(task).attempts[0].end,
            AttemptEnd::Cancelled(expected)
        );
        let ours = matches!(expected, HowStopped::Terminated | HowStopped::Killed);
        assert!(!ours || stage.whose == Some(WhoseDoing::Killed));
        // Nobody is charged, nobody paused: the next worker starts at once.
        stage.skip();
        stage.task();
        stage.expect(&["spawn w0 s2"]);
    }
}

#[test]
fn an_answer_after_the_cancel_is_void_and_frees_the_worker() {
    let mut stage = Stage::warm(1, 0);
    let (task, _next) = (stage.task(), stage.task());
    stage.cancel(task);
    stage.skip();
    stage.reply(0, 1, id(task, 1), FAULTY);
    // The kind was not asked: its callback would have panicked.
    stage.expect(&["settle t1 cancelled", "request w0 t2#1"]);
    assert_eq!(how(&stage, task), HowStopped::LateReply);
    assert_eq!(stage.kinds.late, [id(task, 1)]);
    assert_eq!(stage.master.counters().late_answers, 1);
    // A second one answers nothing: the worker cannot be trusted with what it has now.
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&["settle t2 crashed", "kill w0 s1"]);
}

#[test]
fn a_late_answer_that_left_something_behind_replaces_the_worker() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.cancel(task);
    stage.skip();
    let flags = ReplyFlags {
        heeded_cancel: true,
        left_behind: true,
    };
    stage.reply_with(0, 1, id(task, 1), OK, flags);
    stage.expect(&["settle t1 cancelled", "stop w0"]);
    assert_eq!(how(&stage, task), HowStopped::Acked);
}

#[test]
fn a_budget_of_nothing_kills_at_once() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.grace = Some(Duration::ZERO)));
    stage.skip();
    stage.cancel(task);
    stage.expect(&["cancel w0 t1#1", "kill w0 s1"]);
}

#[test]
fn the_grace_of_a_task_is_its_budget() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.grace = Some(60 * MS)));
    stage.skip();
    stage.cancel(task);
    stage.expect(&["cancel w0 t1#1"]);
    assert_eq!(stage.await_deadline(), 30);
    stage.expect(&["term w0 s1"]);
    assert_eq!(stage.await_deadline(), 30);
    stage.expect(&["kill w0 s1"]);
}

#[test]
fn a_wake_up_that_comes_late_skips_the_rung_that_is_past() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.skip();
    stage.cancel(task);
    stage.pass(5_000);
    stage.expect(&["cancel w0 t1#1", "kill w0 s1"]);
    stage.pass(5_000);
    stage.expect(&[]);
}

#[test]
fn a_second_cancel_changes_nothing() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.cancel(task);
    stage.pass(499);
    stage.skip();
    stage.cancel(task);
    stage.pass(1);
    stage.expect(&["term w0 s1"]);
}

#[test]
fn a_cancel_while_it_is_stopped_for_its_time_limit_ends_its_retries() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.running = Some(10 * MS);
        o.retries = Retries {
            on: RetryOn::ALL,
            ..retries(5)
        };
    }));
    stage.pass(10);
    stage.skip();
    stage.cancel(task);
    stage.acked(0, 1, id(task, 1));
    stage.expect(&["settle t1 timeout"]);
}

#[test]
fn a_cancel_while_the_answer_is_decoded_lets_the_answer_count_and_ends_the_retries() {
    for (letter, status) in [(OK, "settle t1 ok"), (FAIL, "settle t1 failed")] {
        let mut stage = Stage::warm(1, 0);
        let task = stage.submit(options(|o| o.retries = retries(5)));
        stage.skip();
        stage.reply(0, 1, id(task, 1), &[b'x'; 1001]);
        stage.cancel(task);
        stage.expect(&["decode t1#1"]);
        stage.decoded(0, 1, id(task, 1), letter);
        stage.expect(&[status]);
    }
}

#[test]
fn a_time_limit_counts_no_decoding() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.running = Some(10 * MS)));
    stage.skip();
    stage.reply(0, 1, id(task, 1), &[b'x'; 1001]);
    stage.pass(1_000);
    stage.decoded(0, 1, id(task, 1), OK);
    stage.expect(&["decode t1#1", "settle t1 ok"]);
}

#[test]
fn cancelling_a_held_request_takes_it_back_and_disturbs_nobody() {
    let mut stage = Stage::warm(1, 4);
    let [front, held, last] = [stage.task(), stage.task(), stage.task()];
    stage.skip();
    stage.cancel(held);
    stage.expect(&["cancel w0 t2#1"]);
    stage.revoked(0, 1, id(held, 1));
    stage.expect(&["settle t2 cancelled"]);
    assert_eq!(how(&stage, held), HowStopped::BeforeStart);
    assert!(stage.settlement(held).attempts.is_empty());
    stage.reply(0, 1, id(front, 1), OK);
    stage.reply(0, 1, id(last, 1), OK);
    stage.expect(&["settle t1 ok", "settle t3 ok"]);
}

#[test]
fn a_held_request_whose_worker_died_had_not_begun() {
    let mut stage = Stage::warm(1, 4);
    let [front, held] = [stage.task(), stage.task()];
    stage.cancel(held);
    stage.die(0, 1, SEGV, Some(id(front, 1)));
    assert_eq!(how(&stage, held), HowStopped::BeforeStart);
    assert!(!stage.is_settled(front));
}

#[test]
fn the_waiting_limit_is_for_the_first_start_only() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| {
        o.waiting = Some(100 * MS);
        o.retries = Retries {
            delay: 500 * MS,
            ..retries(1)
        };
    }));
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.skip();
    stage.pass(500);
    stage.expect(&["request w0 t1#2"]);
    stage.pass(500);
    stage.reply(0, 1, id(task, 2), OK);
    stage.expect(&["settle t1 ok"]);
}

#[test]
fn the_waiting_limit_counts_in_every_queue() {
    let mut stage = Stage::warm(1, 0);
    let busy = stage.submit(options(|o| o.limit = Some(LimitId(0))));
    let waiting = |o: &mut crate::TaskOptions| o.waiting = Some(10 * MS);
    let ready = stage.submit(options(waiting));
    let parked = stage.submit(options(|o| {
        waiting(o);
        o.limit = Some(LimitId(0));
    }));
    let needing = stage.submit(options(|o| {
        waiting(o);
        o.needs = vec![Need {
            task: busy,
            when: When::Always,
        }];
    }));
    stage.pass(10);
    for task in [ready, parked, needing] {
        assert!(matches!(
            stage.outcome(task),
            Outcome::TimedOut {
                which: TimeLimit::Waiting,
                how: HowStopped::BeforeStart
            }
        ));
    }
}

#[test]
fn deadlines_are_exact_and_wake_ups_before_them_do_nothing() {
    let mut stage = Stage::warm(1, 0);
    stage.pass(20_000);
    assert_eq!(stage.master.deadline(), None);
    let task = stage.submit(options(|o| o.running = Some(1_234 * MS)));
    let until = stage.now.after(1_234 * MS);
    assert_eq!(stage.master.deadline(), Some(until));
    stage.skip();
    stage.now = Instant::from_nanos(until.as_nanos() - 1);
    stage.pass(0);
    stage.expect(&[]);
    stage.now = until;
    stage.pass(0);
    stage.expect(&["cancel w0 t1#1"]);
    assert_eq!(stage.master.deadline(), Some(until.after(500 * MS)));
    stage.acked(0, 1, id(task, 1));
    assert_eq!(stage.master.deadline(), None);
}

#[test]
fn c4_a_storm_of_cancels_occupies_no_more_than_the_boundary() {
    let mut stage = Stage::warm(2, 0);
    for _ in 0..50 {
        let tasks = [stage.task(), stage.task(), stage.task()];
        for task in tasks {
            stage.cancel(task);
        }
        let counts = stage.master.lane(KindId(0)).counts();
        assert!(counts.occupied <= 2, "{counts:?}");
    }
    // Two sit on the workers until those are free.
    assert_eq!(stage.master.tasks(), 2);
}

#[test]
fn a_worker_that_survived_sigterm_still_ends_when_the_farm_does() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.cancel(task);
    stage.pass(500);
    stage.reply(0, 1, id(task, 1), OK);
    stage.skip();
    stage.shut(Shut::Drain);
    stage.expect(&["stop w0"]);
    stage.die(0, 1, Termination::Exited(0), None);
    stage.expect(&["gone w0: exited with code 0", "stopped"]);
}

#[test]
fn a_worker_that_survived_sigterm_is_charged_for_its_later_death() {
    let mut stage = Stage::warm(1, 0);
    let (task, next) = (
        stage.task(),
        stage.submit(options(|o| o.crash_limit = CrashLimit::Deaths(0))),
    );
    stage.cancel(task);
    stage.pass(500);
    stage.reply(0, 1, id(task, 1), OK);
    stage.die(0, 1, SEGV, Some(id(next, 1)));
    assert!(matches!(stage.outcome(next), Outcome::Poisoned(_)));
}

#[test]
fn garbage_after_a_cancel_still_settles_it_as_cancelled() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.cancel(task);
    stage.skip();
    stage.say(0, 1, &[0, 0, 0, 0]);
    stage.expect(&["settle t1 cancelled", "kill w0 s1"]);
}

#[test]
fn a_rung_that_falls_after_the_exit_changes_no_cause() {
    let mut stage = Stage::warm(1, 4);
    let [large, executing, held] = [stage.task(), stage.task(), stage.task()];
    stage.reply(0, 1, id(large, 1), &[b'x'; 1001]);
    stage.cancel(held);
    // The session is open until the answer is decoded, the process is gone.
    stage.die(0, 1, Termination::Lost, Some(id(executing, 1)));
    stage.skip();
    stage.pass(500);
    stage.pass(500);
    stage.expect(&[]);
    stage.decoded(0, 1, id(large, 1), OK);
    stage.hello(0, 2);
    stage.reply(0, 2, id(executing, 2), OK);
    let ends = &stage.settlement(executing).attempts;
    assert_eq!(ends[0].end, AttemptEnd::Died(Termination::Lost));
}

#[test]
fn a_signal_that_a_worker_lived_through_explains_no_later_death() {
    let mut stage = Stage::warm(1, 0);
    let first = stage.task();
    stage.cancel(first);
    stage.pass(500);
    stage.acked(0, 1, id(first, 1));
    let second = stage.submit(options(|options| options.on_lost = OnLost::Fail));
    stage.skip();
    stage.die(0, 1, Termination::Exited(1), Some(id(second, 1)));
    assert!(
        matches!(stage.outcome(second), Outcome::WorkerLost(_)),
        "{:?}",
        stage.outcome(second)
    );
}
