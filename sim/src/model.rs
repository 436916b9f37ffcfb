//! The lane once more, worked out from what goes into the machine and what comes out of it: invariant I10.
//!
//! It shares no code with the lane and knows the rules only as the table of `farm_master::lane` and the words of
//! `TaskOptions` say them. What the machine does without a word (a request handed back keeps its place, a delay is
//! over, a rung of the ladder falls) it works out from the frames of the workers and from the time, so its signature
//! is the lane's whole line, and nothing is left out of the comparison.
//!
//! It assumes: one kind, retries without jitter, frames up to the default limit. Which worker a task is for it does not
//! know: where that matters (`keyed`) it leaves to the ledger who should have started before whom.
//! That a worker hands back what it was not asked for is only recognised while nothing was asked of it since the start
//! of that attempt.

mod does;
mod heard;
mod line;
mod order;
mod scopes;
mod silent;
#[cfg(test)]
mod tests;

use crate::ledger::Door;
use farm_master::lane::{AdapterMode, Entry, Gate, Key, LaneError};
use farm_master::{Event, KindConfig, LimitId, OnLost, Refusal, Shut, TaskOptions, When};
use farm_protocol::{Instant, Session, TaskId};
use heard::Worker;
use order::{Order, Place};
pub(crate) use scopes::ByScope;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU32;

pub(crate) use order::Stand;

/// What is known of a task.
#[derive(Debug)]
struct Task {
    id: TaskId,
    /// Without its needs: those stand in `unmet`, and with whom it waits for.
    options: TaskOptions,
    seq: u64,
    /// How many came in before it.
    arrival: i64,
    /// Its rank when it was last made ready.
    level: i64,
    attempts: u32,
    injected: bool,
    state: State,
    /// How many needed tasks have not ended as needed.
    unmet: usize,
    /// One of them did not end as needed.
    doomed: bool,
    /// Its next attempt wants a fresh worker.
    suspected: bool,
    /// Somebody asked for its end: there is no further attempt.
    given_up: bool,
    deaths: u32,
    retries: u32,
    dependents: Vec<(TaskId, When)>,
    /// Where its latest attempt is or was.
    session: Session,
    /// When its attempt has run too long, or its delay is over.
    until: Option<Instant>,
}

/// Where a task stands in its lane.
#[derive(Clone, Copy, Debug)]
enum State {
    /// It waits, for its turn or for what it needs.
    Queued,
    /// A worker has it.
    InFlight { since_ms: u64 },
    /// A worker has it and was asked to stop.
    Stopping { why: Why, ladder: Ladder },
    /// It waits for the delay of its retry.
    Over(Why),
}

/// Why an attempt was asked to stop, or came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Cancelled,
    TimedOut,
    Failed,
}

/// When the rungs fall, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Ladder {
    terminate_at: Option<u64>,
    kill_at: u64,
    killed: bool,
}

/// What is true of one call of the machine.
#[derive(Debug, Default)]
struct Call {
    /// The task that comes in must be refused for this.
    refusal: Option<Refusal>,
    /// What was injected, after the task whose response it follows from, and whether its scope has given it up.
    follow_ups: Vec<(TaskId, TaskId, bool)>,
    /// Their scopes have given them up: each must end at once, and is never in the lane.
    in_vain: Vec<TaskId>,
    /// Injected where there was no room: each must be refused.
    turned_away: Vec<TaskId>,
    /// The tasks that were answered, in order, of which the machine has said nothing yet.
    answered: VecDeque<TaskId>,
    /// Of how many it has.
    heard_of: usize,
    /// What was handed back, each after so many answers.
    handed_back: VecDeque<(usize, TaskId)>,
    /// What was due is done.
    timers_fell: bool,
    /// Whatever happened has happened: what follows are starts.
    dispatching: bool,
    /// Became ready during the starts, and may come too late for them.
    late: Vec<TaskId>,
}

