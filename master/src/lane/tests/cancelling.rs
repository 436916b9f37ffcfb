//! Cancelling: the ladder, its exact milliseconds, and the place that is free only at settlement.

use super::{Stage, key, keys, lane, push, refused};
use crate::lane::{CancelEffect, Due, Lane, LaneError, Overdue, TaskState};

/// Task and rung of each that is due.
fn due(lane: &mut Lane, now_ms: u64) -> Vec<(u32, Due)> {
    let due = lane.overdue(now_ms);
    lane.check_invariants();
    due.into_iter()
        .map(|Overdue { key, what, .. }| (u32::try_from(key.index()).unwrap(), what))
        .collect()
}

/// A lane whose tasks 0 to `tasks` are in flight.
fn busy(tasks: u32) -> Lane {
    let mut lane = lane(8, 8);
    for index in 0..tasks {
        push(&mut lane, index);
    }
    lane.start_available(0);
    lane
}

/// Cancels a task that is in flight.
fn cancel(lane: &mut Lane, index: u32, now_ms: u64, budget_ms: u64) {
    let stop = CancelEffect::StopWorker {
        seq: lane.seq(key(index)).unwrap(),
        deadline_ms: now_ms.saturating_add(budget_ms),
    };
    let effect = lane.cancel_within(key(index), "user", now_ms, budget_ms);
    assert_eq!(effect, Ok(stop));
}

/// A7
#[test]
fn a7_a_cancelled_waiting_task_is_gone_from_the_order_and_occupies_nothing() {
    let mut lane = lane(1, 8);
    for index in 0..4 {
        push(&mut lane, index);
    }
    lane.start(key(0), 0).unwrap();
    let before = lane.counts();
    for index in [2, 1] {
        let effect = lane.cancel(key(index), "user", 5);
        assert_eq!(effect, Ok(CancelEffect::RemovedFromQueue));
        lane.check_invariants();
    }
    assert_eq!(lane.counts().queued, before.queued - 2);
    assert_eq!(lane.counts().occupied, before.occupied);
    assert!(lane.is_settled(key(1)));
    assert_eq!(lane.next_deadline(), None);
    lane.succeed(key(0)).unwrap();
    assert_eq!(lane.start_available(6), keys(&[3]));
}

/// A8
#[test]
fn a8_a_cancelled_task_keeps_its_place_in_flight_until_it_is_settled() {
    let mut lane = lane(2, 8);
    for index in 0..4 {
        push(&mut lane, index);
    }
    assert_eq!(lane.start_available(0), keys(&[0, 1]));
    let seq = lane.seq(key(0)).unwrap();
    let effect = lane.cancel(key(0), "user", 100).unwrap();
    let stop = CancelEffect::StopWorker {
        seq,
        deadline_ms: 600,
    };
    assert_eq!(effect, stop);
    assert_eq!(
        lane.state(key(0)),
        Some(TaskState::Cancelled {
            seq,
            reason: "user"
        })
    );
    assert_eq!((lane.counts().in_flight, lane.counts().occupied), (1, 2));
    assert_eq!(lane.start_available(101), []);
    assert!(!lane.is_settled(key(0)) && !lane.forget(key(0)));

    lane.settle(key(0), 1).unwrap();
    assert_eq!((lane.counts().in_flight, lane.counts().occupied), (1, 1));
    assert_eq!(lane.start_available(102), keys(&[2]));
    assert!(lane.is_settled(key(0)));
    assert_eq!(
        lane.state(key(0)),
        Some(TaskState::Cancelled {
            seq,
            reason: "user"
        })
    );
    lane.check_invariants();
}

/// A9
#[test]
fn a9_each_rung_is_told_once_and_at_its_exact_millisecond() {
    let mut lane = busy(1);
    cancel(&mut lane, 0, 100, 50);
    assert_eq!(lane.next_deadline(), Some(125));
    assert_eq!(due(&mut lane, 124), []);
    let seq = lane.seq(key(0)).unwrap();
    let expected = Overdue {
        key: key(0),
        seq,
        attempt: 1,
        what: Due::Terminate,
    };
    assert_eq!(lane.overdue(125), [expected]);
    assert_eq!(due(&mut lane, 125), []);
    assert_eq!(lane.next_deadline(), Some(150));
    assert_eq!(due(&mut lane, 149), []);
    assert_eq!(due(&mut lane, 150), [(0, Due::Kill)]);
    assert_eq!(due(&mut lane, 10_000), []);
    assert_eq!(lane.next_deadline(), None);
    assert_eq!(
        lane.counts().occupied,
        1,
        "a kill asked for is not yet a free worker"
    );
    lane.settle(key(0), 1).unwrap();
}

/// A9
#[test]
fn a9_nothing_is_due_after_settlement() {
    for settle_at in [110, 125, 130] {
        let mut lane = busy(1);
        cancel(&mut lane, 0, 100, 50);
        due(&mut lane, settle_at);
        lane.settle(key(0), 1).unwrap();
        assert_eq!(lane.next_deadline(), None);
        assert_eq!(due(&mut lane, 10_000), []);
    }
}

