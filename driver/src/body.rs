//! What runs behind a place: a child process, or a thread of this process. What can be done to it, and how it ends.
//!
//! It decides nothing, and knows no pipe. A process is signalled only while it is known to be unreaped, so its pid can
//! belong to nobody else.

use crate::in_process::Thread;
use crate::reap::{Reaped, reap};
use crate::system::{ExitWatch, Handle, family_use, kill_strays};
use crate::usage::Used;
use farm_protocol::{KindId, SlotId, Termination};
use mio::Registry;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// What runs behind a place.
#[derive(Debug)]
pub(crate) enum Body {
    /// A process that this one started, or has had forked.
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

/// A process that leads its group.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) pid: Pid,
    /// `None`: it is our own child, and we collect it.
    pub(crate) forked: Option<Forked>,
    pub(crate) watch: Option<ExitWatch>,
    life: Life,
}

/// What is known of a process that a template has forked, and that the template collects when we say so.
#[derive(Debug)]
pub(crate) struct Forked {
    pub(crate) handle: Handle,
    pub(crate) template: TemplateId,
    /// The memory it began with, in bytes: the template's, and not its own doing.
    pub(crate) shared_bytes: u64,
}

/// Which template: the kind that it is for, and which one in the farm's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TemplateId {
    pub(crate) kind: KindId,
    pub(crate) generation: u64,
}

impl Body {
    /// A child that runs.
    pub(crate) const fn child(pid: Pid) -> Self {
        Self::of(pid, None)
    }

    /// A child of a template, that runs.
    pub(crate) const fn of_template(pid: Pid, forked: Forked) -> Self {
        Self::of(pid, Some(forked))
    }

    const fn of(pid: Pid, forked: Option<Forked>) -> Self {
        Self::Child(Child {
            pid,
            forked,
            watch: None,
            life: Life::Running,
        })
    }

    /// What is known of it if a template has forked it.
    pub(crate) const fn forked(&self) -> Option<&Forked> {
        match self {
            Self::Child(child) => child.forked.as_ref(),
            Self::Thread(_) => None,
        }
    }

    /// It is left to its template, which is told so by its number; with it a descriptor of it.
    pub(crate) fn give_back(&mut self) -> Option<(Pid, Handle)> {
        match self {
            Self::Child(child) => {
                let forked = child.forked.take()?;
                child.life = Life::Collected;
                Some((child.pid, forked.handle))
            }
            Self::Thread(_) => None,
        }
    }

    /// Its template has collected it, or is gone.
    pub(crate) const fn collected(&mut self) {
        match self {
            Self::Child(child) => child.life = Life::Collected,
            Self::Thread(_) => {}
        }
    }

    /// Its template is gone. Whoever has inherited it collects it, and how it ended is lost, unless that is this process.
    pub(crate) fn collect_inherited(&mut self) -> Reaped {
        self.collected();
        let termination = self.forked().and_then(|it| it.handle.collect_inherited());
        Reaped {
            termination: termination.unwrap_or(Termination::Lost),
            peak_bytes: 0,
        }
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

    /// The processes that everything it started is below of, themselves included.
    pub(crate) fn leaders(&self) -> Vec<Pid> {
        match self {
            Self::Child(child) => vec![child.pid],
            Self::Thread(thread) => thread.leaders(),
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
        if let Some(forked) = &self.forked {
            // Its template does not collect it before it is told to.
            let exited = forked.handle.has_exited();
            if exited {
                self.life = Life::Exited;
            }
            return exited;
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
        let sent = match &self.forked {
            None => kill_process_group(self.pid, signal),
            Some(forked) => forked.handle.signal_group(self.pid, signal),
        };
        match sent {
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
        match &self.forked {
            None => reap(self.pid),
            // Only when the loop forgets everything. Its template is ended next, and then it is collected.
            Some(forked) => {
                forked.handle.wait();
                Reaped::lost()
            }
        }
    }
}
