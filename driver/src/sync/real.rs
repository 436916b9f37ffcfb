//! The primitives at work.

pub(crate) use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
pub(crate) use mio::{Poll, Waker};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};
pub(crate) use std::thread;
