//! The master's machine: routes what happened to the parts that have the rules.
//!
//! It owns tasks, lanes, slots and timers, all by id. It knows no type of a task, no process, no clock.

mod admit;
mod answers;
mod dispatch;
mod exits;
mod groups;
mod invariants;
mod keep;
mod limits;
mod listing;
mod meanwhile;
mod mutants;
mod offers;
mod overview;
mod pick;
mod pool;
mod queue;
mod random;
mod ready;
mod scopes;
mod sessions;
mod settle;
mod share;
mod shut;
mod slot;
mod somebody;
mod staff;
mod starts;
mod stop;
mod task;
mod timers;
mod tokens;
mod worn;

use crate::action::{Action, Actions};
use crate::config::Config;
use crate::event::{Event, Shut};
use crate::kinds::Kinds;
use crate::lane::Gate;
use crate::mutation::Mutation;
use farm_protocol::{Instant, KindId, Session, SlotId, TaskId};
use limits::Limits;
use pool::Pool;
use random::Random;
use scopes::ScopeTable;
use slot::{Process, Slot};
use std::collections::VecDeque;
use task::TaskTable;
use timers::Timers;

/// The master. See the contract in the crate's documentation.
///
/// The loop of a driver, in miniature:
///
/// ```
/// use farm_master::{Actions, Config, Event, Master, Registry, Shut};
/// use farm_protocol::Instant;
///
/// let mut master = Master::new(Config::default());
/// let (mut kinds, mut actions) = (Registry::new(), Actions::new());
/// master.handle(Instant::START, Event::Shut(Shut::Drain), &mut kinds, &mut actions);
/// assert_eq!(actions.as_slice(), [farm_master::Action::Stopped]);
/// ```
#[derive(Debug)]
pub struct Master {
    config: Config,
    tasks: TaskTable,
    scopes: ScopeTable,
    pools: Vec<Pool>,
    slots: Vec<Slot>,
    limits: Limits,
    timers: Timers,
    random: Random,
    last_session: Session,
    shut: Option<Shut>,
    stopped: bool,
    /// Ended tasks whose dependents have not been told yet.
    ended: VecDeque<settle::Ended>,
    /// Limits that have got room, while their parked tasks are being woken.
    freed: VecDeque<crate::options::LimitId>,
    /// How many tasks wait for room, in all lanes.
    offered: usize,
    /// How often a pool has begun to want a place under the farm's limit.
    hungers: u64,
    wakes: bool,
    purse: tokens::Purse,
    counters: Counters,
}

/// What was dropped, and why: stale is normal, silence about it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Events about a session that is over.
    pub stale_sessions: u64,
    /// Answers about an attempt that is not in flight.
    pub stale_answers: u64,
    /// Answers that were void because their attempt had been cancelled.
    pub late_answers: u64,
    /// Feedback that could not be decoded, or whose callback panicked.
    pub bad_feedback: u64,
    /// Measurements for an attempt that is not in flight.
    pub stale_samples: u64,
    /// Worker processes that ended while they held nothing.
    pub idle_deaths: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// Tasks looked at when a worker was free.
    pub looks: u64,
    /// Times a kind was asked whether a task matches.
    pub matches: u64,
}

/// What one call of `handle` carries along.
struct Turn<'a> {
    now: Instant,
    kinds: &'a mut dyn Kinds,
    actions: &'a mut Actions,
}