/// The model of one lane.
#[derive(Debug)]
pub(crate) struct Model {
    config: KindConfig,
    most_in_flight: usize,
    /// Capacities of the named limits, and how many are in flight under each.
    limits: Vec<(usize, usize)>,
    gate: Gate,
    shut: Option<Shut>,
    pool_ended: bool,
    next_seq: u64,
    queued: usize,
    /// Of the queued, those that were injected.
    injected: usize,
    in_flight: usize,
    /// By the index of their ids.
    tasks: BTreeMap<usize, Task>,
    /// Those that need nothing any more, in the order in which they should start.
    ready: BTreeSet<Place>,
    order: Order,
    /// Not every task is for every worker.
    keyed: bool,
    /// Suspected tasks among the ready.
    suspects: usize,
    stopping: BTreeSet<TaskId>,
    running: BTreeSet<(Instant, TaskId)>,
    delayed: BTreeSet<(Instant, TaskId)>,
    sessions: BTreeMap<Session, Worker>,
    call: Call,
    /// How the task that comes in next must be met.
    door: Door,
}

impl Model {
    /// A lane in which nothing has happened yet.
    #[must_use]
    pub(crate) fn new(config: &KindConfig, limits: &[NonZeroU32]) -> Self {
        let places = config.numbered() as usize * (1 + config.credit_cap as usize);
        Self {
            most_in_flight: config.boundary.max_in_flight.get().max(places),
            config: config.clone(),
            limits: limits.iter().map(|cap| (cap.get() as usize, 0)).collect(),
            gate: Gate::Running,
            shut: None,
            pool_ended: false,
            next_seq: 1,
            queued: 0,
            injected: 0,
            in_flight: 0,
            tasks: BTreeMap::new(),
            ready: BTreeSet::new(),
            order: Order::default(),
            keyed: false,
            suspects: 0,
            stopping: BTreeSet::new(),
            running: BTreeSet::new(),
            delayed: BTreeSet::new(),
            sessions: BTreeMap::new(),
            call: Call::default(),
            door: Door::Open,
        }
    }

    /// Before the machine is told: what follows from the event alone.
    pub(crate) fn told(&mut self, now: Instant, event: &Event<'_>) {
        self.call = Call::default();
        match event {
            Event::Submit {
                task,
                entry,
                options,
                ..
            } => self.submitted(*task, *entry, options.as_deref()),
            Event::Cancel { task, .. } => self.cancelled(now, *task),
            Event::SetGate { gate, .. } if self.shut.is_none() => self.gate = *gate,
            Event::Shut(how) if self.shut < Some(*how) => self.shut(now, *how),
            Event::Spawned { session, page, .. } => {
                if let Some(worker) = self.sessions.get_mut(session) {
                    worker.page = *page;
                }
            }
            Event::SpawnFailed { session, .. } => drop(self.sessions.remove(session)),
            Event::Bytes { session, bytes, .. } => self.hears(*session, bytes),
            Event::Decoded { session, id, .. } => {
                let worker = self.sessions.get_mut(session);
                if worker.is_some_and(|worker| worker.decoded(*id)) {
                    self.call.answered.push_back(id.task);
                }
            }
            Event::Exited { session, .. } => {
                if let Some(worker) = self.sessions.get_mut(session) {
                    worker.exited = true;
                }
            }
            Event::CancelAll { .. } => self.all_cancelled(now),
            Event::SetPriority { .. } | Event::SetOrder { .. } | Event::Broadcast { .. } => {
                self.reordered(event);
            }
            Event::Offer { .. }
            | Event::Withdraw { .. }
            | Event::Finish { .. }
            | Event::SetGate { .. }
            | Event::Shut(_)
            | Event::OpenScope { .. }
            | Event::CloseScope { .. }
            | Event::CancelScope { .. }
            | Event::Output { .. }
            | Event::Usage { .. }
            | Event::Weighed { .. }
            | Event::Resize { .. }
            | Event::Eof { .. }
            | Event::TokenCame
            | Event::TokensLost { .. }
            | Event::TokensCounted
            | Event::EndWorker { .. }
            | Event::Wake => {}
        }
        self.hand_back(now);
    }

