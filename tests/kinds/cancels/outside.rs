//! What is seen of a storm from outside of it, in the process table: how many commands run at a time, and when the last
//! process of one is gone. Beside it, how late this machine wakes whoever asked for a moment.

use super::notes::Note;
use super::process::{Process, ends, group_of, pids};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// So often a process is looked at that has no mark before it is taken for somebody else's: it may be about to become
/// a command.
const LOOKS: u32 = 10;

/// Longer than anybody waits.
const LONG: Duration = Duration::from_secs(30);

/// What a watcher has seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// The most tasks of which a process ran, at a time.
    pub(crate) most: usize,
    /// The same with those that were killed and not yet gone.
    pub(crate) most_there: usize,
    pub(crate) looks: usize,
    /// How late each look was woken: what the machine itself adds to every moment of the storm.
    pub(crate) late: Vec<Duration>,
}

/// Looks until it is told to end.
pub(crate) struct Watcher {
    end: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Watcher {
    pub(crate) fn start() -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let thread = thread::spawn(move || watch(&ended));
        Self { end, thread }
    }

    pub(crate) fn end(self) -> Seen {
        self.end.store(true, Ordering::Relaxed);
        self.thread.join().expect("it only looks")
    }
}

fn watch(end: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut strangers: BTreeMap<i32, u32> = BTreeMap::new();
    let mut commands: BTreeMap<Process, (u64, OwnedFd)> = BTreeMap::new();
    while !end.load(Ordering::Relaxed) {
        let all: BTreeSet<i32> = pids().collect();
        strangers.retain(|pid, _| all.contains(pid));
        for pid in all {
            if strangers.get(&pid).is_some_and(|looks| *looks >= LOOKS) {
                continue;
            }
            // One that has its number again is found after it is gone.
            if commands.keys().any(|known| known.pid == pid) {
                continue;
            }
            let Some(process) = Process::of(pid) else {
                continue;
            };
            match process.task().zip(process.open()) {
                Some(command) => drop(commands.insert(process, command)),
                None => *strangers.entry(pid).or_default() += 1,
            }
        }
        // All of these were there before this second look, so that whoever still lives did so at the instant between.
        commands.retain(|_, (_, end)| !ends(end, Duration::ZERO));
        let tasks: BTreeSet<u64> = commands.values().map(|(task, _)| *task).collect();
        seen.most_there = seen.most_there.max(tasks.len());
        if tasks.len() > seen.most {
            let run = commands.iter().filter(|(process, _)| !process.is_dying());
            let tasks: BTreeSet<u64> = run.map(|(_, (task, _))| *task).collect();
            seen.most = seen.most.max(tasks.len());
        }
        seen.looks += 1;
        let due = Instant::now() + PAUSE;
        thread::sleep(PAUSE);
        seen.late.push(due.elapsed());
    }
    seen
}

/// Waits until nothing is left of a task that was cancelled while it ran, the worker included unless that survived.
/// How long that took since then.
pub(crate) fn until_gone(since: Instant, note: Note, folder: &Path) -> Duration {
    let mut gone = None;
    loop {
        let mut any = false;
        for process in group_of(note.worker, note.task) {
            any = true;
            assert!(process.wait(LONG), "{process:?} of {note:?} does not end");
            gone = Some(since.elapsed());
        }
        if any {
            continue;
        }
        // Asked in this order: what is left of dead workers is cleared away.
        let stands = note.stands(folder);
        if !note.worker.lives() {
            return gone.unwrap_or_else(|| since.elapsed());
        }
        if !stands {
            // The worker went on to others. What its command left has its mark.
            if group_of(note.worker, note.task).is_empty() {
                return gone.unwrap_or_else(|| since.elapsed());
            }
        } else if note.worker.wait(Duration::from_millis(1)) {
            gone = Some(since.elapsed());
        }
        assert!(since.elapsed() < LONG, "{note:?} does not end");
    }
}
