//! The first things a worker process does, in an order that leaves no moment in which its master could die unnoticed.
//!
//! 1. parent-death signal; 2. is the parent still the master?; 3. subreaper; 4. the inherited descriptors; 5. stdin.
//!
//! A worker that a template has forked has its descriptors already, and another parent: its master is watched through
//! the control pipe and a descriptor of the master's process.

use super::family::{is_parent, kill_own_group};
use crate::raw;
use farm_protocol::Launch;
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};
use rustix::process::{
    Signal, getpid, set_child_subreaper, set_parent_process_death_signal, setpgid,
};
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

/// The descriptors of a worker, by what they are for.
#[derive(Debug)]
pub(super) struct Ends {
    requests: OwnedFd,
    control: OwnedFd,
    answers: OwnedFd,
    /// Of a forked worker: its standard output and error, which are the template's before.
    streams: Option<[OwnedFd; 2]>,
    page: Option<OwnedFd>,
    through: Option<[OwnedFd; 2]>,
}

impl Ends {
    /// As they come with the order to fork. There are as many as it says.
    pub(super) fn of(fds: Vec<OwnedFd>, page: bool, through: bool) -> Self {
        let mut fds = fds.into_iter();
        let mut next = || fds.next().expect("counted before");
        Self {
            requests: next(),
            control: next(),
            answers: next(),
            streams: Some([next(), next()]),
            page: page.then(&mut next),
            through: through.then(|| [next(), next()]),
        }
    }
}

/// Makes this process a worker of `launch`.
pub(super) fn take_over(launch: &Launch) -> io::Result<Inherited> {
    // Until the handler below is there, SIGTERM ends this process, which has started nothing yet: just right.
    set_parent_process_death_signal(Some(Signal::TERM))?;
    // A master that died before that line sent no signal; by now the kernel has given us another parent.
    if !is_parent(launch.master) {
        kill_own_group();
    }
    raw::keep_exit_statuses();
    let mut numbers = vec![launch.requests, launch.control, launch.answers];
    numbers.extend(launch.page);
    numbers.extend(launch.through.into_iter().flatten());
    let mut taken = raw::take_inherited(&numbers)?.into_iter();
    let mut next = || taken.next().expect("one for each number");
    let (requests, control, answers) = (next(), next(), next());
    let ends = Ends {
        requests,
        control,
        answers,
        streams: None,
        page: launch.page.map(|_| next()),
        through: launch.through.map(|_| [next(), next()]),
    };
    let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    settle(ends)
}

/// Makes this process, which a template has just forked, a worker. Its standard input is empty, as the template's was.
pub(super) fn by_a_template(mut ends: Ends) -> io::Result<Inherited> {
    // The template does the same: whoever comes first, nobody can signal one group when the other is meant.
    setpgid(None, None)?;
    if let Some([out, err]) = ends.streams.take() {
        rustix::stdio::dup2_stdout(&out)?;
        rustix::stdio::dup2_stderr(&err)?;
    }
    settle(ends)
}

fn settle(ends: Ends) -> io::Result<Inherited> {
    let Ends {
        requests,
        control,
        answers,
        streams: _,
        page,
        through,
    } = ends;
    set_child_subreaper(Some(getpid()))?;
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
