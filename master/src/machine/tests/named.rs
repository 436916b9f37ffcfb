//! Pools whose workers are somebody: nothing that the farm does by itself ends them, and what wants their places waits.

use super::stage::play::options;
use super::stage::*;
use crate::{
    Affinity, Config, DEAR_START, Event, HowStopped, Outcome, Recycle, Shut, SkippedBy,
    TaskOptions, TimeLimit, WhoseDoing, Why,
};
use farm_protocol::{KindId, Session, SlotId, TaskId, Termination};
use std::num::NonZeroU32;
use std::time::Duration;

fn named(slots: u32) -> Config {
    let mut config = config(slots, 0);
    config.kinds[0].staffing.named = true;
    config
}

/// A task that only a fresh worker takes: of sixty-four workers that there may be, nobody.
fn launch_with(stage: &mut Stage, kind: u16, options: TaskOptions) -> TaskId {
    let task = stage.coming();
    let all = (0..64).map(|slot| (task, SlotId(slot)));
    stage.kinds.refuses.extend(all);
    stage.submit_to(kind, options)
}

fn launch(stage: &mut Stage) -> TaskId {
    launch_with(stage, 0, TaskOptions::default())
}

/// The task is sent to the fresh worker in a slot, whatever was said of all slots.
fn hello_for(stage: &mut Stage, slot: u32, session: u64, task: TaskId) {
    let asked = (task, SlotId(slot));
    stage.kinds.refuses.retain(|refused| *refused != asked);
    stage.hello(slot, session);
    assert_eq!(stage.running_in(slot), Some(task));
}

fn request(stage: &mut Stage, slot: u32, session: u64) -> TaskId {
    let affinity = Affinity::Worker {
        slot: SlotId(slot),
        session: Session(session),
    };
    let task = stage.coming();
    stage.kinds.affinities.insert(task, affinity);
    stage.task()
}

fn resize(stage: &mut Stage, least: u32, most: u32) {
    stage.tell(Event::Resize {
        kind: KindId(0),
        least,
        most,
    });
}

fn gone(stage: &mut Stage, slot: u32, session: u64) {
    stage.die(slot, session, Termination::Exited(0), None);
}

#[test]
fn a_launch_that_finds_no_place_waits_and_is_no_mismatch() {
    let mut stage = Stage::warm_with(named(2));
    let waits = launch(&mut stage);
    stage.expect(&[]);
    assert_eq!(stage.why(waits), Some(Why::NoSlot));
    assert!(!stage.master.is_stuck(Some(KindId(0))));
    // One of them works, and is somebody all the same afterwards.
    let task = request(&mut stage, 0, 1);
    stage.reply(0, 1, id(task, 1), OK);
    stage.expect(&[
        &format!("request w0 {task}#1"),
        &format!("settle {task} ok"),
    ]);
    // He is let go.
    let last = request(&mut stage, 1, 2);
    stage.reply(1, 2, id(last, 1), END);
    gone(&mut stage, 1, 2);
    stage.skip();
    hello_for(&mut stage, 1, 3, waits);
}

#[test]
fn what_nobody_would_ever_take_is_said_as_always() {
    let mut stage = Stage::warm_with(named(1));
    let waits = launch(&mut stage);
    stage.kinds.not_for_fresh.push(waits);
    let nobody = stage.coming();
    stage.kinds.not_for_fresh.push(nobody);
    stage.kinds.refuses.push((nobody, SlotId(0)));
    stage.task();
    stage.expect(&[&format!("unmatched {nobody}")]);
}

#[test]
fn a_farm_that_drains_ends_what_waits_for_somebodys_place() {
    let mut stage = Stage::warm_with(named(1));
    let waits = launch(&mut stage);
    let nobody = launch(&mut stage);
    stage.kinds.not_for_fresh.push(nobody);
    let busy = request(&mut stage, 0, 1);
    stage.shut(Shut::Drain);
    // Who works may go by what he answers.
    assert!(!stage.is_settled(waits));
    stage.reply(0, 1, id(busy, 1), OK);
    assert_eq!(*stage.outcome(waits), Outcome::Closed);
    let no_match = Outcome::Skipped(SkippedBy::NoMatch);
    assert_eq!(*stage.outcome(nobody), no_match);
    gone(&mut stage, 0, 1);
    assert!(stage.master.is_stopped());
}

#[test]
fn a_launch_that_waits_too_long_for_a_place_ends_so() {
    let mut stage = Stage::warm_with(named(1));
    let waiting = options(|options| options.waiting = Some(Duration::from_millis(200)));
    let task = launch_with(&mut stage, 0, waiting);
    stage.pass(199);
    stage.expect(&[]);
    stage.pass(1);
    let end = Outcome::TimedOut {
        which: TimeLimit::Waiting,
        how: HowStopped::BeforeStart,
    };
    assert_eq!(*stage.outcome(task), end);
    // Nobody has paid for it.
    let later = request(&mut stage, 0, 1);
    assert_eq!(stage.running_in(0), Some(later));
}

