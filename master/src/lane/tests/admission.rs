//! Who gets into the queue: boundary, saturation, duplicates, modes, gates, injection, demand.

use super::{Stage, key, keys, lane, lane_of, push, refused};
use crate::lane::{
    AdapterMode, Boundary, BoundaryError, Counts, Entry, Gate, KEY_LIMIT, Key, Lane, LaneError,
};
use core::num::NonZeroUsize;

/// A1
#[test]
fn a1_a_boundary_needs_one_in_flight() {
    let refusal = Boundary::new(AdapterMode::PushPull, 0, 4, 100).unwrap_err();
    assert_eq!(refusal, BoundaryError::NothingInFlight);
    assert!(refusal.to_string().contains("max_in_flight"), "{refusal}");
    assert!(Boundary::new(AdapterMode::PushOnly, 1, 0, 0).is_ok());
}

/// A1
#[test]
fn a1_the_default_for_workers_queues_their_square_within_bounds() {
    for (workers, queued) in [
        (1, 16),
        (4, 16),
        (5, 25),
        (32, 1_024),
        (1_000, 1_024),
        (usize::MAX, 1_024),
    ] {
        let boundary = Boundary::for_workers(NonZeroUsize::new(workers).unwrap());
        let expected = Boundary::new(AdapterMode::PushPull, workers, queued, 3_000).unwrap();
        assert_eq!(boundary, expected);
    }
}

/// A1
#[test]
fn a1_without_a_queue_a_task_is_handed_off_only() {
    let mut lane = lane(1, 0);
    assert_eq!((lane.room(), lane.demand()), (1, 1));
    push(&mut lane, 0);
    assert_eq!((lane.room(), lane.demand()), (0, 0));
    let saturated = LaneError::QueueSaturated {
        key: key(1),
        queued: 1,
        max_queued: 0,
    };
    assert_eq!(
        refused(&mut lane, |lane| lane.enqueue(key(1), Entry::Push)),
        saturated
    );

    lane.start(key(0), 0).unwrap();
    let no_place = refused(&mut lane, |lane| lane.enqueue(key(1), Entry::Push));
    assert!(matches!(
        no_place,
        LaneError::QueueSaturated { queued: 0, .. }
    ));

    lane.succeed(key(0)).unwrap();
    push(&mut lane, 1);
}

/// A2
#[test]
fn a2_a_full_queue_refuses_and_says_its_limit() {
    let mut lane = lane(2, 3);
    for (nth, index) in (0..3).enumerate() {
        assert_eq!(push(&mut lane, index).get(), nth as u64 + 1);
    }
    let error = refused(&mut lane, |lane| lane.enqueue(key(3), Entry::Push));
    let saturated = LaneError::QueueSaturated {
        key: key(3),
        queued: 3,
        max_queued: 3,
    };
    assert_eq!(error, saturated);
    assert!(
        error.to_string().contains("3 tasks wait and 3 may"),
        "{error}"
    );
    lane.start(key(0), 0).unwrap();
    push(&mut lane, 3);
}

/// A3
#[test]
fn a3_a_key_in_use_is_a_duplicate_in_every_state() {
    for stage in Stage::ALL {
        let mut lane = stage.lane();
        for entry in [Entry::Push, Entry::Pull, Entry::Inject] {
            let error = refused(&mut lane, |lane| lane.enqueue(key(0), entry));
            assert_eq!(
                error,
                LaneError::DuplicateTask { key: key(0) },
                "{stage:?} {entry:?}"
            );
        }
    }
}

/// A3
#[test]
fn a3_a_duplicate_is_told_before_gate_mode_and_saturation() {
    let mut lane = lane_of(AdapterMode::PullOnly, 1, 1);
    lane.enqueue(key(0), Entry::Pull).unwrap();
    let refuse =
        |lane: &mut Lane, index, entry| refused(lane, |lane| lane.enqueue(key(index), entry));

    assert!(matches!(
        refuse(&mut lane, 1, Entry::Pull),
        LaneError::QueueSaturated { .. }
    ));
    assert!(matches!(
        refuse(&mut lane, 1, Entry::Push),
        LaneError::ModeForbids { .. }
    ));
    lane.set_gate(Gate::Closed);
    assert!(matches!(
        refuse(&mut lane, 1, Entry::Push),
        LaneError::NotAdmitting { .. }
    ));
    assert!(matches!(
        refuse(&mut lane, 0, Entry::Push),
        LaneError::DuplicateTask { .. }
    ));
}

