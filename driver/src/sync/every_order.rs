//! The primitives under `loom`, which runs a model in every order its threads can take.
//!
//! Only the locks are its own: they are all that the mailbox is made of, and what else is built with
//! them is not run here.

pub(crate) use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
pub(crate) use mio::{Poll, Waker};
pub(crate) use std::sync::atomic;
pub(crate) use std::thread;
