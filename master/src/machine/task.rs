//! The table of tasks that are in the farm: one state each, changed by one function.

use super::ready::{Level, LineId};
use super::scopes::Seat;
use crate::affinity::{Affinity, WhenGone};
use crate::lane::{Key, Seq};
use crate::options::{Need, TaskOptions, TimeLimit, When};
use crate::outcome::{AttemptReport, CancelledBy, Death, Outcome, Resource};
use farm_protocol::{Attempt, AttemptId, Instant, KindId, Session, SlotId, TaskId};

/// Where a task stands. The lane of its kind says the same in its own words.
#[derive(Debug)]
pub(super) enum State {
    /// Waits for needed tasks. Lane: queued.
    Needing {
        /// How many have not ended yet.
        unmet: usize,
    },
    /// May start; stands in the ready queue of its pool. Lane: queued.
    Ready,
    /// May start as far as its pool goes, but its limit is full. Lane: queued.
    Parked,
    /// With a worker: executing, or held by it. Lane: in flight.
    Sent(Place),
    /// Asked to stop. Lane: cancelled, not settled.
    Stopping(Place, StopWhy),
    /// Failed, and waits for the delay of its retry. Lane: failed, or cancelled and settled.
    Delayed {
        /// When the delay is over.
        until: Instant,
    },
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) slot: SlotId,
    pub(super) session: Session,
    /// The position of its request in the session.
    pub(super) number: u64,
    pub(super) sent: Instant,
}

/// Why an attempt was asked to stop.
#[derive(Clone, Debug)]
pub(super) enum StopWhy {
    Cancelled(CancelledBy),
    TimedOut(TimeLimit),
    Exceeded(Overrun),
}

/// How far a limit was exceeded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overrun {
    pub(super) what: Resource,
    pub(super) used: u64,
    pub(super) limit: u64,
}

/// The process that a task is for, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) slot: SlotId,
    pub(super) session: Session,
    pub(super) when_gone: WhenGone,
}

/// One task.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) kind: KindId,
    state: State,
    /// `None`: the defaults of its kind.
    pub(super) options: Option<Box<TaskOptions>>,
    /// Its place in the lane's order.
    pub(super) seq: Seq,
    /// How many came into its pool before it.
    pub(super) arrival: i64,
    /// Larger first. Begins as its options say, and may be changed.
    pub(super) priority: i32,
    /// Which workers it is for.
    pub(super) affinity: Affinity,
    /// The one process it is for, until that is gone.
    pub(super) pin: Option<Pin>,
    /// Where it stands, while it is ready.
    pub(super) stands: Option<(LineId, Level)>,
    /// How often it was sent.
    pub(super) attempt: Attempt,
    pub(super) submitted: Instant,
    pub(super) started: Option<Instant>,
    pub(super) retries_used: u32,
    /// Whether it must never run twice: nothing is sent behind it either.
    pub(super) at_most_once: bool,
    /// Whether its options have a limit that counts from its start.
    pub(super) alone: bool,
    /// Whether its next attempt needs a fresh worker to itself.
    pub(super) solo: bool,
    /// A caller has asked for its end: whatever becomes of its attempt, there is no further one.
    pub(super) given_up: bool,
    /// The deaths it was charged with.
    pub(super) deaths: Vec<Death>,
    /// Its attempts that executed, so far.
    pub(super) reports: Vec<AttemptReport>,
    /// Its place in its scope, if it is in one.
    pub(super) seat: Option<Seat>,
    /// Who waits for its end.
    pub(super) dependents: Vec<(TaskId, When)>,
    /// How it ends if it is not retried after all.
    pub(super) last_end: Option<Box<Outcome>>,
    /// The running limit that is armed now.
    pub(super) running_until: Option<Instant>,
    /// The waiting limit that is armed now.
    pub(super) waiting_until: Option<Instant>,
    /// The limit on the start of a worker that is armed now.
    pub(super) starting_until: Option<Instant>,
    /// When the stall limit is looked at next.
    pub(super) stall_until: Option<Instant>,
    /// When its attempt was sent, or gave its last sign of life.
    pub(super) last_sign: Instant,
    /// What its attempt uses is being measured.
    pub(super) watched: bool,
}

