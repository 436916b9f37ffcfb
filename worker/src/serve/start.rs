//! The first things a worker process does, in an order that leaves no moment in which its master could die unnoticed.
//!
//! 1. parent-death signal; 2. is the parent still the master?; 3. subreaper; 4. the inherited descriptors; 5. stdin.

use super::family::{is_parent, kill_own_group};
use crate::raw;
use farm_protocol::Launch;
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};
use rustix::process::{Signal, getpid, set_child_subreaper, set_parent_process_death_signal};
use signal_hook::consts::SIGTERM;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// What a worker inherits, now its own and closed in every process it starts.
#[derive(Debug)]
pub(super) struct Inherited {
    pub(super) requests: OwnedFd,
    pub(super) control: OwnedFd,
    /// Does not block.
    pub(super) answers: OwnedFd,
    pub(super) page: Option<OwnedFd>,
    pub(super) through: Option<[OwnedFd; 2]>,
    /// Readable after a SIGTERM.
    pub(super) signals: UnixStream,
}

/// Makes this process a worker of `launch`.
pub(super) fn take_over(launch: &Launch) -> io::Result<Inherited> {
    // Until the handler below is there, SIGTERM ends this process, which has started nothing yet: just right.
    set_parent_process_death_signal(Some(Signal::TERM))?;
    // A master that died before that line sent no signal; by now the kernel has given us another parent.
    if !is_parent(launch.master) {
        kill_own_group();
    }
    set_child_subreaper(Some(getpid()))?;
    raw::keep_exit_statuses();
    let mut numbers = vec![launch.requests, launch.control, launch.answers];
    numbers.extend(launch.page);
    numbers.extend(launch.through.into_iter().flatten());
    let mut taken = raw::take_inherited(&numbers)?.into_iter();
    let mut next = || taken.next().expect("one for each number");
    let (requests, control, answers) = (next(), next(), next());
    let page = launch.page.map(|_| next());
    let through = launch.through.map(|_| [next(), next()]);
    let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    // The watcher writes answers too and must never be stuck in one.
    fcntl_setfl(&answers, fcntl_getfl(&answers)? | OFlags::NONBLOCK)?;
    // Caught, not ignored: an ignored signal stays ignored across exec, and a command would survive the ladder.
    let (signals, bell) = UnixStream::pair()?;
    signals.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(SIGTERM, bell)?;
    Ok(Inherited {
        requests,
        control,
        answers,
        page,
        through,
        signals,
    })
}
