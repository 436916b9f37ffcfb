//! Collecting one child of ours with what it used, what this program used itself, a thread's signal mask, and signalling
//! a group by a descriptor. And, because it is the only unsafe code of this crate: opening the jobserver that this
//! program was started with.
//!
//! It waits for exactly the process it is told, never for any other child of the program.
#![expect(
    unsafe_code,
    reason = "no safe crate at hand wraps wait4, getrusage, pthread_sigmask, inherited descriptors and the flags of pidfd_send_signal"
)]

use farm_protocol::Termination;
use rustix::process::Pid;
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::time::Duration;
#[cfg(all(target_os = "linux", not(feature = "portable")))]
use {
    rustix::io::Errno,
    rustix::process::Signal,
    std::os::fd::{AsRawFd, BorrowedFd},
};

/// `ru_maxrss` is in kibibytes, except where it is in bytes.
const PEAK_UNIT: u64 = if cfg!(target_vendor = "apple") {
    1
} else {
    1024
};

/// A collected process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reaped {
    pub(crate) termination: Termination,
    /// The most memory it or a child it collected held, in bytes; 0 when unknown.
    pub(crate) peak_bytes: u64,
}

impl Reaped {
    /// Of a child that somebody else has collected.
    pub(crate) const fn lost() -> Self {
        Self {
            termination: Termination::Lost,
            peak_bytes: 0,
        }
    }
}

/// Collects the child `pid`, waiting for its end if need be. A child that somebody else collected is `Lost`.
pub(crate) fn reap(pid: Pid) -> Reaped {
    wait4(pid, 0).unwrap_or_else(Reaped::lost)
}

/// The same if it has ended, and otherwise `None` at once.
pub(crate) fn try_reap(pid: Pid) -> Option<Reaped> {
    wait4(pid, libc::WNOHANG)
}

/// `None`: it was to look only, and the child lives.
fn wait4(pid: Pid, options: i32) -> Option<Reaped> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: both pointers are to live locals of the types wait4 writes, and it keeps neither.
        let found = unsafe {
            libc::wait4(
                pid.as_raw_nonzero().get(),
                &raw mut status,
                options,
                usage.as_mut_ptr(),
            )
        };
        match found {
            0 => return None,
            1.. => break,
            _ if io::Error::last_os_error().kind() == ErrorKind::Interrupted => {}
            _ => return Some(Reaped::lost()),
        }
    }
    // SAFETY: `rusage` is plain integers, for which the zeros it was made of are a value already.
    let usage = unsafe { usage.assume_init() };
    Some(Reaped {
        termination: termination(status),
        peak_bytes: peak(&usage),
    })
}

/// The jobserver that the environment names, if it is open and a pipe.
pub(crate) fn client_of_environment() -> jobserver::FromEnv {
    // SAFETY: the numbers are checked to be open pipes, and the client opens these once more by their paths, or copies
    // them: it closes nothing that is another's. That it may be another pipe is said where this is called from.
    unsafe { jobserver::Client::from_env_ext(true) }
}

/// Signals the group that a process leads or led, by a descriptor of that process: nobody else's number is in it.
///
/// # Errors
/// `INVAL` on a kernel that does not know it (before 6.9); `SRCH` when nobody is left in the group.
#[cfg(all(target_os = "linux", not(feature = "portable")))]
pub(crate) fn signal_group_of(pidfd: BorrowedFd<'_>, signal: Signal) -> Result<(), Errno> {
    /// `PIDFD_SIGNAL_PROCESS_GROUP`.
    const GROUP: libc::c_uint = 4;
    // SAFETY: the descriptor is open while it is borrowed, and the null pointer means no further word about the signal.
    let done = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal.as_raw(),
            std::ptr::null::<libc::siginfo_t>(),
            GROUP,
        )
    };
    if done == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    Err(Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
}

/// The most memory this program held so far, in bytes; 0 when unknown.
pub(crate) fn own_peak_bytes() -> u64 {
    peak(&usage_of(libc::RUSAGE_SELF))
}

/// Blocks SIGPIPE for the calling thread: writing to a worker that has just died is then an error and nothing else.
/// A program of Rust ignores that signal, but a library may be in a program that does not. What is started by the thread
/// begins with no signal blocked, as everything that the standard library starts.
pub(crate) fn block_sigpipe() {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the set is a live local, which the first call makes a value; the mask before is not asked for. It changes
    // nothing but the mask of this thread.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
    }
}

/// What a thread did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadUse {
    /// Its time on a processor.
    pub(crate) busy: Duration,
    /// How often it waited for something.
    pub(crate) waits: i64,
}

/// What the calling thread did so far; `None` where the system does not say.
pub(crate) fn thread_use() -> Option<ThreadUse> {
    #[cfg(target_os = "linux")]
    {
        let usage = usage_of(libc::RUSAGE_THREAD);
        let busy = span(usage.ru_utime) + span(usage.ru_stime);
        Some(ThreadUse {
            busy,
            waits: usage.ru_nvcsw,
        })
    }
    #[cfg(not(target_os = "linux"))]
    None
}

#[cfg(target_os = "linux")]
fn span(time: libc::timeval) -> Duration {
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    seconds + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}

fn usage_of(whom: i32) -> libc::rusage {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a live local of the type getrusage writes, and it is not kept;
    // zeros are a value of `rusage` already, should the call fail.
    unsafe {
        libc::getrusage(whom, usage.as_mut_ptr());
        usage.assume_init()
    }
}

fn peak(usage: &libc::rusage) -> u64 {
    u64::try_from(usage.ru_maxrss)
        .unwrap_or(0)
        .saturating_mul(PEAK_UNIT)
}

fn termination(status: i32) -> Termination {
    if libc::WIFEXITED(status) {
        Termination::Exited(libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        Termination::Signaled {
            signal,
            core_dumped: libc::WCOREDUMP(status),
        }
    } else {
        // Only stops and continuations are neither, and wait4 was not asked for those.
        Termination::Lost
    }
}

#[cfg(test)]
mod tests {
    //! Real children of the system's shell.
    use super::*;
    use std::process::Command;

    #[expect(
        clippy::zombie_processes,
        reason = "`reap` collects it, which is the test"
    )]
    fn run(script: &str) -> Reaped {
        let child = Command::new("/bin/sh")
            .args(["-c", script])
            .spawn()
            .expect("a shell");
        reap(Pid::from_child(&child))
    }

    #[test]
    fn ends() {
        assert_eq!(run("exit 7").termination, Termination::Exited(7));
        assert_eq!(run("kill -9 $$").termination.signal(), Some(9));
        assert!(run("exit 0").peak_bytes > 0);
        assert!(own_peak_bytes() > 0);
    }

    #[test]
    fn somebody_elses_is_lost() {
        let mut child = Command::new("/bin/true").spawn().expect("true");
        let pid = Pid::from_child(&child);
        child.wait().expect("collected here");
        assert_eq!(reap(pid).termination, Termination::Lost);
    }
}