    /// During the call: a response of `of` was used, and `task` follows from it.
    pub(crate) fn injected(&mut self, of: TaskId, task: TaskId, vain: bool) {
        self.call.follow_ups.push((of, task, vain));
    }

    /// After all actions of the call: what the machine did without a word.
    pub(crate) fn done(&mut self, now: Instant) {
        self.begin_dispatch(now);
    }

    /// Whether something could start if there were a worker.
    pub(crate) fn wants_to_start(&self) -> bool {
        !self.ready.is_empty() && self.gate.starts()
    }

    fn submitted(&mut self, id: TaskId, entry: Entry, options: Option<&TaskOptions>) {
        if self.is_turned_away(id) {
            return;
        }
        let options = options.unwrap_or(&self.config.defaults);
        self.call.refusal = self.refusal(id, entry, options);
        if self.call.refusal.is_some() {
            return;
        }
        let needs = options.needs.clone();
        let options = TaskOptions {
            needs: Vec::new(),
            ..*options
        };
        for need in &needs {
            if let Some(needed) = self.task_mut(need.task) {
                needed.dependents.push((id, need.when));
            }
        }
        self.admit(id, options, false, needs.len());
    }

    /// Why a task must be refused, in the order in which the machine looks.
    fn refusal(&self, id: TaskId, entry: Entry, options: &TaskOptions) -> Option<Refusal> {
        let key = Key::new(u32::try_from(id.index()).expect("an index has 32 bits"));
        let (gate, mode) = (self.gate, self.config.boundary.mode);
        if self.pool_ended {
            return Some(Refusal::PoolEnded(String::new()));
        }
        if options
            .limit
            .is_some_and(|limit| self.limits.len() <= at(limit))
        {
            return Some(Refusal::UnknownLimit);
        }
        let mut needs = options.needs.iter();
        if let Some(need) = needs.find(|need| self.task(need.task).is_none()) {
            return Some(Refusal::UnknownNeed(need.task));
        }
        let pulled = entry == Entry::Pull;
        let (queued, max_queued) = (self.queued, self.config.boundary.max_queued);
        let why = if self.tasks.contains_key(&id.index()) {
            LaneError::DuplicateTask { key }
        } else if !matches!(gate, Gate::Running | Gate::Paused) {
            LaneError::NotAdmitting { key, gate }
        } else if mode == AdapterMode::PushOnly && pulled
            || mode == AdapterMode::PullOnly && !pulled
        {
            LaneError::ModeForbids {
                key,
                mode,
                action: entry,
            }
        } else if self.room() == 0 {
            LaneError::QueueSaturated {
                key,
                queued,
                max_queued,
            }
        } else {
            return None;
        };
        Some(Refusal::from(why))
    }

    fn admit(&mut self, id: TaskId, options: TaskOptions, injected: bool, unmet: usize) {
        self.order.arrivals += 1;
        let task = Task {
            id,
            options,
            seq: self.next_seq,
            arrival: self.order.arrivals,
            level: 0,
            attempts: 0,
            injected,
            state: State::Queued,
            unmet,
            doomed: false,
            suspected: false,
            given_up: false,
            deaths: 0,
            retries: 0,
            dependents: Vec::new(),
            session: Session(0),
            until: None,
        };
        self.next_seq += 1;
        self.tasks.insert(id.index(), task);
        self.enter(id);
    }

    fn cancelled(&mut self, now: Instant, id: TaskId) {
        match self.task(id).map(|task| task.state) {
            Some(State::InFlight { .. }) if !self.is_decoding(id) => {
                self.stop(now, id, Why::Cancelled);
            }
            Some(State::InFlight { .. } | State::Stopping { .. }) => {
                self.task_mut(id).expect("just seen").given_up = true;
            }
            Some(State::Over(_)) => self.unschedule(id),
            Some(State::Queued) | None => {}
        }
    }

