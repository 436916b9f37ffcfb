//! The ends of many tasks, one after the other, as they come or as they were submitted.

use crate::entrance::Way;
use crate::message::{Learn, Submission};
use crate::queue::TaskQueue;
use crate::scope::Scope;
use crate::shared::Shared;
use crate::sleeper::Sleeper;
use crate::sync::{Mutex, lock};
use crate::ticket::{Refused, Resolved};
use farm_master::{Event, Held, Receive, Refusal, Settled, TaskKind, TaskOptions};
use farm_protocol::{KindId, ScopeId, TaskId};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::mem;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What becomes of an answer.
enum Desk<K: TaskKind> {
    /// It is kept until it is fetched; this one sleeps until there is one.
    Open {
        here: VecDeque<(usize, Resolved<K>)>,
        sleeper: Option<Sleeper>,
    },
    /// Nobody will fetch it.
    Closed,
}

/// Where the loop lays answers, and [`Results`] fetches them.
struct Inbox<K: TaskKind>(Mutex<Desk<K>>);

impl<K: TaskKind> Inbox<K> {
    fn lay(&self, index: usize, resolved: Resolved<K>) {
        // The user's values and an executor's code are left for after the lock.
        let (sleeper, unheard) = match &mut *lock(&self.0) {
            Desk::Open { here, sleeper } => {
                here.push_back((index, resolved));
                (sleeper.take(), None)
            }
            Desk::Closed => (None, Some(resolved)),
        };
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
        drop(unheard);
    }

    /// Everything that is here; when that is nothing, `sleeper` is to be woken, and nobody else.
    fn fetch(&self, sleeper: impl FnOnce() -> Option<Sleeper>) -> VecDeque<(usize, Resolved<K>)> {
        let (fetched, before) = match &mut *lock(&self.0) {
            Desk::Open { here, .. } if !here.is_empty() => (mem::take(here), None),
            Desk::Open { sleeper: place, .. } => (VecDeque::new(), mem::replace(place, sleeper())),
            Desk::Closed => unreachable!("who closes it fetches no more"),
        };
        drop(before);
        fetched
    }

    fn close(&self) {
        let before = mem::replace(&mut *lock(&self.0), Desk::Closed);
        drop(before);
    }
}

/// Waits for one of the tasks.
struct Entry<K: TaskKind> {
    index: usize,
    id: OnceLock<TaskId>,
    inbox: Arc<Inbox<K>>,
}

impl<K: TaskKind> Receive<K> for Entry<K> {
    fn settled(&self, settled: Settled<K>) {
        self.inbox.lay(self.index, Ok(settled));
    }

    fn refused(&self, task: K::Task, refusal: Refusal) {
        self.inbox.lay(self.index, Err(Refused { task, refusal }));
    }
}

impl<K: TaskKind> Learn for Entry<K> {
    fn learn(&self, id: TaskId) {
        self.id.get_or_init(|| id);
    }

    fn id(&self) -> Option<TaskId> {
        self.id.get().copied()
    }
}

