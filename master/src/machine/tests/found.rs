//! The rules behind what sweeps of the simulator found, one scenario each: a schedule that is kept as a number says
//! nothing any more as soon as what is simulated changes, the rule does.

use super::stage::play::*;
use super::stage::*;
use crate::lane::Gate;
use crate::{
    CancelledBy, CrashLimit, Decision, HowStopped, Injected, Need, OnLost, Outcome, Retries, Rule,
    Shut, Ties, When, WhoseDoing,
};
use farm_protocol::{FrameKind, TaskId, Termination};
use std::num::NonZeroU32;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// An answer to what it does not hold: dropped, the task that it was meant for would wait for ever.
#[test]
fn an_answer_to_nothing_ends_the_worker_and_what_it_executes() {
    let [unknown, answered] = [TaskId::new(u32::MAX, 7), TaskId::new(0, 0)];
    let lies: [&dyn Fn(&mut Stage); 5] = [
        &|stage| stage.reply(0, 1, id(unknown, 1), OK),
        &|stage| stage.reply(0, 1, id(TaskId::new(1, 0), 2), OK),
        &|stage| stage.reply(0, 1, id(answered, 1), &[b'x'; 1001]),
        &|stage| stage.about(0, 1, FrameKind::Unmarshallable, id(answered, 1), "no"),
        &|stage| stage.about(0, 1, FrameKind::Panicked, id(answered, 1), "no"),
    ];
    for lie in lies {
        let mut stage = Stage::warm(1, 4);
        let [front, held] = [stage.task(), stage.task()];
        stage.skip();
        lie(&mut stage);
        stage.expect(&["settle t1 crashed", "kill w0 s1"]);
        assert!(matches!(stage.outcome(front), Outcome::ResponseGarbled(_)));
        // What it was sent ahead had not begun.
        stage.die(0, 1, KILLED, None);
        stage.hello(0, 2);
        stage.reply(0, 2, id(held, 2), OK);
        assert_eq!(*stage.outcome(held), Outcome::Done(()));
    }
}

/// Somebody else kills a worker that was to go: it did not go as it was to.
#[test]
fn a_worker_that_was_to_go_and_dies_before_it_is_asked_died() {
    let retire = |stage: &mut Stage, front, as_it_was_to| {
        if as_it_was_to == WhoseDoing::Finished {
            stage.shut(Shut::Finish);
        }
        let letter = if as_it_was_to == WhoseDoing::Replaced {
            END
        } else {
            OK
        };
        stage.reply(0, 1, id(front, 1), letter);
    };
    for as_it_was_to in [WhoseDoing::Replaced, WhoseDoing::Finished] {
        // It holds something yet, so that nobody has asked it to go.
        let mut stage = Stage::warm(1, 4);
        let [front, held] = [stage.task(), stage.task()];
        stage.skip();
        retire(&mut stage, front, as_it_was_to);
        let lines = stage.lines();
        assert!(!lines.iter().any(|line| line == "stop w0"), "{lines:?}");
        stage.die(0, 1, KILLED, Some(id(held, 1)));
        assert_eq!(stage.whose, Some(WhoseDoing::Died), "not {as_it_was_to:?}");

        // Asked, it may end as it likes.
        let mut stage = Stage::warm(1, 4);
        let [front, held] = [stage.task(), stage.task()];
        retire(&mut stage, front, as_it_was_to);
        stage.reply(0, 1, id(held, 1), OK);
        assert!(stage.lines().iter().any(|line| line == "stop w0"));
        stage.die(0, 1, KILLED, None);
        assert_eq!(stage.whose, Some(as_it_was_to));
    }
}

/// A worker that is dead and collected did not run too long, whatever the clock says meanwhile.
#[test]
fn a_running_limit_that_falls_between_exit_and_end_of_file_is_no_timeout() {
    for answered in [true, false] {
        let mut stage = Stage::warm(1, 0);
        let task = stage.submit(options(|o| {
            o.running = Some(10 * MS);
            o.on_lost = OnLost::Fail;
        }));
        stage.skip();
        stage.exit(0, 1, SEGV, Some(id(task, 1)));
        stage.pass(10);
        stage.expect(&[]);
        if answered {
            stage.reply(0, 1, id(task, 1), OK);
        }
        stage.eof(0, 1);
        match stage.outcome(task) {
            Outcome::Done(()) => assert!(answered),
            Outcome::WorkerLost(death) => assert!(!answered && death.termination == SEGV),
            other => panic!("{other:?}"),
        }
    }
}

