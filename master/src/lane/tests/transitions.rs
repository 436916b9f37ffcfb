//! Starting, ending, retrying and requeueing, and every step that a state does not allow.

use super::{Stage, key, keys, lane, push, refused};
use crate::lane::{Counts, Entry, Gate, Lane, LaneError, Started, TaskState};
use core::num::NonZeroUsize;

/// A4
#[test]
fn a4_start_takes_the_oldest_up_to_the_limit_and_stamps_the_time() {
    let mut lane = lane(2, 8);
    for index in [3, 0, 2, 1] {
        push(&mut lane, index);
    }
    assert_eq!(lane.start_available(100), keys(&[3, 0]));
    assert_eq!(lane.start_available(101), []);
    let seq = lane.seq(key(3)).unwrap();
    let expected = TaskState::InFlight {
        seq,
        started_ms: 100,
    };
    assert_eq!(lane.state(key(3)), Some(expected));
    assert_eq!(seq.get(), 1);
    assert_eq!(lane.queued().collect::<Vec<_>>(), keys(&[2, 1]));
    lane.check_invariants();
}

/// A4
#[test]
fn a4_a_start_by_key_passes_the_same_gate() {
    let mut lane = lane(1, 8);
    let (first, second) = (push(&mut lane, 0), push(&mut lane, 1));
    let started = lane.start(key(1), 7).unwrap();
    assert_eq!(
        started,
        Started {
            seq: second,
            attempt: 1
        }
    );
    let no_room = LaneError::NoRoom {
        key: key(0),
        max_in_flight: 1,
    };
    assert_eq!(refused(&mut lane, |lane| lane.start(key(0), 8)), no_room);
    assert_eq!(lane.seq(key(0)), Some(first));
    lane.succeed(key(1)).unwrap();
    assert_eq!(
        lane.start_next(9),
        Some((
            key(0),
            Started {
                seq: first,
                attempt: 1
            }
        ))
    );
}

/// A4
#[test]
fn a4_a_lowered_limit_holds_for_the_next_start() {
    let mut lane = lane(3, 8);
    for index in 0..5 {
        push(&mut lane, index);
    }
    assert_eq!(lane.start_available(0), keys(&[0, 1, 2]));
    lane.set_max_in_flight(NonZeroUsize::new(1).unwrap());
    for index in 0..2 {
        lane.succeed(key(index)).unwrap();
        assert_eq!(lane.start_available(1), []);
    }
    lane.succeed(key(2)).unwrap();
    assert_eq!(lane.start_available(2), keys(&[3]));
    assert_eq!(lane.boundary().max_in_flight.get(), 1);
}

/// A5
#[test]
fn a5_an_end_frees_the_place_for_the_next() {
    let mut lane = lane(1, 8);
    for index in 0..3 {
        push(&mut lane, index);
    }
    assert_eq!(lane.start_available(0), keys(&[0]));
    lane.succeed(key(0)).unwrap();
    assert_eq!(lane.start_available(1), keys(&[1]));
    lane.fail(key(1), "boom").unwrap();
    assert_eq!(lane.start_available(2), keys(&[2]));
    let seq = lane.seq(key(1)).unwrap();
    assert_eq!(
        lane.state(key(1)),
        Some(TaskState::Failed {
            seq,
            reason: "boom"
        })
    );
    let expected = Counts {
        queued: 0,
        in_flight: 1,
        occupied: 1,
        terminal: 2,
    };
    assert_eq!(lane.counts(), expected);
}

type Act = fn(&mut Lane) -> Result<(), LaneError>;

/// Every action on task 0, and the stages that allow it.
const ACTIONS: [(&str, Act, &[Stage]); 9] = [
    (
        "start",
        |lane| lane.start(key(0), 20).map(drop),
        &[Stage::Queued],
    ),
    ("succeed", |lane| lane.succeed(key(0)), &[Stage::InFlight]),
    ("fail", |lane| lane.fail(key(0), "no"), &[Stage::InFlight]),
    (
        "cancel",
        |lane| lane.cancel(key(0), "no", 20).map(drop),
        &[Stage::Queued, Stage::InFlight],
    ),
    (
        "hasten",
        |lane| lane.hasten(key(0), 1, 20).map(drop),
        &[Stage::Stopping],
    ),
    (
        "settle",
        |lane| lane.settle(key(0), lane.attempt(key(0)).unwrap_or(1)),
        &[Stage::Stopping],
    ),
    (
        "retry",
        |lane| lane.retry(key(0)).map(drop),
        &[Stage::Failed, Stage::Settled],
    ),
    (
        "retry",
        |lane| lane.readmit(key(0)).map(drop),
        &[Stage::Failed, Stage::Settled],
    ),
    ("requeue", |lane| lane.requeue(key(0)), &[Stage::InFlight]),
];

/// A6
#[test]
fn a6_each_action_is_allowed_in_its_states_and_refused_with_both_labels_in_all_others() {
    for (action, act, allowed) in ACTIONS {
        for stage in Stage::ALL {
            let mut lane = stage.lane();
            if allowed.contains(&stage) {
                let before = lane.signature();
                act(&mut lane).unwrap();
                assert_ne!(
                    lane.signature(),
                    before,
                    "{action} in {stage:?} did nothing"
                );
                lane.check_invariants();
                continue;
            }
            let error = refused(&mut lane, act);
            let invalid = LaneError::InvalidTransition {
                key: key(0),
                state: stage.label(),
                action,
            };
            assert_eq!(error, invalid);
            let text = error.to_string();
            assert!(
                text.contains(stage.label()) && text.contains(action),
                "{text}"
            );
        }
    }
}

