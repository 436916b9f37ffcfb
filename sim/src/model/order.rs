//! In which order what is ready stands, what callers change about that, and what of it the truth about workers needs.

use super::{Model, State, Task, at};
use farm_master::{Event, QueueOrder, Why};
use farm_protocol::{Instant, TaskId};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// By priority, then by the rank that the order gives, then by the lane's order.
pub(super) type Place = (Reverse<i32>, i64, u64, TaskId);

/// What the order of the queue depends on.
#[derive(Debug, Default)]
pub(super) struct Order {
    order: QueueOrder,
    /// What the kind gives as ranks, by the index of the task; 0 where nothing is said.
    ranks: BTreeMap<usize, i64>,
    /// The ranks are turned round: each broadcast does that.
    turned: bool,
    /// How many tasks have come in.
    pub(super) arrivals: i64,
}

impl Order {
    fn level_of(&self, task: &Task) -> i64 {
        match self.order {
            QueueOrder::Arrival => 0,
            QueueOrder::Newest => -task.arrival,
            QueueOrder::Ranked => {
                let rank = self.ranks.get(&task.id.index()).copied().unwrap_or(0);
                if self.turned { -rank } else { rank }
            }
        }
    }
}

/// A ready task, as far as the lane knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand {
    pub(crate) task: TaskId,
    pub(crate) priority: Reverse<i32>,
    /// What comes after its priority.
    pub(crate) place: (i64, u64),
    /// It wants a fresh worker to itself.
    pub(crate) suspected: bool,
    /// It has a limit.
    pub(crate) limited: bool,
    /// Its limit has room.
    pub(crate) has_room: bool,
    /// Its limit has room for all that are ready under it, so nobody can be before it there.
    pub(crate) has_room_for_all: bool,
    /// It became ready during the starts of this call.
    pub(crate) late: bool,
}

impl Model {
    /// The rank that the kind gives a task.
    pub(crate) fn ranks(&mut self, id: TaskId, rank: i64) {
        self.order.ranks.insert(id.index(), rank);
        self.keyed = true;
    }

    /// What is ready, in order, once all that was due has been done.
    pub(crate) fn standing(&mut self, now: Instant) -> Vec<Stand> {
        self.begin_dispatch(now);
        let mut under = vec![0; self.limits.len()];
        let tasks = || {
            let ids = self.ready.iter().map(|(.., id)| id);
            ids.map(|id| &self.tasks[&id.index()])
        };
        for limit in tasks().filter_map(|task| task.options.limit) {
            under[at(limit)] += 1;
        }
        let stands = tasks().map(|task| {
            let limit = task.options.limit.map(at);
            let free = limit.map_or(usize::MAX, |at| {
                self.limits[at].0.saturating_sub(self.limits[at].1)
            });
            Stand {
                task: task.id,
                priority: Reverse(task.options.priority),
                place: (task.level, task.seq),
                suspected: task.suspected,
                limited: limit.is_some(),
                has_room: free > 0,
                has_room_for_all: limit.is_none_or(|at| under[at] <= free),
                late: self.call.late.contains(&task.id),
            }
        });
        stands.collect()
    }

    /// Its next attempt wants a fresh worker to itself.
    pub(crate) fn is_suspected(&self, id: TaskId) -> bool {
        self.task(id).is_some_and(|task| task.suspected)
    }

    /// How many could start if there were workers.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// How many of them want a fresh worker.
    pub(crate) const fn suspects(&self) -> usize {
        self.suspects
    }

    /// Whether something waits for the delay of its retry, or to come to rest.
    pub(crate) fn some_come_back(&self) -> bool {
        let over = |task: &Task| matches!(task.state, State::Over(_) | State::Stopping { .. });
        self.tasks.values().any(over)
    }

    /// It may start as soon as somebody takes it.
    pub(super) fn line_up(&mut self, id: TaskId) {
        let task = self.tasks.get_mut(&id.index()).expect("it is in the farm");
        task.level = self.order.level_of(task);
        self.ready.insert(task.place());
    }

    /// Callers change the order, or what it is made from.
    pub(super) fn reordered(&mut self, event: &Event<'_>) {
        let ready: Vec<TaskId> = self.ready.iter().map(|(.., id)| *id).collect();
        self.ready.clear();
        match event {
            Event::SetOrder { order, .. } => self.order.order = *order,
            Event::Broadcast { .. } => self.order.turned = !self.order.turned,
            Event::SetPriority { task, priority } => {
                if let Some(task) = self.task_mut(*task) {
                    task.options.priority = *priority;
                }
            }
            _ => {}
        }
        ready.into_iter().for_each(|id| self.line_up(id));
    }

    /// All tasks are cancelled.
    pub(super) fn all_cancelled(&mut self, now: Instant) {
        let all: Vec<TaskId> = self.tasks.values().map(|task| task.id).collect();
        all.into_iter().for_each(|id| self.cancelled(now, id));
    }

    /// How many tasks are in the farm.
    pub(crate) fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Whether a listing may say that this task waits, and for that. For one that is ready this knows only what the
    /// lane knows.
    pub(crate) fn waits_for(&self, id: TaskId, why: Option<Why>) -> bool {
        let Some(task) = self.task(id) else {
            return false;
        };
        match (task.state, why) {
            (State::InFlight { .. } | State::Stopping { .. }, None) => true,
            (State::InFlight { .. } | State::Stopping { .. }, Some(_)) | (_, None) => false,
            (State::Over(_), Some(Why::BackOff { until })) => task.until == Some(until),
            (State::Over(_), Some(_)) => false,
            (State::Queued, Some(Why::Needs { unmet })) => {
                unmet == task.unmet && unmet > 0 || task.doomed
            }
            (State::Queued, Some(Why::Limit(limit))) => {
                task.unmet == 0 && task.options.limit == Some(limit)
            }
            (State::Queued, Some(Why::Paused)) => task.unmet == 0 && !self.gate.starts(),
            (
                State::Queued,
                Some(
                    Why::NoMatch
                    | Why::NoSlot
                    | Why::Holder(_)
                    | Why::Starting
                    | Why::FarmFull
                    | Why::NoToken
                    | Why::BackOff { .. },
                ),
            ) => task.unmet == 0 && self.gate.starts(),
        }
    }
}
