//! A table of named workers: launching, finding, listing.

use super::attendant::Attendant;
use super::canceler::CancelToken;
use super::cell::Cell;
use super::core::{Core, Life, Person};
use super::courier::News;
use super::dropbox::{Merge, MergeOf};
use super::error::{CalledFromHook, LaunchError};
use super::handle::WorkerRef;
use super::hooks::WorkerKind;
use super::life::{LaunchOptions, ShutdownMode};
use super::source::{Pulled, Source};
use crate::builder::{FarmBuilder, KindRef};
use crate::farm::Farm;
use crate::pool::Pool;
use crate::queue::TaskQueue;
use farm_master::NamedKind;
use farm_master::lane::{Boundary, KEY_LIMIT};
use farm_master::named::{LaunchRefused, Rule, WorkerId};
use farm_protocol::{Named, Session, SlotId};
use std::fmt;
use std::marker::PhantomData;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::thread;

/// A kind of named workers of a farm that is being built or runs: its pool, for [`Farm::worker_table`].
pub struct NamedRef<N: Named> {
    kind: KindRef<NamedKind<N>>,
    most: NonZeroU32,
}

impl<N: Named> Clone for NamedRef<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N: Named> Copy for NamedRef<N> {}

impl<N: Named> fmt::Debug for NamedRef<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl FarmBuilder {
    /// Adds a kind of named workers with the pool that their processes come from: as many live at once as it has slots.
    /// Of its boundary the room for waiting tasks counts for nothing: the mailboxes have their own.
    ///
    /// # Panics
    /// With a pool of no slots, and as [`FarmBuilder::kind`].
    pub fn named<N: Named>(&mut self, mut pool: Pool) -> NamedRef<N> {
        let most =
            NonZeroU32::new(pool.slots).expect("a table of named workers has a place at least");
        pool.staffing.named = true;
        // Each table has one errand for each of its workers under way at most, and there may be any number of tables: nothing
        // is ever refused for want of room.
        let workers = NonZeroUsize::try_from(most).expect("a slot is an index");
        let boundary = pool
            .boundary
            .unwrap_or_else(|| Boundary::for_workers(workers));
        pool.boundary = Some(Boundary {
            max_queued: KEY_LIMIT as usize,
            ..boundary
        });
        NamedRef {
            kind: self.kind(NamedKind::<N>::default(), pool),
            most,
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// What a table's mailboxes are: [`Unbounded`], [`Bounded`], [`Dropbox`] or [`Pull`].
pub trait Mailbox<N: Named>: sealed::Sealed {
    #[doc(hidden)]
    fn rule(&self) -> Rule;
    #[doc(hidden)]
    fn merge(self) -> Option<MergeOf<N>>;
}

/// A mailbox into which requests are pushed.
pub trait Queued: sealed::Sealed {}

/// A mailbox into which callers bring requests, in one way or the other.
pub trait Inbox: sealed::Sealed {}

/// All requests wait: named so because nothing else limits it.
#[derive(Clone, Copy, Debug)]
pub struct Unbounded;

/// Exactly so many requests wait, not counting the one in treatment.
#[derive(Clone, Copy, Debug)]
pub struct Bounded(pub NonZeroUsize);

/// One request waits, and a new one is merged with it.
pub struct Dropbox<N: Named>(MergeOf<N>);

/// None waits: a function gives the next one when the worker has nothing to do.
#[derive(Clone, Copy, Debug)]
pub struct Pull;

impl<N: Named> Dropbox<N> {
    /// A dropbox in which the newest stands: whoever waits for one that was overtaken is told that it was displaced.
    #[must_use]
    pub fn newest() -> Self {
        Self::new(|_, new, _| Merge::Newest(new))
    }

    /// A dropbox with this merge: it is told the worker's competence (none before the launch), the new request, and the one
    /// that waits (none in an empty box).
    ///
    /// It runs in the caller, under the lock of the table: it is quick, and calls no worker. One that panics, or calls one,
    /// leaves the box empty, and whoever it concerns is told.
    pub fn new<M: Into<Merge<N::Request>>>(
        merge: impl Fn(Option<&N::Welcome>, N::Request, Option<N::Request>) -> M + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(move |state, new, old| {
            merge(state, new, old).into()
        }))
    }
}

impl<N: Named> fmt::Debug for Dropbox<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dropbox")
    }
}

impl sealed::Sealed for Unbounded {}
impl sealed::Sealed for Bounded {}
impl<N: Named> sealed::Sealed for Dropbox<N> {}
impl sealed::Sealed for Pull {}
impl Queued for Unbounded {}
impl Queued for Bounded {}
impl Inbox for Unbounded {}
impl Inbox for Bounded {}
impl<N: Named> Inbox for Dropbox<N> {}

