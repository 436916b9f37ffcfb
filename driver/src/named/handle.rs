//! The handle of one named worker: what it is, what it does, and how it is ended.

use super::canceler::CancelToken;
use super::core::{self, Core, Life};
use super::error::{CalledFromHook, Closed, Crash};
use super::hooks::WorkerKind;
use super::life::ShutdownMode;
use farm_master::named::{Phase, Shutdown, WorkerId};
use farm_protocol::Named;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How far the life of a named worker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerPhase {
    /// Its process is being started, or executes `on_launch`. Requests are taken already.
    Launching {
        /// When it was asked for.
        since: SystemTime,
    },
    /// It treats requests.
    Running {
        /// When it was launched.
        since: SystemTime,
    },
    /// It takes and treats nothing more; its process is being ended, or its `on_close` runs.
    Closing {
        /// When it was launched, or asked for if it never was.
        birth: SystemTime,
        /// When this began.
        since: SystemTime,
        /// Why, if nobody had told it to.
        crash: Option<Crash>,
    },
    /// It is gone, and its name is free.
    Closed(Closed),
}

impl WorkerPhase {
    /// The word for it.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Launching { .. } => "launching",
            Self::Running { .. } => "running",
            Self::Closing { .. } => "closing",
            Self::Closed(Closed { crash: None, .. }) => "closed",
            Self::Closed(Closed { crash: Some(_), .. }) => "crashed",
        }
    }
}

/// A request that waits in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRequest {
    /// When it was brought; of a merged one the oldest.
    pub pushed: SystemTime,
    /// As the kind shows it.
    pub view: String,
}

/// The request that a worker treats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentRequest {
    /// When it was brought.
    pub pushed: SystemTime,
    /// When it was sent.
    pub started: SystemTime,
    /// As the kind shows it.
    pub view: String,
}

/// A worker at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerInformation {
    /// Its name.
    pub name: String,
    /// How far its life is.
    pub phase: WorkerPhase,
    /// How many requests wait in its mailbox.
    pub queued: usize,
    /// How many callers wait for room in it.
    pub blocked: usize,
    /// How many workers are in its table.
    pub table: usize,
}

/// A named worker. Clones are handles of the same worker; when all are gone it lives on, and is found by its name.
///
/// `M` is its mailbox, which says how requests are brought; hooks, which serve tables of any, have handles without.
pub struct WorkerRef<K: WorkerKind, M = ()> {
    pub(super) core: Arc<Core<K>>,
    pub(super) id: WorkerId,
    life: Arc<Life>,
    of: PhantomData<fn(M)>,
}

impl<K: WorkerKind, M> Clone for WorkerRef<K, M> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.core), self.id, Arc::clone(&self.life))
    }
}

impl<K: WorkerKind, M> fmt::Debug for WorkerRef<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerRef")
            .field("name", &self.life.name)
            .finish_non_exhaustive()
    }
}