impl Task {
    pub(super) fn new(
        id: TaskId,
        kind: KindId,
        seq: Seq,
        options: Option<Box<TaskOptions>>,
        submitted: Instant,
    ) -> Self {
        Self {
            id,
            kind,
            state: State::Ready,
            options,
            seq,
            arrival: 0,
            priority: 0,
            affinity: Affinity::Any,
            pin: None,
            stands: None,
            attempt: Attempt(0),
            submitted,
            started: None,
            retries_used: 0,
            at_most_once: false,
            alone: false,
            solo: false,
            given_up: false,
            deaths: Vec::new(),
            reports: Vec::new(),
            seat: None,
            dependents: Vec::new(),
            last_end: None,
            running_until: None,
            waiting_until: None,
            starting_until: None,
            stall_until: None,
            last_sign: submitted,
            watched: false,
        }
    }

    pub(super) const fn state(&self) -> &State {
        &self.state
    }

    /// The only line that changes a task's state.
    pub(super) fn set(&mut self, state: State) -> State {
        std::mem::replace(&mut self.state, state)
    }

    /// The attempt now in flight, or the last one.
    pub(super) const fn fence(&self) -> AttemptId {
        AttemptId {
            task: self.id,
            attempt: self.attempt,
        }
    }

    /// Where it is with a worker, stopping or not.
    pub(super) const fn place(&self) -> Option<Place> {
        match &self.state {
            State::Sent(place) | State::Stopping(place, _) => Some(*place),
            State::Needing { .. } | State::Ready | State::Parked | State::Delayed { .. } => None,
        }
    }

    /// Whether it must not be sent behind another: its limits count from its start.
    pub(super) fn wants_to_be_alone(&self) -> bool {
        self.alone
    }

    pub(super) fn options<'a>(&'a self, defaults: &'a TaskOptions) -> &'a TaskOptions {
        self.options.as_deref().unwrap_or(defaults)
    }
}

/// The key of a task in the lane of its kind.
pub(super) fn key(task: TaskId) -> Key {
    Key::new(u32::try_from(task.index()).expect("an index is 32 bits of an id"))
}

/// All tasks, by the index of their ids.
#[derive(Debug, Default)]
pub(super) struct TaskTable {
    rows: Vec<Option<Task>>,
    count: usize,
}

impl TaskTable {
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// The task, if it is in the farm. An id of an earlier generation finds nothing.
    pub(super) fn get(&self, id: TaskId) -> Option<&Task> {
        self.rows
            .get(id.index())?
            .as_ref()
            .filter(|task| task.id == id)
    }

    pub(super) fn get_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        self.rows
            .get_mut(id.index())?
            .as_mut()
            .filter(|task| task.id == id)
    }

    /// A task that our own books say is there.
    pub(super) fn at(&self, id: TaskId) -> &Task {
        self.get(id)
            .expect("the books name only tasks that are in the farm")
    }

    /// A task that our own books say is there.
    pub(super) fn at_mut(&mut self, id: TaskId) -> &mut Task {
        self.get_mut(id)
            .expect("the books name only tasks that are in the farm")
    }

    pub(super) fn insert(&mut self, task: Task) {
        let index = task.id.index();
        if self.rows.len() <= index {
            self.rows.resize_with(index + 1, || None);
        }
        let row = &mut self.rows[index];
        assert!(
            row.is_none(),
            "{} came in while its place was taken",
            task.id
        );
        *row = Some(task);
        self.count += 1;
    }

    pub(super) fn remove(&mut self, id: TaskId) -> Task {
        let row = self
            .rows
            .get_mut(id.index())
            .expect("the books name only tasks of the table");
        let task = row.take().expect("a task is settled once");
        assert_eq!(task.id, id, "another task has this place");
        self.count -= 1;
        task
    }

    /// The ids of the tasks for which `wanted` holds, in the order of their places.
    pub(super) fn ids(&self, wanted: impl Fn(&Task) -> bool) -> Vec<TaskId> {
        self.rows
            .iter()
            .flatten()
            .filter(|task| wanted(task))
            .map(|task| task.id)
            .collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.rows.iter().flatten()
    }

    /// Counts the needs among `needs` that are in the farm, and enters `dependent` there.
    ///
    /// # Errors
    /// The first need that is not in the farm; nothing has been entered.
    pub(super) fn enter_needs(
        &mut self,
        dependent: TaskId,
        needs: &[Need],
    ) -> Result<usize, TaskId> {
        if let Some(missing) = needs.iter().find(|need| self.get(need.task).is_none()) {
            return Err(missing.task);
        }
        for need in needs {
            self.at_mut(need.task)
                .dependents
                .push((dependent, need.when));
        }
        Ok(needs.len())
    }
}
