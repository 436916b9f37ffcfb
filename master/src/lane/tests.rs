//! Tests of the lane, by the ids A1 to A17 of the acceptance list; what they share is here.

mod admission;
mod cancelling;
mod keeping;
mod naive;
mod property;
mod signatures;
mod transitions;

use super::{AdapterMode, Boundary, Entry, Key, Lane, LaneError, Seq};
use core::fmt::Debug;

/// A push-and-pull lane with a budget of 500 ms.
fn lane(max_in_flight: usize, max_queued: usize) -> Lane {
    lane_of(AdapterMode::PushPull, max_in_flight, max_queued)
}

fn lane_of(mode: AdapterMode, max_in_flight: usize, max_queued: usize) -> Lane {
    Lane::new(Boundary::new(mode, max_in_flight, max_queued, 500).unwrap())
}

fn key(index: u32) -> Key {
    Key::new(index)
}

fn keys(indices: &[u32]) -> Vec<Key> {
    indices.iter().copied().map(Key::new).collect()
}

fn push(lane: &mut Lane, index: u32) -> Seq {
    lane.enqueue(key(index), Entry::Push).unwrap()
}

/// Does what must be refused, and asserts that the lane is as before.
fn refused<T: Debug>(
    lane: &mut Lane,
    act: impl FnOnce(&mut Lane) -> Result<T, LaneError>,
) -> LaneError {
    let before = lane.signature();
    let error = act(lane).unwrap_err();
    assert_eq!(
        lane.signature(),
        before,
        "a refusal changed the lane: {error}"
    );
    lane.check_invariants();
    error
}

/// Where a task can be; `Stopping` and `Settled` are both shown as cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Queued,
    InFlight,
    Succeeded,
    Failed,
    Stopping,
    Settled,
}

impl Stage {
    const ALL: [Self; 6] = [
        Self::Queued,
        Self::InFlight,
        Self::Succeeded,
        Self::Failed,
        Self::Stopping,
        Self::Settled,
    ];

    fn label(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InFlight => "in_flight",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopping | Self::Settled => "cancelled",
        }
    }

    /// A roomy lane whose task 0 is in this stage, and was started once unless it is queued.
    fn lane(self) -> Lane {
        let mut lane = lane(4, 4);
        push(&mut lane, 0);
        if self == Self::Queued {
            return lane;
        }
        lane.start(key(0), 10).unwrap();
        match self {
            Self::Queued | Self::InFlight => {}
            Self::Succeeded => lane.succeed(key(0)).unwrap(),
            Self::Failed => lane.fail(key(0), "boom").unwrap(),
            Self::Stopping | Self::Settled => {
                let _stop = lane.cancel(key(0), "user", 10).unwrap();
            }
        }
        if self == Self::Settled {
            lane.settle(key(0), 1).unwrap();
        }
        assert_eq!(lane.state(key(0)).unwrap().label(), self.label());
        lane
    }
}
