//! The way for tasks of one kind into a farm. What waits for room here, and what does not, stands at each form; the rest
//! never blocks and never fails: a refusal comes to whoever waits for the end.

use crate::answer::Answer;
use crate::entrance::{Admission, Pass, Way};
use crate::group::{GroupBuilder, GroupTicket};
use crate::message::{Learn, Submission};
use crate::partials::{PARTIALS_KEPT, Partials};
use crate::scope::Scope;
use crate::shared::Shared;
use crate::ticket::{Cell, Refused, Ticket};
#[cfg(doc)]
use farm_master::Refusal;
use farm_master::{Held, Receive, Rule, TaskKind, TaskOptions};
use farm_protocol::{KindId, ScopeId};
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Submits tasks of kind `K`. It does not keep the farm alive: after the farm's end every task is handed back.
pub struct TaskQueue<K> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) kind: KindId,
    of: PhantomData<fn(K)>,
}

impl<K> Clone for TaskQueue<K> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            kind: self.kind,
            of: PhantomData,
        }
    }
}

impl<K> fmt::Debug for TaskQueue<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskQueue")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl<K: TaskKind> TaskQueue<K> {
    pub(crate) const fn new(shared: Arc<Shared>, kind: KindId) -> Self {
        Self {
            shared,
            kind,
            of: PhantomData,
        }
    }

    /// Submits a task with the kind's default options. **Where its lane is full it waits for room**, behind those that
    /// wait already; so who submits without end goes as fast as the tasks do, and memory stays what the lane holds.
    ///
    /// Whatever else keeps the task out comes by the ticket: [`Refused`] hands it back. Nobody is left waiting: when the
    /// lane is drained or closed or the farm ends, also by a panic of its loop, the ticket says so at once.
    ///
    /// A callback on the farm's loop cannot wait for that loop: there a full lane refuses, and the ticket says so.
    pub fn submit(&self, task: K::Task) -> Ticket<K> {
        self.submit_boxed(task, None)
    }

    /// As [`TaskQueue::submit`], with options of its own.
    pub fn submit_options(&self, task: K::Task, options: TaskOptions) -> Ticket<K> {
        self.submit_boxed(task, Some(Box::new(options)))
    }

    /// As [`TaskQueue::submit`], and waits for room at most this long: then the task is handed back, and nothing of it is
    /// left in the farm. The time is the caller's: it runs on while the farm is suspended. (A callback that holds
    /// the farm's loop holds this as well: what the answer is, that loop knows.)
    ///
    /// # Errors
    /// [`Refused`] with the task: [`Refusal::TimedOut`]; or at once what keeps it out whatever room there is; on the
    /// farm's loop [`Refusal::Saturated`]. Of a task that was let in without waiting, what else refuses it comes by the ticket.
    pub fn submit_timeout(&self, task: K::Task, span: Duration) -> Result<Ticket<K>, Refused<K>> {
        self.submit_within(task, None, Patience::of(span))
    }

    /// As [`TaskQueue::submit_timeout`], with options of its own.
    ///
    /// # Errors
    /// As there.
    pub fn submit_options_timeout(
        &self,
        task: K::Task,
        options: TaskOptions,
        span: Duration,
    ) -> Result<Ticket<K>, Refused<K>> {
        self.submit_within(task, Some(Box::new(options)), Patience::of(span))
    }

    /// As [`TaskQueue::submit`], and never waits for room: a full lane hands the task back, with how many tasks wait in it
    /// and how many may. What the farm's loop said last counts, together with what was submitted since.
    ///
    /// # Errors
    /// [`Refused`] with the task: [`Refusal::Saturated`]; or what keeps it out whatever room there is, of which the
    /// loop is asked, unless this is a callback on it.
    ///
    /// ```no_run
    /// # use farm_driver::TaskQueue;
    /// # use farm_master::{Refusal, TaskKind};
    /// # fn example<K: TaskKind<Task = u64>>(queue: &TaskQueue<K>) {
    /// match queue.try_submit(12) {
    ///     Ok(ticket) => drop(ticket.wait()),
    ///     Err(back) => match back.refusal {
    ///         Refusal::Saturated { queued, max_queued } => {
    ///             println!("{} later: {queued} of {max_queued} places are taken", back.task);
    ///         }
    ///         other => println!("{} never: {other}", back.task),
    ///     },
    /// }
    /// # }
    /// ```
    pub fn try_submit(&self, task: K::Task) -> Result<Ticket<K>, Refused<K>> {
        self.submit_within(task, None, Patience::None)
    }

    /// As [`TaskQueue::try_submit`], with options of its own.
    ///
    /// # Errors
    /// As there.
    pub fn try_submit_options(
        &self,
        task: K::Task,
        options: TaskOptions,
    ) -> Result<Ticket<K>, Refused<K>> {
        self.submit_within(task, Some(Box::new(options)), Patience::None)
    }

    /// Submits a task whose end is told to `waiter`, on the farm's loop. It does not wait: a full lane refuses the
    /// task, and `waiter` is told. Should the loop panic, it is told nothing.
    pub fn submit_with(
        &self,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
        waiter: Arc<dyn Receive<K>>,
    ) {
        let held = Box::new(Held::new(task, Some(waiter)));
        self.shared.submit(Submission {
            kind: self.kind,
            held,
            options,
            ticket: None,
            scope: None,
            way: Way::Plain,
        });
    }

    /// Submits a task into a scope, with which it is cancelled; follow-ups of it are in that scope as
    /// well. A scope that is cancelled refuses it, and so does a full lane: it does not wait. Without `options` it has
    /// the kind's default ones.
    ///
    /// # Panics
    /// When the scope belongs to another farm.
    pub fn submit_in(
        &self,
        scope: &Scope,
        task: K::Task,
        options: Option<TaskOptions>,
    ) -> Ticket<K> {
        let scope = scope.id_in(&self.shared);
        let (ticket, submission) = self.member(task, options.map(Box::new), scope);
        self.shared.submit(submission);
        ticket
    }

    /// Submits a group of tasks at once, which is closed with them. What the lane has no room for is refused. For tie rules, time limits and scopes:
    /// [`Farm::group`](crate::Farm::group).
    pub fn submit_group(
        &self,
        rule: Rule,
        tasks: impl IntoIterator<Item = K::Task>,
    ) -> GroupTicket<K> {
        GroupBuilder::new(Arc::clone(&self.shared), rule).submit_all(self, tasks)
    }

    /// # Panics
    /// When this is the queue of another farm.
    pub(crate) fn check(&self, shared: &Shared) {
        assert_eq!(
            self.shared.farm, shared.farm,
            "the queue belongs to another farm"
        );
    }

    /// A task of a scope or a group, still to be sent in.
    pub(crate) fn member(
        &self,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
        scope: ScopeId,
    ) -> (Ticket<K>, Submission) {
        let cell = Cell::<K>::new();
        let waiter = Arc::clone(&cell) as Arc<dyn Receive<K>>;
        self.prepare(cell, waiter, task, options, (Some(scope), Way::Plain))
    }

    /// As [`TaskQueue::submit`], of a task of which more than the end is wanted: its feedback comes as a stream that keeps [`PARTIALS_KEPT`]
    /// for whoever takes them. Without `options` it has the kind's default ones.
    pub fn submit_watched(
        &self,
        task: K::Task,
        options: Option<TaskOptions>,
    ) -> (Ticket<K>, Partials<K>) {
        self.submit_watched_keeping(task, options, PARTIALS_KEPT)
    }

    /// As [`TaskQueue::submit_watched`], keeping this many partial results for whoever takes them: the oldest are dropped, and
    /// counted, when they are not taken in time.
    pub fn submit_watched_keeping(
        &self,
        task: K::Task,
        options: Option<TaskOptions>,
        kept: NonZeroUsize,
    ) -> (Ticket<K>, Partials<K>) {
        let cell = Cell::<K>::new();
        let (partials, watched) = Partials::new(Arc::clone(&cell), Arc::clone(&self.shared), kept);
        let ticket = self.submit_told(cell, Arc::new(watched), task, options.map(Box::new));
        (ticket, partials)
    }

    fn submit_boxed(&self, task: K::Task, options: Option<Box<TaskOptions>>) -> Ticket<K> {
        let cell = Cell::<K>::new();
        let waiter = Arc::clone(&cell) as Arc<dyn Receive<K>>;
        self.submit_told(cell, waiter, task, options)
    }

    /// Submits a task of which `waiter` is told, which resolves `cell`; waits for room.
    fn submit_told(
        &self,
        cell: Arc<Cell<K>>,
        waiter: Arc<dyn Receive<K>>,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
    ) -> Ticket<K> {
        let teller = Arc::clone(&waiter);
        let ticket = Ticket {
            cell: Arc::clone(&cell),
            shared: Arc::clone(&self.shared),
        };
        match self.bring(cell, waiter, task, options, Patience::Until(None)) {
            Ok(brought) => brought.ticket,
            Err(Refused { task, refusal }) => {
                teller.refused(task, refusal);
                ticket
            }
        }
    }

    fn submit_within(
        &self,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
        patience: Patience,
    ) -> Result<Ticket<K>, Refused<K>> {
        let cell = Cell::<K>::new();
        let waiter = Arc::clone(&cell) as Arc<dyn Receive<K>>;
        self.bring(cell, waiter, task, options, patience)?.or_back()
    }

    /// Sends a task in, to be admitted as soon as there is room. `Err`: nothing was sent, and nobody told.
    pub(crate) fn send(
        &self,
        cell: Arc<Cell<K>>,
        waiter: Arc<dyn Receive<K>>,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
        patience: Patience,
    ) -> Result<Sent<K>, Refused<K>> {
        let pass = self.shared.entrance(self.kind).pass();
        let (way, admission) = match (pass, patience) {
            (Pass::Through, _) => (Way::LetThrough, None),
            (Pass::Full(refusal) | Pass::Shut(refusal), _) if self.shared.is_loop_thread() => {
                return Err(Refused { task, refusal });
            }
            (Pass::Full(refusal), Patience::None) => return Err(Refused { task, refusal }),
            (Pass::Shut(_), Patience::None) => {
                let admission = Admission::new(Answer::new());
                (Way::Asks(Arc::clone(&admission)), Some((admission, None)))
            }
            (Pass::Full(_) | Pass::Shut(_), Patience::Until(deadline)) => {
                let admission = Admission::new(Answer::new());
                let way = Way::Waits(Arc::clone(&admission));
                (way, Some((admission, deadline)))
            }
        };
        let (ticket, submission) = self.prepare(cell, waiter, task, options, (None, way));
        let heard = self.shared.submit(submission);
        Ok(Sent {
            ticket,
            heard,
            admission,
        })
    }

    /// Sends a task in as soon as there is room, if that is soon enough. `Err`: nothing was sent, and nobody told.
    fn bring(
        &self,
        cell: Arc<Cell<K>>,
        waiter: Arc<dyn Receive<K>>,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
        patience: Patience,
    ) -> Result<Brought<K>, Refused<K>> {
        let Sent {
            ticket,
            heard,
            admission,
        } = self.send(cell, waiter, task, options, patience)?;
        let refused = match admission {
            None => !heard,
            Some((admission, deadline)) => {
                let admitted = admission.wait(&self.shared, deadline);
                let admitted = admitted.unwrap_or_else(|()| {
                    // The loop decides whether this was in time: it refuses the task, or has admitted it.
                    ticket.withdraw();
                    admission
                        .wait(&self.shared, None)
                        .unwrap_or_else(|()| unreachable!("without a deadline it waits on"))
                });
                // No answer: the loop is over, and the task was handed back or will be.
                admitted != Some(true)
            }
        };
        Ok(Brought { ticket, refused })
    }

    fn prepare(
        &self,
        cell: Arc<Cell<K>>,
        waiter: Arc<dyn Receive<K>>,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
        (scope, way): (Option<ScopeId>, Way),
    ) -> (Ticket<K>, Submission) {
        let held = Box::new(Held::new(task, Some(waiter)));
        let submission = Submission {
            kind: self.kind,
            held,
            options,
            ticket: Some(Arc::clone(&cell) as Arc<dyn Learn>),
            scope,
            way,
        };
        let shared = Arc::clone(&self.shared);
        (Ticket { cell, shared }, submission)
    }
}