/// A13
#[test]
fn a13_modes_decide_who_may_bring_tasks() {
    let cases = [
        (AdapterMode::PushPull, true, true),
        (AdapterMode::PushOnly, true, false),
        (AdapterMode::PullOnly, false, true),
    ];
    for (mode, pushes, pulls) in cases {
        let mut lane = lane_of(mode, 1, 8);
        for (index, entry, allowed) in [
            (0, Entry::Push, pushes),
            (1, Entry::Pull, pulls),
            (2, Entry::Inject, true),
        ] {
            if allowed {
                lane.enqueue(key(index), entry).unwrap();
            } else {
                let error = refused(&mut lane, |lane| lane.enqueue(key(index), entry));
                let forbidden = LaneError::ModeForbids {
                    key: key(index),
                    mode,
                    action: entry,
                };
                assert_eq!(error, forbidden);
                assert!(error.to_string().contains(mode.label()), "{error}");
            }
        }
    }
}

/// A13
#[test]
fn a13_demand_is_nothing_in_push_only_and_unless_running() {
    assert_eq!(lane_of(AdapterMode::PushOnly, 1, 8).demand(), 0);
    for mode in [AdapterMode::PushPull, AdapterMode::PullOnly] {
        let mut lane = lane_of(mode, 1, 8);
        assert_eq!(lane.demand(), 8);
        for gate in [Gate::Paused, Gate::Draining, Gate::Closed] {
            lane.set_gate(gate);
            assert_eq!(lane.demand(), 0, "{gate:?}");
            assert_eq!(lane.room(), 8, "room is told whatever the gate");
        }
        lane.set_gate(Gate::Running);
        assert_eq!(lane.demand(), 8);
    }
}

/// A13
#[test]
fn a13_demand_waits_for_half_of_the_queue_and_then_asks_for_all() {
    for (max_queued, demands) in [
        (4, [4, 3, 2, 0, 0]),
        (3, [3, 2, 0, 0, 0]),
        (1, [1, 0, 0, 0, 0]),
    ] {
        let mut lane = lane(1, max_queued);
        for (queued, demand) in (0..=max_queued).zip(demands) {
            assert_eq!(lane.counts().queued, queued);
            assert_eq!(lane.room(), max_queued - queued);
            assert_eq!(lane.demand(), demand, "{queued} of {max_queued} queued");
            if queued < max_queued {
                lane.enqueue(key(u32::try_from(queued).unwrap()), Entry::Pull)
                    .unwrap();
            }
        }
    }
}

/// A14
#[test]
fn a14_a_paused_lane_admits_and_starts_nothing() {
    let mut lane = lane(2, 4);
    push(&mut lane, 0);
    lane.set_gate(Gate::Paused);
    push(&mut lane, 1);
    assert_eq!(lane.start_available(5), []);
    assert_eq!(lane.start_next(5), None);
    let not_starting = LaneError::NotStarting {
        key: key(0),
        gate: Gate::Paused,
    };
    assert_eq!(
        refused(&mut lane, |lane| lane.start(key(0), 5)),
        not_starting
    );
    lane.set_gate(Gate::Running);
    assert_eq!(lane.start_available(6), keys(&[0, 1]));
}

/// A14
#[test]
fn a14_a_draining_lane_starts_what_waits_and_takes_only_follow_ups() {
    let mut lane = lane(1, 4);
    push(&mut lane, 0);
    push(&mut lane, 1);
    lane.set_gate(Gate::Draining);
    for entry in [Entry::Push, Entry::Pull] {
        let error = refused(&mut lane, |lane| lane.enqueue(key(2), entry));
        let not_admitting = LaneError::NotAdmitting {
            key: key(2),
            gate: Gate::Draining,
        };
        assert_eq!(error, not_admitting);
    }
    lane.enqueue(key(3), Entry::Inject).unwrap();
    for index in [0, 1, 3] {
        assert_eq!(lane.start_available(5), keys(&[index]));
        lane.succeed(key(index)).unwrap();
    }
}

