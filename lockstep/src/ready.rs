//! Which candidates are ready: a set that is walked in the order of ids, and since when each is.

use crate::candidate::CandidateId;
use crate::time::VTime;

/// A set of candidates as one bit each: a run has dozens of them, and it is walked at every step.
#[derive(Debug, Default)]
pub(crate) struct ReadySet {
    words: Vec<u64>,
    since: Vec<VTime>,
}

impl ReadySet {
    /// Puts a candidate in, ready since then. One that is in already has that time from here on.
    #[inline]
    pub(crate) fn put(&mut self, id: CandidateId, since: VTime) {
        let (word, bit) = (id.0 as usize / 64, 1 << (id.0 % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
            self.since.resize((word + 1) * 64, VTime::START);
        }
        self.words[word] |= bit;
        self.since[id.0 as usize] = since;
    }

    #[inline]
    pub(crate) fn remove(&mut self, id: CandidateId) {
        if let Some(word) = self.words.get_mut(id.0 as usize / 64) {
            *word &= !(1 << (id.0 % 64));
        }
    }

    /// Since when a candidate in the set is ready.
    #[inline]
    pub(crate) fn since(&self, id: CandidateId) -> VTime {
        self.since[id.0 as usize]
    }

    /// Appends the members in the order of their ids.
    #[inline]
    pub(crate) fn list(&self, out: &mut Vec<CandidateId>) {
        for (index, &word) in self.words.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                out.push(CandidateId(index as u32 * 64 + bit));
            }
        }
    }
}
