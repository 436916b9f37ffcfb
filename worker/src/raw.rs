//! The unsafe part: inherited descriptors, the shared page, the fork of a template, and two system calls that tell what a
//! process used.
//!
//! Everything here is a safe function around one call. Whoever adds to it says in a SAFETY comment what makes it so.
#![expect(
    unsafe_code,
    reason = "inherited descriptors, shared memory, fork and wait4 have no safe interface"
)]

use crate::child::Usage;
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use rustix::process::Pid;
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

/// Writes what the C library holds back, as far as it can be written: after a fork every copy would write it.
pub(crate) fn flush_c_streams() {
    // SAFETY: a null pointer means all streams; the library locks each of them itself.
    unsafe { libc::fflush(core::ptr::null_mut()) };
}

/// Asks the system to put memory of this process into one large page. It may do nothing.
pub(crate) fn make_large(start: usize, bytes: usize) {
    /// `MADV_COLLAPSE`, since Linux 6.1. Others know no such advice, and refuse it.
    const COLLAPSE: i32 = 25;
    let start = core::ptr::with_exposed_provenance_mut(start);
    // SAFETY: the advice changes where memory lies and not what it holds, for whatever address; of what is not mapped
    // the system says so.
    unsafe { libc::madvise(start, bytes, COLLAPSE) };
}

/// Makes sure that this process has one thread.
///
/// # Errors
/// It has more, or the system does not say.
pub(crate) fn is_alone() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads == 1 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{threads} threads run in the template, and only one would be in a worker: `warm`, and whatever comes before \
         it in `main`, must leave none running"
    )))
}

/// Forks this process. Answers the child's pid, and `None` in the child.
///
/// # Errors
/// More than one thread runs, or the system refuses. There is no child.
pub(crate) fn fork() -> io::Result<Option<Pid>> {
    is_alone()?;
    // SAFETY: the only thread of this process makes the call (looked at just above), so no lock is held and no change is
    // half done by anybody else: the copy is as whole as the original.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid)),
    }
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
