//! Named workers: a table of workers that are somebody, each with a mailbox. A worker is launched under a name, treats
//! one request after the other, and is closed once, by one path, whatever ends it.
//!
//! The table is a machine as the master is one, and stands above it: that a request is sent to a process, asked to stop
//! or killed is the master's to do; here is decided which request is next, who is told what, and when a name is free.
//! It knows ids only, no request, no answer, no process, no clock.
//!
//! # How a worker ends
//!
//! Whatever ends it comes to [`Table::close`], in this order: the reason is fixed; nothing more is taken; the request in
//! treatment, those that wait and those that wait to be taken are resolved, all with that reason; the canceler fires; the
//! process is ended. When the process is gone, `on_close` runs, the name is free, and whoever waits for the end wakes.

mod action;
mod close;
mod invariants;
mod mailbox;
mod push;
#[cfg(test)]
mod tests;
mod treat;

pub use action::{
    Action, Crash, Full, LaunchRefused, Merge, PushRefused, Resolution, Shutdown, Treated, Verdict,
};
pub use mailbox::Rule;

use crate::lane::Counts;
use crate::mutation::{Mutated, Mutation};
use farm_protocol::Instant;
use mailbox::Mailbox;
use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// A launch of a name: a later worker of the same name has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(u64);

/// A request that somebody brought, never used twice in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(u64);

/// How far the life of a named worker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its process is being started, or executes `on_launch`. It takes requests already.
    Launching {
        /// When it was asked for.
        since: Instant,
    },
    /// It treats requests.
    Running {
        /// When it was launched.
        since: Instant,
    },
    /// It takes and treats nothing more, and its process is not gone, or `on_close` has not returned.
    Closing {
        /// When it was launched, or asked for if it never was.
        birth: Instant,
        /// When this began.
        since: Instant,
        /// Why, if it did not end as it was told.
        crash: Option<Arc<Crash>>,
    },
}

impl Phase {
    const fn birth(&self) -> Instant {
        match self {
            Self::Launching { since } | Self::Running { since } => *since,
            Self::Closing { birth, .. } => *birth,
        }
    }

    /// Why it crashed, if it did.
    #[must_use]
    pub const fn crash(&self) -> Option<&Arc<Crash>> {
        match self {
            Self::Launching { .. } | Self::Running { .. } => None,
            Self::Closing { crash, .. } => crash.as_ref(),
        }
    }
}

/// Where the process of a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Process {
    /// The farm has been asked for it.
    Starting,
    /// It lives, and is this worker's alone.
    There,
    /// Collected, or never came to be.
    Gone,
}

/// The request in treatment.
#[derive(Debug)]
struct InTreatment {
    request: RequestId,
    key: crate::lane::Key,
    started: Instant,
    stage: Stage,
    /// Its lane knows that it is to stop.
    stopped: bool,
    /// Why it was cancelled, for people; empty if it was not.
    reason: String,
}

/// How far a treatment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The process has it.
    Sent,
    /// The process has it and was asked to stop; its waiter is told when it has.
    Stopping,
    /// The process has it, and its waiter was told that the worker closes.
    Void,
    /// Its answer has come, and the hook that looks at it has not returned.
    Judged,
}

#[derive(Debug)]
struct Worker {
    name: Arc<str>,
    phase: Phase,
    process: Process,
    /// It ran, and whoever launched it knows: `on_close` is owed.
    launched: bool,
    /// That has been asked for.
    on_close: bool,
    mailbox: Mailbox,
    treats: Option<InTreatment>,
    /// The source has been asked and has not answered.
    pulling: bool,
    /// Since it was asked it may have got something.
    woken: bool,
    /// After so long without a request `on_idle` runs, again and again.
    idle: Option<Duration>,
    idle_at: Option<Instant>,
    /// When a drain becomes a drop.
    close_by: Option<Instant>,
}

/// Where an open request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Not in the mailbox: there is no room.
    Blocked,
    /// In the mailbox, waiting or in treatment.
    Lane(crate::lane::Key),
    /// Merged into another, whose answer it shares.
    Merged(RequestId),
}

#[derive(Debug)]
struct Request {
    worker: WorkerId,
    pushed: Instant,
    at: At,
    /// Those that share its answer.
    merged: Vec<RequestId>,
}

/// A request as a listing shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which.
    pub request: RequestId,
    /// When it was brought; of a merged one the oldest.
    pub pushed: Instant,
}

/// A worker as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// How far its life is.
    pub phase: Phase,
    /// How many requests wait in its mailbox.
    pub queued: usize,
    /// How many wait to be taken into it.
    pub blocked: usize,
    /// The request in treatment, and since when.
    pub current: Option<(Pending, Instant)>,
}

/// A table of named workers. The [module](self) tells its rules.
///
/// Every call takes the time, which must not go backwards, and leaves in [`Table::take_action`] what is to be done, in order.
#[derive(Debug)]
pub struct Table {
    rule: Rule,
    /// So many may be launched at once.
    most: NonZeroU32,
    names: BTreeMap<Arc<str>, WorkerId>,
    workers: BTreeMap<WorkerId, Worker>,
    requests: BTreeMap<RequestId, Request>,
    last_worker: u64,
    last_request: u64,
    resolved: u64,
    actions: VecDeque<Action>,
    /// The seeded bug it has, if any.
    mutated: Mutated,
}

