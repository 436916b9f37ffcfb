//! A16: whatever is asked of a lane in whatever order, it answers as the naive one does.

use super::naive::Naive;
use crate::lane::{
    AdapterMode, Boundary, CancelEffect, Entry, Gate, Key, Lane, LaneError, Overdue, Seq, Started,
};
use core::num::NonZeroUsize;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const CASES: u32 = 10_000;

/// So few keys that most steps meet a task.
const KEYS: u32 = 6;

/// The longest sequence, so that all cases together take seconds in a debug build.
const STEPS: usize = 64;

#[derive(Clone, Debug)]
enum Step {
    Enqueue(Key, Entry),
    Start(Key),
    StartAvailable,
    Succeed(Key),
    Fail(Key),
    Cancel(Key, u64),
    Hasten(Key, u64),
    /// With the present attempt, or the one after it.
    Settle(Key, bool),
    Retry(Key),
    Readmit(Key),
    Requeue(Key),
    Forget(Key),
    Overdue,
    Wait(u64),
    SetGate(Gate),
    SetMaxInFlight(NonZeroUsize),
    SetInjectionLimit(usize),
    SetRetention(Option<usize>),
}

/// What any step answers.
#[derive(Debug, PartialEq)]
enum Answer {
    Done,
    Seq(Seq),
    Started(Started),
    Keys(Vec<Key>),
    Effect(CancelEffect),
    Deadline(u64),
    Overdue(Vec<Overdue>),
    Forgotten(bool),
}

fn steps() -> impl Strategy<Value = Step> {
    let key = || (0..KEYS).prop_map(Key::new);
    let entry = select(vec![Entry::Push, Entry::Push, Entry::Pull, Entry::Inject]);
    let gate = select(vec![
        Gate::Running,
        Gate::Running,
        Gate::Paused,
        Gate::Draining,
        Gate::Closed,
    ]);
    let few = 0..4_usize;
    prop_oneof![
        12 => (key(), entry).prop_map(|(key, entry)| Step::Enqueue(key, entry)),
        4 => key().prop_map(Step::Start),
        6 => Just(Step::StartAvailable),
        5 => key().prop_map(Step::Succeed),
        4 => key().prop_map(Step::Fail),
        5 => (key(), 0..20_u64).prop_map(|(key, budget)| Step::Cancel(key, budget)),
        2 => (key(), 0..20_u64).prop_map(|(key, budget)| Step::Hasten(key, budget)),
        5 => (key(), proptest::bool::weighted(0.9)).prop_map(|(key, present)| Step::Settle(key, present)),
        4 => key().prop_map(Step::Retry),
        2 => key().prop_map(Step::Readmit),
        4 => key().prop_map(Step::Requeue),
        3 => key().prop_map(Step::Forget),
        3 => Just(Step::Overdue),
        3 => (0..12_u64).prop_map(Step::Wait),
        2 => gate.prop_map(Step::SetGate),
        1 => (1..4_usize).prop_map(|max| Step::SetMaxInFlight(NonZeroUsize::new(max).unwrap())),
        1 => few.clone().prop_map(Step::SetInjectionLimit),
        1 => option::of(few).prop_map(Step::SetRetention),
    ]
}

fn boundaries() -> impl Strategy<Value = Boundary> {
    let mode = select(vec![
        AdapterMode::PushPull,
        AdapterMode::PushOnly,
        AdapterMode::PullOnly,
    ]);
    (mode, 1..4_usize, 0..5_usize)
        .prop_map(|(mode, in_flight, queued)| Boundary::new(mode, in_flight, queued, 10).unwrap())
}

fn take(lane: &mut Lane, step: &Step, now: u64) -> Result<Answer, LaneError> {
    Ok(match *step {
        Step::Enqueue(key, entry) => Answer::Seq(lane.enqueue(key, entry)?),
        Step::Start(key) => Answer::Started(lane.start(key, now)?),
        Step::StartAvailable => Answer::Keys(lane.start_available(now)),
        Step::Succeed(key) => lane.succeed(key).map(|()| Answer::Done)?,
        Step::Fail(key) => lane.fail(key, "no").map(|()| Answer::Done)?,
        Step::Cancel(key, budget) => Answer::Effect(lane.cancel_within(key, "user", now, budget)?),
        Step::Hasten(key, budget) => Answer::Deadline(lane.hasten(key, budget, now)?),
        Step::Settle(key, present) => {
            let attempt = lane.attempt(key).unwrap_or(0) + u32::from(!present);
            lane.settle(key, attempt).map(|()| Answer::Done)?
        }
        Step::Retry(key) => Answer::Seq(lane.retry(key)?),
        Step::Readmit(key) => Answer::Seq(lane.readmit(key)?),
        Step::Requeue(key) => lane.requeue(key).map(|()| Answer::Done)?,
        Step::Forget(key) => Answer::Forgotten(lane.forget(key)),
        Step::Overdue => Answer::Overdue(lane.overdue(now)),
        Step::Wait(_) => Answer::Done,
        Step::SetGate(gate) => {
            lane.set_gate(gate);
            Answer::Done
        }
        Step::SetMaxInFlight(max) => {
            lane.set_max_in_flight(max);
            Answer::Done
        }
        Step::SetInjectionLimit(limit) => {
            lane.set_injection_limit(limit);
            Answer::Done
        }
        Step::SetRetention(limit) => {
            lane.set_retention(limit);
            Answer::Done
        }
    })
}

