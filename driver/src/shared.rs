//! What the loop and everybody outside of it share: the way in, and what is left when it is over.

use crate::entrance::{Entrance, Open, Way};
#[cfg(feature = "future")]
use crate::future::Futures;
use crate::message::{Message, Opening, Post, Submission};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::thread::{self, Thread, ThreadId};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};
use farm_master::lane::{Boundary, Gate};
use farm_master::{Refusal, Registry, Shut};
use farm_protocol::{KindId, ScopeId};
use std::fmt;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

/// How far the loop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// It runs.
    No,
    /// It has ended as it was told.
    Stopped,
    /// It has panicked. Tasks that were in the farm will never be settled.
    Panicked,
}

struct End {
    over: Over,
    /// Threads that wait for a ticket, to be woken when it can never be resolved.
    sleepers: Vec<Thread>,
    /// What else is to be told that it is over.
    tell: Vec<Box<dyn FnOnce() + Send>>,
    /// Futures that are pending, for the same.
    #[cfg(feature = "future")]
    futures: Futures,
}

/// Where the kinds are, which alone can hand a task back.
enum Retired {
    /// The loop has them. The mailbox is closed a moment before it retires them, and what comes in
    /// between it will see to.
    No,
    /// Nobody uses them.
    Here(Registry),
    /// This thread hands tasks back with them.
    With(ThreadId),
}

/// What came in after the end.
struct Late {
    /// Not handed back yet.
    submissions: Vec<Submission>,
    kinds: Retired,
}

/// Shared by the loop, the farm's handles, queues and tickets.
pub(crate) struct Shared {
    pub(crate) post: Post,
    /// Which farm; a reference to a kind of another one is recognised.
    pub(crate) farm: u64,
    last_scope: AtomicU64,
    end: Mutex<End>,
    ended: Condvar,
    late: Mutex<Late>,
    /// The kinds have been put back.
    returned: Condvar,
    loop_thread: OnceLock<ThreadId>,
    /// The ways into the lanes, by kind.
    entrances: Vec<Entrance>,
    /// Why the record of the run ends early, until somebody asks.
    record_trouble: Mutex<Option<io::Error>>,
}

impl Shared {
    pub(crate) fn new(post: Post, farm: u64) -> Self {
        Self {
            post,
            farm,
            last_scope: AtomicU64::new(0),
            end: Mutex::new(End {
                over: Over::No,
                sleepers: Vec::new(),
                tell: Vec::new(),
                #[cfg(feature = "future")]
                futures: Futures::default(),
            }),
            ended: Condvar::new(),
            late: Mutex::new(Late {
                submissions: Vec::new(),
                kinds: Retired::No,
            }),
            returned: Condvar::new(),
            loop_thread: OnceLock::new(),
            entrances: Vec::new(),
            record_trouble: Mutex::new(None),
        }
    }