impl<K: TaskKind> TaskQueue<K> {
    /// Submits all of them, with the kind's default options, and gives their ends as an iterator.
    ///
    /// They are submitted before this returns. What the lane has no room for comes out as [`Refused`] with its task, so
    /// for more tasks than [`QUEUED`](crate::QUEUED) or the pool's own boundary use [`Farm::feed`](crate::Farm::feed).
    ///
    /// ```no_run
    /// # use farm_driver::TaskQueue;
    /// # use farm_master::{Outcome, TaskKind};
    /// # fn example<K: TaskKind<Task = u64, Output = u64>>(queue: &TaskQueue<K>) {
    /// for (index, resolved) in queue.submit_all([10, 20, 30]) {
    ///     match resolved {
    ///         Ok(settled) => match settled.outcome {
    ///             Outcome::Done(output) => println!("number {index}: {output}"),
    ///             other => println!("number {index} ended {}", other.status()),
    ///         },
    ///         Err(refused) => println!("number {index} was not taken: {refused}"),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn submit_all(&self, tasks: impl IntoIterator<Item = K::Task>) -> Results<K> {
        self.submit_many(tasks.into_iter().map(|task| (task, None)), None)
    }

    /// As [`TaskQueue::submit_all`], into a scope: with it they are cancelled, and by the drop of the results as well.
    ///
    /// # Panics
    /// When the scope belongs to another farm.
    pub fn submit_all_in(
        &self,
        scope: &Scope,
        tasks: impl IntoIterator<Item = K::Task>,
    ) -> Results<K> {
        let scope = scope.id_in(&self.shared);
        let tasks = tasks.into_iter().map(|task| (task, None));
        self.submit_many(tasks, Some(scope))
    }

    /// As [`TaskQueue::submit_all`], each task with options of its own; `None`: the kind's defaults.
    pub fn submit_all_options(
        &self,
        tasks: impl IntoIterator<Item = (K::Task, Option<TaskOptions>)>,
    ) -> Results<K> {
        self.submit_many(tasks, None)
    }

    fn submit_many(
        &self,
        tasks: impl IntoIterator<Item = (K::Task, Option<TaskOptions>)>,
        scope: Option<ScopeId>,
    ) -> Results<K> {
        let mut results = Results::none_of(&self.shared);
        // Should the iterator panic, what it has given goes as the results do.
        for (task, options) in tasks {
            let submission = results.prepare(self.kind, task, options, scope);
            self.shared.submit(submission);
        }
        results
    }
}

/// The ends of tasks that were submitted together, in the order in which they end, each with the place in which its task
/// was submitted, from 0. It gives each task once, refused ones included, and ends after the last.
///
/// **Dropping it cancels** the tasks that have not ended, without waiting for them: who leaves a loop at the first hit
/// has no use for the rest. [`Results::detach`] lets them run. (A [`Ticket`](crate::Ticket) is one claim that is dropped knowingly,
/// and cancels nothing.)
#[must_use = "dropped results cancel their tasks; `detach` lets them run"]
pub struct Results<K: TaskKind> {
    shared: Arc<Shared>,
    inbox: Arc<Inbox<K>>,
    /// Fetched and not yet given out.
    fetched: VecDeque<(usize, Resolved<K>)>,
    /// Those whose ends have not been given out.
    open: BTreeMap<usize, Arc<Entry<K>>>,
    /// The place of the next one.
    next: usize,
    /// Nobody cancels what is left.
    runs_on: bool,
}

impl<K: TaskKind> Results<K> {
    /// Of no task yet.
    pub(crate) fn none_of(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            inbox: Arc::new(Inbox(Mutex::new(Desk::Open {
                here: VecDeque::new(),
                sleeper: None,
            }))),
            fetched: VecDeque::new(),
            open: BTreeMap::new(),
            next: 0,
            runs_on: false,
        }
    }

    /// A task whose end comes out here, in the next place; still to be sent in.
    pub(crate) fn prepare(
        &mut self,
        kind: KindId,
        task: K::Task,
        options: Option<TaskOptions>,
        scope: Option<ScopeId>,
    ) -> Submission {
        let entry = Arc::new(Entry {
            index: self.next,
            id: OnceLock::new(),
            inbox: Arc::clone(&self.inbox),
        });
        self.next += 1;
        self.open.insert(entry.index, Arc::clone(&entry));
        let waiter = Arc::clone(&entry) as Arc<dyn Receive<K>>;
        Submission {
            kind,
            held: Box::new(Held::new(task, Some(waiter))),
            options: options.map(Box::new),
            ticket: Some(entry),
            scope,
            way: Way::Plain,
        }
    }

    /// Asks for the end of every task that has not ended, with a reason for people. Their ends come out as the others do.
    pub fn cancel(&self, reason: impl Into<String>) {
        let open: Vec<_> = self.open.values().cloned().collect();
        let reason = reason.into();
        self.shared.have_done(move |it| {
            // Through the same mailbox as the submissions: each has learned its id before, unless it was handed back.
            for task in open.iter().filter_map(|entry| entry.id()) {
                let reason = reason.clone();
                it.tell(Event::Cancel { task, reason });
            }
        });
    }

    /// Lets the tasks run, though nobody will hear how they end.
    pub fn detach(mut self) {
        self.runs_on = true;
    }

    /// The next end that comes within this time; `None`: there was none, or [`Results::len`] is 0.
    ///
    /// # Panics
    /// As the iterator does: when the farm's loop has panicked, and on the farm's loop itself, where it would wait for ever.
    pub fn next_timeout(&mut self, span: Duration) -> Option<(usize, Resolved<K>)> {
        self.next_until(Instant::now().checked_add(span))
    }

    /// How many ends are still to come out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether all have come out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The same in the order in which the tasks were submitted. An end that comes early is kept until its turn.
    pub fn in_order(self) -> InOrder<K> {
        InOrder {
            results: self,
            early: BTreeMap::new(),
        }
    }

    /// The next one that is here; when there is none, `sleeper` is to be woken.
    pub(crate) fn take(
        &mut self,
        sleeper: impl FnOnce() -> Option<Sleeper>,
    ) -> Option<(usize, Resolved<K>)> {
        if self.fetched.is_empty() {
            self.fetched = self.inbox.fetch(sleeper);
        }
        let (index, resolved) = self.fetched.pop_front()?;
        self.open.remove(&index);
        Some((index, resolved))
    }

    fn next_until(&mut self, deadline: Option<Instant>) -> Option<(usize, Resolved<K>)> {
        if self.open.is_empty() {
            return None;
        }
        if let Some(next) = self.take(|| None) {
            return Some(next);
        }
        let shared = Arc::clone(&self.shared);
        let found = shared.sleep_until(deadline, || self.take(|| Some(Sleeper::this_thread())));
        match found {
            Ok(Some(next)) => Some(next),
            Ok(None) => panic!("the farm's loop has panicked: how these tasks ended is not known"),
            Err(()) => None,
        }
    }
}