/// The last rung for a worker that is dead and collected must not make its death ours: it has not started well.
#[test]
fn a_kill_that_falls_between_exit_and_end_of_file_hides_no_start_failure() {
    let mut stage = Stage::new(config(1, 0));
    let [task, _next] = [stage.task(), stage.task()];
    stage.hello(0, 1);
    stage.skip();
    stage.exit(0, 1, SEGV, None);
    stage.cancel(task);
    stage.pass(500);
    stage.pass(500);
    stage.expect(&["cancel w0 t0#1"]);
    stage.eof(0, 1);
    stage.expect(&["settle t0 cancelled", "gone w0: killed by SIGSEGV"]);
    assert_eq!(stage.whose, Some(WhoseDoing::Died));
    stage.pass(99);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&["spawn w0 s2"]);
}

/// A retry comes back into a full queue: kept out until there is room, it waits for what waits for it.
#[test]
fn a_retry_whose_dependents_fill_the_queue_comes_back() {
    for delay in [0, 50] {
        let mut configuration = config(1, 0);
        configuration.kinds[0].boundary.max_queued = 2;
        let mut stage = Stage::warm_with(configuration);
        let retried = stage.submit(options(|o| {
            o.retries = Retries {
                delay: delay * MS,
                ..retries(1)
            };
        }));
        let dependents = [When::Success, When::Always].map(|when| {
            let need = Need {
                task: retried,
                when,
            };
            stage.submit(options(|o| o.needs = vec![need]))
        });
        assert_eq!(stage.master.lane(farm_protocol::KindId(0)).room(), 0);
        stage.skip();
        stage.reply(0, 1, id(retried, 1), FAIL);
        stage.pass(u64::from(delay));
        stage.expect(&["again t1 after Failed", "request w0 t1#2"]);
        stage.reply(0, 1, id(retried, 2), OK);
        for dependent in dependents {
            stage.reply(0, 1, id(dependent, 1), OK);
            assert_eq!(*stage.outcome(dependent), Outcome::Done(()));
        }
    }
}

/// The same while the lane starts nothing: it stands in the queue, behind all others, and beyond the limit.
#[test]
fn a_retry_that_comes_back_while_nothing_starts_stands_behind_all() {
    let mut configuration = config(1, 0);
    configuration.kinds[0].boundary.max_queued = 1;
    let mut stage = Stage::warm_with(configuration);
    let retried = stage.submit(options(|o| o.retries = retries(1)));
    let queued = stage.task();
    stage.gate(Gate::Paused);
    stage.reply(0, 1, id(retried, 1), FAIL);
    let kind = farm_protocol::KindId(0);
    assert_eq!(stage.master.lane(kind).counts().queued, 2);
    let refused = stage.task();
    stage.skip();
    stage.gate(Gate::Running);
    stage.reply(0, 1, id(queued, 1), OK);
    stage.reply(0, 1, id(retried, 2), OK);
    stage.expect(&[
        "request w0 t2#1",
        "settle t2 ok",
        "request w0 t1#2",
        "settle t1 ok",
    ]);
    assert!(!stage.is_settled(refused));
}

/// SIGTERM takes its time: what the worker executes by then did not kill it.
#[test]
fn a_late_death_of_our_sigterm_is_charged_to_nobody() {
    for credit in [0, 4] {
        let mut stage = Stage::warm(1, credit);
        let strict = |o: &mut crate::TaskOptions| o.crash_limit = CrashLimit::Deaths(0);
        // With credit the second is sent ahead, without when the first has answered.
        let [stopped, next] = [stage.submit(options(strict)), stage.submit(options(strict))];
        stage.cancel(stopped);
        stage.pass(500);
        stage.acked(0, 1, id(stopped, 1));
        assert!(matches!(
            stage.outcome(stopped),
            Outcome::Cancelled {
                how: HowStopped::Acked,
                ..
            }
        ));
        stage.skip();
        stage.die(0, 1, TERMED, Some(id(next, 1)));
        assert_eq!(stage.whose, Some(WhoseDoing::Killed));
        stage.expect(&["gone w0: killed by SIGTERM", "spawn w0 s2"]);
        stage.hello(0, 2);
        stage.reply(0, 2, id(next, 2), OK);
        assert!(
            stage.settlement(next).attempts.len() == 1,
            "credit {credit}"
        );
    }
}

/// The same of a worker that has answered nothing: that it could not be started is not known.
#[test]
fn a_late_death_of_our_sigterm_is_no_start_failure() {
    let mut stage = Stage::new(config(1, 0));
    let [stopped, next] = [stage.task(), stage.task()];
    stage.hello(0, 1);
    stage.cancel(stopped);
    stage.pass(500);
    stage.revoked(0, 1, id(stopped, 1));
    stage.skip();
    stage.die(0, 1, TERMED, None);
    stage.expect(&["gone w0: killed by SIGTERM", "spawn w0 s2"]);
    assert!(!stage.is_settled(next));
}

