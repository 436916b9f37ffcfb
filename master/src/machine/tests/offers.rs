//! Waiting for room: first come, first admitted; nobody is left waiting, and who gives up leaves nothing behind.

use super::stage::play::*;
use super::stage::*;
use crate::lane::{AdapterMode, Boundary, Gate};
use crate::{Event, Need, Outcome, Shut, TaskOptions, When};
use farm_protocol::{KindId, TaskId, Termination};

const KIND: KindId = KindId(0);

/// One warm worker, and so many tasks may wait.
fn stage(max_queued: usize) -> Stage {
    let mut config = config(1, 0);
    let boundary = Boundary::new(AdapterMode::PushPull, 1, max_queued, 1000);
    config.kinds[0].boundary = boundary.expect("valid");
    Stage::warm_with(config)
}

impl Stage {
    fn offer(&mut self) -> TaskId {
        self.offer_options(None)
    }

    fn offer_options(&mut self, options: Option<TaskOptions>) -> TaskId {
        let task = self.next_id();
        self.tell(Event::Offer {
            task,
            kind: KIND,
            options: options.map(Box::new),
        });
        task
    }

    fn queued(&self) -> usize {
        self.master.lane(KIND).counts().queued
    }
}

#[test]
fn c3_who_waits_for_room_comes_in_in_the_order_in_which_it_came() {
    let mut stage = stage(1);
    let [runs, waits, first, second] = [(); 4].map(|()| stage.offer());
    stage.expect(&[&format!("request w0 {}", id(runs, 1))]);
    assert_eq!(stage.master.offered(KIND), 2);
    assert_eq!((stage.queued(), stage.master.room(KIND)), (1, 0));
    // What is refused instead of waiting overtakes nobody, whenever it comes.
    let pushed = stage.task();
    stage.expect(&[&format!(
        "refuse {pushed}: its lane is full: 1 tasks wait and 1 may; wait for room, or raise max_queued"
    )]);
    stage.reply(0, 1, id(runs, 1), OK);
    let asked = format!("request w0 {}", id(waits, 1));
    stage.expect(&[
        &format!("settle {runs} ok"),
        &asked,
        &format!("admitted {first}"),
    ]);
    assert!(!stage.master.is_offered(first) && stage.master.is_offered(second));
    stage.reply(0, 1, id(waits, 1), OK);
    let asked = format!("request w0 {}", id(first, 1));
    stage.expect(&[
        &format!("settle {waits} ok"),
        &asked,
        &format!("admitted {second}"),
    ]);
    assert_eq!((stage.queued(), stage.master.offered(KIND)), (1, 0));
}

#[test]
fn c3_who_gives_up_leaves_no_ghost_and_who_was_admitted_stays() {
    let mut stage = stage(1);
    let [runs, waits, leaves, stays] = [(); 4].map(|()| stage.offer());
    stage.skip();
    stage.tell(Event::Withdraw { task: leaves });
    stage.expect(&[&format!(
        "refuse {leaves}: its lane had no room in time: 1 tasks wait and 1 may; wait longer, or raise max_queued"
    )]);
    // Late, twice, or about nobody: nothing.
    for task in [leaves, waits, runs, TaskId::new(99, 0)] {
        stage.tell(Event::Withdraw { task });
    }
    stage.expect(&[]);
    stage.reply(0, 1, id(runs, 1), OK);
    let asked = format!("request w0 {}", id(waits, 1));
    stage.expect(&[
        &format!("settle {runs} ok"),
        &asked,
        &format!("admitted {stays}"),
    ]);
    stage.tell(Event::Withdraw { task: stays });
    stage.expect(&[]);
    let sums = stage.master.sums(KIND);
    assert_eq!((sums.running, sums.queued, sums.ends.refused), (1, 1, 1));
}

#[test]
fn c10_who_waits_for_room_is_refused_when_the_lane_closes() {
    for (gate, word) in [(Gate::Draining, "draining"), (Gate::Closed, "closed")] {
        let mut stage = stage(1);
        let [_, _, first, second] = [(); 4].map(|()| stage.offer());
        stage.skip();
        stage.gate(Gate::Paused);
        stage.expect(&[]);
        stage.gate(gate);
        let line = |task| format!("refuse {task}: its lane is {word} and admits nothing");
        stage.expect(&[&line(first), &line(second)]);
        let late = stage.offer();
        stage.expect(&[&line(late)]);
    }
    for how in [Shut::Drain, Shut::Finish, Shut::Stop, Shut::Kill] {
        let mut stage = stage(0);
        let [_, first, second, third] = [(); 4].map(|()| stage.offer());
        assert_eq!(
            stage.master.offered(KIND),
            3,
            "a lane that hands over holds none"
        );
        stage.skip();
        stage.shut(how);
        let lines = stage.lines();
        for task in [first, second, third] {
            let refused = format!("refuse {task}");
            assert!(
                lines.iter().any(|line| line.starts_with(&refused)),
                "{how:?}"
            );
        }
        assert_eq!(stage.master.offered(KIND), 0);
    }
}

