//! Who may start, in order: larger priority first, then the rank of the queue's order, then the lane's order. Tasks
//! stand in lines, one per sort of worker they are for, so that a worker looks only at what may be for it.
//!
//! Entries go stale instead of being searched: one that is not live keeps its place until it is swept.

use crate::lane::Seq;
use farm_protocol::{AffinityKey, Session, TaskId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

/// Stale entries are swept when they are more than this and more than the live ones.
const SWEEP_ABOVE: usize = 64;

/// So many of the latest arrivals are remembered: whoever has refused all that came before finds them without a search.
const RECENT: usize = 64;

/// Whom the tasks of a line are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LineId {
    /// Any worker that the kind allows.
    Shared,
    /// Suspected tasks: a fresh worker each.
    Solo,
    /// This process and no other.
    Pinned(Session),
    /// Workers that hold the key before others.
    Prefers(AffinityKey),
    /// Workers that hold the key, and fresh ones.
    Requires(AffinityKey),
}

/// What comes before the lane's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level {
    pub(super) priority: Reverse<i32>,
    pub(super) rank: i64,
}

/// Where a task stands in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    pub(super) level: Level,
    pub(super) seq: Seq,
}

/// Rising over all entries of a pool: what came into a line after a worker has looked at it has a later one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(u64);

/// An entry that is not live keeps its place, so that the order stays searchable.
#[derive(Clone, Copy, Debug)]
struct Entry {
    seq: Seq,
    task: TaskId,
    stamp: Stamp,
    live: bool,
}

/// What came, and where it was put.
#[derive(Clone, Copy, Debug)]
struct Arrived {
    line: LineId,
    standing: Standing,
    stamp: Stamp,
    task: TaskId,
}

/// Where a walk through a line stands. It is void as soon as a task leaves the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    level: Level,
    index: usize,
}

/// A task met on a walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    pub(super) cursor: Cursor,
    pub(super) standing: Standing,
    pub(super) task: TaskId,
    pub(super) stamp: Stamp,
}

/// The tasks for one sort of worker.
#[derive(Debug, Default)]
pub(super) struct Line {
    levels: BTreeMap<Level, VecDeque<Entry>>,
    live: usize,
    entries: usize,
    newest: Stamp,
}

/// All lines of a pool.
#[derive(Debug, Default)]
pub(super) struct Ready {
    shared: Line,
    /// Every other line that is not empty.
    others: BTreeMap<LineId, Line>,
    /// The first of each line with a key.
    firsts: [BTreeSet<First>; Sort::ALL.len()],
    /// How many workers hold each key.
    holders: BTreeMap<AffinityKey, usize>,
    live: usize,
    newest: Stamp,
    /// The last that came, in order, whether they are still there or not.
    recent: VecDeque<Arrived>,
}

/// The first task of a line with a key.
pub(super) type First = (Standing, AffinityKey);

/// A sort of lines with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Its tasks prefer holders, and there is none.
    PrefersUnheld,
    /// Its tasks prefer holders, and there are some.
    PrefersHeld,
    /// Its tasks need a holder or a fresh worker, and there is no holder.
    RequiresUnheld,
    /// Its tasks need a holder or a fresh worker, and there are holders.
    RequiresHeld,
}

impl Sort {
    pub(super) const ALL: [Self; 4] = [
        Self::PrefersUnheld,
        Self::PrefersHeld,
        Self::RequiresUnheld,
        Self::RequiresHeld,
    ];

    pub(super) const fn is_held(self) -> bool {
        match self {
            Self::PrefersHeld | Self::RequiresHeld => true,
            Self::PrefersUnheld | Self::RequiresUnheld => false,
        }
    }

    /// Whether its tasks take any worker when there is no better one.
    pub(super) const fn is_preferred(self) -> bool {
        match self {
            Self::PrefersUnheld | Self::PrefersHeld => true,
            Self::RequiresUnheld | Self::RequiresHeld => false,
        }
    }

    pub(super) const fn line(self, key: AffinityKey) -> LineId {
        match self {
            Self::PrefersUnheld | Self::PrefersHeld => LineId::Prefers(key),
            Self::RequiresUnheld | Self::RequiresHeld => LineId::Requires(key),
        }
    }
}

