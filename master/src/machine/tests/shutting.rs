//! The end of the farm: drain, finish, stop, kill, alone and one after the other; `stopped` comes
//! exactly once, and nothing is left then.

use super::stage::play::*;
use super::stage::*;
use crate::lane::Gate;
use crate::{CancelledBy, CrashLimit, HowStopped, Need, Outcome, Retries, Shut, When};
use farm_protocol::{TaskId, Termination};
use std::time::Duration;

const ALL: [Shut; 4] = [Shut::Drain, Shut::Finish, Shut::Stop, Shut::Kill];

/// A farm with a task in every place: executing (and one that died once), held, ready, needing,
/// delayed; a launching worker beside the running one.
struct Full {
    stage: Stage,
    executing: TaskId,
    held: TaskId,
    delayed: TaskId,
    needing: TaskId,
}

fn full() -> Full {
    let mut stage = Stage::warm(1, 1);
    let delayed = stage.submit(options(|o| {
        o.retries = Retries {
            delay: Duration::from_secs(5),
            ..retries(1)
        };
    }));
    stage.reply(0, 1, id(delayed, 1), FAIL);
    let executing = stage.task();
    let held = stage.task();
    let ready = stage.task();
    let needing = stage.submit(options(|o| {
        o.needs = vec![Need {
            task: ready,
            when: When::Success,
        }];
    }));
    stage.skip();
    Full {
        stage,
        executing,
        held,
        delayed,
        needing,
    }
}

/// Answers whatever is asked of the one worker until the farm has stopped.
fn run_out(stage: &mut Stage) {
    for _ in 0..200 {
        if stage.master.is_stopped() {
            break;
        }
        for (slot, session, ids) in stage.workers() {
            match ids.first() {
                Some(first) => stage.reply(slot, session, *first, OK),
                None => stage.die(slot, session, Termination::Exited(0), None),
            }
        }
        for (slot, session) in stage.launching() {
            stage.hello(slot, session);
        }
        if stage.master.deadline().is_some() {
            stage.await_deadline();
        }
    }
    assert!(stage.master.is_stopped(), "the farm never stops");
    assert_eq!(stage.master.tasks(), 0);
    let stopped = stage
        .lines()
        .iter()
        .filter(|line| *line == "stopped")
        .count();
    assert_eq!(stopped, 1);
}

#[test]
fn an_empty_farm_stops_at_once_and_once() {
    for how in ALL {
        let mut stage = Stage::new(config(3, 0));
        stage.shut(how);
        stage.expect(&["stopped"]);
        for again in ALL {
            stage.shut(again);
            stage.pass(1);
        }
        stage.expect(&[]);
        let late = stage.task();
        assert!(stage.lines()[0].starts_with("refuse"));
        assert!(!stage.is_settled(late));
    }
}

#[test]
fn every_order_of_wishes_ends_every_task_once() {
    for first in ALL {
        for second in ALL {
            for third in ALL {
                let Full { mut stage, .. } = full();
                for how in [first, second, third] {
                    stage.shut(how);
                    stage.pass(1);
                }
                run_out(&mut stage);
            }
        }
    }
}

#[test]
fn drain_runs_everything_that_is_queued() {
    let Full {
        mut stage,
        executing,
        held,
        delayed,
        needing,
    } = full();
    stage.shut(Shut::Drain);
    stage.expect(&[]);
    run_out(&mut stage);
    for task in [executing, held, delayed, needing] {
        assert_eq!(*stage.outcome(task), Outcome::Done(()), "{task}");
    }
}

#[test]
fn drain_opens_a_gate_that_was_closed() {
    for gate in [Gate::Paused, Gate::Closed] {
        let mut stage = Stage::warm(1, 0);
        let task = stage.task();
        stage.gate(gate);
        stage.shut(Shut::Drain);
        stage.gate(Gate::Closed);
        run_out(&mut stage);
        assert_eq!(*stage.outcome(task), Outcome::Done(()));
    }
}

#[test]
fn finish_starts_nothing_new_and_ends_what_runs() {
    let Full {
        mut stage,
        executing,
        held,
        delayed,
        needing,
    } = full();
    stage.shut(Shut::Finish);
    stage.expect(&[
        // A retry that never came: as its attempt ended.
        "settle t1 failed",
        "settle t4 not_run",
        // Its need went first.
        "settle t5 not_run",
        "revoke w0 t3#1",
    ]);
    assert_eq!(*stage.outcome(needing), Outcome::Closed);
    assert_eq!(*stage.outcome(delayed), Outcome::Failed(()));
    stage.revoked(0, 1, id(held, 1));
    stage.expect(&["settle t3 not_run"]);
    stage.reply(0, 1, id(executing, 1), FAIL);
    stage.expect(&["settle t2 failed", "stop w0"]);
    stage.die(0, 1, Termination::Exited(0), None);
    stage.expect(&["gone w0: exited with code 0", "stopped"]);
}

#[test]
fn stop_cancels_what_runs_each_with_its_own_budget() {
    let Full {
        mut stage,
        executing,
        held,
        ..
    } = full();
    stage.shut(Shut::Stop);
    stage.skip();
    stage.revoked(0, 1, id(held, 1));
    stage.pass(500);
    stage.pass(500);
    stage.expect(&["settle t3 cancelled", "term w0 s1", "kill w0 s1"]);
    stage.die(0, 1, KILLED, Some(id(executing, 1)));
    assert_eq!(
        *stage.outcome(executing),
        Outcome::Cancelled {
            by: CancelledBy::Stopping,
            how: HowStopped::Killed
        }
    );
    assert_eq!(stage.lines().last().map(String::as_str), Some("stopped"));
}

