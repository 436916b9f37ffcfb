//! What threads of this crate share state through, in one place: a model checker that brings its
//! own replaces it here.
//!
//! | built for | locks, conditions | threads, atomics, channels, the poll's sleep |
//! | --- | --- | --- |
//! | work | `std` | `std`, `crossbeam-channel`, `mio` |
//! | own tests with `check-loom` | `loom`: every order, for the mailbox, which is nothing but a lock | as for work, and not run |
//! | own tests with `check-shuttle` | `shuttle`: many drawn orders, for everything else | `shuttle` |
//!
//! Only the crate's own tests are built for a checker. With one of the features on, the library that
//! others link stays what it is: features add up over all who ask for them.
//!
//! `Arc` and `OnceLock` come from `std` everywhere. Nobody waits by them, and what is decided by them
//! (who drops last, who was first) is decided in one step.

#[cfg(all(test, feature = "check-loom", feature = "check-shuttle"))]
compile_error!("one checker at a time: `check-loom` or `check-shuttle`");

#[cfg(all(test, feature = "check-loom"))]
#[path = "sync/every_order.rs"]
mod chosen;
#[cfg(all(test, feature = "check-shuttle", not(feature = "check-loom")))]
#[path = "sync/drawn_order.rs"]
mod chosen;
#[cfg(not(all(test, any(feature = "check-loom", feature = "check-shuttle"))))]
#[path = "sync/real.rs"]
mod chosen;

pub(crate) use chosen::*;
use std::sync::PoisonError;

/// Locks. No code of ours that could panic half-way through a change runs under these locks, so a
/// poisoned one still guards a whole value.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification, which need not be the one that was hoped for.
pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}
