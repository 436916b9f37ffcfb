//! Order, and that nothing is lost between lines, live and empty entries.

use super::{AffinityKey, Level, LineId, Ready, Reverse, SWEEP_ABOVE, Seq, Sort, Standing, TaskId};
use crate::lane::{AdapterMode, Boundary, Entry, Key, Lane};

const SHARED: LineId = LineId::Shared;

fn seqs(count: u32) -> Vec<Seq> {
    let boundary = Boundary::new(AdapterMode::PushPull, 1, count as usize, 0).expect("valid");
    let mut lane = Lane::new(boundary);
    (0..count)
        .map(|key| lane.enqueue(Key::new(key), Entry::Push).expect("room"))
        .collect()
}

fn at(priority: i32, seq: Seq) -> Standing {
    let level = Level {
        priority: Reverse(priority),
        rank: 0,
    };
    Standing { level, seq }
}

fn task(index: u32) -> TaskId {
    TaskId::new(index, 0)
}

fn walk(ready: &Ready, line: LineId) -> Vec<usize> {
    let mut cursor = None;
    let mut seen = vec![];
    while let Some(met) = ready.line(line).and_then(|line| line.next(cursor)) {
        seen.push(met.task.index());
        cursor = Some(met.cursor);
    }
    seen
}

#[test]
fn priority_then_order_and_coming_back() {
    let seqs = seqs(6);
    let mut ready = Ready::default();
    for (index, priority) in [(0, 0), (1, 5), (2, 0), (3, 5), (4, -1), (5, 0)] {
        ready.insert(SHARED, at(priority, seqs[index]), task(index as u32));
    }
    assert_eq!(walk(&ready, SHARED), [1, 3, 0, 2, 5, 4]);
    ready.remove(SHARED, at(5, seqs[1]), task(1));
    ready.remove(SHARED, at(0, seqs[2]), task(2));
    assert_eq!(walk(&ready, SHARED), [3, 0, 5, 4]);
    ready.insert(SHARED, at(0, seqs[2]), task(2));
    ready.insert(SHARED, at(5, seqs[1]), task(1));
    assert_eq!(walk(&ready, SHARED), [1, 3, 0, 2, 5, 4]);
    assert_eq!(ready.len(), 6);
}

#[test]
fn rank_stands_between_priority_and_order() {
    let seqs = seqs(4);
    let mut ready = Ready::default();
    for (index, (priority, rank)) in [(0, 2), (0, 1), (1, 9), (0, 1)].into_iter().enumerate() {
        let mut standing = at(priority, seqs[index]);
        standing.level.rank = rank;
        ready.insert(SHARED, standing, task(index as u32));
    }
    assert_eq!(walk(&ready, SHARED), [2, 1, 3, 0]);
}

#[test]
fn empty_entries_are_swept() {
    let seqs = seqs(1000);
    let mut ready = Ready::default();
    for (index, seq) in seqs.iter().enumerate() {
        ready.insert(SHARED, at(0, *seq), task(index as u32));
    }
    for (index, seq) in seqs.iter().enumerate().take(999).skip(1) {
        ready.remove(SHARED, at(0, *seq), task(index as u32));
    }
    assert_eq!(walk(&ready, SHARED), [0, 999]);
    let entries = ready.shared.entries;
    assert!(entries <= SWEEP_ABOVE + 2, "{entries}");
}

/// The index of first tasks is what the lines say, whatever comes and goes.
#[test]
fn the_first_of_each_key_is_known() {
    let seqs = seqs(6);
    let mut ready = Ready::default();
    let line = |key| LineId::Prefers(AffinityKey(key));
    let firsts = |ready: &Ready, sort| {
        let (mut last, mut found) = (None, vec![]);
        while let Some(first) = ready.first_after(sort, last) {
            found.push(first.1.0);
            last = Some(first);
        }
        found
    };
    let unheld = |ready: &Ready| firsts(ready, Sort::PrefersUnheld);
    ready.insert(line(7), at(0, seqs[1]), task(1));
    ready.insert(line(8), at(0, seqs[2]), task(2));
    assert_eq!(unheld(&ready), [7, 8]);
    ready.insert(line(8), at(0, seqs[0]), task(0));
    assert_eq!(unheld(&ready), [8, 7]);
    ready.hold(AffinityKey(8));
    ready.hold(AffinityKey(8));
    ready.remove(line(8), at(0, seqs[0]), task(0));
    assert_eq!(unheld(&ready), [7]);
    assert_eq!(firsts(&ready, Sort::PrefersHeld), [8]);
    ready.insert(line(8), at(3, seqs[5]), task(5));
    ready.release(AffinityKey(8));
    assert_eq!(unheld(&ready), [7]);
    ready.release(AffinityKey(8));
    assert_eq!(unheld(&ready), [8, 7]);
    ready.remove(line(7), at(0, seqs[1]), task(1));
    ready.remove(line(8), at(3, seqs[5]), task(5));
    assert_eq!(unheld(&ready), [8]);
    ready.remove(line(8), at(0, seqs[2]), task(2));
    assert!(ready.is_empty() && ready.is_plain());
    assert!(
        Sort::ALL
            .iter()
            .all(|sort| firsts(&ready, *sort).is_empty())
    );
}

#[test]
fn what_came_last_is_found_without_a_search_and_is_the_same() {
    let (many, lines) = (super::RECENT as u32 * 3, [SHARED, LineId::Solo]);
    let seqs = seqs(many);
    let mut ready = Ready::default();
    let place = |index: u32| {
        (
            lines[index as usize % 5 / 4],
            at((index % 3) as i32, seqs[index as usize]),
        )
    };
    let mut stamps = vec![super::Stamp::default()];
    for index in 0..many {
        let (line, standing) = place(index);
        ready.insert(line, standing, task(index));
        stamps.push(ready.newest());
        if index % 4 == 3 {
            let (line, standing) = place(index - 2);
            ready.remove(line, standing, task(index - 2));
        }
        if index % 8 == 7 {
            // It comes back to its place, and is new.
            let (line, standing) = place(index - 2);
            ready.insert(line, standing, task(index - 2));
            stamps.push(ready.newest());
        }
    }
    let mut short = 0;
    for known in stamps {
        short += u32::from(ready.arrived_after(known).is_some());
        let mut new = ready.tasks_after(known);
        new.sort_unstable();
        let all = ready.tasks().filter(|(stamp, _)| *stamp > known);
        let mut wanted: Vec<TaskId> = all.map(|(_, task)| task).collect();
        wanted.sort_unstable();
        assert_eq!(new, wanted, "{known:?}");
        for line in lines {
            let (mut cursor, mut walked) = (None, vec![]);
            while let Some(met) = ready.next_after(line, cursor, known) {
                cursor = Some(met.cursor);
                walked.push(met.task);
            }
            let (mut cursor, mut wanted) = (None, vec![]);
            while let Some(met) = ready.line(line).and_then(|line| line.next(cursor)) {
                cursor = Some(met.cursor);
                wanted.extend((met.stamp > known).then_some(met.task));
            }
            assert_eq!(walked, wanted, "{line:?} {known:?}");
        }
    }
    assert_eq!(short, super::RECENT as u32 + 1);
}
