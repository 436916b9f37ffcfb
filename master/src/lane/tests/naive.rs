//! The lane again, as plainly as can be: a list of tasks that is walked for every answer, no sums, no order, no
//! deadlines kept. Slow, and written from the rules alone, so that it and the lane are not wrong in the same way.

use crate::lane::{
    AdapterMode, Boundary, CancelEffect, Counts, Due, Entry, Gate, Key, LaneError, Overdue, Seq,
    Started, TaskState,
};
use core::num::NonZeroUsize;

/// Where a task is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum At {
    Queued,
    InFlight { since: u64 },
    Succeeded,
    Failed { why: String },
    Cancelled { why: String, stop: Option<Stop> },
}

/// Times by which the worker of a cancelled task must have stopped, and which were told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stop {
    term: u64,
    kill: u64,
    term_told: bool,
    kill_told: bool,
}

impl Stop {
    fn next(&self) -> Option<(u64, Due)> {
        match (self.term_told || self.term >= self.kill, self.kill_told) {
            (_, true) => None,
            (true, false) => Some((self.kill, Due::Kill)),
            (false, false) => Some((self.term, Due::Terminate)),
        }
    }
}

#[derive(Clone, Debug)]
struct Task {
    key: Key,
    seq: u64,
    attempts: u32,
    injected: bool,
    at: At,
}