impl<K: TaskKind> Iterator for Results<K> {
    type Item = (usize, Resolved<K>);

    /// Waits for the next end.
    ///
    /// # Panics
    /// When the farm's loop has panicked, and on the farm's loop itself, where it would wait for ever.
    fn next(&mut self) -> Option<Self::Item> {
        self.next_until(None)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<K: TaskKind> ExactSizeIterator for Results<K> {}

impl<K: TaskKind> std::iter::FusedIterator for Results<K> {}

impl<K: TaskKind> Drop for Results<K> {
    fn drop(&mut self) {
        // What is here already has ended.
        for (index, _) in &self.fetched {
            self.open.remove(index);
        }
        if !self.runs_on && !self.open.is_empty() {
            self.cancel("its results were dropped");
        }
        self.inbox.close();
    }
}

impl<K: TaskKind> fmt::Debug for Results<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results")
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

/// [`Results`] in the order in which the tasks were submitted. Dropping it does what dropping those does.
#[must_use = "dropped results cancel their tasks; `detach` lets them run"]
pub struct InOrder<K: TaskKind> {
    results: Results<K>,
    /// Those before which another one has yet to come out.
    early: BTreeMap<usize, Resolved<K>>,
}

impl<K: TaskKind> InOrder<K> {
    /// As [`Results::cancel`].
    pub fn cancel(&self, reason: impl Into<String>) {
        self.results.cancel(reason);
    }

    /// As [`Results::detach`].
    pub fn detach(self) {
        self.results.detach();
    }
}

impl<K: TaskKind> Iterator for InOrder<K> {
    type Item = Resolved<K>;

    /// Waits for the end of the next task. Panics as [`Results`] does.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // What came out before it was put in order is missing in both.
            let awaited = self.results.open.first_key_value();
            let early = self.early.first_entry();
            if let Some(early) = early
                && awaited.is_none_or(|(index, _)| early.key() < index)
            {
                return Some(early.remove());
            }
            let (index, resolved) = self.results.next()?;
            self.early.insert(index, resolved);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.early.len() + self.results.len();
        (left, Some(left))
    }
}

impl<K: TaskKind> ExactSizeIterator for InOrder<K> {}

impl<K: TaskKind> std::iter::FusedIterator for InOrder<K> {}

impl<K: TaskKind> fmt::Debug for InOrder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InOrder")
            .field("open", &self.results.len())
            .field("early", &self.early.len())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
