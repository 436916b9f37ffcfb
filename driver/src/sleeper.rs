//! Who sleeps until there is something for them, and how threads do. It knows no ticket and no stream.

use crate::shared::{Over, Shared};
use crate::sync::thread::{self, Thread};
#[cfg(feature = "future")]
use std::task::Waker;
use std::time::Instant;

/// Whom to wake.
pub(crate) enum Sleeper {
    /// A thread that parks.
    Thread(Thread),
    /// A future that is pending.
    #[cfg(feature = "future")]
    Future(Waker),
}

impl Sleeper {
    /// The calling thread.
    pub(crate) fn this_thread() -> Self {
        Self::Thread(thread::current())
    }

    /// Wakes it. An executor's own code runs here: no lock is held.
    pub(crate) fn wake(self) {
        match self {
            Self::Thread(thread) => thread.unpark(),
            #[cfg(feature = "future")]
            Self::Future(waker) => waker.wake(),
        }
    }
}

impl Shared {
    /// Sleeps until `look` finds something; `look` names this thread as the one to be woken when it finds nothing.
    /// `None`: the farm is over and there will never be anything. `Err`: the time is over.
    ///
    /// # Panics
    /// On the loop thread itself, which would wait for ever.
    pub(crate) fn sleep_until<T>(
        &self,
        deadline: Option<Instant>,
        mut look: impl FnMut() -> Option<T>,
    ) -> Result<Option<T>, ()> {
        assert!(
            !self.is_loop_thread(),
            "a callback on the farm's loop waits for that loop"
        );
        self.sleeps();
        let found = loop {
            // This order: what is answered before the end is seen although the loop is over.
            let over = self.over();
            if let Some(found) = look() {
                break Ok(Some(found));
            }
            match over {
                Over::No => {}
                Over::Stopped | Over::Panicked => break Ok(None),
            }
            match deadline {
                None => thread::park(),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break Err(());
                    }
                    thread::park_timeout(left);
                }
            }
        };
        self.slept();
        found
    }
}
