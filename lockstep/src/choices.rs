//! The one stream of decisions of a run: who goes next, which fault strikes, how many bytes arrive. It draws them,
//! draws and notes them, or repeats noted ones; it knows nothing of what is decided.

mod divergence;
mod record;
mod replay;

pub use divergence::Divergence;
pub use record::{Record, RecordError};

use crate::random::Random;
use replay::Replay;

/// The tag of the strategy's decisions in a [`Divergence`].
const PICK: &str = "pick";

/// Where the decisions of one run come from. In every decision 0 is the dull alternative, so a run of nothing but
/// zeros is the one in which nothing special happens.
#[derive(Debug)]
pub struct Choices {
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// From chance, and nothing is kept.
    Drawn(Random),
    /// From chance, and noted.
    Recorded(Recording),
    /// From an earlier run, or 0 once that no longer fits.
    Replayed(Replay),
}

#[derive(Debug)]
struct Recording {
    random: Random,
    record: Record,
    /// There were more decisions than a record holds: those beyond are not noted, and there will be no record.
    overflown: bool,
}

/// What is left of the decisions after a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// What was noted. None if nothing was to be, or if there were more than [`Record::CHOICES_MAX`] decisions.
    pub record: Option<Record>,
    /// Where a replay departed first from its record.
    pub divergence: Option<Divergence>,
}

impl Choices {
    /// Draws, and keeps nothing.
    #[must_use]
    pub const fn drawn(random: Random) -> Self {
        Self {
            source: Source::Drawn(random),
        }
    }

    /// Draws as [`Choices::drawn`] would, and notes everything.
    #[must_use]
    pub fn recorded(random: Random) -> Self {
        let recording = Recording {
            random,
            record: Record::default(),
            overflown: false,
        };
        Self {
            source: Source::Recorded(recording),
        }
    }

    /// Repeats. What does not fit is told by [`Choices::divergence`] and [`Choices::finish`].
    #[must_use]
    pub const fn replayed(record: Record) -> Self {
        Self {
            source: Source::Replayed(Replay::new(record)),
        }
    }

    /// One of `n` alternatives, as a number below `n`; 0 is the dull one. A single alternative is no decision: it is
    /// neither drawn nor noted.
    ///
    /// # Panics
    /// If `n` is 0.
    #[inline]
    pub fn choose(&mut self, n: u32, tag: &'static str) -> u32 {
        assert!(n > 0, "a choice has an alternative");
        if n == 1 {
            return 0;
        }
        match &mut self.source {
            Source::Drawn(random) => random.below(n),
            Source::Recorded(recording) => {
                let drawn = recording.random.below(n);
                recording.note(drawn)
            }
            Source::Replayed(replay) => replay.next(n, tag),
        }
    }

    /// Whether something happens that does so `per_mille` times in a thousand; noted as 0 or 1. What never happens
    /// is no decision; what always does is one, so that a record can be edited to leave it out.
    #[inline]
    pub fn chance(&mut self, per_mille: u32, tag: &'static str) -> bool {
        if per_mille == 0 {
            return false;
        }
        match &mut self.source {
            Source::Drawn(random) => random.below(1_000) < per_mille,
            Source::Recorded(recording) => {
                let happens = recording.random.below(1_000) < per_mille;
                recording.note(u32::from(happens)) == 1
            }
            Source::Replayed(replay) => replay.next(2, tag) == 1,
        }
    }

    /// A decision among `n` that `picked` makes. A replay does not ask it. With one alternative it is asked all the
    /// same, because a strategy counts steps, and nothing is noted.
    ///
    /// # Panics
    /// If `picked` answers `n` or more.
    #[inline]
    pub fn pick(&mut self, n: u32, picked: impl FnOnce() -> u32) -> u32 {
        let recording = match &mut self.source {
            Source::Drawn(_) => None,
            Source::Recorded(recording) => Some(recording),
            Source::Replayed(_) if n == 1 => return 0,
            Source::Replayed(replay) => return replay.next(n, PICK),
        };
        let picked = picked();
        assert!(picked < n, "a strategy picks one of those that are ready");
        match recording {
            Some(recording) if n > 1 => recording.note(picked),
            Some(_) | None => picked,
        }
    }

    /// A step is over; `digest` stands for everything that happened so far.
    #[inline]
    pub fn step(&mut self, digest: u64) {
        match &mut self.source {
            Source::Drawn(_) => {}
            Source::Recorded(recording) => recording.step(digest),
            Source::Replayed(replay) => replay.step(digest),
        }
    }

    /// Where a replay departed from its record, as far as is known already.
    #[must_use]
    pub const fn divergence(&self) -> Option<&Divergence> {
        match &self.source {
            Source::Drawn(_) | Source::Recorded(_) => None,
            Source::Replayed(replay) => replay.divergence(),
        }
    }

    /// The run is over.
    #[must_use]
    pub fn finish(self) -> Finished {
        match self.source {
            Source::Drawn(_) => Finished::default(),
            Source::Recorded(recording) => Finished {
                record: (!recording.overflown).then_some(recording.record),
                divergence: None,
            },
            Source::Replayed(replay) => Finished {
                record: None,
                divergence: replay.finish(),
            },
        }
    }
}

impl Recording {
    #[inline]
    fn note(&mut self, value: u32) -> u32 {
        if self.record.choices.len() < Record::CHOICES_MAX {
            self.record.choices.push(value);
        } else {
            self.overflown = true;
        }
        value
    }

    #[inline]
    fn step(&mut self, digest: u64) {
        self.record.steps += 1;
        self.record.last_digest = digest;
        // After an overflow there will be no record, and the digests must not grow without end either.
        if self.record.steps.is_multiple_of(Record::DIGEST_EVERY) && !self.overflown {
            self.record.digests.push(digest);
        }
    }
}

#[cfg(test)]
mod tests;
