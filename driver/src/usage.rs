//! Measuring what attempts use, for as long as the machine wants to know. While it does not, nothing is looked at.
//!
//! It decides nothing: it is told beyond what the machine wants to hear of it. A record of a run would grow by a
//! kilobyte per attempt and second if everything were told.

use crate::process::Place;
use crate::turn::Loop;
use farm_master::{Event, Sample};
use farm_protocol::{AttemptId, Instant};
use std::time::Duration;

/// How often is measured. An attempt may exceed its limit for so long before anybody sees it.
const EVERY: Duration = Duration::from_millis(50);

/// Measuring takes one part in this many of the loop's time at most: with large families it is done less often.
const SHARE: u32 = 10;

/// The longest that is measured before others have their turn.
const AT_ONCE: Duration = Duration::from_millis(1);

/// What a worker and everything below it uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) cpu: Duration,
    /// In bytes.
    pub(crate) memory: u64,
}

/// What is to be told: more than this.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beyond {
    pub(crate) cpu: Option<Duration>,
    /// In bytes.
    pub(crate) memory: Option<u64>,
}

impl Beyond {
    fn is_exceeded(self, used: Used) -> bool {
        let cpu = self.cpu.is_some_and(|limit| used.cpu > limit);
        cpu || self.memory.is_some_and(|limit| used.memory > limit)
    }
}

/// An attempt that is measured.
#[derive(Debug)]
struct Watched {
    place: Place,
    id: AttemptId,
    /// The processor time before it: not its own.
    before: Duration,
    beyond: Beyond,
    /// The most processor time that was seen: it never falls, whoever is missed in a later look.
    cpu: Duration,
}

/// The attempts that are measured, in rounds.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    watched: Vec<Watched>,
    /// When the next round begins; of one that has begun, when it did.
    due: Instant,
    /// Who is next in this round.
    next: usize,
    /// How long this round has taken so far.
    spent: Duration,
}

impl Usage {
    /// When something is to be measured; `None`: nothing is.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        (!self.watched.is_empty()).then_some(self.due)
    }

    fn watch(&mut self, now: Instant, watched: Watched) {
        if self.watched.is_empty() {
            (self.next, self.spent) = (0, Duration::ZERO);
            self.due = now.after(EVERY);
        }
        self.watched.push(watched);
    }

    fn unwatch(&mut self, place: Place, id: AttemptId) {
        let this = |watched: &Watched| watched.place == place && watched.id == id;
        if let Some(at) = self.watched.iter().position(this) {
            self.watched.remove(at);
            // Those behind it have moved up.
            self.next -= usize::from(at < self.next);
        }
    }

    /// One of a round has been measured, which took so long. Whether the round goes on.
    fn measured(&mut self, now: Instant, took: Duration) -> bool {
        self.next += 1;
        self.spent += took;
        if self.next < self.watched.len() {
            return true;
        }
        self.due = self.due.after(EVERY).max(now.after(self.spent * SHARE));
        (self.next, self.spent) = (0, Duration::ZERO);
        false
    }
}

impl Loop {
    /// The machine wants to know what this attempt uses.
    pub(crate) fn watch_usage(&mut self, place: Place, id: AttemptId, beyond: Beyond) {
        // One that is gone uses nothing, and its exit has been told.
        let Some(process) = self.workers.get(place) else {
            return;
        };
        let watched = Watched {
            place,
            id,
            before: process.body.used().cpu,
            beyond,
            cpu: Duration::ZERO,
        };
        self.usage.watch(self.now, watched);
    }

    /// It does not any more.
    pub(crate) fn unwatch_usage(&mut self, place: Place, id: AttemptId) {
        self.usage.unwatch(place, id);
    }

