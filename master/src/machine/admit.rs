//! The way in: submission, injected tasks, and the queue of those that may start.

use super::settle::Ended;
use super::task::{State, Task, key};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::{Action, Refusal};
use crate::lane::{Entry, LaneError, Seq};
use crate::options::{OnLost, TaskOptions};
use crate::outcome::{Outcome, Settlement};
use farm_protocol::{KindId, TaskId};

impl Master {
    pub(super) fn submit(
        &mut self,
        turn: &mut Turn<'_>,
        id: TaskId,
        kind: KindId,
        entry: Entry,
        options: Option<Box<TaskOptions>>,
    ) {
        match self.admit(id, kind, entry, options.as_deref()) {
            Ok((seq, unmet)) => {
                self.enter(turn, Task::new(id, kind, seq, options, turn.now), unmet);
            }
            Err(refusal) => turn.actions.push(Action::Refuse { task: id, refusal }),
        }
    }

    /// Everything that can refuse a task, in an order in which a refusal leaves no trace.
    fn admit(
        &mut self,
        id: TaskId,
        kind: KindId,
        entry: Entry,
        options: Option<&TaskOptions>,
    ) -> Result<(Seq, usize), Refusal> {
        let pool = &mut self.pools[kind.0 as usize];
        if let Some(error) = &pool.ended {
            return Err(Refusal::PoolEnded(error.clone()));
        }
        let options = options.unwrap_or(&pool.config.defaults);
        if options.limit.is_some_and(|limit| !self.limits.knows(limit)) {
            return Err(Refusal::UnknownLimit);
        }
        let missing = options
            .needs
            .iter()
            .find(|need| self.tasks.get(need.task).is_none());
        if let Some(need) = missing {
            return Err(Refusal::UnknownNeed(need.task));
        }
        let seq = pool.lane.enqueue(key(id), entry)?;
        let unmet = self
            .tasks
            .enter_needs(id, &options.needs)
            .expect("looked up above");
        Ok((seq, unmet))
    }

    fn enter(&mut self, turn: &Turn<'_>, mut task: Task, unmet: usize) {
        let id = task.id;
        let defaults = &self.pools[task.kind.0 as usize].config.defaults;
        let options = task.options(defaults);
        let waiting = options.waiting;
        // Of what must not run twice it must be certain whether it has begun: nothing stands around it.
        let at_most_once = options.on_lost == OnLost::Fail;
        let alone = options.running.is_some() || options.limit.is_some() || at_most_once;
        (task.alone, task.at_most_once) = (alone, at_most_once);
        self.tasks.insert(task);
        if let Some(limit) = waiting {
            let until = turn.now.after(limit);
            self.tasks.at_mut(id).waiting_until = Some(until);
            self.timers.arm(until, Timer::Waiting(id));
        }
        if unmet == 0 {
            self.make_ready(id);
        } else {
            self.tasks.at_mut(id).set(State::Needing { unmet });
        }
    }

    /// Lets a queued task stand among those that may start.
    pub(super) fn make_ready(&mut self, id: TaskId) {
        let task = self.tasks.at_mut(id);
        let pool = &mut self.pools[task.kind.0 as usize];
        let priority = task.options(&pool.config.defaults).priority;
        pool.ready.insert(priority, task.seq, id);
        pool.solo_ready += usize::from(task.solo);
        pool.touched = true;
        task.set(State::Ready);
    }

    /// Takes a task from among those that may start.
    pub(super) fn leave_ready(&mut self, id: TaskId) {
        let task = self.tasks.at(id);
        let pool = &mut self.pools[task.kind.0 as usize];
        let priority = task.options(&pool.config.defaults).priority;
        pool.ready.remove(priority, task.seq, id);
        pool.solo_ready -= usize::from(task.solo);
    }

    /// Follow-up tasks from `use_response`: they never wait for admission, and are never lost silently.
    pub(super) fn inject(&mut self, turn: &mut Turn<'_>, kind: KindId, injected: Vec<TaskId>) {
        for id in injected {
            let pool = &mut self.pools[kind.0 as usize];
            match pool.lane.enqueue(key(id), Entry::Inject) {
                Ok(seq) => self.enter(turn, Task::new(id, kind, seq, None, turn.now), 0),
                Err(refusal) => {
                    let outcome = match refusal {
                        LaneError::InjectionRefused { limit, .. } => {
                            Outcome::InjectionRefused { limit }
                        }
                        // Only the gate of a closing farm refuses an injected task otherwise.
                        _ => Outcome::Closed,
                    };
                    turn.actions.push(Action::Settle(Settlement {
                        task: id,
                        outcome,
                        attempts: Vec::new(),
                        submitted: turn.now,
                        started: None,
                        finished: turn.now,
                    }));
                }
            }
        }
    }

    /// One needed task has ended: its dependents become ready, or end as well.
    pub(super) fn tell_dependents(&mut self, turn: &mut Turn<'_>) {
        while let Some(Ended {
            task,
            done,
            dependents,
        }) = self.ended.pop_front()
        {
            for (dependent, when) in dependents {
                // A dependent may have been cancelled meanwhile.
                let Some(waiting) = self.tasks.get_mut(dependent) else {
                    continue;
                };
                let State::Needing { unmet } = *waiting.state() else {
                    continue;
                };
                if !when.allows(done) {
                    let by = crate::outcome::SkippedBy::Need(task);
                    self.end_queued(turn, dependent, Outcome::Skipped(by));
                } else if unmet > 1 {
                    waiting.set(State::Needing { unmet: unmet - 1 });
                } else {
                    self.make_ready(dependent);
                }
            }
        }
    }
}
