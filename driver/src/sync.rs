//! The primitives that threads of this crate share state through, in one place: a model checker
//! that brings its own replaces them here.

use std::sync::PoisonError;
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

/// Locks. No code of ours that could panic half-way through a change runs under these locks, so a
/// poisoned one still guards a whole value.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