impl Table {
    /// An empty table whose mailboxes keep this rule.
    #[must_use]
    pub const fn new(rule: Rule, most: NonZeroU32) -> Self {
        Self {
            rule,
            most,
            names: BTreeMap::new(),
            workers: BTreeMap::new(),
            requests: BTreeMap::new(),
            last_worker: 0,
            last_request: 0,
            resolved: 0,
            actions: VecDeque::new(),
            mutated: Mutated::NONE,
        }
    }

    /// The same table with this seeded bug.
    #[must_use]
    pub const fn with_bug(mut self, mutated: Mutated) -> Self {
        self.mutated = mutated;
        self
    }

    /// The next thing to be done.
    pub fn take_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether something is to be done.
    #[must_use]
    pub fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Begins a worker of this name: it is in the table from now on, and takes requests. With `idle`, `on_idle` runs
    /// after each such span without a request.
    ///
    /// # Errors
    /// The name is taken, or so many workers live already. Nothing has changed.
    pub fn launch(
        &mut self,
        now: Instant,
        name: &str,
        idle: Option<Duration>,
    ) -> Result<WorkerId, LaunchRefused> {
        if self.names.contains_key(name) {
            return Err(LaunchRefused::DuplicateName);
        }
        if self.workers.len() >= self.most.get() as usize {
            return Err(LaunchRefused::Full { most: self.most });
        }
        self.last_worker += 1;
        let id = WorkerId(self.last_worker);
        let name: Arc<str> = Arc::from(name);
        self.names.insert(Arc::clone(&name), id);
        let worker = Worker {
            name,
            phase: Phase::Launching { since: now },
            process: Process::Starting,
            launched: false,
            on_close: false,
            mailbox: Mailbox::new(self.rule),
            treats: None,
            pulling: false,
            woken: false,
            idle,
            idle_at: None,
            close_by: None,
        };
        self.workers.insert(id, worker);
        self.actions.push_back(Action::Launch { worker: id });
        Ok(id)
    }

    /// How many more may be launched now.
    #[must_use]
    pub fn room(&self) -> usize {
        (self.most.get() as usize).saturating_sub(self.workers.len())
    }

    /// Who has this name now.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<WorkerId> {
        self.names.get(name).copied()
    }

    /// Everybody, by name.
    pub fn names(&self) -> impl Iterator<Item = (&Arc<str>, WorkerId)> {
        self.names.iter().map(|(name, id)| (name, *id))
    }

    /// The name of a worker that is in the table.
    #[must_use]
    pub fn name(&self, worker: WorkerId) -> Option<&Arc<str>> {
        self.workers.get(&worker).map(|worker| &worker.name)
    }

    /// A worker that is in the table.
    #[must_use]
    pub fn view(&self, worker: WorkerId) -> Option<View> {
        let worker = self.workers.get(&worker)?;
        let current = worker.treats.as_ref().map(|treats| {
            let pending = Pending {
                request: treats.request,
                pushed: self
                    .requests
                    .get(&treats.request)
                    .map_or(treats.started, |it| it.pushed),
            };
            (pending, treats.started)
        });
        Some(View {
            phase: worker.phase.clone(),
            queued: worker.mailbox.counts().queued,
            blocked: worker.mailbox.blocked(),
            current,
        })
    }

    /// What waits in a worker's mailbox, oldest first.
    #[must_use]
    pub fn pending(&self, worker: WorkerId) -> Vec<Pending> {
        let Some(worker) = self.workers.get(&worker) else {
            return Vec::new();
        };
        let pending = worker.mailbox.queued().map(|request| Pending {
            request,
            pushed: self.requests[&request].pushed,
        });
        pending.collect()
    }

    /// The sums over a worker's mailbox, as a lane counts them.
    #[must_use]
    pub fn counts(&self, worker: WorkerId) -> Option<Counts> {
        let worker = self.workers.get(&worker)?;
        Some(worker.mailbox.counts())
    }

    /// How many requests were issued, and how many of them were resolved. In an empty table the two are the same.
    #[must_use]
    pub const fn ledger(&self) -> (u64, u64) {
        (self.last_request, self.resolved)
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    /// When [`Table::wake`] is to be called at the latest; `None`: never by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let workers = self.workers.values();
        let due = workers.flat_map(|worker| [worker.idle_at, worker.close_by]);
        due.flatten().min()
    }

    /// A deadline fell, or nothing happened at all.
    pub fn wake(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let ids: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in ids {
            let Some(worker) = self.workers.get_mut(&id) else {
                continue;
            };
            if due(worker.close_by) {
                self.close(now, id, None);
            } else if due(worker.idle_at) {
                worker.idle_at = worker.idle.map(|span| now.after(span));
                self.actions.push_back(Action::Idle { worker: id });
            }
        }
    }

    /// A worker that our own books name.
    fn at(&mut self, worker: WorkerId) -> &mut Worker {
        let worker = self.workers.get_mut(&worker);
        worker.expect("the books name only workers that are in the table")
    }

    /// The only line that resolves a request, and with it those that share its answer.
    fn resolve(&mut self, request: RequestId, with: &Resolution) {
        let known = self.requests.remove(&request);
        let known = known.expect("a request is resolved once");
        self.resolved += 1;
        self.actions.push_back(Action::Resolve {
            request,
            with: with.clone(),
        });
        for merged in known.merged {
            if self.mutated.is(Mutation::MergedForgotten) {
                self.forget(merged);
            } else {
                self.resolve(merged, with);
            }
        }
    }

    /// Nobody waits for a request any more, and nobody is told.
    fn forget(&mut self, request: RequestId) {
        self.requests.remove(&request);
        self.resolved += 1;
    }
}
