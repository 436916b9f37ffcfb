//! The callers' side of the way into a lane: where there is room, a task goes in without a question to the loop.
//!
//! The loop publishes how many tasks may ever have been let through; callers count those that were. So at most as many
//! are on their way as the lane had room for when the loop last looked. Should the room be gone when they arrive (a
//! follow-up took it, or a retry), they wait in the lane's line, which is the rules' own: nobody is refused after he was
//! let through, and nobody overtakes who waits there, because nobody is let through while somebody does.

use crate::answer::Answer;
use crate::sync::{Mutex, lock};
use farm_master::Refusal;
use farm_master::lane::{Boundary, Entry, Gate};
use std::sync::Arc;

/// What a submitter waits for who was not let through: whether its task is in the farm, or was handed back.
pub(crate) type Admission = Arc<Answer<bool>>;

/// How a task comes to the loop.
pub(crate) enum Way {
    /// It is refused where there is no room.
    Plain,
    /// It was let through; where there is no room any more it waits, and its submitter does not.
    LetThrough,
    /// It waits for room, and its submitter for this.
    Waits(Admission),
    /// It is refused where there is no room, and its submitter waits to hear that.
    Asks(Admission),
}

/// What a caller learns at the entrance of a lane.
pub(crate) enum Pass {
    /// It may send one task.
    Through,
    /// There is no room.
    Full(Refusal),
    /// Nothing is admitted, whatever room there is, as far as the loop has said.
    Shut(Refusal),
}

/// The entrance to the lane of one kind.
#[derive(Debug)]
pub(crate) struct Entrance(Mutex<Places>);

/// What callers and the loop share.
#[derive(Clone, Debug)]
struct Places {
    /// So many tasks were let through, ever.
    through: u64,
    open: Open,
}

/// What the loop says of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// So many tasks may have been let through, ever.
    pub(crate) limit: u64,
    /// Tasks in the queue beyond its limit: follow-ups, and what came back.
    pub(crate) beyond: usize,
    /// How many tasks may wait in it.
    pub(crate) max_queued: usize,
    /// Why nothing is admitted at all.
    pub(crate) shut: Option<Refusal>,
}

impl Open {
    /// A lane before its first task.
    pub(crate) fn new(boundary: &Boundary) -> Self {
        let max_queued = boundary.max_queued;
        Self {
            // A lane without a queue hands one over.
            limit: u64::try_from(max_queued.max(1)).unwrap_or(u64::MAX),
            beyond: 0,
            max_queued,
            shut: None,
        }
    }
}

impl Entrance {
    pub(crate) fn new(open: Open) -> Self {
        Self(Mutex::new(Places { through: 0, open }))
    }

    /// Lets a task through if there is room for it.
    pub(crate) fn pass(&self) -> Pass {
        let mut places = lock(&self.0);
        if let Some(refusal) = &places.open.shut {
            return Pass::Shut(refusal.clone());
        }
        if places.through < places.open.limit {
            places.through += 1;
            return Pass::Through;
        }
        let Open {
            max_queued, beyond, ..
        } = places.open;
        Pass::Full(Refusal::Saturated {
            queued: max_queued + beyond,
            max_queued,
        })
    }

    /// Somebody has asked for this gate, and the loop has not heard it: who comes from now on is to ask the loop.
    pub(crate) fn doubt(&self, gate: Gate) {
        if !gate.admits(Entry::Push) {
            lock(&self.0).open.shut = Some(Refusal::NotAdmitting(gate));
        }
    }

    /// The loop has counted again.
    pub(crate) fn set(&self, open: Open) {
        lock(&self.0).open = open;
    }
}

/// What the loop knows of an entrance: it alone changes this.
#[derive(Debug)]
pub(crate) struct Counted {
    /// So many of those that were let through have come to the loop.
    pub(crate) heard: u64,
    /// What was published last.
    pub(crate) told: Open,
    /// A caller may have put it in doubt since.
    pub(crate) doubted: bool,
}

impl Counted {
    pub(crate) fn new(boundary: &Boundary) -> Self {
        Self {
            heard: 0,
            told: Open::new(boundary),
            doubted: false,
        }
    }
}