fn take_naively(naive: &mut Naive, step: &Step, now: u64) -> Result<Answer, LaneError> {
    Ok(match *step {
        Step::Enqueue(key, entry) => Answer::Seq(naive.enqueue(key, entry)?),
        Step::Start(key) => Answer::Started(naive.start(key, now)?),
        Step::StartAvailable => Answer::Keys(naive.start_available(now)),
        Step::Succeed(key) => naive.end(key, None).map(|()| Answer::Done)?,
        Step::Fail(key) => naive.end(key, Some("no")).map(|()| Answer::Done)?,
        Step::Cancel(key, budget) => Answer::Effect(naive.cancel(key, "user", now, budget)?),
        Step::Hasten(key, budget) => Answer::Deadline(naive.hasten(key, budget, now)?),
        Step::Settle(key, present) => {
            let attempt =
                naive.view(key).map_or(0, |(_, attempts, _)| attempts) + u32::from(!present);
            naive.settle(key, attempt).map(|()| Answer::Done)?
        }
        Step::Retry(key) => Answer::Seq(naive.retry(key, false)?),
        Step::Readmit(key) => Answer::Seq(naive.retry(key, true)?),
        Step::Requeue(key) => naive.requeue(key).map(|()| Answer::Done)?,
        Step::Forget(key) => Answer::Forgotten(naive.forget(key)),
        Step::Overdue => Answer::Overdue(naive.overdue(now)),
        Step::Wait(_) => Answer::Done,
        Step::SetGate(gate) => {
            naive.gate = gate;
            Answer::Done
        }
        Step::SetMaxInFlight(max) => {
            naive.set_max_in_flight(max);
            Answer::Done
        }
        Step::SetInjectionLimit(limit) => {
            naive.injection_limit = limit;
            Answer::Done
        }
        Step::SetRetention(limit) => {
            naive.set_retention(limit);
            Answer::Done
        }
    })
}

/// Asserts that both show the same.
fn compare(lane: &Lane, naive: &Naive) {
    assert_eq!(lane.counts(), naive.counts());
    assert_eq!(lane.queued().collect::<Vec<_>>(), naive.queued());
    assert_eq!((lane.room(), lane.demand()), (naive.room(), naive.demand()));
    assert_eq!(lane.next_deadline(), naive.next_deadline());
    for key in (0..KEYS).map(Key::new) {
        let seen = lane
            .state(key)
            .map(|state| (state, lane.attempt(key).unwrap(), lane.is_settled(key)));
        assert_eq!(seen, naive.view(key), "task {key}");
    }
}

/// Takes the steps on both, and returns the lane's signatures.
fn walk(boundary: Boundary, steps: &[Step]) -> Vec<String> {
    let (mut lane, mut naive) = (Lane::new(boundary), Naive::new(boundary));
    let mut now = 0;
    let mut signatures = vec![lane.signature()];
    for step in steps {
        if let Step::Wait(ms) = step {
            now += ms;
        }
        let occupied = lane.counts().occupied;
        let answer = take(&mut lane, step, now);
        assert_eq!(answer, take_naively(&mut naive, step, now), "{step:?}");
        compare(&lane, &naive);
        lane.check_invariants();
        let limit = lane.boundary().max_in_flight.get();
        assert!(
            lane.counts().occupied <= limit.max(occupied),
            "{step:?} exceeded {limit} in flight"
        );
        let signature = lane.signature();
        if answer.is_err() {
            assert_eq!(
                signatures.last(),
                Some(&signature),
                "{step:?} was refused and changed the lane"
            );
        }
        signatures.push(signature);
    }
    signatures
}

/// The same steps on a lane alone.
fn walk_again(boundary: Boundary, steps: &[Step]) -> Lane {
    let mut lane = Lane::new(boundary);
    let mut now = 0;
    for step in steps {
        if let Step::Wait(ms) = step {
            now += ms;
        }
        let _answer = take(&mut lane, step, now);
    }
    lane
}

/// A16
#[test]
fn a16_a_lane_answers_as_the_naive_one_does() {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::XorShift));
    let cases = (boundaries(), vec(steps(), 1..STEPS));
    let outcome = runner.run(&cases, |(boundary, steps)| {
        let signatures = walk(boundary, &steps);
        assert_eq!(
            signatures.last(),
            Some(&walk_again(boundary, &steps).signature())
        );
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
