//! The way for tasks of one kind into a farm. It never blocks and never fails: a refusal comes to whoever waits.

use crate::group::{GroupBuilder, GroupTicket};
use crate::message::{Learn, Submission};
use crate::partials::{PARTIALS_KEPT, Partials};
use crate::scope::Scope;
use crate::shared::Shared;
use crate::ticket::{Cell, Ticket};
use farm_master::{Held, Receive, Rule, TaskKind, TaskOptions};
use farm_protocol::{KindId, ScopeId};
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::Arc;

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

    /// Submits a task with the kind's default options.
    pub fn submit(&self, task: K::Task) -> Ticket<K> {
        self.ticket(task, None)
    }

    /// Submits a task with options of its own.
    pub fn submit_options(&self, task: K::Task, options: TaskOptions) -> Ticket<K> {
        self.ticket(task, Some(Box::new(options)))
    }

    /// Submits a task whose end is told to `waiter`, on the farm's loop. Should the loop panic, it
    /// is told nothing.
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
        });
    }

    /// Submits a task into a scope, with which it is cancelled; follow-ups of it are in that scope as
    /// well. A scope that is cancelled refuses it. Without `options` it has the kind's default ones.
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

    /// Submits a group of tasks at once, which is closed with them. For tie rules, time limits and scopes:
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
        self.prepare(cell, waiter, task, options, Some(scope))
    }

    /// Submits a task of which more than the end is wanted: its feedback comes as a stream that keeps [`PARTIALS_KEPT`]
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
        let ticket = self.ticket_of(cell, Arc::new(watched), task, options.map(Box::new));
        (ticket, partials)
    }

    fn ticket(&self, task: K::Task, options: Option<Box<TaskOptions>>) -> Ticket<K> {
        let cell = Cell::<K>::new();
        let waiter = Arc::clone(&cell) as Arc<dyn Receive<K>>;
        self.ticket_of(cell, waiter, task, options)
    }

    /// Submits a task of which `waiter` is told, which resolves `cell`.
    fn ticket_of(
        &self,
        cell: Arc<Cell<K>>,
        waiter: Arc<dyn Receive<K>>,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
    ) -> Ticket<K> {
        let (ticket, submission) = self.prepare(cell, waiter, task, options, None);
        self.shared.submit(submission);
        ticket
    }

    fn prepare(
        &self,
        cell: Arc<Cell<K>>,
        waiter: Arc<dyn Receive<K>>,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
        scope: Option<ScopeId>,
    ) -> (Ticket<K>, Submission) {
        let held = Box::new(Held::new(task, Some(waiter)));
        let submission = Submission {
            kind: self.kind,
            held,
            options,
            ticket: Some(Arc::clone(&cell) as Arc<dyn Learn>),
            scope,
        };
        let shared = Arc::clone(&self.shared);
        (Ticket { cell, shared }, submission)
    }
}
