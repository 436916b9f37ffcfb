//! Submission as a future: what waits for room is pending, and blocks no thread.

use super::Listed;
use crate::entrance::Admission;
use crate::queue::{Patience, Sent, TaskQueue};
use crate::shared::Over;
use crate::sleeper::Sleeper;
use crate::ticket::{Cell, Refused, Ticket};
use farm_master::{Receive, TaskKind, TaskOptions};
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A task on its way into the farm, to be awaited: it gives the ticket when the task is in, or was handed back.
///
/// Nothing is sent before the first poll. Dropped while it is pending it takes its task with it, and nothing of it is left in the
/// farm; a task that was admitted a moment before runs on, as that of a dropped ticket does.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Entering<K: TaskKind> {
    state: State<K>,
}

enum State<K: TaskKind> {
    /// Not sent.
    New {
        queue: TaskQueue<K>,
        task: Box<K::Task>,
        options: Option<Box<TaskOptions>>,
    },
    /// Sent, and waits for room.
    Waiting {
        ticket: Ticket<K>,
        admission: Admission,
        listed: Listed,
    },
    /// The ticket was given out.
    Done,
}

impl<K: TaskKind> TaskQueue<K> {
    /// As [`TaskQueue::submit`], for executors: where the lane is full the future is pending, in the same line as
    /// those who block. `None` as options: the kind's defaults. A time limit is the executor's: drop the future.
    ///
    /// ```no_run
    /// # use farm_driver::TaskQueue;
    /// # use farm_master::TaskKind;
    /// # async fn example<K: TaskKind<Task = u64>>(queue: &TaskQueue<K>) {
    /// let ticket = queue.enter(12, None).await;
    /// let settled = ticket.await.expect("admitted");
    /// # }
    /// ```
    pub fn enter(&self, task: K::Task, options: Option<TaskOptions>) -> Entering<K> {
        Entering {
            state: State::New {
                queue: self.clone(),
                task: Box::new(task),
                options: options.map(Box::new),
            },
        }
    }
}

impl<K: TaskKind> Future for Entering<K> {
    type Output = Ticket<K>;

    /// # Panics
    /// After it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ticket<K>> {
        let this = self.get_mut();
        match mem::replace(&mut this.state, State::Done) {
            State::New {
                queue,
                task,
                options,
            } => {
                let cell = Cell::<K>::new();
                let waiter = Arc::clone(&cell) as Arc<dyn Receive<K>>;
                let patience = Patience::Until(None);
                let sent = queue.send(Arc::clone(&cell), waiter, *task, options, patience);
                let shared = Arc::clone(&queue.shared);
                match sent {
                    Ok(Sent {
                        ticket,
                        admission: Some((admission, _)),
                        ..
                    }) => {
                        let listed = Listed::new(shared);
                        this.wait(cx.waker(), ticket, admission, listed)
                    }
                    Ok(Sent { ticket, .. }) => Poll::Ready(ticket),
                    Err(Refused { task, refusal }) => {
                        cell.refused(task, refusal);
                        Poll::Ready(Ticket { cell, shared })
                    }
                }
            }
            State::Waiting {
                ticket,
                admission,
                listed,
            } => this.wait(cx.waker(), ticket, admission, listed),
            State::Done => panic!("it was ready before: poll it no more"),
        }
    }
}

impl<K: TaskKind> Entering<K> {
    fn wait(
        &mut self,
        waker: &Waker,
        ticket: Ticket<K>,
        admission: Admission,
        mut listed: Listed,
    ) -> Poll<Ticket<K>> {
        // This order: whatever comes after the look, the answer or the end of the loop, wakes.
        let over = listed.list(waker.clone());
        let sleeper = Sleeper::Future(waker.clone());
        match (admission.take_or(|| Some(sleeper)), over) {
            (None, Over::No) => {
                self.state = State::Waiting {
                    ticket,
                    admission,
                    listed,
                };
                Poll::Pending
            }
            (Some(_), _) | (None, Over::Stopped | Over::Panicked) => Poll::Ready(ticket),
        }
    }
}

impl<K: TaskKind> Drop for Entering<K> {
    fn drop(&mut self) {
        if let State::Waiting {
            ticket, admission, ..
        } = &self.state
        {
            admission.forget_sleeper();
            ticket.withdraw();
        }
    }
}

impl<K: TaskKind> Unpin for Entering<K> {}

impl<K: TaskKind> fmt::Debug for Entering<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entering").finish_non_exhaustive()
    }
}
