//! The random numbers of runs: SplitMix64 spreads seeds, xoshiro256** makes the stream. Both are written out here and
//! pinned by tests, because a seed that somebody noted must mean the same run years later.

/// A stream of random numbers. A clone goes on as the original would have.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

/// What SplitMix64 adds per number: 2⁶⁴ divided by the golden ratio, odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// One number of SplitMix64, and its state moved on. Different states give different numbers.
const fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(GOLDEN);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// The stream numbered `stream` of iteration `iteration` under `seed`. With two of the three fixed, different
    /// values of the third never share a starting point.
    #[must_use]
    pub const fn derive(seed: u64, stream: u64, iteration: u64) -> Self {
        let mut at = seed;
        at = split_mix(&mut at) ^ stream;
        at = split_mix(&mut at) ^ iteration;
        at = split_mix(&mut at);
        // Four different numbers, so never the all-zero state, in which xoshiro would stay.
        let state = [
            split_mix(&mut at),
            split_mix(&mut at),
            split_mix(&mut at),
            split_mix(&mut at),
        ];
        Self { state }
    }

    /// The next 64 bits.
    #[inline]
    pub const fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        b.wrapping_mul(5).rotate_left(7).wrapping_mul(9)
    }

    /// A number below `n`.
    ///
    /// # Panics
    /// If `n` is 0.
    #[inline]
    pub const fn below(&mut self, n: u32) -> u32 {
        // Fits, being below a u32.
        self.below_wide(n as u64) as u32
    }

    /// A number below `n`, for numbers of steps and sums of weights. Widening multiplication without rejection: two
    /// results differ in probability by at most 2⁻⁶⁴, which no sweep can notice, and every call takes exactly one
    /// number from the stream.
    ///
    /// # Panics
    /// If `n` is 0.
    #[inline]
    pub const fn below_wide(&mut self, n: u64) -> u64 {
        assert!(n > 0, "nothing is below 0");
        ((self.next() as u128 * n as u128) >> 64) as u64
    }
}

#[cfg(test)]
mod tests;
