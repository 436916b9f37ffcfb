//! A template: a process that is warmed once and then forks a worker per order, and collects it when it is told to.
//!
//! It has one thread, so that a fork copies a whole state and no lock that nobody will ever give back, and no watcher:
//! waiting for the next order is watching the master. It performs nothing itself.

use super::gather::gather;
use super::start::{Ends, Inherited, by_a_template};
use super::{Served, work};
use crate::child::{has_other_children, reap};
use crate::perform::Worker;
use crate::raw;
use crate::serve::family::is_parent;
use crate::serve::port::Master;
use farm_protocol::{
    PREAMBLE, TEMPLATE_FDS_MAX, TEMPLATE_MESSAGE_MAX, TemplateAnswer, TemplateLaunch,
    TemplateOrder, Termination, WorkerName, decode, encode,
};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{
    Pid, PidfdFlags, Signal, getppid, kill_process, pidfd_open, set_parent_process_death_signal,
    setpgid,
};
use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A worker that has just been forked, in its own process.
struct Born {
    name: WorkerName,
    inherited: Inherited,
}

/// Becomes the template of `launch`. What returns from here is none any more but one of its workers, or nothing at all.
pub(super) fn serve(launch: &TemplateLaunch, make: impl FnOnce() -> Worker) -> io::Result<Served> {
    let mut template = Template::take_over(launch)?;
    let mut worker = make();
    if !worker.warm(&launch.kind, true) {
        return Err(io::Error::other(format!(
            "this program performs no kind `{}`",
            launch.kind
        )));
    }
    template.settle()?;
    template.send(&PREAMBLE, &[])?;
    let Born { name, inherited } = template.until_forked()?;
    let Template { socket, master, .. } = template;
    // A copy of it in a worker would keep the master from seeing the template's end.
    drop(socket);
    work(inherited, Master::Watched(master), name, || worker)
}

struct Template {
    socket: OwnedFd,
    /// Readable once the master is gone. Each worker has it too: its parent is not the master.
    master: OwnedFd,
    /// The anonymous memory that a worker begins with.
    shared_bytes: u64,
}

impl Template {
    fn take_over(launch: &TemplateLaunch) -> io::Result<Self> {
        // While it is warmed nobody here looks at the socket. There is nothing to tidy up: no process may be started.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        let master = getppid().ok_or(Errno::SRCH)?;
        let pidfd = pidfd_open(master, PidfdFlags::empty())?;
        // Asked after the descriptor is open: so it is the master's.
        if !is_parent(launch.master) {
            leave();
        }
        raw::keep_exit_statuses();
        let socket = raw::take_inherited(&[launch.socket])?.pop();
        Ok(Self {
            socket: socket.expect("one for each number"),
            master: pidfd,
            shared_bytes: 0,
        })
    }

    /// Makes sure that a copy of this process is a whole one.
    fn settle(&mut self) -> io::Result<()> {
        if has_other_children()? {
            return Err(io::Error::other(
                "`warm` has left a process running, which workers cannot share: start it in `perform`",
            ));
        }
        // What is not written now, every worker would write.
        drop(io::stdout().flush());
        raw::flush_c_streams();
        raw::is_alone()?;
        gather();
        self.shared_bytes = anonymous_bytes();
        Ok(())
    }

    /// Does what the master says. Returns in each worker, and in the template never.
    fn until_forked(&self) -> io::Result<Born> {
        loop {
            let (order, fds) = self.next_order()?;
            let answer = match order {
                TemplateOrder::Fork {
                    name,
                    page,
                    through,
                } => {
                    if fds.len() != order.fds() {
                        let why = "not all of its descriptors have come; is the limit of open files reached?";
                        self.answer(&not_forked(why), &[])?;
                        continue;
                    }
                    match raw::fork() {
                        Ok(None) => {
                            let inherited = by_a_template(Ends::of(fds, page, through))?;
                            return Ok(Born { name, inherited });
                        }
                        Ok(Some(pid)) => match adopt(pid) {
                            Ok(pidfd) => {
                                let forked = TemplateAnswer::Forked {
                                    pid: pid.as_raw_nonzero().get().unsigned_abs(),
                                    shared_bytes: self.shared_bytes,
                                };
                                self.answer(&forked, &[pidfd.as_fd()])?;
                                continue;
                            }
                            Err(error) => not_forked(&format!("it cannot be watched: {error}")),
                        },
                        Err(error) => not_forked(&error.to_string()),
                    }
                }
                TemplateOrder::Collect { pid } => match reap(pid) {
                    Ok((termination, usage)) => TemplateAnswer::Collected {
                        termination,
                        peak_bytes: usage.peak_bytes,
                    },
                    Err(_) => TemplateAnswer::Collected {
                        termination: Termination::Lost,
                        peak_bytes: 0,
                    },
                },
            };
            self.answer(&answer, &[])?;
        }
    }

    /// Waits for the next order. The end of the socket means that the master is gone.
    fn next_order(&self) -> io::Result<(TemplateOrder, Vec<OwnedFd>)> {
        let mut bytes = [0; TEMPLATE_MESSAGE_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(TEMPLATE_FDS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let count = loop {
            match recvmsg(
                &self.socket,
                &mut [IoSliceMut::new(&mut bytes)],
                &mut control,
                flags,
            ) {
                Ok(message) if message.bytes == 0 => leave(),
                Ok(message) => break message.bytes,
                Err(Errno::INTR) => {}
                Err(Errno::CONNRESET) => leave(),
                Err(error) => return Err(error.into()),
            }
        };
        let fds = control.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => fds.collect(),
            _ => Vec::new(),
        });
        let fds = fds.collect();
        let order = decode(&bytes[..count]).map_err(|error| {
            io::Error::other(format!("the master's order makes no sense: {error}"))
        })?;
        Ok((order, fds))
    }

    fn answer(&self, answer: &TemplateAnswer, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let bytes = encode(answer, TEMPLATE_MESSAGE_MAX).map_err(io::Error::other)?;
        self.send(&bytes, fds)
    }

    fn send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            let pushed = control.push(SendAncillaryMessage::ScmRights(fds));
            assert!(pushed, "an answer brings one descriptor at most");
        }
        loop {
            match sendmsg(
                &self.socket,
                &[IoSlice::new(bytes)],
                &mut control,
                SendFlags::NOSIGNAL,
            ) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::PIPE | Errno::CONNRESET) => leave(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The master is gone, or wants no more. The workers are none of the template's business: they have their own watchers,
/// and may go on if the master lives.
fn leave() -> ! {
    std::process::exit(0)
}

/// Takes a worker in just after the fork: a group of its own, whoever of the two comes first, and a descriptor of it.
fn adopt(pid: Pid) -> Result<OwnedFd, Errno> {
    // It fails only when the worker is gone already, and its entry is still there.
    let _gone = setpgid(Some(pid), Some(pid));
    pidfd_open(pid, PidfdFlags::empty()).inspect_err(|_| {
        let _gone = kill_process(pid, Signal::KILL);
        let _collected = reap(pid.as_raw_nonzero().get().unsigned_abs());
    })
}

fn not_forked(why: &str) -> TemplateAnswer {
    TemplateAnswer::NotForked {
        why: why.to_owned(),
    }
}

/// The anonymous memory of this process, in bytes; 0 when the system does not say.
fn anonymous_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}
