//! Several kinds share the farm's workers: nobody has more than there are, and nobody waits for ever.

use super::stage::play::options;
use super::stage::*;
use crate::{Config, OnLost, Stands, TaskOptions, Why};
use farm_protocol::{TaskId, Termination};
use std::num::NonZeroU32;

fn shared(kinds: usize, slots: u32, workers: u32) -> Config {
    let mut config = config(slots, 0);
    config.kinds = vec![config.kinds[0].clone(); kinds];
    config.workers = NonZeroU32::new(workers);
    config
}

fn submit(stage: &mut Stage, kind: u16) -> TaskId {
    stage.submit_to(kind, TaskOptions::default())
}

fn gone(stage: &mut Stage, slot: u32, session: u64) {
    stage.die(slot, session, Termination::Exited(0), None);
}

#[test]
fn an_idle_worker_of_another_kind_makes_room() {
    let mut stage = Stage::warm_with(shared(2, 2, 2));
    let task = submit(&mut stage, 1);
    stage.expect(&["stop w0"]);
    gone(&mut stage, 0, 1);
    stage.expect(&["gone w0: exited with code 0", "spawn w2 s3"]);
    stage.hello(2, 3);
    assert_eq!(stage.running_in(2), Some(task));
    // There is one left, and it is not replaced for somebody who has one.
    stage.skip();
    let own = submit(&mut stage, 0);
    stage.expect(&[&format!("request w1 {own}#1")]);
}

#[test]
fn the_kind_that_is_kept_waiting_says_so() {
    let mut stage = Stage::new(shared(2, 2, 1));
    submit(&mut stage, 0);
    stage.hello(0, 1);
    let waits = submit(&mut stage, 1);
    let line = stage.master.why_waiting(&mut stage.kinds, waits);
    assert_eq!(line, Some(Why::FarmFull));
    let lines = stage.master.list(&mut stage.kinds, None, 9);
    assert!(matches!(lines[1].stands, Stands::Waits(Why::FarmFull)));
}

#[test]
fn a_kind_with_more_than_its_share_gives_one_up_after_what_it_executes() {
    let mut stage = Stage::new(shared(2, 4, 4));
    let first: Vec<_> = (0..8).map(|_| submit(&mut stage, 0)).collect();
    for slot in 0..4 {
        stage.hello(slot, u64::from(slot) + 1);
    }
    stage.skip();
    let others: Vec<_> = (0..4).map(|_| submit(&mut stage, 1)).collect();
    stage.expect(&[]);
    // The last of those that have worked as much.
    stage.reply(3, 4, id(first[3], 1), OK);
    stage.expect(&["settle t3 ok", "stop w3"]);
    gone(&mut stage, 3, 4);
    stage.expect(&["gone w3: exited with code 0", "spawn w4 s5"]);
    stage.hello(4, 5);
    stage.reply(2, 3, id(first[2], 1), OK);
    gone(&mut stage, 2, 3);
    stage.hello(5, 6);
    stage.skip();
    // Two and two: an equal share.
    for (slot, task) in [(0, first[0]), (1, first[1]), (4, others[0]), (5, others[1])] {
        stage.reply(slot, u64::from(slot) + 1, id(task, 1), OK);
        let lines = stage.lines();
        assert!(
            !lines.iter().any(|line| line.starts_with("stop")),
            "{lines:?}"
        );
    }
}