/// How long a submitter waits for room.
#[derive(Clone, Copy)]
pub(crate) enum Patience {
    /// Not at all.
    None,
    /// `None`: as long as it takes.
    Until(Option<Instant>),
}

impl Patience {
    fn of(span: Duration) -> Self {
        Self::Until(Instant::now().checked_add(span))
    }
}

/// A task that was sent in.
pub(crate) struct Sent<K: TaskKind> {
    pub(crate) ticket: Ticket<K>,
    /// Whether the loop will hear of it.
    heard: bool,
    /// What its submitter waits for, and how long.
    pub(crate) admission: Option<(Admission, Option<Instant>)>,
}

/// A task that is in the farm or back.
struct Brought<K: TaskKind> {
    ticket: Ticket<K>,
    /// It was handed back, and its ticket says so or is about to.
    refused: bool,
}

impl<K: TaskKind> Brought<K> {
    /// The ticket, or the task if it was handed back by now.
    fn or_back(self) -> Result<Ticket<K>, Refused<K>> {
        if !self.refused {
            return Ok(self.ticket);
        }
        match self.ticket.try_take() {
            Ok(Err(refused)) => Err(refused),
            Ok(Ok(settled)) => unreachable!("{} was handed back", settled.id),
            // A callback of a farm that is over is being told of another end: its turn comes after that.
            Err(ticket) => Ok(ticket),
        }
    }
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;

// Outside of a model a checker's locks are of no use.
#[cfg(all(test, not(any(feature = "check-loom", feature = "check-shuttle"))))]
mod tests;
