//! A ticket as a future, for any executor. It needs none of its own: what ends the task wakes it.

use crate::shared::{Over, Shared, contained};
use crate::sleeper::Sleeper;
use crate::ticket::{Cell, Resolved, Ticket};
use farm_master::TaskKind;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// The futures to be woken when the loop is over: one that is not resolved by then never will be.
#[derive(Debug, Default)]
pub(crate) struct Futures {
    last: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Futures {
    /// Wakes all.
    pub(crate) fn wake(self) {
        for waker in self.wakers.into_values() {
            contained("an executor", || waker.wake());
        }
    }
}

/// A place among those [`Futures`], while it is listed.
struct Listed {
    shared: Arc<Shared>,
    number: Option<u64>,
}

impl Listed {
    const fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            number: None,
        }
    }

    /// Has this waker woken at the end of the loop; how far that is.
    fn list(&mut self, waker: Waker) -> Over {
        let number = &mut self.number;
        let (over, before) = self.shared.futures(|futures| {
            let number = *number.get_or_insert_with(|| {
                futures.last += 1;
                futures.last
            });
            futures.wakers.insert(number, waker)
        });
        // An executor's own code, outside of the lock.
        drop(before);
        over
    }

    fn leave(&mut self) {
        if let Some(number) = self.number.take() {
            let (_, before) = self
                .shared
                .futures(|futures| futures.wakers.remove(&number));
            drop(before);
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The end of a task, to be awaited. Dropping it is dropping its ticket: the task runs on.
///
/// It is woken when the task is resolved, and when the farm ends. It does not keep the farm alive.
#[must_use = "a future does nothing unless it is awaited"]
pub struct TicketFuture<K: TaskKind> {
    ticket: Ticket<K>,
    waiting: Waiting<K>,
}

/// What is left behind in the ticket and in the farm by a poll, and taken back at the end.
struct Waiting<K: TaskKind> {
    cell: Arc<Cell<K>>,
    listed: Listed,
    ready: bool,
}

impl<K: TaskKind> TicketFuture<K> {
    /// The ticket: it says the task's id and cancels it.
    pub const fn ticket(&self) -> &Ticket<K> {
        &self.ticket
    }

    /// The ticket back.
    ///
    /// # Panics
    /// After it was ready: the ticket's answer has been taken.
    pub fn into_ticket(self) -> Ticket<K> {
        assert!(!self.waiting.ready, "the ticket's answer has been taken");
        self.ticket
    }
}

impl<K: TaskKind> IntoFuture for Ticket<K> {
    type Output = Resolved<K>;
    type IntoFuture = TicketFuture<K>;

    /// ```no_run
    /// # use farm_driver::TaskQueue;
    /// # use farm_master::{Outcome, TaskKind};
    /// # async fn example<K: TaskKind<Task = u64, Output = u64>>(queue: &TaskQueue<K>) {
    /// let settled = queue.submit(12).await.expect("admitted");
    /// assert!(settled.outcome.is_done());
    /// # }
    /// ```
    fn into_future(self) -> TicketFuture<K> {
        let waiting = Waiting {
            cell: Arc::clone(&self.cell),
            listed: Listed::new(Arc::clone(&self.shared)),
            ready: false,
        };
        TicketFuture {
            ticket: self,
            waiting,
        }
    }
}

impl<K: TaskKind> Future for TicketFuture<K> {
    type Output = Resolved<K>;

    /// # Panics
    /// When the farm's loop has panicked, and after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Resolved<K>> {
        let Waiting {
            cell,
            listed,
            ready,
        } = &mut self.get_mut().waiting;
        assert!(!*ready, "it was ready before: poll it no more");
        let resolved = match cell.answer.take() {
            Some(resolved) => resolved,
            None => {
                // This order: whatever comes after the look, the answer or the end of the loop, wakes.
                let over = listed.list(cx.waker().clone());
                let sleeper = Sleeper::Future(cx.waker().clone());
                match (cell.answer.take_or(|| Some(sleeper)), over) {
                    (Some(resolved), _) => resolved,
                    (None, Over::No) => return Poll::Pending,
                    (None, Over::Stopped | Over::Panicked) => {
                        panic!("the farm's loop has panicked: how this task ended is not known")
                    }
                }
            }
        };
        *ready = true;
        listed.leave();
        Poll::Ready(resolved)
    }
}

impl<K: TaskKind> Drop for Waiting<K> {
    fn drop(&mut self) {
        self.cell.answer.forget_sleeper();
    }
}

impl<K: TaskKind> fmt::Debug for TicketFuture<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketFuture")
            .field("ticket", &self.ticket)
            .finish_non_exhaustive()
    }
}

mod entering;
pub use entering::Entering;

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
