//! What a task says before it ends, for whoever asked: a buffer between the loop, which never waits, and one who may.
//!
//! A buffer that is full loses its oldest, and counts them. It ends with the task, or with the farm.

use crate::shared::{Over, Shared};
use crate::sync::thread::{self, Thread};
use crate::sync::{Mutex, lock};
use crate::ticket::Cell;
use farm_master::{Feedback, Receive, Refusal, Settled, TaskKind};
use farm_protocol::{Attempt, AttemptId};
use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many partial results of a task are kept for who has not asked for them yet, unless the submitter says otherwise.
pub const PARTIALS_KEPT: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// Something a task said before it ended.
pub struct Partial<K: TaskKind> {
    /// Which attempt said it. A task that is tried again says it all again.
    pub attempt: Attempt,
    /// What it said.
    pub feedback: Feedback<K>,
}

impl<K: TaskKind<Wire: farm_protocol::Wire<Feedback: fmt::Debug>>> fmt::Debug for Partial<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partial")
            .field("attempt", &self.attempt)
            .field("feedback", &self.feedback)
            .finish()
    }
}

/// Why there is no partial result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPartial {
    /// There may be one later.
    #[error("the task has said nothing more yet")]
    NotYet,
    /// The task has ended, or the farm has, and all that is kept of it has been taken.
    #[error("the task says nothing more")]
    Ended,
}

/// How far a stream is.
enum Life {
    /// More may come; this thread sleeps until it does.
    Open(Option<Thread>),
    /// Nothing more will come.
    Ended,
    /// Nobody will ask.
    Unheard,
}

struct Buffer<T> {
    kept: VecDeque<T>,
    missed: u64,
    life: Life,
}

/// Shared by who asks and the loop. The user's values are dropped outside of its lock: their `Drop` may panic.
struct Stream<T> {
    buffer: Mutex<Buffer<T>>,
    room: usize,
}

impl<T> Stream<T> {
    fn new(room: NonZeroUsize) -> Self {
        let buffer = Mutex::new(Buffer {
            kept: VecDeque::new(),
            missed: 0,
            life: Life::Open(None),
        });
        Self {
            buffer,
            room: room.get(),
        }
    }

    fn push(&self, said: T) {
        let (lost, sleeper) = {
            let mut buffer = lock(&self.buffer);
            match &mut buffer.life {
                Life::Open(sleeper) => {
                    let sleeper = sleeper.take();
                    let full = buffer.kept.len() == self.room;
                    let oldest = if full { buffer.kept.pop_front() } else { None };
                    buffer.missed += u64::from(full);
                    buffer.kept.push_back(said);
                    (oldest, sleeper)
                }
                Life::Ended | Life::Unheard => (Some(said), None),
            }
        };
        if let Some(sleeper) = sleeper {
            sleeper.unpark();
        }
        drop(lost);
    }

    fn end(&self) {
        let mut buffer = lock(&self.buffer);
        match mem::replace(&mut buffer.life, Life::Ended) {
            Life::Open(Some(sleeper)) => sleeper.unpark(),
            Life::Open(None) | Life::Ended => {}
            Life::Unheard => buffer.life = Life::Unheard,
        }
    }

    /// The oldest that is kept, or `sleeper` is to be woken.
    fn take(&self, sleeper: impl FnOnce() -> Option<Thread>) -> Result<T, NoPartial> {
        let mut buffer = lock(&self.buffer);
        if let Some(said) = buffer.kept.pop_front() {
            return Ok(said);
        }
        match &mut buffer.life {
            Life::Open(place) => {
                *place = sleeper();
                Err(NoPartial::NotYet)
            }
            Life::Ended => Err(NoPartial::Ended),
            Life::Unheard => unreachable!("who asks is there"),
        }
    }

    fn missed(&self) -> u64 {
        lock(&self.buffer).missed
    }

    fn leave(&self) {
        let kept = {
            let mut buffer = lock(&self.buffer);
            buffer.life = Life::Unheard;
            mem::take(&mut buffer.kept)
        };
        drop(kept);
    }
}

/// What the loop tells: the ticket, and the stream.
pub(crate) struct Watched<K: TaskKind> {
    cell: Arc<Cell<K>>,
    stream: Arc<Stream<Partial<K>>>,
}

impl<K: TaskKind> Receive<K> for Watched<K> {
    // The stream first: who has waited for the ticket finds all of it, and its end.
    fn settled(&self, settled: Settled<K>) {
        self.stream.end();
        self.cell.settled(settled);
    }

    fn refused(&self, task: K::Task, refusal: Refusal) {
        self.stream.end();
        self.cell.refused(task, refusal);
    }

