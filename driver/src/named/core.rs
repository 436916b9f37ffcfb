//! What a table's handles and its attendant share: the machine and the typed things that its ids stand for, under one lock.
//!
//! It decides nothing. Of a user's code only that runs under the lock which is told that it does: a dropbox's merge, a look at
//! a state, a view, a clone. Should it call a table, it panics and does not hang.

use super::canceler::CancelToken;
use super::cell::Cell;
use super::courier::{Courier, News};
use super::dropbox::{MergeOf, said};
use super::error::{Closed, Crash, Fault, LaunchError, MachineCrash, MessageError};
use super::hooks::WorkerKind;
use super::life::LaunchOptions;
use super::source::Source;
use crate::queue::TaskQueue;
use crossbeam_channel::Sender;
use farm_master::NamedKind;
use farm_master::named::{Action, Phase, RequestId, Resolution, Rule, Table, WorkerId};
use farm_protocol::{Instant, Named, Session, SlotId};
use std::cell::Cell as Flag;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

thread_local! {
    /// A hook runs on this thread: what waits for a table would wait for ever.
    static IN_HOOK: Flag<bool> = const { Flag::new(false) };
    /// A user's code runs on this thread under the lock of a table.
    static UNDER_LOCK: Flag<bool> = const { Flag::new(false) };
}

/// Puts a flag back as it was, also when what was run unwinds.
struct Flagged(&'static std::thread::LocalKey<Flag<bool>>, bool);

impl Flagged {
    fn raise(flag: &'static std::thread::LocalKey<Flag<bool>>) -> Self {
        Self(flag, flag.replace(true))
    }
}

impl Drop for Flagged {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

/// Runs a hook, which may not wait for a table.
pub(super) fn as_hook<T>(run: impl FnOnce() -> T) -> T {
    let _flagged = Flagged::raise(&IN_HOOK);
    run()
}

/// A request as people see it. It is a user's code, and costs nobody anything but the view.
pub(super) fn view<N: Named>(request: &N::Request) -> String {
    let seen = catch_unwind(AssertUnwindSafe(|| N::view(request)));
    seen.unwrap_or_else(|panic| format!("(its view panicked: {})", said(&*panic)))
}

/// What whoever waits for a request is given.
pub(super) type Answer<N> =
    Result<<N as Named>::Response, MessageError<<N as Named>::RequestError>>;

/// What whoever waits for room is told.
pub(super) enum Admission<N: Named> {
    /// The request is in the mailbox.
    In,
    /// It never will be.
    Closed(Arc<N::Request>, Option<Crash>),
}

/// A request that is in the table.
pub(super) struct Parcel<N: Named> {
    pub(super) worker: WorkerId,
    pub(super) request: Arc<N::Request>,
    /// Nobody waits for its answer: `None`.
    pub(super) waiter: Option<Arc<Cell<Answer<N>>>>,
    /// Who waits until it is in the mailbox.
    pub(super) admission: Option<Arc<Cell<Admission<N>>>>,
    /// What a merge that panicked did to it, instead of what the machine says.
    pub(super) fault: Option<String>,
    pub(super) pushed: Instant,
    pub(super) started: Instant,
}

/// What stays of a worker for its handles when it has left the table.
pub(super) struct Life {
    pub(super) name: Arc<str>,
    pub(super) canceler: CancelToken,
    pub(super) closed: Cell<Closed>,
}

/// A worker that is in the table.
pub(super) struct Person<N: Named> {
    pub(super) life: Arc<Life>,
    pub(super) options: LaunchOptions,
    /// Until they are sent.
    pub(super) params: Option<N::Params>,
    /// Told when it is launched, or is not.
    pub(super) launched: Arc<Cell<Result<(), LaunchError<N>>>>,
    pub(super) failure: Option<LaunchError<N>>,
    /// The competence.
    pub(super) state: Option<N::Welcome>,
    pub(super) process: Option<(SlotId, Session)>,
    /// What the farm does for it now.
    pub(super) errand: Option<Arc<Courier<N>>>,
    /// Its last answer, until the next request is sent: those that share it are told one after the other.
    pub(super) answer: Option<Result<N::Response, N::RequestError>>,
    pub(super) source: Option<Source<N::Request>>,
    pub(super) born: Instant,
    /// When it began to close.
    pub(super) since: Option<Instant>,
    /// Why it crashed, once somebody was told.
    pub(super) crash: Option<Crash>,
}

pub(super) struct Desk<N: Named> {
    pub(super) table: Table,
    pub(super) people: BTreeMap<WorkerId, Person<N>>,
    pub(super) parcels: BTreeMap<RequestId, Parcel<N>>,
    pub(super) processes: BTreeMap<(SlotId, Session), WorkerId>,
    /// The farm is over, or nobody has the table any more: nothing is launched.
    pub(super) ended: bool,
    /// Of which an empty table is made.
    made_of: (Rule, NonZeroU32),
}

/// Everything that a table held when its thread fell.
type Fallen<N> = (
    BTreeMap<WorkerId, Person<N>>,
    BTreeMap<RequestId, Parcel<N>>,
    BTreeMap<(SlotId, Session), WorkerId>,
);

pub(super) struct Core<K: WorkerKind> {
    desk: Mutex<Desk<K::Named>>,
    pub(super) kind: K,
    pub(super) queue: TaskQueue<NamedKind<K::Named>>,
    pub(super) merge: Option<MergeOf<K::Named>>,
    pub(super) inbox: Sender<News<K::Named>>,
    /// The attendant has been told that there is something to do.
    rung: AtomicBool,
    began: (std::time::Instant, SystemTime),
}

impl<K: WorkerKind> Core<K> {
    pub(super) fn new(
        made_of: (Rule, NonZeroU32),
        kind: K,
        queue: TaskQueue<NamedKind<K::Named>>,
        merge: Option<MergeOf<K::Named>>,
        inbox: Sender<News<K::Named>>,
    ) -> Self {
        Self {
            desk: Mutex::new(Desk {
                table: Table::new(made_of.0, made_of.1),
                made_of,
                people: BTreeMap::new(),
                parcels: BTreeMap::new(),
                processes: BTreeMap::new(),
                ended: false,
            }),
            kind,
            queue,
            merge,
            inbox,
            rung: AtomicBool::new(false),
            began: (std::time::Instant::now(), SystemTime::now()),
        }
    }

    /// Asks or changes the table. What there is to do after that, the attendant is told of.
    ///
    /// # Panics
    /// Under such a lock: in a merge, a look at a state, a view, or a clone. A call of a table from there might never return.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Desk<K::Named>, Instant) -> T) -> T {
        assert!(
            !UNDER_LOCK.get(),
            "the merge of a mailbox, a look at a worker's state, or a view or clone of a value has called a worker or a table: \
             it runs under the lock of a table, and may look at nothing but what it was given"
        );
        let mut desk = self.lock();
        // Read under the lock: the machine is never told an earlier time after a later one.
        let now = self.now();
        let under_lock = Flagged::raise(&UNDER_LOCK);
        let value = look(&mut desk, now);
        drop(under_lock);
        let rings = desk.table.has_actions();
        drop(desk);
        if rings {
            self.ring();
        }
        value
    }

    fn lock(&self) -> MutexGuard<'_, Desk<K::Named>> {
        // A merge that panics is contained before it reaches the lock.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // Without an attendant nothing is left to do.
            let _over = self.inbox.send(News::Rung);
        }
    }

    /// The attendant has heard it, and is about to look.
    pub(super) fn heard(&self) {
        self.rung.store(false, Ordering::Release);
    }

    pub(super) fn now(&self) -> Instant {
        let nanos = self.began.0.elapsed().as_nanos();
        Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    pub(super) fn at(&self, machine: Instant) -> std::time::Instant {
        self.began.0 + Duration::from_nanos(machine.as_nanos())
    }

    pub(super) fn date(&self, machine: Instant) -> SystemTime {
        self.began.1 + Duration::from_nanos(machine.as_nanos())
    }

    /// Whether this thread must not wait for a named worker.
    pub(super) fn must_not_wait(&self) -> bool {
        IN_HOOK.get() || self.queue.shared.is_loop_thread()
    }
}