    /// Measures some, if it is time, and tells what is beyond.
    pub(crate) fn measure_usage(&mut self) {
        for (place, memory) in self.weigh_some() {
            self.tell(Event::Weighed {
                slot: place.slot,
                session: place.session,
                memory,
            });
        }
        let idle = self.usage.watched.is_empty() || self.usage.due > self.now;
        if idle || self.clock.stands() {
            return;
        }
        let begin = self.clock.now();
        let (mut last, mut samples) = (begin, Vec::new());
        loop {
            samples.extend(self.measure_next());
            let now = self.clock.now();
            let goes_on = self.usage.measured(now, now.since(last));
            last = now;
            // What is left of the round has its turn after whatever has happened meanwhile.
            if !goes_on || now.since(begin) > AT_ONCE {
                break;
            }
        }
        for (place, id, sample) in samples {
            self.tell(Event::Usage {
                slot: place.slot,
                session: place.session,
                id,
                sample,
            });
        }
    }

    fn measure_next(&mut self) -> Option<(Place, AttemptId, Sample)> {
        let watched = self.usage.watched.get_mut(self.usage.next)?;
        let (place, id) = (watched.place, watched.id);
        let process = self.workers.get(place)?;
        // Not yet, or not any more; without a page it is the only one that the worker has.
        if process.page.is_some() && process.noted().executing != Some(id) {
            return None;
        }
        let Used { cpu, memory } = process.body.used();
        watched.cpu = watched.cpu.max(cpu.saturating_sub(watched.before));
        let cpu = watched.cpu;
        if !watched.beyond.is_exceeded(Used { cpu, memory }) {
            return None;
        }
        // Asked again: whoever executes now did so all the while, or has begun just now.
        let noted = process.noted();
        let sample = Sample { cpu, memory, noted };
        Some((place, id, sample))
    }
}

#[cfg(test)]
mod tests {
    //! Rounds: everybody once in each, whoever leaves meanwhile, and not more often than is good.
    use super::*;
    use farm_protocol::{Attempt, Session, SlotId, TaskId};

    const TOOK: Duration = Duration::from_millis(1);

    fn place(number: u32) -> (Place, AttemptId) {
        let (slot, session) = (SlotId(number), Session(1));
        let id = AttemptId {
            task: TaskId::new(number, 0),
            attempt: Attempt(1),
        };
        (Place { slot, session }, id)
    }

    fn usage(count: u32) -> Usage {
        let mut usage = Usage::default();
        for number in 0..count {
            let (place, id) = place(number);
            let beyond = Beyond {
                cpu: None,
                memory: None,
            };
            let (before, cpu) = (Duration::ZERO, Duration::ZERO);
            let watched = Watched {
                place,
                id,
                before,
                beyond,
                cpu,
            };
            usage.watch(Instant::START, watched);
        }
        usage
    }

    #[test]
    fn nothing_is_measured_when_nothing_is_watched() {
        let mut usage = usage(1);
        assert_eq!(usage.deadline(), Some(Instant::START.after(EVERY)));
        let (place, id) = place(0);
        usage.unwatch(place, id);
        usage.unwatch(place, id);
        assert_eq!(usage.deadline(), None);
    }

    #[test]
    fn a_round_is_a_small_part_of_the_time() {
        let mut usage = usage(100);
        let due = Instant::START.after(EVERY);
        for number in 1..100 {
            assert!(usage.measured(due, TOOK), "{number}");
            assert_eq!(usage.deadline(), Some(due));
        }
        assert!(!usage.measured(due, TOOK));
        assert_eq!(usage.deadline(), Some(due.after(100 * TOOK * SHARE)));
    }

    #[test]
    fn a_short_round_begins_in_time() {
        let mut usage = usage(1);
        let due = Instant::START.after(EVERY);
        assert!(!usage.measured(due.after(TOOK), TOOK));
        assert_eq!(usage.deadline(), Some(due.after(EVERY)));
    }

    #[test]
    fn who_leaves_takes_nobodys_turn() {
        let mut usage = usage(4);
        assert!(usage.measured(Instant::START, TOOK));
        assert!(usage.measured(Instant::START, TOOK));
        let next = usage.watched[usage.next].id;
        for number in [0, 3] {
            let (place, id) = place(number);
            usage.unwatch(place, id);
        }
        assert_eq!(usage.watched[usage.next].id, next);
        assert!(!usage.measured(Instant::START, TOOK));
    }
}
