//! The unsafe part: inherited descriptors, the shared page, and two system calls that tell what a process used.
//!
//! Everything here is a safe function around one call. Whoever adds to it says in a SAFETY comment what makes it so.
#![expect(
    unsafe_code,
    reason = "inherited descriptors, shared memory and wait4 have no safe interface"
)]

use crate::child::Usage;
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Whether the inherited descriptors were taken: they exist once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes over the descriptors a worker inherits, so that no process it starts inherits them again.
///
/// # Errors
/// A number that is no open descriptor of a worker's, or a second call in the same process.
pub(crate) fn take_inherited(numbers: &[RawFd]) -> io::Result<Vec<OwnedFd>> {
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
    for (at, number) in numbers.iter().enumerate() {
        // 0, 1 and 2 belong to the standard library's handles.
        if *number < 3 || numbers[..at].contains(number) {
            return Err(invalid(format!("descriptor {number} cannot be a worker's")));
        }
        // SAFETY: the borrow ends with this statement; the call fails cleanly on a number that is not open.
        let fd = unsafe { BorrowedFd::borrow_raw(*number) };
        fcntl_getfd(fd)
            .and_then(|flags| fcntl_setfd(fd, flags | FdFlags::CLOEXEC))
            .map_err(|error| invalid(format!("descriptor {number} is not open: {error}")))?;
    }
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Err(invalid("a process is a worker once".to_owned()));
    }
    // SAFETY: each is open (checked above), named once, above the standard three, and taken once per process. Nobody
    // else in this process owns them: they were inherited across exec and this is the first call of `main`.
    Ok(numbers
        .iter()
        .map(|number| unsafe { OwnedFd::from_raw_fd(*number) })
        .collect())
}

/// Maps the first `WORDS` words of the page for the rest of the process's life.
///
/// # Errors
/// The descriptor cannot be mapped, or is shorter than a page.
pub(crate) fn map_page<const WORDS: usize>(
    page: &OwnedFd,
    bytes: usize,
) -> io::Result<&'static [AtomicU64; WORDS]> {
    assert!(WORDS * size_of::<AtomicU64>() <= bytes, "the words fit");
    let length = rustix::fs::fstat(page)?.st_size;
    if usize::try_from(length).unwrap_or(0) < bytes {
        let what = format!("the page has {length} bytes, not {bytes}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a fresh mapping at an address of the kernel's choice touches no memory of ours.
    let start = unsafe {
        mmap(
            core::ptr::null_mut(),
            bytes,
            protection,
            MapFlags::SHARED,
            page,
            0,
        )?
    };
    // SAFETY: the mapping is page-aligned, at least `bytes` long and never unmapped. Both sides use it by atomic words
    // only. A master that truncates the file under us would end this process by SIGBUS, which is its right.
    Ok(unsafe { &*start.cast::<[AtomicU64; WORDS]>() })
}

/// Gives SIGCHLD its default meaning. A program that ignores it hands that down across exec, and the kernel then throws
/// exit statuses away before anybody can collect them.
pub(crate) fn keep_exit_statuses() {
    // SAFETY: the default action is no code of ours, and no handler of this process is there yet: it has just begun.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Waits for child `pid` and collects it. Answers the raw status and what it used.
///
/// # Errors
/// No such child.
pub(crate) fn wait4(pid: i32) -> io::Result<(i32, Usage)> {
    let mut status = 0;
    loop {
        // SAFETY: an all-zero rusage is valid: it is a struct of integers.
        let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
        // SAFETY: both pointers are to live, writable variables of the right type.
        let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
        if waited == pid {
            return Ok((status, of_rusage(&usage)));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// What this process has used so far.
pub(crate) fn own_usage() -> Usage {
    // SAFETY: an all-zero rusage is valid: it is a struct of integers.
    let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
    // SAFETY: the pointer is to a live, writable variable of the right type. The call cannot fail for RUSAGE_SELF; if
    // it did, zeros would remain, which read as "never looked".
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    of_rusage(&usage)
}

fn of_rusage(usage: &libc::rusage) -> Usage {
    let span = |time: libc::timeval| {
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let micros = u64::try_from(time.tv_usec).unwrap_or(0);
        Duration::from_secs(seconds) + Duration::from_micros(micros)
    };
    // Linux counts in KiB.
    let peak_kib = u64::try_from(usage.ru_maxrss).unwrap_or(0);
    Usage {
        user: span(usage.ru_utime),
        system: span(usage.ru_stime),
        peak_bytes: peak_kib.saturating_mul(1024),
    }
}
