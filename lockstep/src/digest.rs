//! A rolling digest of what happened in a run, in order. It tells two runs apart and is no protection against anybody
//! who wants two runs to look alike.

/// The digest so far. Two digests that were fed the same words in the same order are equal, on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

/// Any number but 0, so that leading zeros count too.
const START: u64 = 0x9e37_79b9_7f4a_7c15;

/// Odd, so that no two words are mapped to one; its bits are spread, so that a small difference reaches the high half.
const FACTOR: u64 = 0xd134_2543_de82_ef95;

impl Digest {
    /// Of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(START)
    }

    /// Takes in one word.
    #[inline]
    pub const fn word(&mut self, word: u64) {
        // Multiplication carries differences upwards only: the rotation brings them back down for the next word.
        self.0 = (self.0 ^ word).wrapping_mul(FACTOR).rotate_left(29);
    }

    /// Takes in bytes, eight at a time. The length goes first: otherwise the filling of the last word could pass for
    /// bytes, and two calls for one.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.word(u64::from_le_bytes(last));
        }
    }

    /// Everything so far as one number.
    #[inline]
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
