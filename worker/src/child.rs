//! Collecting processes that a kind started: how one ended, what it used, and whether others are left.
//!
//! A worker is a *child subreaper*: what a command leaves running becomes the worker's own child and can be seen here.
//! For kinds that start processes; it starts and signals none itself.

use crate::raw;
use farm_protocol::Termination;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process, waitid};
use std::fs;
use std::io;
use std::time::{Duration, Instant};

/// What a process used, with its own collected children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in its own code.
    pub user: Duration,
    /// Processor time in the kernel for it.
    pub system: Duration,
    /// Peak resident memory, in bytes.
    pub peak_bytes: u64,
}

/// Waits for child `pid` to end and collects it. Blocks while it lives: ask a pidfd first.
///
/// A [`std::process::Child`] of the same pid must not be waited for afterwards; dropping it is fine.
///
/// # Errors
/// There is no such child, for instance because it was collected before. Nothing was collected.
pub fn reap(pid: u32) -> io::Result<(Termination, Usage)> {
    let pid = i32::try_from(pid).map_err(|_| io::Error::from(Errno::SRCH))?;
    let (status, usage) = raw::wait4(pid)?;
    let termination = if libc::WIFEXITED(status) {
        Termination::Exited(libc::WEXITSTATUS(status))
    } else {
        Termination::Signaled {
            signal: libc::WTERMSIG(status),
            core_dumped: libc::WCOREDUMP(status),
        }
    };
    Ok((termination, usage))
}

/// Whether this process still has a living child. Collects every dead one it comes by.
///
/// Call it when the attempt's own processes are reaped, and only where nothing else in this process starts processes
/// ([`Context::owns_children`](crate::Context::owns_children)): it would collect them.
///
/// # Errors
/// What the system says other than "no child"; unknown then.
pub fn has_other_children() -> io::Result<bool> {
    loop {
        match waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return Ok(true),
            Err(Errno::CHILD) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

/// How long the dying of killed children is waited for: one that the system holds in a device ends when that lets go.
const DYING: Duration = Duration::from_millis(200);

/// Kills every child of this process, also those in groups and sessions of their own, and collects them. Their children
/// become ours meanwhile and have their turn. Answers whether none is left.
///
/// Under the same condition as [`has_other_children`].
pub fn kill_children() -> bool {
    let deadline = Instant::now() + DYING;
    loop {
        match has_other_children() {
            Ok(false) => return true,
            Ok(true) if Instant::now() < deadline => {}
            Ok(true) | Err(_) => return false,
        }
        for child in children() {
            // Ours and not collected, so its pid is nobody else's. It may not be ours to signal.
            let _refused = kill_process(child, Signal::KILL);
        }
        std::thread::yield_now();
    }
}

/// The children of all threads of this process, as far as the system tells.
pub(crate) fn children() -> Vec<Pid> {
    let own = getpid().as_raw_nonzero();
    let threads = fs::read_dir(format!("/proc/{own}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let lists = threads.map(|thread| fs::read_to_string(thread.path().join("children")));
    lists
        .flatten()
        .flat_map(|list| {
            let pids = list.split_whitespace().map(str::parse);
            pids.flatten().filter_map(Pid::from_raw).collect::<Vec<_>>()
        })
        .collect()
}
