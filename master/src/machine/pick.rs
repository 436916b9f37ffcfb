//! Which of the ready tasks a worker gets: the first by priority, rank and age among those that are for it.
//!
//! A worker looks into the line that is for all, into its own and those of the keys it holds; into another's line only
//! when its turn has come and the holders are busy. What its kind has refused it is not asked again while nothing changed.

use super::ready::{Cursor, First, LineId, Met, Sort, Stamp, Standing};
use super::task::State;
use super::{Master, Turn};
use crate::affinity::Whom;
use crate::mutation::Mutation;
use crate::outcome::Outcome;
use farm_protocol::{AffinityKey, Session, TaskId};
use std::cmp::Reverse;

/// The worker that a task is looked for.
#[derive(Clone, Copy, Debug)]
struct Asker {
    pool: usize,
    slot: usize,
    session: Session,
    fresh: bool,
    empty: bool,
}

/// What came of a look.
enum Look {
    /// This one.
    Found(TaskId),
    /// There is none.
    Nothing,
    /// One wants this worker when it is empty: it gets nothing before.
    NotNow,
    /// A task left the lines meanwhile (parked, or ended): where the walk stood is not known any more.
    Changed,
}

/// What a look at one task says.
enum Tested {
    Suits,
    /// Its kind says no, to this worker.
    Refused,
    /// It wants this worker when it is empty. Nothing younger is sent ahead of it: else a worker that
    /// is always sent something would never be empty, and every answer would look through all such tasks.
    WantsItEmpty,
    /// It is not ready any more.
    Left,
}

/// The next task of a line that may be for the worker.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    line: LineId,
    met: Met,
    /// Other workers hold its key, and it is theirs if they are free.
    others: bool,
}

impl Candidate {
    /// Priority first; then what is not for others; then the order.
    fn place(&self) -> (Reverse<i32>, bool, Standing) {
        let standing = self.met.standing;
        (standing.level.priority, self.others, standing)
    }
}

impl Master {
    /// The first ready task that may go to this worker, now. `takes_of_others`: also what other workers hold the key of.
    pub(super) fn pick(
        &mut self,
        turn: &mut Turn<'_>,
        pool: usize,
        slot: usize,
        takes_of_others: bool,
    ) -> Option<TaskId> {
        loop {
            let process = self.slots[slot].process.as_ref()?;
            let asker = Asker {
                pool,
                slot,
                session: process.session,
                fresh: process.is_fresh(),
                empty: process.in_flight.is_empty(),
            };
            let look = if self.pools[pool].ready.is_plain() {
                self.look_through(turn, asker, LineId::Shared)
            } else {
                self.look(turn, asker, takes_of_others)
            };
            match look {
                Look::Found(id) => return Some(id),
                Look::Nothing | Look::NotNow => return None,
                Look::Changed => {}
            }
        }
    }

    fn look(&mut self, turn: &mut Turn<'_>, asker: Asker, takes_of_others: bool) -> Look {
        // A fresh worker is what a suspected task waits for; others can go on elsewhere.
        if asker.fresh {
            match self.look_through(turn, asker, LineId::Solo) {
                Look::Nothing => {}
                found => return found,
            }
        }
        if !self.config.mutation.is(Mutation::PinnedLast) {
            match self.look_through(turn, asker, LineId::Pinned(asker.session)) {
                Look::Nothing => {}
                found => return found,
            }
        }
        let mut candidates = self.own_lines(asker);
        let mut brought = [None; Sort::ALL.len()];
        loop {
            let best = (0..candidates.len()).min_by_key(|index| candidates[*index].place());
            let place = best.map(|index| candidates[index].place());
            if self.bring_in(asker, &mut brought, place, &mut candidates) {
                continue;
            }
            let Some(index) = best else {
                return self.look_last(turn, asker);
            };
            let Candidate { line, met, others } = candidates[index];
            let left_to_others = others && !takes_of_others;
            if left_to_others && candidates.iter().all(|candidate| candidate.others) {
                return Look::Nothing;
            }
            match self.test(turn, asker, line, met) {
                Tested::Suits if left_to_others => {
                    self.pools[asker.pool].own_behind = true;
                    return Look::Nothing;
                }
                Tested::Suits => return Look::Found(met.task),
                Tested::WantsItEmpty => return Look::NotNow,
                Tested::Left => return Look::Changed,
                Tested::Refused => {}
            }
            if let Some(met) = self.next_in(asker, line, Some(met.cursor)) {
                candidates[index].met = met;
            } else {
                self.note_refusal(asker, line);
                candidates.swap_remove(index);
            }
        }
    }

    /// `x30`: what is pinned to this worker.
    fn look_last(&mut self, turn: &mut Turn<'_>, asker: Asker) -> Look {
        if self.config.mutation.is(Mutation::PinnedLast) {
            return self.look_through(turn, asker, LineId::Pinned(asker.session));
        }
        Look::Nothing
    }

