//! Workers inside this process: puts the worker's session into the threads that the driver starts. It has no rules.

use farm_driver::InProcess;
use farm_driver::in_process::Left;
use farm_worker::{Worker, serve_in_process};
use std::sync::Arc;

/// Workers that are threads of this process, for a [`Pool`](crate::Pool) whose tasks are not to run elsewhere:
/// `Pool::new(in_process(|| Worker::new().with(MyKind)), 1)`. `make` is called in each thread, at each start of a worker.
///
/// Everything is as with worker processes (requests and responses are marshalled, tasks are retried, told to end and
/// counted the same way) but for what follows from a thread being none:
///
/// * **Nobody can kill it.** A `perform` that ignores its cancellation is waited for: its task does not end, and its
///   worker is not replaced, before it returns. A farm that is killed or dropped waits a second, says so on the log,
///   and ends without it.
/// * **What it prints is not captured**: it goes to this program's own stdout and stderr.
/// * **What ends a process ends this one**: `exit`, `abort`, a stack overflow, want of memory. A panic is caught, and
///   costs the worker as it does elsewhere; with `panic = "abort"` it ends this process.
/// * **What it starts is its own care.** Its children are this process's: put them into a process group each, and
///   that group into the worker's charge ([`Context::ward`](crate::worker::Context::ward)), so that it is signalled as
///   a worker's group is. The command kind does. When this process is killed, nobody ends them.
/// * A worker holds one request at a time; limits on memory count what its wards hold and not what `perform` itself
///   does, limits on processor time both; a farm that is suspended suspends its wards and not the thread.
#[must_use]
pub fn in_process(make: impl Fn() -> Worker + Send + Sync + 'static) -> InProcess {
    InProcess::new(move |ends| {
        let theirs = farm_worker::Ends {
            requests: ends.requests,
            control: ends.control,
            answers: ends.answers,
            name: ends.name,
            kind: ends.kind,
            wards: Arc::new(Wards(ends.wards)),
        };
        let left = serve_in_process(theirs, &make);
        Left {
            code: left.code,
            words: left.words,
        }
    })
}

/// The driver's wards, as the worker knows them.
#[derive(Debug)]
struct Wards(farm_driver::in_process::Wards);

impl farm_worker::Wards for Wards {
    fn add(&self, leader: u32) {
        self.0.add(leader);
    }

    fn remove(&self, leader: u32) {
        self.0.remove(leader);
    }
}
