//! Forgetting, retention, and that memory does not grow with the number of tasks done.

use super::{Stage, key, keys, lane, push};
use crate::lane::Lane;

/// A15
#[test]
fn a15_only_a_task_that_is_over_is_forgotten_and_its_key_is_free_again() {
    for stage in Stage::ALL {
        let mut lane = stage.lane();
        lane.set_name(key(0), "zero").unwrap();
        let over = match stage {
            Stage::Succeeded | Stage::Failed | Stage::Settled => true,
            Stage::Queued | Stage::InFlight | Stage::Stopping => false,
        };
        assert_eq!(lane.is_settled(key(0)), over, "{stage:?}");
        assert_eq!(lane.forget(key(0)), over, "{stage:?}");
        assert_eq!(lane.state(key(0)).is_none(), over);
        assert_eq!(lane.name(key(0)).is_none(), over);
        if over {
            assert_eq!(push(&mut lane, 0).get(), 2);
            assert_eq!(lane.start(key(0), 0).unwrap().attempt, 1);
        }
        lane.check_invariants();
    }
}

/// Ends task `index` well.
fn run(lane: &mut Lane, index: u32) {
    push(lane, index);
    lane.start(key(index), 0).unwrap();
    lane.succeed(key(index)).unwrap();
}

fn known(lane: &Lane) -> Vec<usize> {
    (0..16)
        .filter(|&index| lane.state(key(index)).is_some())
        .map(|index| index as usize)
        .collect()
}

/// A15
#[test]
fn a15_retention_forgets_those_that_ended_first() {
    let mut lane = lane(8, 8);
    lane.set_retention(Some(2));
    for index in 0..4 {
        push(&mut lane, index);
    }
    assert_eq!(lane.start_available(0), keys(&[0, 1, 2, 3]));
    lane.succeed(key(2)).unwrap();
    lane.fail(key(0), "boom").unwrap();
    assert_eq!(known(&lane), [0, 1, 2, 3]);
    let _stop = lane.cancel(key(3), "user", 0).unwrap();
    assert_eq!(
        known(&lane),
        [0, 1, 2, 3],
        "a worker not yet free is never forgotten"
    );
    lane.settle(key(3), 1).unwrap();
    assert_eq!(known(&lane), [0, 1, 3]);
    lane.succeed(key(1)).unwrap();
    assert_eq!(known(&lane), [1, 3]);
    lane.check_invariants();
}

/// A15
#[test]
fn a15_what_is_retried_or_forgotten_takes_no_place_among_the_kept() {
    for bring_back in [Lane::retry, Lane::readmit] {
        let mut lane = lane(8, 8);
        lane.set_retention(Some(2));
        run(&mut lane, 0);
        push(&mut lane, 1);
        lane.start(key(1), 0).unwrap();
        lane.fail(key(1), "boom").unwrap();
        bring_back(&mut lane, key(1)).unwrap();
        run(&mut lane, 2);
        assert_eq!(known(&lane), [0, 1, 2]);
        assert!(lane.forget(key(0)));
        run(&mut lane, 3);
        assert_eq!(known(&lane), [1, 2, 3]);
        lane.check_invariants();
    }
}

/// A15
#[test]
fn a15_a_retention_set_late_forgets_by_place() {
    let mut lane = lane(8, 8);
    for index in [4, 1, 3, 0] {
        run(&mut lane, index);
    }
    lane.set_retention(Some(3));
    assert_eq!(known(&lane), [0, 1, 3]);
    lane.set_retention(Some(1));
    assert_eq!(known(&lane), [0]);
    lane.set_retention(None);
    run(&mut lane, 1);
    run(&mut lane, 2);
    assert_eq!(known(&lane), [0, 1, 2]);
    lane.set_retention(Some(0));
    assert_eq!(known(&lane), []);
    run(&mut lane, 5);
    assert_eq!(known(&lane), []);
    lane.check_invariants();
}

const MILLION: u32 = 1_000_000;

/// What a lane holds, ghosts included.
fn held(lane: &Lane) -> usize {
    lane.rows.capacity() + lane.order.iter().count() + lane.names.len() + lane.deadlines.len()
}

/// A15
#[test]
fn a15_a_million_tasks_over_reused_keys_take_no_more_memory_than_the_first() {
    let mut lane = lane(4, 4);
    let mut most = 0;
    for round in 0..MILLION / 4 {
        for index in 0..4 {
            push(&mut lane, index);
        }
        // Out of order, and one is cancelled, so that ghosts arise.
        for index in [2, 0, 3] {
            lane.start(key(index), 0).unwrap();
        }
        let _removed = lane.cancel(key(1), "", 0).unwrap();
        for index in [3, 2, 0] {
            lane.succeed(key(index)).unwrap();
        }
        for index in 0..4 {
            assert!(lane.forget(key(index)));
        }
        if round < 100 {
            most = most.max(held(&lane));
        } else {
            assert!(held(&lane) <= most, "round {round}");
        }
    }
    lane.check_invariants();
}

/// A15: a task that waits for ever must not keep all the ghosts behind it.
#[test]
fn a15_ghosts_are_swept_behind_a_task_that_waits() {
    let mut lane = lane(1, 8);
    push(&mut lane, 0);
    lane.set_retention(Some(3));
    for task in 0..100_000_u32 {
        run(&mut lane, 1 + task % 4);
        assert!(lane.order.iter().count() < 64, "after {task} tasks");
    }
    let retained = lane.retention.as_ref().unwrap();
    assert_eq!(retained.ended.len(), 3);
    assert!(retained.ended.iter().count() < 64);
    assert_eq!(lane.queued().collect::<Vec<_>>(), keys(&[0]));
    lane.check_invariants();
}