/// It explains a death of SIGTERM only.
#[test]
fn a_late_death_of_something_else_is_its_own() {
    for termination in [SEGV, KILLED, Termination::Exited(143), Termination::Lost] {
        let mut stage = Stage::warm(1, 4);
        let stopped = stage.task();
        let next = stage.submit(options(|o| o.crash_limit = CrashLimit::Deaths(0)));
        stage.cancel(stopped);
        stage.pass(500);
        stage.acked(0, 1, id(stopped, 1));
        stage.die(0, 1, termination, Some(id(next, 1)));
        assert_eq!(stage.whose, Some(WhoseDoing::Died));
        assert!(matches!(stage.outcome(next), Outcome::Poisoned(_)));
    }
}

/// The farm closes over a task whose worker was signalled for another one: how it came to rest is how its worker ended.
#[test]
fn what_a_closing_farm_finds_dead_is_killed_only_by_sigkill() {
    let ends = [
        (TERMED, HowStopped::Terminated),
        (Termination::Exited(143), HowStopped::Exited),
        (Termination::Lost, HowStopped::Exited),
        (KILLED, HowStopped::Killed),
    ];
    for (termination, expected) in ends {
        let mut stage = Stage::warm(1, 4);
        let [front, held] = [stage.task(), stage.task()];
        stage.cancel(held);
        stage.pass(500);
        stage.shut(Shut::Finish);
        if expected == HowStopped::Killed {
            stage.pass(500);
        }
        stage.die(0, 1, termination, Some(id(front, 1)));
        let cancelled = Outcome::Cancelled {
            by: CancelledBy::Stopping,
            how: expected,
        };
        assert_eq!(*stage.outcome(front), cancelled, "{termination}");
    }
}

/// The same when the signal was for what has been answered since: of the SIGTERM it dies all the same, whether or not
/// the next one was asked to stop as well.
#[test]
fn a_late_death_of_our_sigterm_terminates_what_stops() {
    for asked in [true, false] {
        let mut stage = Stage::warm(1, 4);
        let [stopped, next] = [stage.task(), stage.task()];
        stage.cancel(stopped);
        stage.pass(500);
        stage.acked(0, 1, id(stopped, 1));
        if asked {
            stage.cancel(next);
        } else {
            stage.shut(Shut::Finish);
        }
        stage.die(0, 1, TERMED, Some(id(next, 1)));
        match stage.outcome(next) {
            Outcome::Cancelled { how, .. } => assert_eq!(*how, HowStopped::Terminated, "{asked}"),
            other => panic!("{other:?}"),
        }
    }
}

/// A frame that has no business on the answers pipe is called that, and not bytes that cannot be decoded.
#[test]
fn a_frame_that_is_not_for_the_master_is_named() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    let mut bytes = Vec::new();
    let start = farm_protocol::begin_frame(&mut bytes, FrameKind::Stop);
    farm_protocol::finish_frame(&mut bytes, start, farm_protocol::DEFAULT_FRAME_LIMIT)
        .expect("short");
    stage.say(0, 1, &bytes);
    let why = "the bytes cannot be decoded: a frame Stop is not for the master";
    let Outcome::ResponseGarbled(error) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    assert_eq!(error.to_string(), why);
}

/// A scope that was opened in a decided group was forgotten until somebody closed the group: its tasks ran.
#[test]
fn a_scope_that_is_opened_in_a_decided_group_comes_too_late() {
    let mut stage = Stage::warm(1, 0);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let task = stage.member(group);
    stage.reply(0, 1, id(task, 1), FATAL);
    stage.skip();
    let inside = stage.open(Some(group), None, None);
    stage.expect(&["scope-ended c2 cancelled \"the group c1 was decided\""]);
    let late = stage.member(inside);
    stage.expect(&[&format!(
        "refuse {late}: its scope c2 takes nothing any more (it was cancelled, closed, or never opened)"
    )]);
    assert!(!stage.is_over(group), "nobody has closed it");
}

/// What the few that were done had left behind ran on, though nothing could come of their group any more.
#[test]
fn a_quorum_that_cannot_be_reached_ends_what_was_left_behind_by_those_that_are_done() {
    let mut stage = Stage::warm(2, 0);
    let two = NonZeroU32::MIN.saturating_add(1);
    let group = stage.group(Rule::Quorum(two), Ties::Arrival);
    let [done, failed] = stage.members(group, 2).try_into().expect("two");
    let left_behind = stage.next_id();
    stage.kinds.injects.push(Injected::shared(left_behind));
    stage.reply(0, 1, id(done, 1), OK);
    stage.reply(1, 2, id(failed, 1), FATAL);
    stage.skip();
    stage.close_scope(group);
    stage.expect(&[&format!("cancel w0 {left_behind}#1")]);
    stage.acked(0, 1, id(left_behind, 1));
    let (done, wanted) = (1, 2);
    assert_eq!(*stage.decision(group), Decision::TooFew { done, wanted });
}
