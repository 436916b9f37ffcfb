//! Processes as the process table shows them. A number that is used again is another process: each goes with its start.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use std::fs;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// The variable in a command's environment that names its task, and that everything below the command has too.
pub(crate) const MARK: &str = "FARM_STORM_TASK";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// In the system's ticks.
    pub(crate) start: u64,
}

impl Process {
    /// The living process of this number; one that is dead and not collected runs nothing any more.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name may hold anything, also spaces and brackets.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        if matches!(fields.next()?, "Z" | "X") {
            return None;
        }
        let start = fields.nth(18)?.parse().ok()?;
        Some(Self { pid, start })
    }

    pub(crate) fn lives(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Whether it lives and was killed: it runs no instruction of its program any more, and goes as soon as the system
    /// finds time for that.
    pub(crate) fn is_dying(self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let pending = |name: &str| {
            let mask = status.lines().find_map(|line| line.strip_prefix(name))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        };
        let kill = 1 << (Signal::KILL.as_raw() - 1);
        let killed = ["SigPnd:", "ShdPnd:"].map(|name| pending(name).unwrap_or(kill) & kill != 0);
        killed.contains(&true) || Self::of(self.pid) != Some(self)
    }

    /// The task that it belongs to; `None` also while it has not yet become its program.
    pub(crate) fn task(self) -> Option<u64> {
        let all = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        let named = |variable: &[u8]| {
            let value = variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
            std::str::from_utf8(value).ok()?.parse().ok()
        };
        all.split(|byte| *byte == 0).find_map(named)
    }

    /// A descriptor of it; `None`: it has ended.
    pub(crate) fn open(self) -> Option<OwnedFd> {
        let pid = Pid::from_raw(self.pid).expect("a process has a number");
        let end = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // Asked now that the descriptor holds it.
        self.lives().then_some(end)
    }

    /// Waits for its end, at most so long. Whether it has ended.
    pub(crate) fn wait(self, at_most: Duration) -> bool {
        self.open().is_none_or(|end| ends(&end, at_most))
    }
}

/// Whether a process ends within this time.
pub(crate) fn ends(process: &OwnedFd, at_most: Duration) -> bool {
    let span = Timespec::try_from(at_most).expect("short");
    let ready = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&span));
    ready.is_ok_and(|ready| ready > 0)
}

/// The numbers of all processes.
pub(crate) fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").expect("a Linux");
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The living processes of a task of this worker. Only the younger ones are looked at, because each look into the
/// process table holds up whoever collects the process. When the numbers begin again from below, one may be missed: that
/// hides a delay and invents none.
pub(crate) fn group_of(worker: Process, task: u64) -> Vec<Process> {
    let younger = pids().filter(|pid| *pid > worker.pid);
    let living = younger.filter_map(Process::of);
    living
        .filter(|member| member.task() == Some(task))
        .collect()
}

/// The living processes of tasks.
pub(crate) fn marked() -> impl Iterator<Item = (Process, u64)> {
    pids().filter_map(|pid| {
        let process = Process::of(pid)?;
        Some((process, process.task()?))
    })
}