impl Task {
    fn label(&self) -> &'static str {
        match self.at {
            At::Queued => "queued",
            At::InFlight { .. } => "in_flight",
            At::Succeeded => "succeeded",
            At::Failed { .. } => "failed",
            At::Cancelled { .. } => "cancelled",
        }
    }

    fn over(&self) -> bool {
        match &self.at {
            At::Queued | At::InFlight { .. } => false,
            At::Succeeded | At::Failed { .. } => true,
            At::Cancelled { stop, .. } => stop.is_none(),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Naive {
    boundary: Boundary,
    pub(super) gate: Gate,
    pub(super) injection_limit: usize,
    tasks: Vec<Task>,
    /// The keys of all that is over, in the order of ending.
    ended: Vec<Key>,
    keep: Option<usize>,
    given: u64,
}

impl Naive {
    pub(super) fn new(boundary: Boundary) -> Self {
        Self {
            boundary,
            gate: Gate::Running,
            injection_limit: boundary.max_queued,
            tasks: Vec::new(),
            ended: Vec::new(),
            keep: None,
            given: 0,
        }
    }

    fn count(&self, which: impl Fn(&Task) -> bool) -> usize {
        self.tasks.iter().filter(|task| which(task)).count()
    }

    fn find(&mut self, key: Key) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.key == key)
    }

    fn get(&self, key: Key) -> Option<&Task> {
        self.tasks.iter().find(|task| task.key == key)
    }

    pub(super) fn counts(&self) -> Counts {
        let in_flight = self.count(|task| matches!(task.at, At::InFlight { .. }));
        let stopping = self.count(|task| matches!(task.at, At::Cancelled { stop: Some(_), .. }));
        Counts {
            queued: self.queued().len(),
            in_flight,
            occupied: in_flight + stopping,
            terminal: self.count(Task::over) + stopping,
        }
    }

    /// The waiting keys, oldest first.
    pub(super) fn queued(&self) -> Vec<Key> {
        let mut waiting: Vec<_> = self
            .tasks
            .iter()
            .filter(|task| task.at == At::Queued)
            .collect();
        waiting.sort_by_key(|task| task.seq);
        waiting.iter().map(|task| task.key).collect()
    }

    /// State, attempts and whether it is over.
    pub(super) fn view(&self, key: Key) -> Option<(TaskState<'_>, u32, bool)> {
        let task = self.get(key)?;
        let seq = seq_of(task.seq);
        let state = match &task.at {
            At::Queued => TaskState::Queued { seq },
            At::InFlight { since } => TaskState::InFlight {
                seq,
                started_ms: *since,
            },
            At::Succeeded => TaskState::Succeeded { seq },
            At::Failed { why } => TaskState::Failed { seq, reason: why },
            At::Cancelled { why, .. } => TaskState::Cancelled { seq, reason: why },
        };
        Some((state, task.attempts, task.over()))
    }

    pub(super) fn room(&self) -> usize {
        let counts = self.counts();
        if self.boundary.max_queued == 0 {
            let free = counts.occupied < self.boundary.max_in_flight.get();
            return usize::from(counts.queued == 0 && free);
        }
        self.boundary.max_queued.saturating_sub(counts.queued)
    }

    pub(super) fn demand(&self) -> usize {
        let pulls = self.boundary.mode != AdapterMode::PushOnly && self.gate == Gate::Running;
        let enough = 2 * self.room() >= self.boundary.max_queued;
        if pulls && enough { self.room() } else { 0 }
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.tasks
            .iter()
            .filter_map(next_of)
            .map(|(at, _)| at)
            .min()
    }

    pub(super) fn enqueue(&mut self, key: Key, entry: Entry) -> Result<Seq, LaneError> {
        let gate = self.gate;
        let mode = self.boundary.mode;
        if self.get(key).is_some() {
            return Err(LaneError::DuplicateTask { key });
        }
        let injected = entry == Entry::Inject;
        if gate == Gate::Closed || (gate == Gate::Draining && !injected) {
            return Err(LaneError::NotAdmitting { key, gate });
        }
        let forbidden = [
            (AdapterMode::PushOnly, Entry::Pull),
            (AdapterMode::PullOnly, Entry::Push),
        ];
        if forbidden.contains(&(mode, entry)) {
            let action = entry;
            return Err(LaneError::ModeForbids { key, mode, action });
        }
        if self.room() == 0 {
            if !injected {
                return Err(self.saturated(key));
            }
            let limit = self.injection_limit;
            let waiting = self.count(|task| task.at == At::Queued && task.injected);
            let beyond = self
                .counts()
                .queued
                .saturating_sub(self.boundary.max_queued);
            if waiting.min(beyond) >= limit {
                return Err(LaneError::InjectionRefused { key, limit });
            }
        }
        self.given += 1;
        self.tasks.push(Task {
            key,
            seq: self.given,
            attempts: 0,
            injected,
            at: At::Queued,
        });
        Ok(seq_of(self.given))
    }

    fn saturated(&self, key: Key) -> LaneError {
        LaneError::QueueSaturated {
            key,
            queued: self.counts().queued,
            max_queued: self.boundary.max_queued,
        }
    }

    fn wrong(&self, key: Key, action: &'static str) -> LaneError {
        match self.get(key) {
            None => LaneError::UnknownTask { key },
            Some(task) => LaneError::InvalidTransition {
                key,
                state: task.label(),
                action,
            },
        }
    }

    pub(super) fn start(&mut self, key: Key, now: u64) -> Result<Started, LaneError> {
        if !self.queued().contains(&key) {
            return Err(self.wrong(key, "start"));
        }
        let gate = self.gate;
        if gate == Gate::Paused || gate == Gate::Closed {
            return Err(LaneError::NotStarting { key, gate });
        }
        let max_in_flight = self.boundary.max_in_flight.get();
        if self.counts().occupied >= max_in_flight {
            return Err(LaneError::NoRoom { key, max_in_flight });
        }
        let task = self.find(key).unwrap();
        task.attempts += 1;
        task.at = At::InFlight { since: now };
        Ok(Started {
            seq: seq_of(task.seq),
            attempt: task.attempts,
        })
    }

    pub(super) fn start_available(&mut self, now: u64) -> Vec<Key> {
        let mut started = self.queued();
        started.retain(|&key| self.start(key, now).is_ok());
        started
    }

    /// `why` none: it succeeded.
    pub(super) fn end(&mut self, key: Key, why: Option<&str>) -> Result<(), LaneError> {
        let action = if why.is_none() { "succeed" } else { "fail" };
        match self.find(key) {
            Some(task) if task.label() == "in_flight" => {
                task.at = why.map_or(At::Succeeded, |why| At::Failed {
                    why: why.to_owned(),
                });
            }
            _ => return Err(self.wrong(key, action)),
        }
        self.ended(key);
        Ok(())
    }

    pub(super) fn cancel(
        &mut self,
        key: Key,
        why: &str,
        now: u64,
        budget: u64,
    ) -> Result<CancelEffect, LaneError> {
        let why = why.to_owned();
        match self.find(key) {
            Some(task) if task.at == At::Queued => {
                task.at = At::Cancelled { why, stop: None };
                self.ended(key);
                Ok(CancelEffect::RemovedFromQueue)
            }
            Some(task) if task.label() == "in_flight" => {
                let stop = Some(Stop {
                    term: now + budget / 2,
                    kill: now + budget,
                    term_told: false,
                    kill_told: false,
                });
                task.at = At::Cancelled { why, stop };
                Ok(CancelEffect::StopWorker {
                    seq: seq_of(task.seq),
                    deadline_ms: now + budget,
                })
            }
            _ => Err(self.wrong(key, "cancel")),
        }
    }

    pub(super) fn hasten(&mut self, key: Key, budget: u64, now: u64) -> Result<u64, LaneError> {
        match self.find(key).map(|task| &mut task.at) {
            Some(At::Cancelled {
                stop: Some(stop), ..
            }) => {
                stop.term = stop.term.min(now + budget / 2);
                stop.kill = stop.kill.min(now + budget);
                Ok(stop.kill)
            }
            _ => Err(self.wrong(key, "hasten")),
        }
    }

    pub(super) fn settle(&mut self, key: Key, attempt: u32) -> Result<(), LaneError> {
        let current = self.get(key).map_or(attempt, |task| task.attempts);
        if current != attempt {
            return Err(LaneError::StaleAttempt {
                key,
                attempt,
                current,
            });
        }
        match self.find(key).map(|task| &mut task.at) {
            Some(At::Cancelled { stop, .. }) if stop.is_some() => *stop = None,
            _ => return Err(self.wrong(key, "settle")),
        }
        self.ended(key);
        Ok(())
    }

    pub(super) fn overdue(&mut self, now: u64) -> Vec<Overdue> {
        let mut told = Vec::new();
        for task in &mut self.tasks {
            let At::Cancelled {
                stop: Some(stop), ..
            } = &mut task.at
            else {
                continue;
            };
            let Some((mut at, mut what)) = stop.next().filter(|&(at, _)| at <= now) else {
                continue;
            };
            stop.term_told = true;
            if stop.kill <= now {
                (at, what) = (stop.kill, Due::Kill);
                stop.kill_told = true;
            }
            let overdue = Overdue {
                key: task.key,
                seq: seq_of(task.seq),
                attempt: task.attempts,
                what,
            };
            told.push((at, overdue));
        }
        told.sort_by_key(|&(at, overdue)| (at, overdue.seq));
        told.into_iter().map(|(_, overdue)| overdue).collect()
    }

    /// Retries, or with `promised` readmits: the only difference is that a full queue is no matter.
    pub(super) fn retry(&mut self, key: Key, promised: bool) -> Result<Seq, LaneError> {
        let again = self
            .get(key)
            .is_some_and(|task| task.over() && task.at != At::Succeeded);
        if !again {
            return Err(self.wrong(key, "retry"));
        }
        if self.gate == Gate::Closed {
            return Err(LaneError::NotAdmitting {
                key,
                gate: self.gate,
            });
        }
        if !promised && self.room() == 0 {
            return Err(self.saturated(key));
        }
        self.given += 1;
        let seq = self.given;
        self.ended.retain(|&ended| ended != key);
        let task = self.find(key).unwrap();
        task.seq = seq;
        task.injected = false;
        task.at = At::Queued;
        Ok(seq_of(seq))
    }

    pub(super) fn requeue(&mut self, key: Key) -> Result<(), LaneError> {
        match self.find(key) {
            Some(task) if task.label() == "in_flight" => task.at = At::Queued,
            _ => return Err(self.wrong(key, "requeue")),
        }
        Ok(())
    }

    pub(super) fn forget(&mut self, key: Key) -> bool {
        let over = self.get(key).is_some_and(Task::over);
        if over {
            self.tasks.retain(|task| task.key != key);
            self.ended.retain(|&ended| ended != key);
        }
        over
    }

    pub(super) fn set_retention(&mut self, keep: Option<usize>) {
        if self.keep.is_none() {
            let seq = |key: &Key| self.tasks.iter().find(|task| task.key == *key).unwrap().seq;
            self.ended.sort_by_key(seq);
        }
        self.keep = keep;
        self.trim();
    }

    pub(super) fn set_max_in_flight(&mut self, max_in_flight: NonZeroUsize) {
        self.boundary.max_in_flight = max_in_flight;
    }

    fn ended(&mut self, key: Key) {
        self.ended.push(key);
        self.trim();
    }

    fn trim(&mut self) {
        while self.keep.is_some_and(|keep| self.ended.len() > keep) {
            self.forget(self.ended[0]);
        }
    }
}

fn next_of(task: &Task) -> Option<(u64, Due)> {
    match &task.at {
        At::Cancelled {
            stop: Some(stop), ..
        } => stop.next(),
        At::Queued
        | At::InFlight { .. }
        | At::Succeeded
        | At::Failed { .. }
        | At::Cancelled { stop: None, .. } => None,
    }
}

fn seq_of(number: u64) -> Seq {
    (1..number).fold(Seq::FIRST, |seq, _| seq.following())
}
