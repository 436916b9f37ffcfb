//! The way into the loop: an ordered queue and a wake-up that is skipped while the loop is awake.
//!
//! One lock guards the queue together with the state of its listener. So a message is never left
//! behind a listener that fell asleep (both are decided under the lock), and after [`Mailbox::close`]
//! every message either came out of `close` or was given back to its sender: none is lost between.
//! The listener takes the whole queue at once, so its cost per message is a move.

use crate::sync::{Mutex, Waker, lock};
use std::mem;

/// Ends a sleep.
pub(crate) trait Wake: Send + Sync {
    /// Makes the listener's sleep return, now or when it begins.
    fn wake(&self);
}

impl Wake for Waker {
    fn wake(&self) {
        if let Err(error) = Self::wake(self) {
            log::error!(
                "the farm's loop cannot be woken: {error}; it goes on at its next deadline"
            );
        }
    }
}

/// What the one listener does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listener {
    /// It will look into the queue before it sleeps.
    Awake,
    /// It sleeps or is about to; the queue was empty when it said so.
    Asleep,
    /// It will never look again.
    Gone,
}

struct Queue<T> {
    messages: Vec<T>,
    listener: Listener,
}

/// Many senders, one listener. Unbounded: the listener takes everything at every turn, and what
/// bounds the tasks of a farm is their lane, which answers at that turn.
pub(crate) struct Mailbox<T, W = Waker> {
    queue: Mutex<Queue<T>>,
    waker: W,
}

impl<T, W: Wake> Mailbox<T, W> {
    pub(crate) fn new(waker: W) -> Self {
        let queue = Queue {
            messages: Vec::new(),
            listener: Listener::Awake,
        };
        Self {
            queue: Mutex::new(queue),
            waker,
        }
    }

    /// Appends a message and wakes the listener if it sleeps.
    ///
    /// # Errors
    /// The message, when the listener is gone.
    pub(crate) fn push(&self, message: T) -> Result<(), T> {
        let mut queue = lock(&self.queue);
        match queue.listener {
            Listener::Gone => return Err(message),
            Listener::Awake => queue.messages.push(message),
            Listener::Asleep => {
                queue.messages.push(message);
                queue.listener = Listener::Awake;
                drop(queue);
                // Outside of the lock, which the woken listener wants first of all.
                self.waker.wake();
            }
        }
        Ok(())
    }

    /// Takes everything, in order; `into` must be empty and lends its memory.
    pub(crate) fn take(&self, into: &mut Vec<T>) {
        debug_assert!(into.is_empty(), "messages taken before would get lost");
        mem::swap(&mut lock(&self.queue).messages, into);
    }

    /// Whether the listener may sleep; if so, the next push wakes it.
    pub(crate) fn may_sleep(&self) -> bool {
        let mut queue = lock(&self.queue);
        if !queue.messages.is_empty() {
            return false;
        }
        queue.listener = Listener::Asleep;
        true
    }

    /// The listener is back from its sleep.
    pub(crate) fn awake(&self) {
        lock(&self.queue).listener = Listener::Awake;
    }

    /// The listener leaves. What nobody will handle any more comes back.
    pub(crate) fn close(&self) -> Vec<T> {
        let mut queue = lock(&self.queue);
        queue.listener = Listener::Gone;
        mem::take(&mut queue.messages)
    }
}

#[cfg(all(test, feature = "check-loom"))]
mod orders;

// Outside of a model a checker's locks are of no use.
#[cfg(all(test, not(any(feature = "check-loom", feature = "check-shuttle"))))]
mod tests {
    //! Wake-ups: one per sleep, none while awake; nothing lost at the end.
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    struct Counter(AtomicUsize);
    impl Wake for Counter {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn wakes(mailbox: &Mailbox<u32, Counter>) -> usize {
        mailbox.waker.0.load(Ordering::Relaxed)
    }

    #[test]
    fn an_awake_listener_is_not_woken() {
        let mailbox = Mailbox::new(Counter::default());
        assert_eq!(mailbox.push(1), Ok(()));
        assert_eq!(wakes(&mailbox), 0);
        assert!(!mailbox.may_sleep(), "a message waits");
        let mut taken = Vec::new();
        mailbox.take(&mut taken);
        assert_eq!(taken, [1]);
        assert!(mailbox.may_sleep());
    }

    #[test]
    fn a_sleeper_is_woken_once() {
        let mailbox = Mailbox::new(Counter::default());
        assert!(mailbox.may_sleep());
        for message in 0..3 {
            assert_eq!(mailbox.push(message), Ok(()));
        }
        assert_eq!(wakes(&mailbox), 1);
        mailbox.awake();
        assert!(!mailbox.may_sleep());
    }

    #[test]
    fn after_the_end_messages_come_back() {
        let mailbox = Mailbox::new(Counter::default());
        assert_eq!(mailbox.push(1), Ok(()));
        assert_eq!(mailbox.close(), [1]);
        assert_eq!(mailbox.push(2), Err(2));
        assert_eq!(wakes(&mailbox), 0);
    }

    #[test]
    fn every_message_arrives_from_many_threads() {
        let mailbox = Mailbox::new(Counter::default());
        let (mut seen, mut batch) = (Vec::new(), Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..4_u32 {
                let mailbox = &mailbox;
                scope.spawn(move || {
                    for number in 0..1000 {
                        assert_eq!(mailbox.push(thread * 1000 + number), Ok(()));
                    }
                });
            }
            while seen.len() < 4000 {
                mailbox.take(&mut batch);
                seen.append(&mut batch);
            }
        });
        for thread in 0..4 {
            let own = seen.iter().filter(|number| **number / 1000 == thread);
            assert!(own.is_sorted(), "the order of one sender is kept");
        }
    }
}
