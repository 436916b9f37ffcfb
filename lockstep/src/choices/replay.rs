//! Repeating a record, and noticing where the run goes another way. It knows neither chance nor strategies.

use super::{Divergence, Record};

/// A record and how far it has been repeated.
#[derive(Debug)]
pub(super) struct Replay {
    record: Record,
    /// How many of the noted decisions have been used.
    used: usize,
    /// Steps taken.
    steps: u64,
    last_digest: u64,
    /// The first departure; from then on every answer is 0 and nothing is compared.
    divergence: Option<Divergence>,
}

impl Replay {
    pub(super) const fn new(record: Record) -> Self {
        Self {
            record,
            used: 0,
            steps: 0,
            last_digest: 0,
            divergence: None,
        }
    }

    pub(super) const fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }

    /// The next noted decision, if it is one of `n` alternatives.
    pub(super) fn next(&mut self, n: u32, tag: &'static str) -> u32 {
        if self.divergence.is_some() {
            return 0;
        }
        let position = self.used as u64;
        let Some(&value) = self.record.choices.get(self.used) else {
            self.divergence = Some(Divergence::Exhausted { position, tag });
            return 0;
        };
        if value >= n {
            self.divergence = Some(Divergence::OutOfRange {
                position,
                tag,
                among: n,
                recorded: value,
            });
            return 0;
        }
        self.used += 1;
        value
    }

    pub(super) fn step(&mut self, digest: u64) {
        self.steps += 1;
        self.last_digest = digest;
        if self.divergence.is_some() {
            return;
        }
        if self.steps > self.record.steps {
            self.divergence = Some(Divergence::Longer {
                recorded: self.record.steps,
            });
        } else if self.steps.is_multiple_of(Record::DIGEST_EVERY) {
            let block = (self.steps / Record::DIGEST_EVERY - 1) as usize;
            // A missing one differs as well: then the record was put together by hand.
            if self.record.digests.get(block) != Some(&digest) {
                self.divergence = Some(Divergence::Digest { step: self.steps });
            }
        }
    }

    /// What could only be seen at the end comes behind what was seen on the way.
    pub(super) fn finish(self) -> Option<Divergence> {
        let recorded = self.record.choices.len();
        self.divergence.or(if self.used < recorded {
            Some(Divergence::LeftOver {
                used: self.used as u64,
                recorded: recorded as u64,
            })
        } else if self.steps < self.record.steps {
            Some(Divergence::Shorter {
                taken: self.steps,
                recorded: self.record.steps,
            })
        } else if self.last_digest != self.record.last_digest {
            Some(Divergence::Digest { step: self.steps })
        } else {
            None
        })
    }
}
