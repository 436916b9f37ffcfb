//! What runs behind a place: a child process, or a thread of this process. What can be done to it, and how it ends.
//!
//! It decides nothing, and knows no pipe. A process is signalled only while it is known to be unreaped, so its pid can
//! belong to nobody else.

use crate::in_process::Thread;
use crate::reap::{Reaped, reap};
use crate::system::{ExitWatch, family_use, kill_strays};
use crate::usage::Used;
use farm_protocol::SlotId;
use mio::Registry;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// What runs behind a place.
#[derive(Debug)]
pub(crate) enum Body {
    /// A process that this one started.
    Child(Child),
    /// A thread of this process.
    Thread(Thread),
}

/// How far a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// As far as is known it runs. Its pid is its own.
    Running,
    /// It has exited and is not reaped: its pid is still its own, and signals reach its group.
    Exited,
    /// Its pid may be somebody else's by now. Never signalled.
    Collected,
}

/// A child process that leads its group.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) pid: Pid,
    pub(crate) watch: Option<ExitWatch>,
    life: Life,
}

impl Body {
    /// A child that runs.
    pub(crate) const fn child(pid: Pid) -> Self {
        Self::Child(Child {
            pid,
            watch: None,
            life: Life::Running,
        })
    }

    /// In which process it runs.
    pub(crate) fn number(&self) -> u32 {
        match self {
            Self::Child(child) => child.number(),
            Self::Thread(_) => std::process::id(),
        }
    }

    /// Whether it has exited; looks, and collects nothing.
    pub(crate) fn has_exited(&mut self) -> bool {
        match self {
            Self::Child(child) => child.has_exited(),
            Self::Thread(thread) => thread.has_ended(),
        }
    }

    /// Signals it and what belongs to it, unless its pid may be somebody else's. Whether it ran and that killed it.
    pub(crate) fn signal(&mut self, signal: Signal, slot: SlotId) -> bool {
        match self {
            Self::Child(child) => child.signal(signal, slot),
            Self::Thread(thread) => {
                let ran = !thread.has_ended();
                thread.signal(signal);
                ran && signal == Signal::KILL
            }
        }
    }

    /// Collects it. A process is killed and waited for; a thread that goes on is left to itself.
    pub(crate) fn collect(&mut self) -> Reaped {
        match self {
            Self::Child(child) => child.collect(),
            Self::Thread(thread) => thread.collect(),
        }
    }

    /// Whether there is nothing left to collect.
    pub(crate) fn is_collected(&self) -> bool {
        match self {
            Self::Child(child) => child.life == Life::Collected,
            Self::Thread(thread) => thread.is_collected(),
        }
    }

    /// What it uses with all that it started.
    pub(crate) fn used(&self) -> Used {
        match self {
            Self::Child(child) => family_use(child.pid),
            Self::Thread(thread) => thread.used(),
        }
    }

    /// Nobody is to be told of its exit any more.
    pub(crate) fn leave(&self, registry: &Registry) {
        match self {
            Self::Child(child) => {
                if let Some(watch) = &child.watch {
                    watch.leave(registry);
                }
            }
            Self::Thread(_) => {}
        }
    }
}

impl Child {
    pub(crate) const fn number(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    fn has_exited(&mut self) -> bool {
        if self.life != Life::Running {
            return true;
        }
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(self.pid), look) {
            Ok(None) | Err(Errno::INTR) => false,
            Ok(Some(_)) => {
                self.life = Life::Exited;
                true
            }
            Err(_) => {
                // Somebody else in this program collects children it did not start, or SIGCHLD is
                // ignored: how it ended is lost, and its pid is no longer ours to signal.
                self.life = Life::Collected;
                true
            }
        }
    }

    /// Signals its group. Whether it ran and that killed it.
    fn signal(&mut self, signal: Signal, slot: SlotId) -> bool {
        let exited = self.has_exited();
        if self.life == Life::Collected {
            return false;
        }
        let kills = signal == Signal::KILL && !exited;
        if kills {
            // Those that left the group can be found as long as the worker lives: it is their subreaper.
            kill_strays(self.pid);
        }
        match kill_process_group(self.pid, signal) {
            // No such group: its members have exited.
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => log::warn!(
                "cannot send signal {} to the group of worker {slot} (pid {}): {error}",
                signal.as_raw(),
                self.number()
            ),
        }
        kills
    }

    fn collect(&mut self) -> Reaped {
        if self.life == Life::Collected {
            // Somebody else has collected it, and its number may be another's by now.
            return Reaped::lost();
        }
        self.life = Life::Collected;
        reap(self.pid)
    }
}
