//! The way for tasks of one kind into a farm. It never blocks and never fails: a refusal comes to whoever waits.

use crate::message::{Learn, Submission};
use crate::shared::Shared;
use crate::ticket::{Cell, Ticket};
use farm_master::{Held, Receive, TaskKind, TaskOptions};
use farm_protocol::KindId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Submits tasks of kind `K`. It does not keep the farm alive: after the farm's end every task is handed back.
pub struct Queue<K> {
    shared: Arc<Shared>,
    kind: KindId,
    of: PhantomData<fn(K)>,
}

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            kind: self.kind,
            of: PhantomData,
        }
    }
}

impl<K> fmt::Debug for Queue<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl<K: TaskKind> Queue<K> {
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
        });
    }

    fn ticket(&self, task: K::Task, options: Option<Box<TaskOptions>>) -> Ticket<K> {
        let cell = Cell::<K>::new();
        let waiter = Arc::clone(&cell) as Arc<dyn Receive<K>>;
        let held = Box::new(Held::new(task, Some(waiter)));
        let ticket = Some(Arc::clone(&cell) as Arc<dyn Learn>);
        self.shared.submit(Submission {
            kind: self.kind,
            held,
            options,
            ticket,
        });
        Ticket {
            cell,
            shared: Arc::clone(&self.shared),
        }
    }
}