#[test]
fn who_is_somebody_outlives_resizes_idling_and_wear() {
    let mut config = named(3);
    config.kinds[0].staffing.idle = Some(Duration::from_millis(100));
    config.kinds[0].staffing.recycle = Recycle {
        tasks: NonZeroU32::new(2),
        age: Some(Duration::from_millis(300)),
        idle: Some(Duration::from_millis(200)),
        growth: Some(1),
        ..Recycle::default()
    };
    let mut stage = Stage::warm_with(config);
    for _ in 0..10 {
        let task = request(&mut stage, 0, 1);
        stage.reply(0, 1, id(task, 1), OK);
        stage.skip();
        stage.pass(150);
        stage.expect(&[]);
    }
    resize(&mut stage, 0, 1);
    stage.expect(&[]);
    let waits = launch(&mut stage);
    // He leaves by himself, and there are still as many as there may be now.
    gone(&mut stage, 0, 1);
    gone(&mut stage, 1, 2);
    stage.skip();
    assert_eq!(stage.why(waits), Some(Why::NoSlot));
    gone(&mut stage, 2, 3);
    stage.expect(&["gone w2: exited with code 0", "spawn w0 s4"]);
}

#[test]
fn fresh_ones_go_as_everywhere_and_not_whoever_is_being_launched() {
    let mut config = named(3);
    config.kinds[0].staffing.idle = Some(Duration::from_millis(100));
    config.kinds[0].staffing.least = 3;
    let mut stage = Stage::new(config);
    stage.pass(0);
    for slot in 0..3 {
        stage.hello(slot, u64::from(slot) + 1);
    }
    let task = stage.task();
    stage.skip();
    assert_eq!(stage.running_in(0), Some(task));
    resize(&mut stage, 0, 2);
    stage.expect(&["stop w1"]);
    stage.pass(100);
    stage.expect(&["stop w2"]);
    stage.reply(0, 1, id(task, 1), OK);
    stage.pass(1_000);
    resize(&mut stage, 0, 1);
    assert!(stage.workers().iter().any(|(slot, ..)| *slot == 0));
    assert!(!stage.lines().iter().any(|line| line == "stop w0"));
}

#[test]
fn one_whose_launch_came_to_nothing_is_nobody_and_makes_room() {
    for cancelled in [true, false] {
        let mut stage = Stage::new(named(1));
        let first = launch(&mut stage);
        hello_for(&mut stage, 0, 1, first);
        let next = launch(&mut stage);
        if cancelled {
            stage.cancel(first);
            stage.skip();
            stage.acked(0, 1, id(first, 1));
        } else {
            stage.skip();
            stage.reply(0, 1, id(first, 1), FAIL);
        }
        let end = if cancelled { "cancelled" } else { "failed" };
        stage.expect(&[&format!("settle {first} {end}"), "stop w0"]);
        gone(&mut stage, 0, 1);
        assert_eq!(stage.whose, Some(WhoseDoing::Replaced));
        hello_for(&mut stage, 0, 2, next);
        // One that is somebody stays, whatever a task of his comes to.
        stage.reply(0, 2, id(next, 1), OK);
        let task = request(&mut stage, 0, 2);
        stage.skip();
        stage.reply(0, 2, id(task, 1), FAIL);
        stage.expect(&[&format!("settle {task} failed")]);
    }
}

#[test]
fn another_kind_does_not_get_the_place_of_somebody() {
    let mut config = named(2);
    config
        .kinds
        .push(super::stage::config(2, 0).kinds[0].clone());
    config.workers = NonZeroU32::new(2);
    let mut stage = Stage::warm_with(config);
    let waits = stage.submit_to(1, TaskOptions::default());
    stage.expect(&[]);
    assert_eq!(stage.why(waits), Some(Why::FarmFull));
    assert!(!stage.master.is_stuck(Some(KindId(1))));
    for _ in 0..30 {
        let task = request(&mut stage, 0, 1);
        stage.reply(0, 1, id(task, 1), OK);
    }
    stage.skip();
    let last = request(&mut stage, 0, 1);
    stage.reply(0, 1, id(last, 1), END);
    gone(&mut stage, 0, 1);
    stage.hello(2, 3);
    assert_eq!(stage.running_in(2), Some(waits));
    // And the other way round: a launch gets the place of an ordinary worker.
    stage.reply(2, 3, id(waits, 1), OK);
    stage.skip();
    let launched = launch(&mut stage);
    stage.expect(&["stop w2"]);
    gone(&mut stage, 2, 3);
    hello_for(&mut stage, 0, 4, launched);
}