impl<N: Named> Mailbox<N> for Unbounded {
    fn rule(&self) -> Rule {
        Rule::Unbounded
    }

    fn merge(self) -> Option<MergeOf<N>> {
        None
    }
}

impl<N: Named> Mailbox<N> for Bounded {
    fn rule(&self) -> Rule {
        Rule::Bounded(self.0)
    }

    fn merge(self) -> Option<MergeOf<N>> {
        None
    }
}

impl<N: Named> Mailbox<N> for Dropbox<N> {
    fn rule(&self) -> Rule {
        Rule::Dropbox
    }

    fn merge(self) -> Option<MergeOf<N>> {
        Some(self.0)
    }
}

impl<N: Named> Mailbox<N> for Pull {
    fn rule(&self) -> Rule {
        Rule::Pull
    }

    fn merge(self) -> Option<MergeOf<N>> {
        None
    }
}

/// What the last handle of a table takes with it.
pub(super) struct Owner<K: WorkerKind> {
    pub(super) core: Arc<Core<K>>,
}

impl<K: WorkerKind> Drop for Owner<K> {
    fn drop(&mut self) {
        // Without an attendant everything is over already.
        let _over = self.core.inbox.send(News::Left);
    }
}

/// Named workers of one kind, with mailboxes of one sort. Clones are handles of the same table; when the last is gone all
/// its workers are shut down, without waiting for it. It does not keep the farm alive: with the farm all of them end.
pub struct WorkerTable<K: WorkerKind, M> {
    pub(super) owner: Arc<Owner<K>>,
    of: PhantomData<fn(M)>,
}

impl<K: WorkerKind, M> Clone for WorkerTable<K, M> {
    fn clone(&self) -> Self {
        Self {
            owner: Arc::clone(&self.owner),
            of: PhantomData,
        }
    }
}

impl<K: WorkerKind, M> fmt::Debug for WorkerTable<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerTable")
            .field("kind", &K::Named::NAME)
            .finish_non_exhaustive()
    }
}

impl Farm {
    /// Opens a table of named workers. Of one pool several may be opened; they share its places.
    ///
    /// # Panics
    /// When the kind belongs to another farm, and when the system has no thread for it.
    pub fn worker_table<K: WorkerKind, M: Mailbox<K::Named>>(
        &self,
        named: NamedRef<K::Named>,
        kind: K,
        mailbox: M,
    ) -> WorkerTable<K, M> {
        let queue: TaskQueue<NamedKind<K::Named>> = self.queue(named.kind);
        let (inbox, news) = crossbeam_channel::unbounded();
        let made_of = (mailbox.rule(), named.most);
        let core = Core::new(made_of, kind, queue, mailbox.merge(), inbox);
        let core = Arc::new(core);
        let gone = core.inbox.clone();
        core.queue.shared.hear_of_workers(Box::new(
            move |place: (SlotId, Session), what: &farm_master::Gone| {
                let gone = gone.send(News::Gone {
                    place,
                    gone: Box::new(what.clone()),
                });
                gone.is_ok()
            },
        ));
        let over = core.inbox.clone();
        core.queue.shared.at_end(Box::new(move || {
            let _nobody = over.send(News::FarmOver);
        }));
        let attendant = Attendant {
            core: Arc::clone(&core),
            news,
        };
        thread::Builder::new()
            .name(format!("farm-{}", K::Named::NAME.replace('\0', "")))
            .spawn(move || attendant.run())
            .expect("a thread for the hooks of a table");
        WorkerTable {
            owner: Arc::new(Owner { core }),
            of: PhantomData,
        }
    }
}

/// A launch under way.
pub(super) struct Launching<K: WorkerKind, M> {
    pub(super) worker: WorkerRef<K, M>,
    launched: Arc<Cell<Result<(), LaunchError<K::Named>>>>,
}

impl<K: WorkerKind, M> Launching<K, M> {
    pub(super) fn wait(self) -> Result<WorkerRef<K, M>, LaunchError<K::Named>> {
        let launched = self.launched.wait(None, Option::take).flatten();
        launched.expect("one thread waits for it")?;
        Ok(self.worker)
    }
}

impl<K: WorkerKind, M> WorkerTable<K, M> {
    pub(super) fn core(&self) -> &Arc<Core<K>> {
        &self.owner.core
    }

