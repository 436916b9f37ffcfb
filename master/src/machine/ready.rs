//! Who may start, in order: larger priority first, then the lane's order. Entries go stale instead
//! of being searched: a task that left the queue by another door is passed over when it is met.

use crate::lane::Seq;
use farm_protocol::TaskId;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// Stale entries are swept when they are more than this and more than the live ones.
const SWEEP_ABOVE: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Ready {
    levels: BTreeMap<Reverse<i32>, VecDeque<Entry>>,
    live: usize,
    entries: usize,
}

/// An entry that is not live keeps its place, so that the order stays searchable.
#[derive(Clone, Copy, Debug)]
struct Entry {
    seq: Seq,
    task: TaskId,
    live: bool,
}

/// Where a walk through the queue stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    level: Reverse<i32>,
    index: usize,
}

impl Ready {
    /// How many may start.
    pub(super) const fn len(&self) -> usize {
        self.live
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Puts a task at its place.
    pub(super) fn insert(&mut self, priority: i32, seq: Seq, task: TaskId) {
        let level = self.levels.entry(Reverse(priority)).or_default();
        let entry = Entry {
            seq,
            task,
            live: true,
        };
        self.live += 1;
        if level.back().is_none_or(|last| last.seq < seq) {
            level.push_back(entry);
            self.entries += 1;
            return;
        }
        let place = level.partition_point(|other| other.seq < seq);
        match level.get_mut(place) {
            // It comes back to the place it left.
            Some(old) if old.seq == seq => *old = entry,
            Some(_) | None => {
                level.insert(place, entry);
                self.entries += 1;
            }
        }
    }

    /// The next entry at or after `cursor` (`None`: from the front).
    pub(super) fn next(&self, cursor: Option<Cursor>) -> Option<(Cursor, TaskId)> {
        let (start, mut skip) = match cursor {
            Some(cursor) => (cursor.level, cursor.index),
            None => (*self.levels.first_key_value()?.0, 0),
        };
        for (&level, entries) in self.levels.range(start..) {
            let skipped = if level == start { skip } else { 0 };
            skip = 0;
            let found = entries
                .iter()
                .enumerate()
                .skip(skipped)
                .find(|(_, entry)| entry.live);
            if let Some((index, entry)) = found {
                return Some((Cursor { level, index }, entry.task));
            }
        }
        None
    }

    /// The position after `cursor`.
    pub(super) const fn after(cursor: Cursor) -> Cursor {
        Cursor {
            level: cursor.level,
            index: cursor.index + 1,
        }
    }

    /// Takes a task out, wherever it stands.
    pub(super) fn remove(&mut self, priority: i32, seq: Seq, task: TaskId) {
        let level = Reverse(priority);
        let entries = self
            .levels
            .get_mut(&level)
            .expect("a ready task has a level");
        // Mostly it is the first, and a search through a long queue is dear.
        let first = entries.front().is_some_and(|entry| entry.seq == seq);
        let place = if first {
            0
        } else {
            entries.partition_point(|other| other.seq < seq)
        };
        let entry = entries.get_mut(place).expect("a ready task has an entry");
        assert!(
            entry.live && entry.task == task,
            "the entry of a ready task is its own"
        );
        entry.live = false;
        self.live -= 1;
        self.tidy(level);
    }

    /// Drops dead entries at the front, and all of them when they are too many.
    fn tidy(&mut self, level: Reverse<i32>) {
        let entries = self.levels.get_mut(&level).expect("just used");
        while entries.front().is_some_and(|entry| !entry.live) {
            entries.pop_front();
            self.entries -= 1;
        }
        if entries.is_empty() {
            self.levels.remove(&level);
        } else if self.entries > SWEEP_ABOVE && self.entries > 2 * self.live {
            self.entries = 0;
            for entries in self.levels.values_mut() {
                entries.retain(|entry| entry.live);
                self.entries += entries.len();
            }
            self.levels.retain(|_, entries| !entries.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    //! Order, and that nothing is lost between live and empty entries.
    use super::*;
    use crate::lane::{AdapterMode, Boundary, Key, Lane};

    fn seqs(count: u32) -> Vec<Seq> {
        let boundary = Boundary::new(AdapterMode::PushPull, 1, count as usize, 0).expect("valid");
        let mut lane = Lane::new(boundary);
        (0..count)
            .map(|key| {
                lane.enqueue(Key::new(key), crate::lane::Entry::Push)
                    .expect("room")
            })
            .collect()
    }

    fn walk(ready: &Ready) -> Vec<usize> {
        let mut cursor = None;
        let mut seen = vec![];
        while let Some((at, task)) = ready.next(cursor) {
            seen.push(task.index());
            cursor = Some(Ready::after(at));
        }
        seen
    }

    #[test]
    fn priority_then_order_and_coming_back() {
        let seqs = seqs(6);
        let mut ready = Ready::default();
        for (index, priority) in [(0, 0), (1, 5), (2, 0), (3, 5), (4, -1), (5, 0)] {
            ready.insert(priority, seqs[index], TaskId::new(index as u32, 0));
        }
        assert_eq!(walk(&ready), [1, 3, 0, 2, 5, 4]);
        ready.remove(5, seqs[1], TaskId::new(1, 0));
        ready.remove(0, seqs[2], TaskId::new(2, 0));
        assert_eq!(walk(&ready), [3, 0, 5, 4]);
        ready.insert(0, seqs[2], TaskId::new(2, 0));
        ready.insert(5, seqs[1], TaskId::new(1, 0));
        assert_eq!(walk(&ready), [1, 3, 0, 2, 5, 4]);
        assert_eq!(ready.len(), 6);
    }

    #[test]
    fn empty_entries_are_swept() {
        let seqs = seqs(1000);
        let mut ready = Ready::default();
        for (index, seq) in seqs.iter().enumerate() {
            ready.insert(0, *seq, TaskId::new(index as u32, 0));
        }
        for (index, seq) in seqs.iter().enumerate().take(999).skip(1) {
            ready.remove(0, *seq, TaskId::new(index as u32, 0));
        }
        assert_eq!(walk(&ready), [0, 999]);
        assert!(ready.entries <= SWEEP_ABOVE + 2, "{}", ready.entries);
    }
}