#[test]
fn a_kind_that_can_make_room_for_itself_does_not_wait_for_somebody_to_go() {
    let mut config = named(2);
    let mut plain = super::stage::config(3, 0).kinds[0].clone();
    plain.staffing.least = 2;
    config.kinds.push(plain);
    config.workers = NonZeroU32::new(3);
    let mut stage = Stage::new(config);
    stage.pass(0);
    let somebody = stage.task();
    for (slot, session) in [(2, 1), (3, 2), (0, 3)] {
        stage.hello(slot, session);
    }
    stage.reply(0, 3, id(somebody, 1), OK);
    let both = [(); 2].map(|()| stage.submit_to(1, TaskOptions::default()));
    stage.reply(2, 1, id(both[0], 1), OK);
    stage.reply(3, 2, id(both[1], 1), OK);
    // It waits: the others are kept, and it has one.
    stage.skip();
    let waits = launch(&mut stage);
    stage.expect(&[]);
    assert_eq!(stage.why(waits), Some(Why::FarmFull));
    launch_with(&mut stage, 1, TaskOptions::default());
    let lines = stage.lines();
    assert!(lines == ["stop w2"], "{lines:?}");
}

#[test]
fn spares_are_kept_beside_somebody_who_idles() {
    let mut config = named(3);
    config.kinds[0].staffing.spares = 1;
    let mut stage = Stage::new(config);
    let first = stage.task();
    let dear = DEAR_START.as_millis() as u64;
    stage.pass(dear);
    stage.hello(0, 1);
    stage.pass(dear);
    stage.hello(1, 2);
    stage.reply(0, 1, id(first, 1), OK);
    stage.skip();
    gone(&mut stage, 1, 2);
    stage.pass(100);
    // Somebody idles, and that is nobody whom a launch could use.
    stage.expect(&["gone w1: exited with code 0", "spawn w1 s3"]);
}

/// Every start of a worker fails until the farm gives it up.
fn fail_starts(stage: &mut Stage, slot: u32, mut session: u64) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        stage.tell(Event::SpawnFailed {
            slot: SlotId(slot),
            session: Session(session),
            error: "no such program".into(),
        });
        stage.pass(1_000);
        let lines = stage.lines();
        let again = lines.iter().any(|line| line.starts_with("spawn"));
        seen.extend(lines);
        if !again {
            return seen;
        }
        session += 1;
        assert!(session < 20, "it tries for ever: {seen:?}");
    }
}

#[test]
fn a_pool_of_somebodies_does_not_end_when_no_more_can_be_started() {
    let mut stage = Stage::warm_with(named(2));
    gone(&mut stage, 1, 2);
    let busy = request(&mut stage, 0, 1);
    let pinned = request(&mut stage, 0, 1);
    let task = launch(&mut stage);
    stage.skip();
    let seen = fail_starts(&mut stage, 1, 3);
    assert_eq!(
        seen,
        [
            "spawn w1 s4",
            "spawn w1 s5",
            &format!("settle {task} not_run")
        ]
    );
    let Outcome::SpawnFailed(error) = stage.outcome(task) else {
        panic!("{:?}", stage.outcome(task))
    };
    let said = "no worker for kind `ids` could be started (3 attempts): no such program";
    assert_eq!(error, said);
    assert!(!stage.is_settled(pinned));
    stage.reply(0, 1, id(busy, 1), OK);
    assert_eq!(stage.running_in(0), Some(pinned));
    stage.skip();
    // A later one is tried as the first was.
    let later = launch(&mut stage);
    stage.expect(&["spawn w1 s6"]);
    let seen = fail_starts(&mut stage, 1, 6);
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(matches!(stage.outcome(later), Outcome::SpawnFailed(_)));
    let last = launch(&mut stage);
    hello_for(&mut stage, 1, 9, last);
}

#[test]
fn those_that_work_do_not_make_the_others_start() {
    let mut stage = Stage::warm_with(named(2));
    gone(&mut stage, 1, 2);
    let task = launch(&mut stage);
    for session in 3..6 {
        stage.tell(Event::SpawnFailed {
            slot: SlotId(1),
            session: Session(session),
            error: "no such program".into(),
        });
        // Each answer says that a worker works, and nothing of those that do not start.
        let request = request(&mut stage, 0, 1);
        stage.reply(0, 1, id(request, 1), OK);
        stage.pass(1_000);
    }
    assert!(matches!(stage.outcome(task), Outcome::SpawnFailed(_)));
}

#[test]
fn kept_workers_that_cannot_be_started_are_tried_again_with_the_next_launch() {
    let mut config = named(1);
    config.kinds[0].staffing.least = 1;
    let mut stage = Stage::new(config);
    stage.pass(0);
    stage.expect(&["spawn w0 s1"]);
    let seen = fail_starts(&mut stage, 0, 1);
    assert_eq!(seen, ["spawn w0 s2", "spawn w0 s3"]);
    for _ in 0..5 {
        stage.pass(10_000);
    }
    stage.expect(&[]);
    launch(&mut stage);
    stage.expect(&["spawn w0 s4"]);
}