#[test]
fn c10_who_waits_for_room_is_refused_when_the_pool_ends() {
    let mut config = config(1, 0);
    let boundary = Boundary::new(AdapterMode::PushPull, 1, 1, 1000);
    config.kinds[0].boundary = boundary.expect("valid");
    config.start_failures.limit = 1;
    let mut stage = Stage::new(config);
    let [first, second] = [(); 2].map(|()| stage.offer());
    stage.spawned(0, 1, true);
    stage.die(0, 1, Termination::Exited(1), None);
    for _ in 0..20 {
        if stage.master.deadline().is_some() {
            stage.await_deadline();
        }
        for (slot, session) in stage.launching() {
            stage.die(slot, session, Termination::Exited(1), None);
        }
    }
    assert!(matches!(stage.outcome(first), Outcome::SpawnFailed(_)));
    let refused = format!("refuse {second}: no worker can be started");
    let lines = stage.lines();
    assert!(
        lines.iter().any(|line| line.starts_with(&refused)),
        "{lines:?}"
    );
}

#[test]
fn a_cancel_reaches_who_waits_for_room() {
    let mut stage = stage(1);
    let [_, _, first, second, third] = [(); 5].map(|()| stage.offer());
    stage.skip();
    stage.cancel(second);
    stage.expect(&[&format!("settle {second} cancelled")]);
    stage.tell(Event::CancelAll {
        kind: Some(KIND),
        reason: "enough".into(),
    });
    assert_eq!(stage.outcome(first).status(), "cancelled");
    assert_eq!(stage.outcome(third).status(), "cancelled");
    assert_eq!(stage.master.offered(KIND), 0);
}

#[test]
fn what_refuses_a_task_anyway_does_so_at_once_or_when_its_turn_comes() {
    let mut stage = stage(1);
    let [runs, waits] = [(); 2].map(|()| stage.offer());
    stage.skip();
    let needing = |task| {
        options(|o| {
            o.needs = vec![Need {
                task,
                when: When::Success,
            }];
        })
    };
    // What it needs ends while it waits: nobody knows it any more.
    let late = stage.offer_options(Some(needing(runs)));
    stage.expect(&[]);
    stage.reply(0, 1, id(runs, 1), OK);
    let lines = stage.lines();
    let refused = format!("refuse {late}: it needs {runs}, which is not in the farm");
    assert!(
        lines.iter().any(|line| line.starts_with(&refused)),
        "{lines:?}"
    );
    stage.reply(0, 1, id(waits, 1), OK);
    stage.skip();
    assert_eq!(stage.master.room(KIND), 1);
    let unknown = stage.offer_options(Some(needing(waits)));
    let lines = stage.lines();
    assert!(
        lines[0].starts_with(&format!("refuse {unknown}")),
        "{lines:?}"
    );
}

#[test]
fn c11_a_kind_that_finishes_starts_nothing_tries_nothing_again_and_adds_up() {
    let mut stage = stage(2);
    let runs = stage.offer_options(Some(options(|o| o.retries = retries(3))));
    let [first, second, blocked] = [(); 3].map(|()| stage.offer());
    stage.skip();
    let before = stage.master.sums(KIND);
    assert_eq!((before.running, before.queued, before.offered), (1, 2, 1));
    stage.tell(Event::Finish { kind: KIND });
    stage.expect(&[
        &format!("settle {first} not_run"),
        &format!("settle {second} not_run"),
        &format!("refuse {blocked}: its lane is closed and admits nothing"),
    ]);
    stage.reply(0, 1, id(runs, 1), FAIL);
    stage.expect(&[&format!("settle {runs} failed")]);
    let ends = stage.master.sums(KIND).ends - before.ends;
    assert_eq!((ends.failed, ends.not_run, ends.refused), (1, 2, 1));
    assert_eq!(ends.total(), before.running + before.queued);
    // The farm goes on, and so does the kind when somebody says so.
    stage.gate(Gate::Running);
    let again = stage.offer();
    stage.expect(&[&format!("request w0 {}", id(again, 1))]);
}

#[test]
fn c11_what_dies_with_its_worker_in_a_kind_that_finishes_has_its_end() {
    let mut stage = stage(2);
    let runs = stage.offer();
    stage.tell(Event::Finish { kind: KIND });
    stage.die(0, 1, Termination::Exited(1), Some(id(runs, 1)));
    assert_eq!(stage.outcome(runs).status(), "crashed");
    assert_eq!(stage.master.outstanding(Some(KIND)), 0);
}

#[test]
fn waits_end_with_the_start_of_the_first_attempt() {
    let mut stage = stage(5);
    let runs = stage.offer_options(Some(options(|o| o.retries = retries(1))));
    let waits = stage.offer();
    stage.pass(40);
    stage.reply(0, 1, id(runs, 1), FAIL);
    stage.pass(100);
    stage.reply(0, 1, id(waits, 1), OK);
    stage.pass(7);
    stage.reply(0, 1, id(runs, 2), OK);
    let (settled, told) = (stage.settlement(runs), stage.master.waits(KIND));
    // The first attempt began at once; `started` is the last one's.
    assert_eq!(settled.waited().map(|wait| wait.as_millis()), Some(0));
    let started = settled.started.expect("it was sent");
    assert_eq!(started.since(settled.submitted).as_millis(), 140);
    // Two tasks, and the one that warmed the worker.
    assert_eq!(told.count(), 3);
    assert_eq!(told.longest().as_millis(), 40);
}