    pub(super) fn begin(
        &self,
        name: &str,
        params: <K::Named as Named>::Params,
        options: LaunchOptions,
        source: Option<Source<<K::Named as Named>::Request>>,
    ) -> Result<Launching<K, M>, LaunchError<K::Named>> {
        let core = self.core();
        core.with(|desk, now| {
            if desk.ended {
                return Err(LaunchError::Closed);
            }
            let id = desk.table.launch(now, name, options.idle);
            let id = id.map_err(|refused| match refused {
                LaunchRefused::DuplicateName => LaunchError::DuplicateName,
                LaunchRefused::Full { most } => LaunchError::TableFull { most },
            })?;
            let life = Arc::new(Life {
                name: Arc::from(name),
                canceler: CancelToken::new(),
                closed: Cell::new(),
            });
            let launched = Arc::new(Cell::new());
            let person = Person::new(Arc::clone(&life), options, params, &launched, source, now);
            desk.people.insert(id, person);
            let worker = WorkerRef::new(Arc::clone(core), id, life);
            Ok(Launching { worker, launched })
        })
    }

    fn launch_with(
        &self,
        name: &str,
        params: <K::Named as Named>::Params,
        options: LaunchOptions,
        source: Option<Source<<K::Named as Named>::Request>>,
    ) -> Result<WorkerRef<K, M>, LaunchError<K::Named>> {
        if self.core().must_not_wait() {
            return Err(LaunchError::CalledFromHook(CalledFromHook));
        }
        self.begin(name, params, options, source)?.wait()
    }

    /// The worker of this name, while it launches, runs or closes.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<WorkerRef<K, M>> {
        let found = self.core().with(|desk, _| {
            let id = desk.table.find(name)?;
            Some((id, Arc::clone(&desk.people.get(&id)?.life)))
        });
        found.map(|(id, life)| WorkerRef::new(Arc::clone(self.core()), id, life))
    }

    /// All workers that launch, run or close, by name.
    #[must_use]
    pub fn list(&self) -> Vec<(String, WorkerRef<K, M>)> {
        let all: Vec<(WorkerId, Arc<Life>)> = self.core().with(|desk, _| {
            let names = desk.table.names();
            let all =
                names.filter_map(|(_, id)| Some((id, Arc::clone(&desk.people.get(&id)?.life))));
            all.collect()
        });
        let all = all.into_iter().map(|(id, life)| {
            let name = life.name.to_string();
            (name, WorkerRef::new(Arc::clone(self.core()), id, life))
        });
        all.collect()
    }

    /// Shuts all workers down, and waits until they are closed.
    ///
    /// # Errors
    /// [`CalledFromHook`]; nothing has happened then.
    pub fn shutdown_all(&self, how: ShutdownMode) -> Result<(), CalledFromHook> {
        if self.core().must_not_wait() {
            return Err(CalledFromHook);
        }
        let all = self.list();
        for (_, worker) in &all {
            worker.trigger_shutdown(how);
        }
        for (_, worker) in &all {
            worker.wait_closed()?;
        }
        Ok(())
    }
}

impl<K: WorkerKind, M: Inbox> WorkerTable<K, M> {
    /// Starts a process that becomes the worker of this name, and waits until its `on_launch` has answered.
    ///
    /// # Errors
    /// [`LaunchError`]; the name is free then.
    pub fn launch(
        &self,
        name: &str,
        params: <K::Named as Named>::Params,
        options: LaunchOptions,
    ) -> Result<WorkerRef<K, M>, LaunchError<K::Named>> {
        self.launch_with(name, params, options, None)
    }
}

impl<K: WorkerKind> WorkerTable<K, Pull> {
    /// As the launch into other mailboxes, with the source of its requests: asked on the table's thread whenever the worker has
    /// nothing to do. Several that pull from one shared queue are a pool. Nobody waits for what a source has given: when the
    /// worker is closed before it has treated that, or while the source gives it, it is dropped.
    ///
    /// # Errors
    /// [`LaunchError`]; the name is free then.
    pub fn launch(
        &self,
        name: &str,
        params: <K::Named as Named>::Params,
        options: LaunchOptions,
        source: impl FnMut() -> Pulled<<K::Named as Named>::Request> + Send + 'static,
    ) -> Result<WorkerRef<K, Pull>, LaunchError<K::Named>> {
        self.launch_with(name, params, options, Some(Box::new(source)))
    }
}

impl<K: WorkerKind> WorkerRef<K, Pull> {
    /// Its source may have something: it is asked again if the worker has nothing to do.
    pub fn wake(&self) {
        self.core.with(|desk, now| desk.table.pull(now, self.id));
    }
}