    fn feedback(&self, id: AttemptId, feedback: Feedback<K>) {
        self.stream.push(Partial {
            attempt: id.attempt,
            feedback,
        });
    }
}

/// The feedback of one task, in the order in which it was said.
///
/// It keeps a limited number for who takes them late; beyond, the oldest are dropped and counted
/// ([`Partials::missed`]), and the farm never waits. It ends when the task does: at the latest when its ticket is
/// resolved. What is kept then can still be taken. Dropping it changes nothing for the task.
pub struct Partials<K: TaskKind> {
    stream: Arc<Stream<Partial<K>>>,
    shared: Arc<Shared>,
}

impl<K: TaskKind> Partials<K> {
    /// A stream, and what fills it and resolves `cell`.
    pub(crate) fn new(
        cell: Arc<Cell<K>>,
        shared: Arc<Shared>,
        room: NonZeroUsize,
    ) -> (Self, Watched<K>) {
        let stream = Arc::new(Stream::new(room));
        let watched = Watched {
            cell,
            stream: Arc::clone(&stream),
        };
        (Self { stream, shared }, watched)
    }

    /// Waits for the next; `None` when the task says nothing more.
    ///
    /// # Panics
    /// On the farm's loop itself, where it would wait for ever.
    pub fn recv(&mut self) -> Option<Partial<K>> {
        self.wait_until(None).ok()
    }

    /// Waits for the next, at most this long.
    ///
    /// # Errors
    /// [`NoPartial`].
    ///
    /// # Panics
    /// As [`Partials::recv`].
    pub fn recv_timeout(&mut self, span: Duration) -> Result<Partial<K>, NoPartial> {
        self.wait_until(Instant::now().checked_add(span))
    }

    /// The next, if it is there already.
    ///
    /// # Errors
    /// [`NoPartial`].
    pub fn try_recv(&mut self) -> Result<Partial<K>, NoPartial> {
        // This order: what is said before the end is seen although the loop is over.
        let over = self.shared.over();
        match (self.stream.take(|| None), over) {
            (Err(NoPartial::NotYet), Over::Stopped | Over::Panicked) => Err(NoPartial::Ended),
            (next, _) => next,
        }
    }

    /// How many were dropped so far because they were not taken in time.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.stream.missed()
    }

    fn wait_until(&self, deadline: Option<Instant>) -> Result<Partial<K>, NoPartial> {
        let look = |sleeper| match self.stream.take(|| sleeper) {
            Err(NoPartial::NotYet) => None,
            found => Some(found),
        };
        if let Some(found) = look(None) {
            return found;
        }
        let sleeping = || look(Some(thread::current()));
        match self.shared.sleep_until(deadline, sleeping) {
            Ok(Some(found)) => found,
            Ok(None) => Err(NoPartial::Ended),
            Err(()) => Err(NoPartial::NotYet),
        }
    }
}

impl<K: TaskKind> Iterator for Partials<K> {
    type Item = Partial<K>;

    fn next(&mut self) -> Option<Partial<K>> {
        self.recv()
    }
}

impl<K: TaskKind> Drop for Partials<K> {
    fn drop(&mut self) {
        self.stream.leave();
    }
}

impl<K: TaskKind> fmt::Debug for Partials<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partials")
            .field("missed", &self.missed())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(feature = "check-shuttle", feature = "check-loom"))))]
mod tests {
    //! The buffer alone: what is kept, what is missed, and when it ends.
    use super::*;

    fn stream(room: usize) -> Stream<u32> {
        Stream::new(NonZeroUsize::new(room).expect("room"))
    }

    #[test]
    fn the_oldest_are_missed() {
        let stream = stream(3);
        (1..=5).for_each(|said| stream.push(said));
        assert_eq!((stream.take(|| None), stream.missed()), (Ok(3), 2));
        stream.push(6);
        assert_eq!(stream.missed(), 2, "there was room again");
        stream.end();
        stream.push(7);
        let rest: Vec<_> = std::iter::from_fn(|| stream.take(|| None).ok()).collect();
        assert_eq!(rest, [4, 5, 6]);
        assert_eq!(stream.take(|| None), Err(NoPartial::Ended));
    }

    #[test]
    fn nothing_is_kept_for_nobody() {
        let stream: Stream<Arc<()>> = Stream::new(PARTIALS_KEPT);
        let value = Arc::new(());
        stream.push(Arc::clone(&value));
        stream.leave();
        stream.push(Arc::clone(&value));
        stream.end();
        assert_eq!(Arc::strong_count(&value), 1);
    }
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
