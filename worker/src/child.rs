//! Collecting processes that a kind started: how one ended, what it used, and whether others are left.
//!
//! A worker is a *child subreaper*: what a command leaves running becomes the worker's own child and can be seen here.
//! For kinds that start processes; it starts and signals none itself.

use crate::raw;
use farm_protocol::Termination;
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::io;
use std::time::Duration;

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