    /// The same, with these lanes.
    pub(crate) fn with_lanes<'a>(mut self, lanes: impl Iterator<Item = &'a Boundary>) -> Self {
        let entrances = lanes.map(|lane| Entrance::new(Open::new(lane)));
        self.entrances = entrances.collect();
        self
    }

    /// Asks for a gate. Whoever submits after this goes by it.
    pub(crate) fn set_gate(&self, kind: KindId, gate: Gate) {
        self.entrance(kind).doubt(gate);
        self.post(Message::SetGate { kind, gate });
    }

    /// Asks the farm to end. Whoever submits after this goes by it.
    pub(crate) fn shut(&self, how: Shut) {
        self.doubt(None);
        self.post(Message::Shut(how));
    }

    /// Has whoever comes to the lane of a kind, or to any, ask the loop.
    pub(crate) fn doubt(&self, kind: Option<KindId>) {
        let (all, one) = (&self.entrances, kind.map(|kind| self.entrance(kind)));
        let doubted = one.map_or(all.as_slice(), std::slice::from_ref);
        doubted.iter().for_each(|it| it.doubt(Gate::Draining));
    }

    /// The way into the lane of a kind.
    pub(crate) fn entrance(&self, kind: KindId) -> &Entrance {
        &self.entrances[kind.0 as usize]
    }

    /// Sends a message; after the end nobody hears it.
    pub(crate) fn post(&self, message: Message) {
        if let Err(message) = self.post.push(message) {
            log::debug!("the farm is over; {message:?} has no effect");
        }
    }

    /// Sends a task in. After the end it is handed back before this returns; while the loop is
    /// ending, or to a callback that is itself told of an end, as soon as that is through. Whether the loop will hear it.
    pub(crate) fn submit(&self, submission: Submission) -> bool {
        let pushed = self.post.push(Message::Submit(submission));
        if let Err(Message::Submit(submission)) = pushed {
            lock(&self.late).submissions.push(submission);
            self.hand_back_late();
            return false;
        }
        true
    }

    /// An id that no scope of this farm has had.
    pub(crate) fn new_scope(&self) -> ScopeId {
        // Relaxed: only that no two are the same matters.
        ScopeId(self.last_scope.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Opens a scope. After the end who waits for it is told so, and its members are handed back as by [`Shared::submit`].
    pub(crate) fn open_scope(&self, opening: Opening) {
        let opening = Message::OpenScope(Box::new(opening));
        if let Err(opening) = self.post.push(opening) {
            self.hand_back_message(opening);
        }
    }

    /// Nobody hears this message any more: the tasks in it are handed back.
    pub(crate) fn hand_back_message(&self, message: Message) {
        let submissions = message.too_late();
        if !submissions.is_empty() {
            lock(&self.late).submissions.extend(submissions);
            self.hand_back_late();
        }
    }

    /// Hands back what came late, with the kinds if nobody else has them.
    fn hand_back_late(&self) {
        let own = thread::current().id();
        let mut late = lock(&self.late);
        loop {
            match mem::replace(&mut late.kinds, Retired::With(own)) {
                Retired::Here(registry) => {
                    self.hand_back_all(late, registry);
                    self.returned.notify_all();
                    return;
                }
                Retired::With(other) if other != own => {
                    late.kinds = Retired::With(other);
                    // It may have ours in its hands. A ticket of a farm that is over and not
                    // resolved would be one that never is.
                    late = wait(&self.returned, late);
                }
                // A callback of the loop, or of this call further up: it goes on when that returns.
                before @ (Retired::No | Retired::With(_)) => {
                    late.kinds = before;
                    return;
                }
            }
        }
    }

    /// Hands back what came late and puts the kinds there. While the user's code is told of one task
    /// it may submit another: so no lock is held meanwhile, and it looks again before it is done.
    fn hand_back_all<'a>(&'a self, mut late: MutexGuard<'a, Late>, mut registry: Registry) {
        while let Some(submission) = late.submissions.pop() {
            drop(late);
            hand_back(&mut registry, submission);
            late = lock(&self.late);
        }
        late.kinds = Retired::Here(registry);
    }

    /// On the loop thread, first of all.
    pub(crate) fn enter_loop(&self) {
        self.loop_thread.get_or_init(|| thread::current().id());
    }

    pub(crate) fn is_loop_thread(&self) -> bool {
        self.loop_thread.get() == Some(&thread::current().id())
    }

    /// On the loop thread, last of all. `registry` still knows the kinds.
    pub(crate) fn finish(&self, registry: Registry, over: Over) {
        // From here on others may have the kinds, and it does not wait for them: who is told of an
        // end on another thread may wait there for this loop.
        self.hand_back_all(lock(&self.late), registry);
        let mut end = lock(&self.end);
        end.over = over;
        self.ended.notify_all();
        for sleeper in end.sleepers.drain(..) {
            sleeper.unpark();
        }
        let tell = mem::take(&mut end.tell);
        #[cfg(feature = "future")]
        let futures = mem::take(&mut end.futures);
        drop(end);
        #[cfg(feature = "future")]
        futures.wake();
        tell.into_iter().for_each(|tell| tell());
    }

    /// How far the loop is; `look` sees the futures that are to be woken at its end.
    #[cfg(feature = "future")]
    pub(crate) fn futures<T>(&self, look: impl FnOnce(&mut Futures) -> T) -> (Over, T) {
        let end = &mut *lock(&self.end);
        (end.over, look(&mut end.futures))
    }

    /// The record of the run cannot be written, and ends here.
    pub(crate) fn note_record_trouble(&self, error: io::Error) {
        log::warn!("the run is not recorded any more: {error}; the farm goes on");
        *lock(&self.record_trouble) = Some(error);
    }

    pub(crate) fn take_record_trouble(&self) -> Option<io::Error> {
        lock(&self.record_trouble).take()
    }

    /// Waits for the end of the loop.
    ///
    /// # Panics
    /// On the loop thread itself, which would wait for ever.
    pub(crate) fn wait_over(&self) -> Over {
        assert!(
            !self.is_loop_thread(),
            "a callback on the farm's loop waits for that loop"
        );
        let mut end = lock(&self.end);
        while end.over == Over::No {
            end = wait(&self.ended, end);
        }
        end.over
    }

    pub(crate) fn over(&self) -> Over {
        lock(&self.end).over
    }

    /// Calls `tell` when the loop is over; at once, here, when it is.
    pub(crate) fn at_end(&self, tell: Box<dyn FnOnce() + Send>) {
        let mut end = lock(&self.end);
        match end.over {
            Over::No => end.tell.push(tell),
            Over::Stopped | Over::Panicked => {
                drop(end);
                tell();
            }
        }
    }

    /// Lists this thread to be woken at the end of the loop.
    pub(crate) fn sleeps(&self) {
        lock(&self.end).sleepers.push(thread::current());
    }

    /// Takes this thread from the list.
    pub(crate) fn slept(&self) {
        let own = thread::current().id();
        let sleepers = &mut lock(&self.end).sleepers;
        if let Some(position) = sleepers.iter().position(|thread| thread.id() == own) {
            sleepers.swap_remove(position);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("farm", &self.farm)
            .field("over", &self.over())
            .finish_non_exhaustive()
    }
}

/// Gives a task back that the machine never heard of.
pub(crate) fn hand_back(registry: &mut Registry, submission: Submission) {
    let id = registry.insert(submission.kind, submission.held);
    let refusal = Refusal::NotAdmitting(Gate::Closed);
    contained("a waiter", || registry.refuse(id, refusal));
    match submission.way {
        Way::Plain | Way::LetThrough => {}
        Way::Waits(admission) | Way::Asks(admission) => admission.give(false),
    }
}

/// Runs code that is not ours; a panic of it is reported and goes no further.
pub(crate) fn contained<T>(whose: &str, run: impl FnOnce() -> T) -> Option<T> {
    // What a panic leaves half changed is the user's own; ours is borrowed only through calls
    // that do not unwind between two changes.
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(answer) => Some(answer),
        Err(panic) => {
            let message = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("without a message");
            log::error!("{whose} panicked on the farm's loop ({message}); the farm goes on");
            None
        }
    }
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