impl<N: Named> Person<N> {
    pub(super) fn new(
        life: Arc<Life>,
        options: LaunchOptions,
        params: N::Params,
        launched: &Arc<Cell<Result<(), LaunchError<N>>>>,
        source: Option<Source<N::Request>>,
        born: Instant,
    ) -> Self {
        Self {
            life,
            options,
            params: Some(params),
            launched: Arc::clone(launched),
            failure: None,
            state: None,
            process: None,
            errand: None,
            answer: None,
            source,
            born,
            since: None,
            crash: None,
        }
    }
}

impl<N: Named> Desk<N> {
    /// A crash as people see it. What it treated is looked up once, before that is told its end and forgotten.
    pub(super) fn crash(&mut self, worker: WorkerId, crash: &MachineCrash) -> Crash {
        let parcel = crash.during.and_then(|request| self.parcels.get(&request));
        let seen = || Crash {
            why: crash.why.clone(),
            during: parcel.map(|parcel| view::<N>(&parcel.request)),
        };
        match self.people.get_mut(&worker) {
            Some(person) => person.crash.get_or_insert_with(seen).clone(),
            None => seen(),
        }
    }

    /// Keeps when a worker that closes began to, and why, while what it treated is known.
    pub(super) fn note_end(&mut self, worker: WorkerId) {
        let Some(view) = self.table.view(worker) else {
            return;
        };
        match view.phase {
            Phase::Launching { .. } | Phase::Running { .. } => {}
            Phase::Closing { since, crash, .. } => {
                if let Some(person) = self.people.get_mut(&worker) {
                    person.since = Some(since);
                }
                if let Some(crash) = crash {
                    self.crash(worker, &crash);
                }
            }
        }
    }

    /// Takes a request out whose end this action tells, if nobody waits for that, or if it was displaced: that says all
    /// that there is to say. Whoever puts without end makes many of these.
    pub(super) fn resolve_unheard(&mut self, action: &Action) -> Option<Parcel<N>> {
        let Action::Resolve { request, with } = action else {
            return None;
        };
        let parcel = self.parcels.get_mut(request)?;
        let displaced = *with == Resolution::Displaced;
        if parcel.admission.is_some() || parcel.waiter.is_some() && !displaced {
            return None;
        }
        if let Some(waiter) = parcel.waiter.take() {
            waiter.give(Err(match parcel.fault.take() {
                Some(fault) => MessageError::Any(Fault(fault)),
                None => MessageError::Displaced,
            }));
        }
        let worker = parcel.worker;
        self.note_end(worker);
        self.parcels.remove(request)
    }

    /// Why a worker that takes nothing more crashed, as far as that was told already.
    pub(super) fn crash_told(&self, worker: WorkerId) -> Option<Crash> {
        self.people.get(&worker)?.crash.clone()
    }

    /// Nobody attends to the table any more: it is empty from now on, and takes nothing.
    pub(super) fn fall(&mut self) -> Fallen<N> {
        self.ended = true;
        self.table = Table::new(self.made_of.0, self.made_of.1);
        (
            std::mem::take(&mut self.people),
            std::mem::take(&mut self.parcels),
            std::mem::take(&mut self.processes),
        )
    }
}
