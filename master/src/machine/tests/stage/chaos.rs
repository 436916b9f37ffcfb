//! What kinds say at random of whom a task is for: sane ones change their mind only when they may, others whenever they are asked.

use super::*;
use crate::machine::random::Random;
use std::collections::BTreeSet;

/// So many keys there are.
const KEYS: u64 = 4;

/// A kind's opinions, drawn.
pub(in super::super) struct Chaos {
    rng: Random,
    /// Whether the same question has the same answer until a response is taken or something is broadcast.
    sane: bool,
    mind: u64,
    /// Slots whose workers have left something to be remembered.
    old: BTreeSet<SlotId>,
}

impl Chaos {
    pub(in super::super) fn new(seed: u64, sane: bool) -> Self {
        Self {
            rng: Random::new(seed),
            sane,
            mind: 0,
            old: BTreeSet::new(),
        }
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.rng.next().is_multiple_of(of)
    }

    fn faulty(&mut self, callback: &str) -> Result<(), KindFault> {
        if !self.sane && self.one_in(30) {
            return Err(fault(callback));
        }
        Ok(())
    }

    fn key(&mut self) -> AffinityKey {
        AffinityKey(self.rng.next() % KEYS)
    }

    pub(super) fn affinity(&mut self) -> Result<Affinity, KindFault> {
        self.faulty("affinity")?;
        Ok(match self.rng.next() % 12 {
            0 => Affinity::Worker {
                slot: SlotId(self.rng.next() as u32 % 6),
                session: Session(self.rng.next() % 20),
            },
            1..=3 => Affinity::Any,
            4..=7 => Affinity::Prefers(self.key()),
            _ => Affinity::Requires(self.key()),
        })
    }

    pub(super) fn rank(&mut self) -> Result<i64, KindFault> {
        self.faulty("rank")?;
        Ok(match self.rng.next() % 6 {
            0 => i64::MIN,
            1 => i64::MAX,
            rank => rank as i64,
        })
    }

    /// What is asked twice of one mind is answered alike.
    pub(in super::super) fn opinion(&self, task: TaskId, whom: Whom) -> bool {
        let status = match whom {
            Whom::Worker(slot) if self.old.contains(&slot) => u64::from(slot.0) + 1,
            Whom::Worker(_) | Whom::Fresh => 0,
        };
        let about = task.to_bits() ^ status.rotate_left(20) ^ self.mind.rotate_left(40);
        !Random::new(about).next().is_multiple_of(3)
    }

    pub(super) fn matches(&mut self, task: TaskId, whom: Whom) -> Result<bool, KindFault> {
        self.faulty("task_match")?;
        if self.sane {
            return Ok(self.opinion(task, whom));
        }
        Ok(!self.one_in(3))
    }

    pub(super) fn fresh(&mut self, slot: SlotId) {
        self.old.remove(&slot);
    }

    /// A response was taken; the keys that the worker holds now.
    pub(super) fn learns(&mut self, slot: SlotId, next: NextOfWorker) -> Vec<AffinityKey> {
        if self.one_in(3) {
            self.mind += 1;
        }
        match next {
            NextOfWorker::End => Vec::new(),
            NextOfWorker::Stay => {
                self.old.insert(slot);
                let most = if self.sane { KEYS } else { 200 };
                let count = self.rng.next() % most;
                (0..count).map(|_| self.key()).collect()
            }
        }
    }

    /// Something that it looks at has changed.
    pub(in super::super) fn changes_its_mind(&mut self) {
        self.mind += 1;
    }
}