/// A9
#[test]
fn a9_without_a_budget_the_kill_is_due_at_once_and_alone() {
    let mut lane = busy(1);
    cancel(&mut lane, 0, 100, 0);
    assert_eq!(lane.next_deadline(), Some(100));
    assert_eq!(due(&mut lane, 100), [(0, Due::Kill)]);
}

/// A9
#[test]
fn a9_a_late_call_tells_the_kill_alone_and_the_earliest_first() {
    let mut lane = busy(3);
    cancel(&mut lane, 0, 0, 100);
    cancel(&mut lane, 1, 0, 90);
    cancel(&mut lane, 2, 0, 400);
    assert_eq!(
        due(&mut lane, 300),
        [(1, Due::Kill), (0, Due::Kill), (2, Due::Terminate)]
    );
}

/// A9
#[test]
fn a9_a_budget_without_end_is_never_due() {
    let mut lane = busy(1);
    cancel(&mut lane, 0, 100, u64::MAX);
    assert_eq!(due(&mut lane, u64::MAX / 2), []);
    assert_eq!(lane.hasten(key(0), 0, 200), Ok(200));
    assert_eq!(due(&mut lane, 200), [(0, Due::Kill)]);
}

/// A9: a second Ctrl-C.
#[test]
fn a9_hastening_brings_the_rungs_forward_and_never_back() {
    let mut lane = busy(1);
    cancel(&mut lane, 0, 0, 1_000);
    assert_eq!(lane.hasten(key(0), 10_000, 10), Ok(1_000));
    assert_eq!(lane.next_deadline(), Some(500));
    assert_eq!(lane.hasten(key(0), 100, 200), Ok(300));
    assert_eq!(due(&mut lane, 249), []);
    assert_eq!(due(&mut lane, 250), [(0, Due::Terminate)]);
    assert_eq!(lane.hasten(key(0), 20, 260), Ok(280));
    assert_eq!(
        lane.next_deadline(),
        Some(280),
        "a termination told is not told again"
    );
    assert_eq!(due(&mut lane, 280), [(0, Due::Kill)]);
    assert_eq!(lane.hasten(key(0), 0, 281), Ok(280));
    assert_eq!(due(&mut lane, 10_000), []);
}

/// A10
#[test]
fn a10_an_answer_after_the_cancel_is_void_and_then_settles() {
    let mut lane = busy(1);
    cancel(&mut lane, 0, 0, 100);
    let void = LaneError::InvalidTransition {
        key: key(0),
        state: "cancelled",
        action: "succeed",
    };
    assert_eq!(refused(&mut lane, |lane| lane.succeed(key(0))), void);
    lane.settle(key(0), 1).unwrap();
    assert_eq!(lane.counts().occupied, 0);
}

/// A10
#[test]
fn a10_an_answer_before_the_cancel_wins() {
    let mut lane = Stage::Succeeded.lane();
    let late = LaneError::InvalidTransition {
        key: key(0),
        state: "succeeded",
        action: "cancel",
    };
    assert_eq!(
        refused(&mut lane, |lane| lane.cancel(key(0), "user", 0)),
        late
    );
}

/// A10: the fence. A settlement of an earlier attempt must not free the place of the present one.
#[test]
fn a10_a_settlement_of_another_attempt_is_stale() {
    let mut lane = busy(1);
    lane.requeue(key(0)).unwrap();
    lane.start(key(0), 5).unwrap();
    cancel(&mut lane, 0, 10, 100);
    for attempt in [0, 1, 3] {
        let stale = LaneError::StaleAttempt {
            key: key(0),
            attempt,
            current: 2,
        };
        assert_eq!(
            refused(&mut lane, |lane| lane.settle(key(0), attempt)),
            stale
        );
    }
    assert_eq!(lane.overdue(110).first().map(|due| due.attempt), Some(2));
    lane.settle(key(0), 2).unwrap();
    assert!(matches!(
        refused(&mut lane, |lane| lane.settle(key(0), 2)),
        LaneError::InvalidTransition {
            state: "cancelled",
            action: "settle",
            ..
        }
    ));
}

/// A8: a storm of cancels runs no more than the limit.
#[test]
fn a8_cancels_never_let_more_than_the_limit_occupy_workers() {
    let mut lane = lane(3, 64);
    for index in 0..60 {
        push(&mut lane, index);
    }
    for now in 0..20 {
        for started in lane.start_available(now) {
            let _stop = lane.cancel(started, "storm", now).unwrap();
        }
        assert_eq!(lane.counts().occupied, 3);
        assert_eq!(lane.counts().in_flight, 0);
        let oldest = u32::try_from(now).unwrap();
        lane.settle(key(oldest), 1).unwrap();
    }
    lane.check_invariants();
}
