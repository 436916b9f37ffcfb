//! The limit on the start of a worker: it counts while a task could start and its pool has nobody to start it.
//!
//! It ends tasks and never touches a worker. How long a worker may take to its hello, and what happens when
//! workers cannot be started, is decided without it.

use super::slot::Phase;
use super::task::State;
use super::timers::Timer;
use super::{Master, Turn};
use crate::options::TimeLimit;
use crate::outcome::{HowStopped, Outcome};
use farm_protocol::{Instant, TaskId};
use std::collections::BTreeSet;

/// The ready tasks of a pool that have such a limit.
#[derive(Debug, Default)]
pub(super) struct Starts {
    /// Their limits count: nobody of the pool takes requests.
    counting: BTreeSet<TaskId>,
    /// Somebody does, or nothing shall start, or nobody has looked yet.
    resting: BTreeSet<TaskId>,
}

impl Starts {
    /// A task may start.
    pub(super) fn enter(&mut self, id: TaskId) {
        self.resting.insert(id);
    }

    fn remove(&mut self, id: TaskId) {
        self.counting.remove(&id);
        self.resting.remove(&id);
    }

    /// All of them, and whether their limits count.
    pub(super) fn iter(&self) -> impl Iterator<Item = (TaskId, bool)> + '_ {
        let counting = self.counting.iter().map(|id| (*id, true));
        counting.chain(self.resting.iter().map(|id| (*id, false)))
    }
}

impl Master {
    /// Whether somebody of this pool has said hello and takes requests.
    pub(super) fn has_worker(&self, pool: usize) -> bool {
        let slots = &self.slots[self.pools[pool].slots.clone()];
        let mut processes = slots.iter().filter_map(|slot| slot.process.as_ref());
        processes.any(|process| matches!(process.phase, Phase::Running(_)))
    }

    /// Lets the limits of a pool's ready tasks count, or not, as its workers are. All at once: with a
    /// worker at work nothing is looked at task by task.
    pub(super) fn watch_starts(&mut self, turn: &Turn<'_>, pool: usize) {
        let starts = &self.pools[pool].starts;
        if starts.counting.is_empty() && starts.resting.is_empty() {
            return;
        }
        // A token is no worker's to bring: while nobody starts for want of one, the start takes no time.
        let mut slots = self.pools[pool].slots.clone();
        let starts = !self.lacks_room(pool) || slots.any(|slot| self.is_launching(slot));
        let counts = self.pools[pool].lane.gate().starts() && !self.has_worker(pool) && starts;
        let Self {
            pools,
            tasks,
            timers,
            ..
        } = self;
        let pool = &mut pools[pool];
        if counts {
            for id in std::mem::take(&mut pool.starts.resting) {
                let task = tasks.at_mut(id);
                let limit = task.options(&pool.config.defaults).starting;
                let until = turn
                    .now
                    .after(limit.expect("only tasks with a limit are here"));
                task.starting_until = Some(until);
                timers.arm(until, Timer::Starting(id));
                pool.starts.counting.insert(id);
            }
        } else {
            for id in std::mem::take(&mut pool.starts.counting) {
                if let Some(until) = tasks.at_mut(id).starting_until.take() {
                    timers.disarm(until, Timer::Starting(id));
                }
                pool.starts.resting.insert(id);
            }
        }
    }

    /// A task has changed its place among those that may start, and its limit had counted to this moment.
    pub(super) fn resume_start(&mut self, id: TaskId, until: Option<Instant>) {
        // It may have ended on the way.
        let (Some(until), Some(task)) = (until, self.tasks.get_mut(id)) else {
            return;
        };
        let starts = &mut self.pools[task.kind.0 as usize].starts;
        if starts.resting.remove(&id) {
            starts.counting.insert(id);
            task.starting_until = Some(until);
            self.timers.arm(until, Timer::Starting(id));
        }
    }

    /// A task is not among those any more that may start.
    pub(super) fn leave_starts(&mut self, id: TaskId) {
        let task = self.tasks.at_mut(id);
        let pool = &mut self.pools[task.kind.0 as usize];
        if task.options(&pool.config.defaults).starting.is_some() {
            pool.starts.remove(id);
            if let Some(until) = task.starting_until.take() {
                self.timers.disarm(until, Timer::Starting(id));
            }
        }
    }

    /// No worker came in time.
    pub(super) fn nobody_came(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        let task = self.tasks.at_mut(id);
        task.starting_until = None;
        assert!(
            matches!(task.state(), State::Ready),
            "{id} is not ready, and its limit on the start of a worker fell"
        );
        let outcome = Outcome::TimedOut {
            which: TimeLimit::Starting,
            how: HowStopped::BeforeStart,
        };
        self.end_queued(turn, id, outcome);
    }
}