#[test]
fn where_kinds_are_more_than_places_they_take_turns() {
    let mut stage = Stage::new(shared(3, 1, 1));
    for kind in [0, 1, 2] {
        for _ in 0..40 {
            submit(&mut stage, kind);
        }
    }
    let mut turns = vec![];
    for session in 1..20 {
        let Some(slot) = (0..3).find(|slot| stage.master.slots[*slot as usize].process.is_some())
        else {
            break;
        };
        stage.hello(slot, session);
        let mut answered = 0;
        while let Some(task) = stage.running_in(slot) {
            stage.reply(slot, session, id(task, 1), OK);
            answered += 1;
        }
        turns.push((slot, answered));
        if stage.master.tasks() == 0 {
            break;
        }
        gone(&mut stage, slot, session);
    }
    // Each is worth its start, and goes after the answer that it is given meanwhile.
    assert_eq!(
        turns[..3].iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert!(
        turns.iter().all(|(_, answered)| *answered <= 17),
        "{turns:?}"
    );
    assert!(turns.len() < 12, "{turns:?}");
}

#[test]
fn the_least_of_a_kind_are_not_taken_for_others() {
    let mut config = shared(2, 2, 2);
    config.kinds[0].staffing.least = 1;
    let mut stage = Stage::warm_with(config);
    submit(&mut stage, 1);
    submit(&mut stage, 1);
    stage.expect(&["stop w0"]);
    gone(&mut stage, 0, 1);
    stage.hello(2, 3);
    stage.skip();
    for _ in 0..5 {
        stage.pass(1_000);
    }
    stage.expect(&[]);
}

#[test]
fn who_has_just_got_a_place_is_behind_all_that_wait_for_one() {
    // The first kind has wanted a second worker from the beginning, and has had nothing but places since.
    let mut stage = Stage::new(shared(2, 2, 1));
    for _ in 0..60 {
        submit(&mut stage, 0);
    }
    let waits = submit(&mut stage, 1);
    stage.hello(0, 1);
    while let Some(task) = stage.running_in(0) {
        stage.reply(0, 1, id(task, 1), OK);
    }
    gone(&mut stage, 0, 1);
    stage.hello(2, 2);
    assert_eq!(stage.running_in(2), Some(waits));
}

#[test]
fn who_waits_for_a_busy_worker_gets_the_place_of_one_that_idles_before() {
    let mut stage = Stage::new(shared(2, 2, 2));
    let (first, long) = (submit(&mut stage, 0), submit(&mut stage, 0));
    stage.hello(0, 1);
    stage.hello(1, 2);
    assert_eq!(stage.running_in(1), Some(long));
    let waits = submit(&mut stage, 1);
    stage.skip();
    // The other one was to go, and what it executes may take for ever.
    stage.reply(0, 1, id(first, 1), OK);
    stage.expect(&["settle t0 ok", "stop w0"]);
    gone(&mut stage, 0, 1);
    stage.hello(2, 3);
    assert_eq!(stage.running_in(2), Some(waits));
}

#[test]
fn what_is_kept_without_work_gives_way_to_a_kind_that_has_nobody() {
    let mut config = shared(2, 2, 2);
    config.kinds[0].staffing.least = 2;
    let mut stage = Stage::new(config);
    stage.pass(0);
    stage.hello(0, 1);
    stage.hello(1, 2);
    stage.skip();
    let waits = submit(&mut stage, 1);
    stage.expect(&["stop w0"]);
    gone(&mut stage, 0, 1);
    stage.hello(2, 3);
    assert_eq!(stage.running_in(2), Some(waits));
    stage.skip();
    // It comes back when that is done.
    stage.reply(2, 3, id(waits, 1), OK);
    stage.expect(&["settle t0 ok", "stop w2"]);
    gone(&mut stage, 2, 3);
    stage.expect(&["gone w2: exited with code 0", "spawn w0 s4"]);
}

#[test]
fn a_kind_whose_workers_are_for_one_task_each_is_not_always_the_next() {
    let mut config = shared(2, 2, 1);
    config.kinds[0].staffing.recycle.tasks = NonZeroU32::new(1);
    let mut stage = Stage::new(config);
    for _ in 0..20 {
        submit(&mut stage, 0);
    }
    let waits = submit(&mut stage, 1);
    let mut session = 0;
    while stage.master.slots[2].process.is_none() {
        session += 1;
        assert!(session < 4, "it waits for ever");
        let slot = stage
            .master
            .slots
            .iter()
            .position(|slot| slot.process.is_some());
        let slot = u32::try_from(slot.expect("somebody works")).expect("few slots");
        stage.hello(slot, session);
        let task = stage.running_in(slot).expect("it has a task");
        stage.reply(slot, session, id(task, 1), OK);
        gone(&mut stage, slot, session);
    }
    stage.hello(2, session + 1);
    assert_eq!(stage.running_in(2), Some(waits));
}

#[test]
fn kinds_that_keep_more_than_there_are_places_do_not_take_them_from_each_other() {
    let mut config = shared(2, 1, 1);
    for kind in &mut config.kinds {
        kind.staffing.least = 1;
    }
    let mut stage = Stage::new(config);
    stage.pass(0);
    stage.hello(0, 1);
    stage.skip();
    for _ in 0..5 {
        stage.pass(1_000);
    }
    stage.expect(&[]);
    // Work counts for more.
    let task = submit(&mut stage, 1);
    stage.expect(&["stop w0"]);
    gone(&mut stage, 0, 1);
    stage.hello(1, 2);
    assert_eq!(stage.running_in(1), Some(task));
    stage.skip();
    stage.reply(1, 2, id(task, 1), OK);
    stage.expect(&["settle t0 ok"]);
}

/// How many answers of the only place's worker it takes until it goes for a kind that waits.
fn answers_until_it_goes(page: bool, task: &TaskOptions) -> usize {
    let mut stage = Stage::new(shared(2, 1, 1));
    for _ in 0..40 {
        stage.submit_to(0, task.clone());
    }
    stage.spawned(0, 1, page);
    stage.say(0, 1, &hello_bytes(vec![kind_hello()]));
    submit(&mut stage, 1);
    for answered in 0.. {
        let Some(task) = stage.running_in(0) else {
            return answered;
        };
        stage.reply(0, 1, id(task, 1), OK);
    }
    unreachable!("it has forty tasks")
}

#[test]
fn a_worker_goes_for_another_kind_whatever_it_may_be_sent_ahead() {
    let plain = TaskOptions::default();
    let once = options(|options| options.on_lost = OnLost::Fail);
    for (page, task) in [(true, &plain), (true, &once), (false, &plain)] {
        let answers = answers_until_it_goes(page, task);
        assert!(answers < 20, "{answers} with page {page}, {task:?}");
    }
}