impl Ready {
    /// How many may start.
    pub(super) const fn len(&self) -> usize {
        self.live
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Whether all that is there is for any worker.
    pub(super) fn is_plain(&self) -> bool {
        self.others.is_empty()
    }

    /// The stamp of what came last.
    pub(super) const fn newest(&self) -> Stamp {
        self.newest
    }

    pub(super) fn line(&self, id: LineId) -> Option<&Line> {
        match id {
            LineId::Shared => Some(&self.shared),
            LineId::Solo | LineId::Pinned(_) | LineId::Prefers(_) | LineId::Requires(_) => {
                self.others.get(&id)
            }
        }
    }

    /// How many stand in a line.
    pub(super) fn count(&self, id: LineId) -> usize {
        self.line(id).map_or(0, |line| line.live)
    }

    /// The first of a line of this sort, in order, behind another one.
    pub(super) fn first_after(&self, sort: Sort, last: Option<First>) -> Option<First> {
        let from = last.map_or(Bound::Unbounded, Bound::Excluded);
        let firsts = &self.firsts[sort as usize];
        firsts.range((from, Bound::Unbounded)).next().copied()
    }

    /// One more worker holds this key.
    pub(super) fn hold(&mut self, key: AffinityKey) {
        let holders = self.holders.entry(key).or_default();
        *holders += 1;
        if *holders == 1 {
            self.change_sort(key, Sort::PrefersUnheld, Sort::PrefersHeld);
            self.change_sort(key, Sort::RequiresUnheld, Sort::RequiresHeld);
        }
    }

    /// One worker less holds this key.
    pub(super) fn release(&mut self, key: AffinityKey) {
        let holders = self.holders.get_mut(&key).expect("what is held is counted");
        *holders -= 1;
        if *holders == 0 {
            self.holders.remove(&key);
            self.change_sort(key, Sort::PrefersHeld, Sort::PrefersUnheld);
            self.change_sort(key, Sort::RequiresHeld, Sort::RequiresUnheld);
        }
    }

    fn change_sort(&mut self, key: AffinityKey, from: Sort, to: Sort) {
        let head = self.line(from.line(key)).and_then(Line::head);
        if let Some(met) = head {
            let first = (met.standing, key);
            assert!(
                self.firsts[from as usize].remove(&first),
                "a line's first is known"
            );
            self.firsts[to as usize].insert(first);
        }
    }

    /// Puts a task at its place.
    pub(super) fn insert(&mut self, id: LineId, standing: Standing, task: TaskId) {
        self.newest = Stamp(self.newest.0 + 1);
        let stamp = self.newest;
        self.live += 1;
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Arrived {
            line: id,
            standing,
            stamp,
            task,
        });
        if id == LineId::Shared {
            return self.shared.insert(standing, task, stamp);
        }
        let line = self.others.entry(id).or_default();
        let before = line.head();
        line.insert(standing, task, stamp);
        let after = line.head();
        self.first_changed(id, before, after);
    }

    /// Takes a task out, wherever it stands.
    pub(super) fn remove(&mut self, id: LineId, standing: Standing, task: TaskId) {
        self.live -= 1;
        if id == LineId::Shared {
            return self.shared.remove(standing, task);
        }
        let line = self.others.get_mut(&id).expect("a ready task has a line");
        let before = line.head();
        line.remove(standing, task);
        let after = line.head();
        if line.live == 0 {
            self.others.remove(&id);
        }
        self.first_changed(id, before, after);
    }

    fn first_changed(&mut self, id: LineId, before: Option<Met>, after: Option<Met>) {
        let (key, unheld, held) = match id {
            LineId::Prefers(key) => (key, Sort::PrefersUnheld, Sort::PrefersHeld),
            LineId::Requires(key) => (key, Sort::RequiresUnheld, Sort::RequiresHeld),
            LineId::Shared | LineId::Solo | LineId::Pinned(_) => return,
        };
        let standing = |met: Option<Met>| met.map(|met| met.standing);
        let (before, after) = (standing(before), standing(after));
        if before == after {
            return;
        }
        let is_held = self.holders.contains_key(&key);
        let firsts = &mut self.firsts[if is_held { held } else { unheld } as usize];
        if let Some(standing) = before {
            firsts.remove(&(standing, key));
        }
        if let Some(standing) = after {
            firsts.insert((standing, key));
        }
    }