impl<K: WorkerKind, M> WorkerRef<K, M> {
    pub(super) const fn new(core: Arc<Core<K>>, id: WorkerId, life: Arc<Life>) -> Self {
        Self {
            core,
            id,
            life,
            of: PhantomData,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.life.name
    }

    /// How far its life is.
    #[must_use]
    pub fn phase(&self) -> WorkerPhase {
        if let Some(closed) = self.life.closed.peek(Clone::clone) {
            return WorkerPhase::Closed(closed);
        }
        let phase = self.core.with(|desk, now| {
            let Some(view) = desk.table.view(self.id) else {
                // Its name is free, and whoever waits for that is about to be told. A hook, which may stand before that, asks too.
                let person = desk.people.get(&self.id)?;
                return Some(WorkerPhase::Closing {
                    birth: self.core.date(person.born),
                    since: self.core.date(person.since.unwrap_or(now)),
                    crash: person.crash.clone(),
                });
            };
            Some(match view.phase {
                Phase::Launching { since } => WorkerPhase::Launching {
                    since: self.core.date(since),
                },
                Phase::Running { since } => WorkerPhase::Running {
                    since: self.core.date(since),
                },
                Phase::Closing {
                    birth,
                    since,
                    crash,
                } => WorkerPhase::Closing {
                    birth: self.core.date(birth),
                    since: self.core.date(since),
                    crash: crash.map(|crash| desk.crash(self.id, &crash)),
                },
            })
        });
        phase.unwrap_or_else(|| WorkerPhase::Closed(self.closed()))
    }

    /// Waits until it is said how it ended.
    fn closed(&self) -> Closed {
        let closed = self.life.closed.wait(None, |closed| closed.clone());
        closed.flatten().expect("it is said once, and stays")
    }

    pub(super) fn crash_before(&self) -> Option<Crash> {
        self.life.closed.peek(|closed| closed.crash.clone())?
    }

    /// Looks at what the master knows of it, its competence, and may change it; `None` before it is launched and when it
    /// closes. The worker itself is another process, and is not looked at. It runs under the lock of the table: it is
    /// quick, and calls no worker.
    ///
    /// # Panics
    /// When `look` calls a worker, or panics itself.
    pub fn with_state<T>(&self, look: impl FnOnce(&mut Welcome<K>) -> T) -> Option<T> {
        self.core.with(|desk, _| {
            match desk.table.view(self.id)?.phase {
                Phase::Running { .. } => {}
                Phase::Launching { .. } | Phase::Closing { .. } => return None,
            }
            let state = desk.people.get_mut(&self.id)?.state.as_mut()?;
            Some(look(state))
        })
    }

    /// The request that it treats now.
    #[must_use]
    pub fn current_request(&self) -> Option<CurrentRequest> {
        self.core.with(|desk, _| {
            let (pending, started) = desk.table.view(self.id)?.current?;
            let parcel = desk.parcels.get(&pending.request)?;
            Some(CurrentRequest {
                pushed: self.core.date(pending.pushed),
                started: self.core.date(started),
                view: core::view::<K::Named>(&parcel.request),
            })
        })
    }

    /// What waits in its mailbox, oldest first.
    #[must_use]
    pub fn pending_requests(&self) -> Vec<PendingRequest> {
        self.core.with(|desk, _| {
            let pending = desk.table.pending(self.id).into_iter();
            let pending = pending.filter_map(|pending| {
                let parcel = desk.parcels.get(&pending.request)?;
                Some(PendingRequest {
                    pushed: self.core.date(pending.pushed),
                    view: core::view::<K::Named>(&parcel.request),
                })
            });
            pending.collect()
        })
    }

    /// How many wait in its mailbox.
    #[must_use]
    pub fn pending_len(&self) -> usize {
        let view = self.core.with(|desk, _| desk.table.view(self.id));
        view.map_or(0, |view| view.queued)
    }

    /// Everything at a glance.
    #[must_use]
    pub fn information(&self) -> WorkerInformation {
        let phase = self.phase();
        let (view, table) = self
            .core
            .with(|desk, _| (desk.table.view(self.id), desk.people.len()));
        WorkerInformation {
            name: self.name().to_owned(),
            phase,
            queued: view.as_ref().map_or(0, |view| view.queued),
            blocked: view.as_ref().map_or(0, |view| view.blocked),
            table,
        }
    }

    /// Fires when it begins to close, whatever the reason: for work that is tied to its life.
    #[must_use]
    pub fn canceler(&self) -> CancelToken {
        self.life.canceler.clone()
    }

    /// Begins to shut it down, and does not wait; from hooks too.
    pub fn trigger_shutdown(&self, how: ShutdownMode) {
        self.core.with(|desk, now| {
            let how = match how {
                ShutdownMode::Drop => Shutdown::Drop,
                ShutdownMode::Drain { deadline } => Shutdown::Drain {
                    until: now.after(deadline),
                },
            };
            desk.table.shutdown(now, self.id, how);
        });
    }

    /// Shuts it down, and waits until it is closed: its process is collected, its `on_close` has run, its name is free. A
    /// worker that closes already goes on as it does.
    ///
    /// # Errors
    /// [`CalledFromHook`]; nothing has happened then.
    pub fn shutdown(&self, how: ShutdownMode) -> Result<Closed, CalledFromHook> {
        if self.core.must_not_wait() {
            return Err(CalledFromHook);
        }
        self.trigger_shutdown(how);
        self.wait_closed()
    }

    /// Waits until it is closed, for whatever reason.
    ///
    /// # Errors
    /// [`CalledFromHook`].
    pub fn wait_closed(&self) -> Result<Closed, CalledFromHook> {
        if self.core.must_not_wait() {
            return Err(CalledFromHook);
        }
        Ok(self.closed())
    }

    /// As [`WorkerRef::wait_closed`], so long at most; `None`: it is not closed yet.
    ///
    /// # Errors
    /// [`CalledFromHook`].
    pub fn wait_closed_timeout(&self, span: Duration) -> Result<Option<Closed>, CalledFromHook> {
        if self.core.must_not_wait() {
            return Err(CalledFromHook);
        }
        let deadline = std::time::Instant::now().checked_add(span);
        Ok(self
            .life
            .closed
            .wait(deadline, |closed| closed.clone())
            .flatten())
    }
}

/// The competence of a worker.
type Welcome<K> = <<K as WorkerKind>::Named as Named>::Welcome;
