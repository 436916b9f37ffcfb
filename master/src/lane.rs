//! The lane: a boundary and the states of its tasks, the only way into the farm. A pool's queue is a lane; a named
//! worker's mailbox is a lane with one in flight.
//!
//! A lane knows keys, places and times that it is told; it does not know what a task is, which worker has it, or how
//! often one deserves a retry. It reads no clock, does no I/O and holds no random order, so the same calls always give
//! the same answers and the same [`signature`](Lane::signature).
//!
//! # The table
//!
//! | | unknown | queued | in flight | succeeded | failed | cancelled |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | `enqueue` | queued, new place | duplicate | duplicate | duplicate | duplicate | duplicate |
//! | `start` | unknown | in flight | invalid | invalid | invalid | invalid |
//! | `succeed` | unknown | invalid | succeeded | invalid | invalid | invalid |
//! | `fail` | unknown | invalid | failed | invalid | invalid | invalid |
//! | `cancel` | unknown | cancelled, settled | cancelled, not settled | invalid | invalid | invalid |
//! | `hasten` | unknown | invalid | invalid | invalid | invalid | earlier deadline, unless settled |
//! | `settle` | unknown | invalid | invalid | invalid | invalid | settled, unless it was |
//! | `retry` | unknown | invalid | invalid | invalid | queued, new place | queued, new place, if settled |
//! | `readmit` | unknown | invalid | invalid | invalid | queued, new place | queued, new place, if settled |
//! | `requeue` | unknown | invalid | queued, old place | invalid | invalid | invalid |
//! | `forget` | false | false | false | unknown | unknown | unknown, if settled |
//!
//! Checks come in this order: is the key known, does its state allow the action, does the gate, does the mode, is there
//! room. **A refusal changes nothing.**
//!
//! # What is limited
//!
//! At most `max_in_flight` tasks *occupy* workers: those in flight, and those cancelled whose worker has not been
//! [settled](Lane::settle). At most `max_queued` wait, and beyond them so many injected tasks as the injection limit
//! says. A requeued task was admitted before and always comes back; so does one that is readmitted, which `retry` keeps
//! out of a full queue. Ends are never refused for want of room, whatever
//! the gate: every deadlock of a bounded queue begins with a completion that waits.

mod admit;
mod boundary;
mod cancel;
mod error;
mod invariants;
mod key;
mod order;
mod signature;
mod state;
#[cfg(test)]
mod tests;
mod transit;

pub use admit::KEY_LIMIT;
pub use boundary::{AdapterMode, Boundary, BoundaryError, Entry, Gate};
pub use cancel::{CancelEffect, Due, Overdue};
pub use error::LaneError;
pub use key::{Key, Seq};
pub use state::{Counts, TaskState};
pub use transit::Started;

use core::num::NonZeroUsize;
use order::Order;
use state::{Row, State, Tally};
use std::collections::{BTreeMap, BTreeSet};
use transit::Retention;

/// A boundary and the states of its tasks. The [module](self) tells its rules.
///
/// Memory: 32 bytes per key up to the largest seen, at most 32 bytes per waiting task, and what reasons and names take.
/// Enqueue, start, succeed and forget take constant time and allocate nothing once the lane has been as full before.
#[derive(Clone, Debug)]
pub struct Lane {
    boundary: Boundary,
    gate: Gate,
    /// How many injected tasks may wait beyond `max_queued`.
    injection_limit: usize,
    /// By key.
    rows: Vec<Row>,
    /// The waiting tasks by place.
    order: Order,
    tally: Tally,
    next_seq: Seq,
    /// When the next rung of each task being stopped is due. Touched by cancels only.
    deadlines: BTreeSet<(u64, Seq, Key)>,
    /// Only of keys that were given one.
    names: BTreeMap<Key, Box<str>>,
    retention: Option<Retention>,
}

impl Lane {
    /// An empty lane with an open gate. Its injection limit is `max_queued`, so injections can at most double the queue.
    #[must_use]
    pub const fn new(boundary: Boundary) -> Self {
        Self {
            boundary,
            gate: Gate::Running,
            injection_limit: boundary.max_queued,
            rows: Vec::new(),
            order: Order::new(),
            tally: Tally::EMPTY,
            next_seq: Seq::FIRST,
            deadlines: BTreeSet::new(),
            names: BTreeMap::new(),
            retention: None,
        }
    }

