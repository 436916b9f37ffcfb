//! What the system says about memory: out-of-memory kills counted by our control group, and how
//! much is allowed. Evidence only; the verdict is the master's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const GROUPS: &str = "/sys/fs/cgroup";

/// Where our control group counts and limits. Workers are in the same group.
#[derive(Debug, Default)]
pub struct Memory {
    /// The file that counts out-of-memory kills, where there is one.
    counter: Option<PathBuf>,
    allowed_bytes: Option<u64>,
    /// Kills that are accounted for, or too old to be anybody's now.
    seen: u64,
    /// When that was last brought up to date.
    looked: Option<Instant>,
}

/// How old the count may be that a death is compared with: reading it takes longer than many a task.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A control group with memory accounting.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Group {
    /// Of the one hierarchy of version 2, under this path.
    Unified(String),
    /// Of the memory hierarchy of version 1, under this path.
    Memory(String),
}

impl Memory {
    /// Looks around; what cannot be read is unknown.
    #[must_use]
    pub fn look() -> Self {
        let group = fs::read_to_string("/proc/self/cgroup")
            .ok()
            .and_then(|text| group_of(&text));
        let total = fs::read_to_string("/proc/meminfo")
            .ok()
            .and_then(|text| total_of(&text));
        let (counter, limit) = match group {
            Some(Group::Unified(path)) => {
                let folder = folder(Path::new(GROUPS), &path);
                (
                    folder.join("memory.events"),
                    tightest(&folder, "memory.max"),
                )
            }
            Some(Group::Memory(path)) => {
                let folder = folder(&Path::new(GROUPS).join("memory"), &path);
                (
                    folder.join("memory.oom_control"),
                    tightest(&folder, "memory.limit_in_bytes"),
                )
            }
            None => {
                return Self {
                    allowed_bytes: total,
                    ..Self::default()
                };
            }
        };
        let allowed_bytes = limit.into_iter().chain(total).min();
        Self {
            counter: Some(counter).filter(|path| path.exists()),
            allowed_bytes,
            ..Self::default()
        }
    }

    /// Something begins whose death may have to be explained: what was counted before is not its
    /// own. Looks at most once a second.
    pub fn begin(&mut self) {
        let now = Instant::now();
        if self.looked.is_none_or(|looked| now - looked >= LOOK_AGAIN) {
            self.looked = Some(now);
            self.seen = self.kills();
        }
    }

    /// Out-of-memory kills since the last [`Memory::begin`] that looked, not yet accounted for;
    /// now they are.
    pub fn new_kills(&mut self) -> u64 {
        let kills = self.kills();
        let new = kills.saturating_sub(self.seen);
        self.seen = kills;
        new
    }

    /// Out-of-memory kills so far; 0 where nobody counts.
    fn kills(&self) -> u64 {
        let text = self
            .counter
            .as_ref()
            .and_then(|path| fs::read_to_string(path).ok());
        text.and_then(|text| kills_of(&text)).unwrap_or(0)
    }

    /// The least of our group's limits, those of the groups around it, and the machine's memory.
    #[must_use]
    pub const fn allowed_bytes(&self) -> Option<u64> {
        self.allowed_bytes
    }
}

fn folder(root: &Path, path: &str) -> PathBuf {
    let folder = root.join(path.trim_start_matches('/'));
    // In a container the path may be the host's, while the group itself is what is mounted.
    if folder.is_dir() {
        folder
    } else {
        root.to_path_buf()
    }
}

/// The least limit of `folder` and what is above it.
fn tightest(folder: &Path, file: &str) -> Option<u64> {
    let inside = folder
        .ancestors()
        .take_while(|folder| folder.starts_with(GROUPS));
    inside
        .filter_map(|folder| {
            fs::read_to_string(folder.join(file))
                .ok()?
                .trim()
                .parse()
                .ok()
        })
        .min()
}

/// Which group `/proc/self/cgroup` names.
fn group_of(text: &str) -> Option<Group> {
    let mut unified = None;
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        if controllers
            .split(',')
            .any(|controller| controller == "memory")
        {
            return Some(Group::Memory(path.to_owned()));
        }
        if controllers.is_empty() {
            unified = Some(Group::Unified(path.to_owned()));
        }
    }
    unified
}

/// The counter in the text of `memory.events` or `memory.oom_control`.
fn kills_of(text: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// The whole memory in the text of `/proc/meminfo`, in bytes.
fn total_of(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    //! The texts of both versions of control groups, and broken ones.
    use super::*;

    #[test]
    fn groups() {
        let unified = "0::/user.slice/a:b.scope\n";
        assert_eq!(
            group_of(unified),
            Some(Group::Unified("/user.slice/a:b.scope".to_owned()))
        );
        let mixed = "12:cpu,cpuacct:/x\n5:memory:/docker/abc\n0::/y\n";
        assert_eq!(
            group_of(mixed),
            Some(Group::Memory("/docker/abc".to_owned()))
        );
        assert_eq!(group_of("3:cpu:/x\n"), None);
        assert_eq!(group_of("nonsense\n"), None);
        assert_eq!(group_of(""), None);
    }

    #[test]
    fn counters() {
        assert_eq!(
            kills_of("low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 7\n"),
            Some(2)
        );
        assert_eq!(
            kills_of("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"),
            Some(5)
        );
        assert_eq!(kills_of("oom 3\n"), None);
        assert_eq!(kills_of("oom_kill many\n"), None);
    }

    #[test]
    fn totals() {
        assert_eq!(
            total_of("MemTotal:       16 kB\nMemFree: 1 kB\n"),
            Some(16384)
        );
        assert_eq!(total_of("MemFree: 1 kB\n"), None);
        assert_eq!(total_of("MemTotal: lots\n"), None);
    }
}