#[test]
fn kill_kills_now_and_waits_only_for_the_exits() {
    let Full {
        mut stage,
        executing,
        held,
        ..
    } = full();
    stage.shut(Shut::Kill);
    let lines = stage.lines();
    assert_eq!(lines.iter().filter(|line| *line == "kill w0 s1").count(), 1);
    stage.die(0, 1, KILLED, Some(id(executing, 1)));
    let how = |task| match stage.outcome(task) {
        Outcome::Cancelled { how, .. } => *how,
        other => panic!("{other:?}"),
    };
    assert_eq!(how(executing), HowStopped::Killed);
    assert_eq!(how(held), HowStopped::BeforeStart);
    assert!(stage.master.is_stopped());
}

#[test]
fn a_launching_worker_is_killed_and_waited_for() {
    for how in [Shut::Finish, Shut::Stop, Shut::Kill] {
        let mut stage = Stage::new(config(1, 0));
        stage.task();
        stage.skip();
        stage.shut(how);
        stage.expect(&["settle t0 not_run", "kill w0 s1"]);
        stage.hello(0, 1);
        stage.skip();
        stage.die(0, 1, KILLED, None);
        stage.expect(&["gone w0: killed by SIGKILL (by the farm)", "stopped"]);
    }
}

#[test]
fn a_worker_that_could_not_even_be_started_is_not_waited_for() {
    let mut stage = Stage::new(config(1, 0));
    stage.task();
    stage.shut(Shut::Kill);
    stage.skip();
    stage.tell(crate::Event::SpawnFailed {
        slot: farm_protocol::SlotId(0),
        session: farm_protocol::Session(1),
        error: "no".into(),
    });
    stage.expect(&["stopped"]);
}

#[test]
fn drain_waits_for_pauses_and_gives_up_with_the_pool() {
    let mut stage = Stage::new(config(1, 0));
    let task = stage.task();
    stage.shut(Shut::Drain);
    for session in 1..=3 {
        stage.die(0, session, Termination::Exited(1), None);
        stage.pass(10_000);
    }
    assert!(matches!(stage.outcome(task), Outcome::SpawnFailed(_)));
    assert_eq!(stage.lines().last().map(String::as_str), Some("stopped"));
}

#[test]
fn what_died_once_and_waits_again_is_not_called_never_run() {
    let mut stage = Stage::warm(1, 0);
    let died = stage.task();
    let failed = stage.submit(options(|o| o.retries = retries(1)));
    stage.die(0, 1, SEGV, Some(id(died, 1)));
    stage.hello(0, 2);
    stage.reply(0, 2, id(died, 2), OK);
    stage.reply(0, 2, id(failed, 1), FAIL);
    let again = stage.submit(options(|o| o.crash_limit = CrashLimit::Deaths(5)));
    stage.die(0, 2, SEGV, Some(id(failed, 2)));
    stage.shut(Shut::Finish);
    // Its retry was lost with the worker, so that is how it ended.
    assert!(matches!(stage.outcome(failed), Outcome::WorkerLost(death) if death.attempt.0 == 2));
    assert_eq!(*stage.outcome(again), Outcome::Closed);
}

#[test]
fn a_retry_that_waits_again_ends_as_its_last_attempt() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.submit(options(|o| o.retries = retries(1)));
    stage.gate(Gate::Paused);
    stage.reply(0, 1, id(task, 1), FAIL);
    stage.shut(Shut::Finish);
    assert_eq!(*stage.outcome(task), Outcome::Failed(()));
}

#[test]
fn a_death_while_finishing_is_final() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.shut(Shut::Finish);
    stage.die(0, 1, SEGV, Some(id(task, 1)));
    assert!(matches!(stage.outcome(task), Outcome::WorkerLost(_)));
    assert_eq!(stage.lines().last().map(String::as_str), Some("stopped"));
}

#[test]
fn an_answer_in_decoding_counts_even_when_everything_is_killed() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.reply(0, 1, id(task, 1), &[b'x'; 1001]);
    stage.shut(Shut::Kill);
    stage.die(0, 1, KILLED, None);
    assert!(!stage.master.is_stopped());
    stage.decoded(0, 1, id(task, 1), OK);
    assert_eq!(*stage.outcome(task), Outcome::Done(()));
    assert!(stage.master.is_stopped());
}

#[test]
fn injected_tasks_run_while_draining_and_not_while_finishing() {
    for (how, status) in [
        (Shut::Drain, "request w0 t2#1"),
        (Shut::Finish, "settle t2 not_run"),
    ] {
        let mut stage = Stage::warm(1, 0);
        let task = stage.task();
        stage.shut(how);
        stage.skip();
        let follow_up = stage.next_id();
        stage.kinds.injects.push(crate::Injected::shared(follow_up));
        stage.reply(0, 1, id(task, 1), OK);
        assert_eq!(stage.lines()[..2], ["settle t1 ok", status]);
    }
}

#[test]
fn many_retries_that_wait_for_room_end_in_one_go() {
    let mut configuration = config(1, 0);
    configuration.kinds[0].boundary.max_queued = 2;
    let mut stage = Stage::warm_with(configuration);
    let mut tasks = vec![];
    for _ in 0..2_000 {
        let task = stage.submit(options(|o| {
            o.retries = Retries {
                delay: Duration::from_secs(600),
                ..retries(1)
            };
        }));
        stage.reply(0, 1, id(task, 1), FAIL);
        tasks.push(task);
    }
    stage.gate(Gate::Paused);
    stage.pass(600_000);
    stage.shut(Shut::Finish);
    assert!(
        tasks
            .iter()
            .all(|task| *stage.outcome(*task) == Outcome::Failed(()))
    );
}