    /// The limits.
    #[must_use]
    pub const fn boundary(&self) -> &Boundary {
        &self.boundary
    }

    /// What the lane does at the moment.
    #[must_use]
    pub const fn gate(&self) -> Gate {
        self.gate
    }

    /// Changes what the lane does. Tasks are not touched: those that wait in a closed lane are the caller's to cancel.
    pub const fn set_gate(&mut self, gate: Gate) {
        self.gate = gate;
    }

    /// Changes how many may occupy workers. When more do already, nothing starts until they have become fewer.
    pub const fn set_max_in_flight(&mut self, max_in_flight: NonZeroUsize) {
        self.boundary.max_in_flight = max_in_flight;
    }

    /// How many injected tasks may wait beyond `max_queued`.
    #[must_use]
    pub const fn injection_limit(&self) -> usize {
        self.injection_limit
    }

    /// Changes how many injected tasks may wait beyond `max_queued`. Those that wait stay.
    pub const fn set_injection_limit(&mut self, limit: usize) {
        self.injection_limit = limit;
    }

    /// Gives a task the name by which its user knows it, for the signature. It goes when the task is forgotten.
    ///
    /// # Errors
    /// [`LaneError::UnknownTask`], so that names cannot outlive or outnumber tasks. The lane is unchanged.
    pub fn set_name(&mut self, key: Key, name: &str) -> Result<(), LaneError> {
        if self.state(key).is_none() {
            return Err(LaneError::UnknownTask { key });
        }
        self.names.insert(key, Box::from(name));
        Ok(())
    }

    /// The name given to a task.
    #[must_use]
    pub fn name(&self, key: Key) -> Option<&str> {
        self.names.get(&key).map(AsRef::as_ref)
    }

    /// The state of a task; none when the key is not in use.
    #[must_use]
    pub fn state(&self, key: Key) -> Option<TaskState<'_>> {
        self.row(key)?.view()
    }

    /// The place of a task in the order.
    #[must_use]
    pub fn seq(&self, key: Key) -> Option<Seq> {
        self.state(key).map(|state| state.seq())
    }

    /// The number of the task's latest attempt; 0 when it was never started, none when the key is not in use.
    #[must_use]
    pub fn attempt(&self, key: Key) -> Option<u32> {
        let row = self.row(key)?;
        row.view().map(|_| row.attempts)
    }

    /// Whether a task is over and occupies no worker, so that it can be forgotten.
    #[must_use]
    pub fn is_settled(&self, key: Key) -> bool {
        self.row(key).is_some_and(|row| row.state.is_over())
    }

    /// The waiting tasks, oldest first: for a caller that starts by match and not by age.
    pub fn queued(&self) -> impl Iterator<Item = Key> + '_ {
        self.order
            .iter()
            .filter(|&(seq, key)| transit::is_waiting(&self.rows, seq, key))
            .map(|(_, key)| key)
    }

    /// The sums over all tasks.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        let tally = &self.tally;
        Counts {
            queued: tally.queued,
            in_flight: tally.in_flight,
            occupied: tally.occupied(),
            terminal: tally.stopping + tally.over,
        }
    }

    /// Whether one more task may occupy a worker.
    #[inline]
    const fn has_place(&self) -> bool {
        self.tally.occupied() < self.boundary.max_in_flight.get()
    }

    #[inline]
    fn row(&self, key: Key) -> Option<&Row> {
        self.rows.get(key.index())
    }

    /// The keys in use, by key.
    fn known(&self) -> impl Iterator<Item = (Key, &Row)> {
        (0..)
            .map(Key::new)
            .zip(&self.rows)
            .filter(|(_, row)| !matches!(row.state, State::Absent))
    }

    /// Why an action is refused that the task's state does not allow.
    #[cold]
    fn refuse(&self, key: Key, action: &'static str) -> LaneError {
        match self.state(key) {
            Some(state) => LaneError::InvalidTransition {
                key,
                state: state.label(),
                action,
            },
            None => LaneError::UnknownTask { key },
        }
    }
}