    fn shut(&mut self, now: Instant, how: Shut) {
        self.shut = Some(how);
        if how == Shut::Drain {
            self.gate = Gate::Draining;
            return;
        }
        self.gate = Gate::Closed;
        self.unschedule_all();
        if how >= Shut::Stop {
            let with_workers = |task: &&Task| {
                matches!(task.state, State::InFlight { .. } | State::Stopping { .. })
            };
            let ids: Vec<TaskId> = self
                .tasks
                .values()
                .filter(with_workers)
                .map(|task| task.id)
                .collect();
            for id in ids {
                self.cancelled(now, id);
            }
        }
        if how == Shut::Kill {
            for id in self.stopping.clone() {
                if let Some(Task {
                    state: State::Stopping { ladder, .. },
                    ..
                }) = self.task_mut(id)
                {
                    ladder.kill_at = ladder.kill_at.min(now.as_millis());
                }
            }
        }
    }

    fn task(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(&id.index()).filter(|task| task.id == id)
    }

    /// The worker that has it, or had it last.
    fn worker_of(&self, id: TaskId) -> Option<&Worker> {
        self.sessions.get(&self.task(id)?.session)
    }

    fn task_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        self.tasks.get_mut(&id.index()).filter(|task| task.id == id)
    }

    /// The one way from state to state: the sums go with it.
    fn set(&mut self, id: TaskId, state: State) {
        self.leave(id);
        if let Some(task) = self.task_mut(id) {
            task.state = state;
        }
        self.enter(id);
    }

    fn enter(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(&id.index()) else {
            return;
        };
        let (state, limit) = (task.state, task.options.limit);
        match state {
            State::Queued => {
                self.queued += 1;
                self.injected += usize::from(task.injected);
                if task.unmet == 0 {
                    self.suspects += usize::from(task.suspected);
                    self.line_up(id);
                }
            }
            State::InFlight { .. } => self.in_flight += 1,
            State::Stopping { .. } => drop(self.stopping.insert(id)),
            State::Over(_) => {}
        }
        if let (State::InFlight { .. } | State::Stopping { .. }, Some(limit)) = (state, limit) {
            self.limits[at(limit)].1 += 1;
        }
    }

    fn leave(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id.index()) else {
            return;
        };
        match task.state {
            State::Queued => {
                self.queued -= 1;
                self.injected -= usize::from(task.injected);
                if self.ready.remove(&task.place()) {
                    self.suspects -= usize::from(task.suspected);
                }
            }
            State::InFlight { .. } => self.in_flight -= 1,
            State::Stopping { .. } => drop(self.stopping.remove(&id)),
            State::Over(_) => {}
        }
        if let (State::InFlight { .. } | State::Stopping { .. }, Some(limit)) =
            (task.state, task.options.limit)
        {
            self.limits[at(limit)].1 -= 1;
        }
        self.unschedule(id);
    }

    /// It no longer waits for a moment.
    fn unschedule(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id.index()) else {
            return;
        };
        if let Some(until) = task.until.take() {
            self.running.remove(&(until, id));
            self.delayed.remove(&(until, id));
        }
    }

    /// No retry comes back any more: all are told to have ended.
    fn unschedule_all(&mut self) {
        for (_, id) in std::mem::take(&mut self.delayed) {
            self.unschedule(id);
        }
    }
}

impl Task {
    fn place(&self) -> Place {
        let priority = std::cmp::Reverse(self.options.priority);
        (priority, self.level, self.seq, self.id)
    }

    /// It is not sent behind another.
    fn wants_to_be_alone(&self) -> bool {
        let options = &self.options;
        let times = [options.running, options.stall, options.cpu];
        let counts = options.memory.is_some() || times.iter().any(Option::is_some);
        counts || options.limit.is_some() || options.on_lost == OnLost::Fail
    }
}

/// Where a limit stands among the limits.
fn at(limit: LimitId) -> usize {
    usize::from(limit.0)
}