    /// Brings a line with another key in whose first comes before the best so far. False when there is none.
    fn bring_in(
        &self,
        asker: Asker,
        brought: &mut [Option<First>; Sort::ALL.len()],
        best: Option<(Reverse<i32>, bool, Standing)>,
        candidates: &mut Vec<Candidate>,
    ) -> bool {
        for sort in Sort::ALL {
            let suits = match sort {
                Sort::PrefersUnheld | Sort::PrefersHeld => true,
                Sort::RequiresUnheld | Sort::RequiresHeld => asker.fresh,
            };
            let last = &mut brought[sort as usize];
            let first = self.pools[asker.pool].ready.first_after(sort, *last);
            let Some((standing, key)) = first.filter(|_| suits) else {
                continue;
            };
            let place = (standing.level.priority, sort.is_held(), standing);
            if best.is_none_or(|best| place < best) {
                *last = first;
                self.add_of_key(asker, sort, key, candidates);
                return true;
            }
        }
        false
    }

    /// Looks through one line in order.
    fn look_through(&mut self, turn: &mut Turn<'_>, asker: Asker, line: LineId) -> Look {
        let (mut cursor, mut youngest) = (None, None);
        while let Some(met) = self.next_in(asker, line, cursor) {
            cursor = Some(met.cursor);
            match self.test(turn, asker, line, met) {
                Tested::Suits if self.config.mutation.is(Mutation::YoungestFirst) => {
                    youngest = Some(met.task);
                }
                Tested::Suits => return Look::Found(met.task),
                Tested::WantsItEmpty => return Look::NotNow,
                Tested::Left => return Look::Changed,
                Tested::Refused => {}
            }
        }
        if let Some(task) = youngest {
            return Look::Found(task);
        }
        self.note_refusal(asker, line);
        Look::Nothing
    }

    /// The lines that this worker looks into before all others, each at its first task.
    fn own_lines(&self, asker: Asker) -> Vec<Candidate> {
        let process = self.slots[asker.slot].process.as_ref();
        let keys = process.map_or(&[][..], |process| &process.keys);
        let of_keys = keys
            .iter()
            .flat_map(|key| [LineId::Prefers(*key), LineId::Requires(*key)]);
        let lines = std::iter::once(LineId::Shared).chain(of_keys);
        let candidates = lines.filter_map(|line| {
            let met = self.next_in(asker, line, None)?;
            Some(Candidate {
                line,
                met,
                others: false,
            })
        });
        candidates.collect()
    }

    /// Adds the line of a key that the worker does not hold, if there is something in it that it has not been refused.
    fn add_of_key(
        &self,
        asker: Asker,
        sort: Sort,
        key: AffinityKey,
        candidates: &mut Vec<Candidate>,
    ) {
        let process = self.slots[asker.slot].process.as_ref();
        if process.is_some_and(|process| process.keys.binary_search(&key).is_ok()) {
            return;
        }
        let (line, others) = (sort.line(key), sort.is_held());
        if let Some(met) = self.next_in(asker, line, None) {
            candidates.push(Candidate { line, met, others });
        }
    }

    /// The next task of a line that this worker has not been refused.
    fn next_in(&self, asker: Asker, line: LineId, cursor: Option<Cursor>) -> Option<Met> {
        let process = self.slots[asker.slot].process.as_ref()?;
        let pool = &self.pools[asker.pool];
        let refused = process.refused.up_to(line, pool.mind);
        pool.ready.next_after(line, cursor, refused)
    }

    /// The kind has said no to all of a line.
    fn note_refusal(&mut self, asker: Asker, line: LineId) {
        let pool = &self.pools[asker.pool];
        let newest = pool.ready.line(line);
        let newest = newest.map_or(Stamp::default(), super::ready::Line::newest);
        if newest > Stamp::default()
            && let Some(process) = &mut self.slots[asker.slot].process
        {
            process.refused.note(line, pool.mind, newest);
        }
    }

    fn test(&mut self, turn: &mut Turn<'_>, asker: Asker, line: LineId, met: Met) -> Tested {
        let id = met.task;
        self.counters.looks += 1;
        if let Some(limit) = self
            .limit_of(id)
            .filter(|limit| !self.limits.has_room(*limit))
        {
            let task = self.tasks.at(id);
            let (kind, priority, seq) = (task.kind, task.priority, task.seq);
            self.leave_ready(id);
            self.limits.park(limit, kind, priority, seq, id);
            self.tasks.at_mut(id).set(State::Parked);
            return Tested::Left;
        }
        if !asker.empty && self.tasks.at(id).wants_to_be_alone() {
            return Tested::WantsItEmpty;
        }
        if matches!(line, LineId::Pinned(_)) {
            return Tested::Suits;
        }
        self.counters.matches += 1;
        let whom = Whom::Worker(self.slots[asker.slot].id);
        match turn.kinds.matches(id, whom) {
            Ok(true) => Tested::Suits,
            Ok(false) => Tested::Refused,
            Err(fault) => {
                self.end_queued(turn, id, Outcome::KindFault(fault));
                // Its group may have given up who would be next.
                self.decide_scopes(turn);
                Tested::Left
            }
        }
    }
}
