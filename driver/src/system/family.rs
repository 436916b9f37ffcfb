//! A worker and everything below it, as the process table shows it: whom to kill, and what they use.
//!
//! Those that left the worker's group are found too: it is their subreaper, so they stay below it.

use crate::usage::Used;
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, PidfdFlags, Signal, getpgid, pidfd_open, pidfd_send_signal};
use std::fs;
use std::time::Duration;

/// Whether [`family_use`] says anything here.
pub(crate) const MEASURES: bool = true;

/// The most descendants of a worker that are looked at: whoever has more is not worth the loop's time.
const DESCENDANTS: usize = 4096;

/// SIGKILL to those descendants of a living worker that left its group. What is killed in the group is not looked after
/// here. Those it cannot find or may not signal are leaks.
pub(crate) fn kill_strays(leader: Pid) {
    let mut family = vec![leader];
    let mut next = 0;
    while let Some(&parent) = family.get(next).filter(|_| next < DESCENDANTS) {
        next += 1;
        for child in children(parent) {
            let stray = getpgid(Some(child)).is_ok_and(|group| group != leader);
            if stray && let Ok(pidfd) = pidfd_open(child, PidfdFlags::empty()) {
                // Asked again now that the descriptor holds it: a pid may have changed hands in between.
                if children(parent).contains(&child) {
                    let _it_may_not_be_ours_to_kill = pidfd_send_signal(&pidfd, Signal::KILL);
                }
            }
            family.push(child);
        }
    }
}

/// What a worker and its descendants use: the processor time of all that live and of all that were collected by
/// them, and the memory that they hold now.
///
/// Each process is looked at before its children, so that one that ends meanwhile is missed and not counted twice,
/// once for itself and once with its parent: the time may be too little now and then, never too much.
pub(crate) fn family_use(leader: Pid) -> Used {
    let mut used = Used::default();
    let mut family = vec![leader];
    let mut next = 0;
    while let Some(&member) = family.get(next).filter(|_| next < DESCENDANTS) {
        next += 1;
        let pid = member.as_raw_nonzero();
        let text = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
        used.cpu += text("stat").map_or(Duration::ZERO, |stat| time_in(&stat, TIMES.len()));
        used.memory += text("status").map_or(0, |status| memory_in(&status));
        family.extend(children(member));
    }
    used
}

/// The memory that one process holds, in bytes, and its children.
pub(crate) fn memory_and_children(member: Pid) -> (u64, Vec<Pid>) {
    let status = fs::read_to_string(format!("/proc/{}/status", member.as_raw_nonzero()));
    let held = status.map_or(0, |status| memory_in(&status));
    (held, children(member))
}

/// Where the four times stand in `/proc/PID/stat`, counted from behind the name: user and system, of the process and
/// of the children it has collected.
const TIMES: std::ops::Range<usize> = 11..15;

/// How many of them are a thread's own: those of the collected children are the whole process's.
const OF_THREAD: usize = 2;

/// The processor time of a thread of this process.
pub(crate) fn thread_time(tid: Pid) -> Duration {
    let stat = fs::read_to_string(format!("/proc/self/task/{}/stat", tid.as_raw_nonzero()));
    stat.map_or(Duration::ZERO, |stat| time_in(&stat, OF_THREAD))
}

/// The processor time in the text of `/proc/PID/stat`, of so many of the times.
fn time_in(stat: &str, times: usize) -> Duration {
    // The name may hold anything, also spaces and brackets.
    let Some((_, fields)) = stat.rsplit_once(')') else {
        return Duration::ZERO;
    };
    let times = fields.split_whitespace().skip(TIMES.start).take(times);
    let ticks: u64 = times.filter_map(|time| time.parse::<u64>().ok()).sum();
    let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(clock_ticks_per_second().max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The memory in the text of `/proc/PID/status` that is nobody else's and cannot be dropped, in bytes: anonymous and
/// shared memory. Pages of files are not in it: the system takes those back when it needs them, and a command that
/// reads a large file through a mapping has done nothing wrong. What two processes share after a fork is counted
/// twice; the exact share (`smaps_rollup`) costs a walk through all page tables, milliseconds for each gigabyte.
fn memory_in(status: &str) -> u64 {
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1024)
    };
    of("RssAnon:").unwrap_or(0) + of("RssShmem:").unwrap_or(0)
}

/// Whether a process is a child of another, as far as the system tells.
pub(crate) fn is_child(parent: Pid, child: Pid) -> bool {
    children(parent).contains(&child)
}

fn children(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero();
    let threads = fs::read_dir(format!("/proc/{parent}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let lists = threads.map(|thread| fs::read_to_string(thread.path().join("children")));
    lists
        .flatten()
        .flat_map(|list| {
            let pids = list.split_whitespace().map(str::parse);
            pids.flatten().filter_map(Pid::from_raw).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    //! The texts of the process table, and a real family.
    use super::*;
    use std::io::Read;
    use std::process::{Command, Stdio};

    #[test]
    fn times() {
        let stat = "7 (a) b) S 1 7 7 0 -1 0 1 2 3 4 100 20 3 7 20 0 1 0 9 0 0";
        let ticks =
            Duration::from_secs(130) / u32::try_from(clock_ticks_per_second()).expect("few");
        assert_eq!(time_in(stat, 4), ticks);
        assert!(time_in(stat, 2) < ticks);
        assert_eq!(time_in("7 (a) S 1 2", 4), Duration::ZERO);
        assert_eq!(time_in("nonsense", 4), Duration::ZERO);
    }

    #[test]
    fn memory() {
        let status = "VmRSS:\t 90 kB\nRssAnon:\t   10 kB\nRssFile:\t 70 kB\nRssShmem:\t 10 kB\n";
        assert_eq!(memory_in(status), 20 << 10);
        assert_eq!(memory_in("Name:\tdead\nState:\tZ (zombie)\n"), 0);
        assert_eq!(memory_in("RssAnon: lots kB\n"), 0);
    }

    #[test]
    fn a_grandchild_and_what_was_collected_count() {
        // It burns time in a child that it collects, then has a child that lives.
        let script = "sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; \
                      sh -c 'echo ready; sleep 1000' & wait";
        let mut shell = Command::new("/bin/sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut ready = [0; 6];
        let mut stdout = shell.stdout.take().expect("piped");
        stdout.read_exact(&mut ready).expect("the grandchild lives");
        let leader = Pid::from_child(&shell);
        let used = family_use(leader);
        let alone = fs::read_to_string(format!("/proc/{}/status", shell.id())).expect("it lives");
        kill_strays(leader);
        shell.kill().expect("ours");
        shell.wait().expect("ours");
        assert!(used.cpu > Duration::ZERO, "{used:?}");
        assert!(used.memory > memory_in(&alone), "{used:?}");
        assert_eq!(family_use(leader), Used::default());
    }
}