impl Master {
    /// A master of this configuration; nothing has happened yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut slots = Vec::new();
        let mut pools = Vec::with_capacity(config.kinds.len());
        for (index, kind) in config.kinds.iter().enumerate() {
            let kind_id = KindId(u16::try_from(index).expect("at most 65535 kinds"));
            let first = slots.len();
            for _ in 0..kind.numbered() {
                let id = SlotId(u32::try_from(slots.len()).expect("at most 2^32 slots"));
                slots.push(Slot {
                    id,
                    kind: kind_id,
                    process: None,
                });
            }
            let mut kind = kind.clone();
            let more = usize::from(config.mutation.is(Mutation::OneInjectedMore));
            kind.injection_limit = kind.injection_limit.saturating_add(more);
            pools.push(Pool::new(kind, first..slots.len()));
        }
        Self {
            limits: Limits::new(&config.limits),
            random: Random::new(config.seed),
            tasks: TaskTable::default(),
            scopes: ScopeTable::default(),
            pools,
            slots,
            timers: Timers::default(),
            last_session: Session(0),
            shut: None,
            stopped: false,
            ended: VecDeque::new(),
            freed: VecDeque::new(),
            offered: 0,
            hungers: 0,
            wakes: false,
            purse: tokens::Purse::default(),
            counters: Counters::default(),
            config,
        }
    }

    /// Tells the machine that something happened; what is to be done is appended to `actions`.
    pub fn handle(
        &mut self,
        now: Instant,
        event: Event<'_>,
        kinds: &mut dyn Kinds,
        actions: &mut Actions,
    ) {
        let turn = &mut Turn {
            now,
            kinds,
            actions,
        };
        self.hear(turn, event);
        self.fall_due(turn);
        self.draw_conclusions(turn);
        self.count_tokens(turn);
        self.dispatch_touched(turn);
        self.admit_offered(turn);
        self.end_unmatched(turn);
        self.balance_tokens(turn);
        self.close_when_empty(turn);
    }

    /// What this event means by itself; what follows from it comes after.
    #[expect(clippy::too_many_lines, reason = "an arm per event, and nothing else")]
    fn hear(&mut self, turn: &mut Turn<'_>, event: Event<'_>) {
        match event {
            Event::Submit {
                task,
                kind,
                entry,
                options,
                scope,
            } => self.submit(turn, (task, kind), entry, options, scope),
            Event::OpenScope {
                scope,
                parent,
                rule,
                limit,
            } => self.open_scope(turn, scope, parent, rule, limit),
            Event::CloseScope { scope } => self.scopes.close(scope),
            Event::CancelScope { scope, reason } => self.cancel_scope(turn, scope, reason),
            Event::Cancel { task, reason } => self.cancel(turn, task, reason),
            Event::CancelAll { kind, reason } => self.cancel_all(turn, kind, &reason),
            Event::SetPriority { task, priority } => self.set_priority(turn, task, priority),
            Event::SetOrder { kind, order } => self.set_order(turn, kind, order),
            Event::Broadcast { kind } => self.broadcast(turn, kind),
            Event::Resize { kind, least, most } => self.resize(turn, kind, least, most),
            Event::EndWorker { slot, session } => self.end_worker(turn, slot, session),
            Event::SetGate { kind, gate } => self.set_gate(kind, gate),
            Event::Shut(how) => self.shut(turn, how),
            Event::Spawned {
                slot,
                session,
                page,
            } => self.spawned(slot, session, page),
            Event::SpawnFailed {
                slot,
                session,
                error,
            } => self.spawn_failed(turn, slot, session, error),
            Event::Bytes {
                slot,
                session,
                bytes,
            } => self.bytes(turn, slot, session, bytes),
            Event::Output {
                slot,
                session,
                stream,
                noted,
                bytes,
            } => self.output(turn, slot, session, stream, noted, bytes),
            Event::Eof { slot, session } => self.eof(turn, slot, session),
            Event::Exited {
                slot,
                session,
                exit,
            } => self.exited(turn, slot, session, &exit),
            Event::Decoded {
                slot,
                session,
                id,
                handle,
            } => self.decoded(turn, slot, session, id, handle),
            Event::Usage {
                slot,
                session,
                id,
                sample,
            } => self.usage(turn, slot, session, id, sample),
            Event::Weighed {
                slot,
                session,
                memory,
            } => self.weighed(turn, slot, session, memory),
            Event::TokenCame => self.token_came(turn),
            Event::TokensLost { error } => self.tokens_lost(turn, error),
            Event::TokensCounted => self.tokens_counted(),
            Event::Wake => {}
            Event::Offer {
                task,
                kind,
                options,
            } => self.offer(turn, (task, kind), options),
            Event::Withdraw { task } => self.withdraw(turn, task),
            Event::Finish { kind } => self.finish_kind(turn, kind),
        }
    }

    /// When the machine wants [`Event::Wake`] at the latest; `None`: never by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        // Before the first event: workers that are kept are started at once.
        if self.pools.iter().any(|pool| pool.touched) {
            return Some(Instant::START);
        }
        let lanes = self
            .pools
            .iter()
            .filter_map(|pool| pool.lane.next_deadline());
        let lanes = lanes.map(Instant::from_millis).min();
        match (self.timers.next(), lanes) {
            (Some(timer), Some(lane)) => Some(timer.min(lane)),
            (timer, lane) => timer.or(lane),
        }
    }

    /// How many tasks of this kind may be pulled now: submitted with [`crate::lane::Entry::Pull`]. Ask once, pull that many.
    #[must_use]
    pub fn demand(&self, kind: KindId) -> usize {
        let pool = &self.pools[kind.0 as usize];
        // As many retries may wait for their delays as tasks may wait at all: a list that fails
        // from its first line to its last must not end up in memory.
        let delayed = pool.lane.counts().terminal;
        let full = delayed > pool.config.boundary.max_queued;
        if pool.ended.is_some() || full {
            0
        } else {
            let demand = pool.lane.demand();
            let more = demand > 0 && self.config.mutation.is(Mutation::DemandOneMore);
            demand + usize::from(more)
        }
    }

    /// How many tasks are in the farm.
    #[must_use]
    pub const fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// How many scopes are not over.
    #[must_use]
    pub fn scopes(&self) -> usize {
        self.scopes.len()
    }

    /// What was dropped so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// The lane of a kind, to look at.
    #[must_use]
    pub fn lane(&self, kind: KindId) -> &crate::lane::Lane {
        &self.pools[kind.0 as usize].lane
    }

    /// Whether the last action was `Stopped`.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        self.stopped
    }

    fn set_gate(&mut self, kind: KindId, gate: Gate) {
        // Once the farm is closing, the gates are its own.
        if self.shut.is_none() {
            let pool = &mut self.pools[kind.0 as usize];
            pool.lane.set_gate(gate);
            pool.finishing = false;
            pool.touched = true;
        }
    }

    /// The process of a session, or `None` when what is said about it is stale.
    fn process(&mut self, slot: SlotId, session: Session) -> Option<&mut Process> {
        let found = self
            .slots
            .get_mut(slot.0 as usize)
            .and_then(|slot| slot.of(session));
        if found.is_none() {
            self.counters.stale_sessions += 1;
        }
        found
    }

    /// The process that our own books say is in a slot.
    fn process_at(&mut self, slot: SlotId) -> &mut Process {
        let slot = &mut self.slots[slot.0 as usize];
        slot.process
            .as_mut()
            .expect("the books name only slots that have a process")
    }

    fn pool_of(&mut self, task: TaskId) -> &mut Pool {
        let kind = self.tasks.at(task).kind;
        &mut self.pools[kind.0 as usize]
    }

    fn touch(&mut self, kind: KindId) {
        self.pools[kind.0 as usize].touched = true;
    }

    fn stop_for_good(&mut self, turn: &mut Turn<'_>) {
        self.end_all_scopes(turn);
        self.stopped = true;
        turn.actions.push(Action::Stopped);
    }
}

#[cfg(test)]
mod tests;
