//! A worker that is a thread of its master's process: the same session over the same pipes.
//!
//! It takes over nothing of the process: no signal, no standard stream, no child. Where a worker process would end or
//! be ended, it returns.

use super::port::{Home, Port};
use super::{Performing, exit, watch};
use crate::page::PageNote;
use crate::perform::{Seat, Worker, panic_message};
use crate::session::Ending;
use crate::wards::Wards;
use farm_protocol::WorkerName;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a worker inside its master's process is given.
#[derive(Debug)]
pub struct Ends {
    /// Requests are read here; their end without a `Stop` means that the worker is to go.
    pub requests: OwnedFd,
    /// Cancellations and revocations are read here; the same of its end.
    pub control: OwnedFd,
    /// Answers are written here.
    pub answers: OwnedFd,
    /// What the worker is called.
    pub name: WorkerName,
    /// The kind that it is warmed for.
    pub kind: String,
    /// Who signals the process groups that it starts.
    pub wards: Arc<dyn Wards>,
}

/// How a worker inside its master's process has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// With what a process would have exited, see [`exit`].
    pub code: i32,
    /// What a process would have said on standard error; empty when there is nothing to say.
    pub words: String,
}

impl Left {
    fn quietly(code: i32) -> Self {
        let words = String::new();
        Self { code, words }
    }

    fn unstarted(error: &io::Error) -> Self {
        Self {
            code: exit::UNSTARTED,
            words: format!("worker could not start: {error}"),
        }
    }
}

/// Serves on the calling thread until the master says `Stop`, hangs up, or the session ends otherwise. Never unwinds.
///
/// What the master cannot do to a thread it cannot do here: a performer that does not return keeps the thread. When the
/// master hangs up, the attempt's cancel flag is raised, so a performer that looks at it returns soon. Performers are
/// dropped before this returns, also after a panic: nobody else would end what they started.
pub fn serve_in_process(ends: Ends, make: impl FnOnce() -> Worker) -> Left {
    let Ends {
        requests,
        control,
        answers,
        name,
        kind,
        wards,
    } = ends;
    // The watcher writes answers too and must never be stuck in one.
    let unblock = |flags| fcntl_setfl(&answers, flags | OFlags::NONBLOCK);
    if let Err(error) = fcntl_getfl(&answers).and_then(unblock) {
        return Left::unstarted(&error.into());
    }
    let port = match Port::new(answers, None, Home::Thread(wards), name) {
        Ok(port) => Arc::new(port),
        Err(error) => return Left::unstarted(&error),
    };
    let watcher = match watch::spawn(Arc::clone(&port), control, None) {
        Ok(watcher) => watcher,
        Err(error) => return Left::unstarted(&error),
    };
    let served = catch_unwind(AssertUnwindSafe(|| perform(&port, &requests, &kind, make)));
    let left = served.unwrap_or_else(|panic| Left {
        code: exit::PANICKED,
        words: format!("the worker panicked: {}", panic_message(panic)),
    });
    port.end_watch();
    // It has no code of a kind that could panic; if it did, the session has ended all the same.
    let _ended = watcher.join();
    left
}

/// The life of a session.
fn perform(
    port: &Arc<Port>,
    requests: &OwnedFd,
    kind: &str,
    make: impl FnOnce() -> Worker,
) -> Left {
    let mut worker = make();
    // A master that asks for a kind that is not there finds out from the hello.
    let _there = worker.warm(kind, false);
    if let Err(error) = port.greet(worker.hellos()) {
        return Left::unstarted(&error);
    }
    let page = PageNote::new(None).expect("nothing is mapped");
    let mut performing = Performing {
        port: Arc::clone(port),
        page,
        seats: worker.into_seats(),
        response: Vec::new(),
    };
    let ending = performing.until_the_end(requests);
    port.flush();
    match ending {
        Some(Ending::Stopped) | None => {
            drop(performing);
            Left::quietly(0)
        }
        Some(Ending::Panicked) => {
            drop_quietly(performing.seats);
            Left::quietly(exit::PANICKED)
        }
        Some(Ending::Refused) => {
            drop(performing);
            Left::quietly(exit::REFUSED)
        }
        Some(Ending::Fault(fault)) => Left {
            code: exit::FAULT,
            words: format!("worker ends, the master broke the protocol: {fault}"),
        },
    }
}

/// After a panic nobody knows what performers do when they are dropped. What is said is the panic before.
fn drop_quietly(seats: Vec<Box<dyn Seat>>) {
    for seat in seats {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(seat))) {
            let _said_enough = panic_message(panic);
        }
    }
}

#[cfg(test)]
mod tests;