/// A14
#[test]
fn a14_a_closed_lane_takes_and_starts_nothing_but_lets_work_end() {
    let mut lane = lane(4, 8);
    for index in 0..6 {
        push(&mut lane, index);
    }
    assert_eq!(lane.start_available(0), keys(&[0, 1, 2, 3]));
    lane.set_gate(Gate::Closed);
    let not_admitting = |key: Key| LaneError::NotAdmitting {
        key,
        gate: Gate::Closed,
    };
    for entry in [Entry::Push, Entry::Pull, Entry::Inject] {
        let error = refused(&mut lane, |lane| lane.enqueue(key(9), entry));
        assert_eq!(error, not_admitting(key(9)));
    }
    lane.succeed(key(0)).unwrap();
    lane.fail(key(1), "boom").unwrap();
    for bring_back in [Lane::retry, Lane::readmit] {
        let error = refused(&mut lane, |lane| bring_back(lane, key(1)));
        assert_eq!(error, not_admitting(key(1)));
    }
    let _stop = lane.cancel(key(2), "closing", 1).unwrap();
    lane.settle(key(2), 1).unwrap();
    lane.requeue(key(3)).unwrap();
    assert_eq!(lane.start_available(2), []);
    for index in 3..6 {
        let _removed = lane.cancel(key(index), "closing", 2).unwrap();
    }
    assert_eq!(lane.counts().terminal, 6);
    assert_eq!(lane.counts().occupied, 0);
    lane.check_invariants();
}

/// Part of A13: injected tasks exceed the queue by their own limit, which requeued tasks do not use up.
#[test]
fn injection_has_its_own_limit_beyond_the_queue() {
    let mut lane = lane(2, 2);
    assert_eq!(lane.injection_limit(), 2);
    push(&mut lane, 0);
    push(&mut lane, 1);
    for index in [2, 3] {
        lane.enqueue(key(index), Entry::Inject).unwrap();
    }
    let refusal = LaneError::InjectionRefused {
        key: key(4),
        limit: 2,
    };
    assert_eq!(
        refused(&mut lane, |lane| lane.enqueue(key(4), Entry::Inject)),
        refusal
    );

    assert_eq!(lane.start_available(0), keys(&[0, 1]));
    assert_eq!(lane.counts().queued, 2);
    lane.requeue(key(0)).unwrap();
    lane.requeue(key(1)).unwrap();
    assert_eq!(lane.counts().queued, 4);
    assert!(matches!(
        refused(&mut lane, |lane| lane.enqueue(key(4), Entry::Inject)),
        LaneError::InjectionRefused { .. }
    ));
    assert_eq!(lane.start_available(1), keys(&[0, 1]));
    // Two injected tasks fill the queue, none stands beyond it.
    lane.enqueue(key(4), Entry::Inject).unwrap();
    lane.set_injection_limit(1);
    assert!(matches!(
        refused(&mut lane, |lane| lane.enqueue(key(5), Entry::Inject)),
        LaneError::InjectionRefused { limit: 1, .. }
    ));
    lane.check_invariants();
}

#[test]
fn requeued_tasks_do_not_count_as_injected() {
    let mut lane = lane(3, 1);
    for index in 0..3 {
        push(&mut lane, index);
        lane.start(key(index), 0).unwrap();
    }
    for index in 0..3 {
        lane.requeue(key(index)).unwrap();
    }
    assert_eq!(lane.counts().queued, 3);
    lane.enqueue(key(3), Entry::Inject).unwrap();
    assert!(matches!(
        refused(&mut lane, |lane| lane.enqueue(key(4), Entry::Inject)),
        LaneError::InjectionRefused { .. }
    ));
}

/// A lane with a queue of one whose tasks 0 and 1 have failed; 2 waits and fills the queue.
fn two_failed() -> Lane {
    let mut lane = lane(2, 1);
    for index in 0..2 {
        push(&mut lane, index);
        lane.start(key(index), 0).unwrap();
        lane.fail(key(index), "boom").unwrap();
    }
    push(&mut lane, 2);
    lane
}