    /// All that came after this stamp, if they are still remembered.
    fn arrived_after(&self, known: Stamp) -> Option<impl DoubleEndedIterator<Item = &Arrived>> {
        // Stamps count arrivals one by one.
        let count = usize::try_from(self.newest.0 - known.0).unwrap_or(usize::MAX);
        (count <= self.recent.len()).then(|| self.recent.range(self.recent.len() - count..))
    }

    /// The next of a line at or after `cursor` that came after this stamp.
    pub(super) fn next_after(
        &self,
        id: LineId,
        mut cursor: Option<Cursor>,
        known: Stamp,
    ) -> Option<Met> {
        let line = self.line(id).filter(|line| line.newest() > known)?;
        // Mostly nothing was refused, and the next one is it.
        let met = line.next(cursor)?;
        if met.stamp > known {
            return Some(met);
        }
        if let Some(arrived) = self.arrived_after(known) {
            let here = arrived.filter(|arrived| arrived.line == id);
            let met = here.filter_map(|arrived| line.find(arrived));
            let behind = |met: &Met| {
                let place = (met.cursor.level, met.cursor.index);
                cursor.is_none_or(|cursor| place > (cursor.level, cursor.index))
            };
            return met.filter(behind).min_by_key(|met| met.standing);
        }
        loop {
            let met = line.next(cursor)?;
            if met.stamp > known {
                return Some(met);
            }
            cursor = Some(met.cursor);
        }
    }

    /// All tasks that came after this stamp.
    pub(super) fn tasks_after(&self, known: Stamp) -> Vec<TaskId> {
        if let Some(arrived) = self.arrived_after(known) {
            let met = arrived.filter_map(|arrived| self.line(arrived.line)?.find(arrived));
            return met.map(|met| met.task).collect();
        }
        let new = self.tasks().filter(|(came, _)| *came > known);
        new.map(|(_, task)| task).collect()
    }

    /// All tasks, line by line.
    pub(super) fn tasks(&self) -> impl Iterator<Item = (Stamp, TaskId)> {
        let lines = std::iter::once(&self.shared).chain(self.others.values());
        lines.flat_map(|line| {
            let entries = line.levels.values().flatten();
            entries
                .filter(|entry| entry.live)
                .map(|entry| (entry.stamp, entry.task))
        })
    }
}

impl Line {
    /// The stamp of what came into it last.
    pub(super) const fn newest(&self) -> Stamp {
        self.newest
    }

    /// The first.
    pub(super) fn head(&self) -> Option<Met> {
        self.next(None)
    }

    /// What arrived, if it is still there and has not come anew since.
    fn find(&self, arrived: &Arrived) -> Option<Met> {
        let Standing { level, seq } = arrived.standing;
        let entries = self.levels.get(&level)?;
        let index = entries.partition_point(|entry| entry.seq < seq);
        let same = |entry: &&Entry| entry.live && entry.stamp == arrived.stamp;
        entries.get(index).filter(same)?;
        Some(Met {
            cursor: Cursor {
                level,
                index: index + 1,
            },
            standing: arrived.standing,
            task: arrived.task,
            stamp: arrived.stamp,
        })
    }

    /// The next at or after `cursor` (`None`: from the front).
    pub(super) fn next(&self, cursor: Option<Cursor>) -> Option<Met> {
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
                return Some(Met {
                    cursor: Cursor {
                        level,
                        index: index + 1,
                    },
                    standing: Standing {
                        level,
                        seq: entry.seq,
                    },
                    task: entry.task,
                    stamp: entry.stamp,
                });
            }
        }
        None
    }

    fn insert(&mut self, standing: Standing, task: TaskId, stamp: Stamp) {
        let Standing { level, seq } = standing;
        let entries = self.levels.entry(level).or_default();
        let entry = Entry {
            seq,
            task,
            stamp,
            live: true,
        };
        self.live += 1;
        self.newest = stamp;
        if entries.back().is_none_or(|last| last.seq < seq) {
            entries.push_back(entry);
            self.entries += 1;
            return;
        }
        let place = entries.partition_point(|other| other.seq < seq);
        match entries.get_mut(place) {
            // It comes back to the place it left.
            Some(old) if old.seq == seq => *old = entry,
            Some(_) | None => {
                entries.insert(place, entry);
                self.entries += 1;
            }
        }
    }

    fn remove(&mut self, standing: Standing, task: TaskId) {
        let Standing { level, seq } = standing;
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
    fn tidy(&mut self, level: Level) {
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
mod tests;