/// A6
#[test]
fn a6_an_unknown_key_is_told_as_such_by_every_action() {
    let unknown = LaneError::UnknownTask { key: key(0) };
    let mut forgotten = Stage::Succeeded.lane();
    assert!(forgotten.forget(key(0)));
    for mut lane in [lane(1, 1), forgotten] {
        for (_, act, _) in ACTIONS {
            assert_eq!(refused(&mut lane, act), unknown);
        }
        assert_eq!(
            refused(&mut lane, |lane| lane.set_name(key(0), "x")),
            unknown
        );
        assert_eq!(
            (lane.state(key(0)), lane.seq(key(0)), lane.attempt(key(0))),
            (None, None, None)
        );
        assert!(!lane.forget(key(0)) && !lane.is_settled(key(0)));
    }
}

/// A6
#[test]
fn a6_the_state_is_told_before_the_gate() {
    let mut lane = Stage::Succeeded.lane();
    lane.set_gate(Gate::Closed);
    for (action, act, _) in ACTIONS {
        let error = refused(&mut lane, act);
        assert!(
            matches!(error, LaneError::InvalidTransition { .. }),
            "{action}: {error}"
        );
    }
}

/// A11
#[test]
fn a11_a_retry_goes_to_the_tail_with_a_new_place_and_the_next_attempt() {
    for stage in [Stage::Failed, Stage::Settled] {
        let mut lane = stage.lane();
        let old = lane.seq(key(0)).unwrap();
        push(&mut lane, 1);
        let mut readmitting = stage.lane();
        push(&mut readmitting, 1);
        let new = lane.retry(key(0)).unwrap();
        assert!(new > lane.seq(key(1)).unwrap() && new > old);
        assert_eq!(lane.state(key(0)), Some(TaskState::Queued { seq: new }));
        // With room, readmitting it is the same.
        assert_eq!(readmitting.readmit(key(0)), Ok(new));
        assert_eq!(readmitting.signature(), lane.signature());
        assert_eq!(lane.start_available(30), keys(&[1, 0]));
        assert_eq!(lane.attempt(key(0)), Some(2));
        assert_eq!(lane.attempt(key(1)), Some(1));
        lane.check_invariants();
    }
}

/// A11
#[test]
fn a11_a_retry_into_a_full_queue_is_refused_and_the_task_stays_failed() {
    let mut lane = lane(1, 1);
    push(&mut lane, 0);
    lane.start(key(0), 0).unwrap();
    lane.fail(key(0), "boom").unwrap();
    push(&mut lane, 1);
    let saturated = LaneError::QueueSaturated {
        key: key(0),
        queued: 1,
        max_queued: 1,
    };
    assert_eq!(refused(&mut lane, |lane| lane.retry(key(0))), saturated);
    assert_eq!(lane.state(key(0)).unwrap().label(), "failed");
    lane.start(key(1), 1).unwrap();
    lane.retry(key(0)).unwrap();
}

/// A12
#[test]
fn a12_a_requeued_task_keeps_its_place_before_younger_ones() {
    let mut lane = lane(2, 2);
    let first = push(&mut lane, 0);
    push(&mut lane, 1);
    assert_eq!(lane.start_available(0), keys(&[0, 1]));
    push(&mut lane, 2);
    push(&mut lane, 3);
    // The queue is full; both come back all the same, the younger one first.
    lane.requeue(key(1)).unwrap();
    lane.requeue(key(0)).unwrap();
    assert_eq!(lane.seq(key(0)), Some(first));
    assert_eq!(lane.counts().queued, 4);
    assert_eq!(lane.queued().collect::<Vec<_>>(), keys(&[0, 1, 2, 3]));
    assert_eq!(lane.start_available(5), keys(&[0, 1]));
    assert_eq!(lane.attempt(key(0)), Some(2));
    lane.check_invariants();
}

/// A12
#[test]
fn a12_a_task_started_out_of_order_comes_back_once_to_its_old_place() {
    let mut lane = lane(8, 8);
    for index in 0..4 {
        push(&mut lane, index);
    }
    for _ in 0..3 {
        lane.start(key(2), 1).unwrap();
        lane.start(key(1), 1).unwrap();
        assert_eq!(lane.queued().collect::<Vec<_>>(), keys(&[0, 3]));
        lane.requeue(key(1)).unwrap();
        lane.requeue(key(2)).unwrap();
        lane.check_invariants();
    }
    assert_eq!(lane.start_available(2), keys(&[0, 1, 2, 3]));
    assert_eq!(lane.counts().queued, 0);
}

/// A12
#[test]
fn a12_an_injected_task_stays_injected_until_it_is_retried() {
    let mut lane = lane(1, 1);
    push(&mut lane, 0);
    lane.enqueue(key(1), Entry::Inject).unwrap();
    lane.start(key(1), 0).unwrap();
    lane.requeue(key(1)).unwrap();
    assert!(
        lane.signature().contains("1:queued#2*1+"),
        "{}",
        lane.signature()
    );
    lane.start(key(1), 0).unwrap();
    lane.fail(key(1), "no").unwrap();
    lane.start(key(0), 0).unwrap();
    lane.retry(key(1)).unwrap();
    assert!(
        lane.signature().ends_with("1:queued#3*2"),
        "{}",
        lane.signature()
    );
}