/// Tasks that wait for the end of the readmitted ones may be what fills the queue.
#[test]
fn a_full_queue_keeps_no_readmitted_task_out_and_everybody_else() {
    let mut lane = two_failed();
    let youngest = lane.seq(key(2)).unwrap();
    let seqs = [lane.readmit(key(1)).unwrap(), lane.readmit(key(0)).unwrap()];
    assert!(youngest < seqs[0] && seqs[0] < seqs[1]);
    let expected = Counts {
        queued: 3,
        in_flight: 0,
        occupied: 0,
        terminal: 0,
    };
    assert_eq!(lane.counts(), expected);
    assert_eq!((lane.room(), lane.demand()), (0, 0));
    lane.check_invariants();

    let saturated = LaneError::QueueSaturated {
        key: key(3),
        queued: 3,
        max_queued: 1,
    };
    assert_eq!(
        refused(&mut lane, |lane| lane.enqueue(key(3), Entry::Push)),
        saturated
    );
    assert_eq!(lane.start_available(5), keys(&[2, 1]));
    assert_eq!(lane.attempt(key(1)), Some(2));
    // What stood beyond the limit still fills the queue.
    assert_eq!(lane.room(), 0);
    lane.succeed(key(2)).unwrap();
    assert_eq!(lane.start_available(6), keys(&[0]));
    assert_eq!(lane.room(), 1);
    lane.check_invariants();
}

#[test]
fn a_lane_without_a_queue_readmits_although_no_place_is_free() {
    let mut lane = lane(1, 0);
    push(&mut lane, 0);
    lane.start(key(0), 0).unwrap();
    lane.fail(key(0), "boom").unwrap();
    push(&mut lane, 1);
    lane.start(key(1), 1).unwrap();
    assert!(matches!(
        refused(&mut lane, |lane| lane.retry(key(0))),
        LaneError::QueueSaturated { .. }
    ));
    lane.readmit(key(0)).unwrap();
    assert_eq!(lane.start_available(2), []);
    lane.succeed(key(1)).unwrap();
    assert_eq!(lane.start_available(3), keys(&[0]));
}

#[test]
fn a_lane_that_does_not_run_readmits_until_it_is_closed() {
    for gate in [Gate::Paused, Gate::Draining] {
        let mut lane = two_failed();
        lane.set_gate(gate);
        lane.readmit(key(0)).unwrap();
        assert_eq!(lane.queued().collect::<Vec<_>>(), keys(&[2, 0]), "{gate:?}");
    }
    let mut lane = two_failed();
    lane.set_gate(Gate::Closed);
    let not_admitting = LaneError::NotAdmitting {
        key: key(0),
        gate: Gate::Closed,
    };
    assert_eq!(
        refused(&mut lane, |lane| lane.readmit(key(0))),
        not_admitting
    );
    assert_eq!(lane.state(key(0)).unwrap().label(), "failed");
}

#[test]
fn readmitted_tasks_do_not_count_as_injected() {
    let mut lane = two_failed();
    lane.set_injection_limit(1);
    lane.enqueue(key(3), Entry::Inject).unwrap();
    assert_eq!(lane.start_available(0), keys(&[2, 3]));
    lane.fail(key(3), "boom").unwrap();
    // An injected one no longer is when it comes back.
    for index in [0, 1, 3] {
        lane.readmit(key(index)).unwrap();
    }
    lane.enqueue(key(4), Entry::Inject).unwrap();
    assert!(matches!(
        refused(&mut lane, |lane| lane.enqueue(key(5), Entry::Inject)),
        LaneError::InjectionRefused { limit: 1, .. }
    ));
    lane.check_invariants();
}

#[test]
fn a_key_beyond_the_limit_is_refused_and_costs_no_rows() {
    let mut lane = lane(1, 1);
    for index in [KEY_LIMIT, u32::MAX] {
        let error = refused(&mut lane, |lane| lane.enqueue(key(index), Entry::Push));
        let too_large = LaneError::KeyTooLarge {
            key: key(index),
            limit: KEY_LIMIT,
        };
        assert_eq!(error, too_large);
    }
    assert_eq!(lane.rows.len(), 0);
}
