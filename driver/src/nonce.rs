//! The number by which a farm is told from every other, also from those of other programs and of other days.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

/// Draws a farm's number; `farm` is its position in this program.
///
/// The hasher's keys are the system's entropy, drawn once per thread: the rest keeps farms apart that come from one
/// thread, or from two that a fork has given the same keys.
pub(crate) fn draw(farm: u64) -> u64 {
    let process = std::process::id();
    RandomState::new().hash_one((process, SystemTime::now(), farm))
}

#[cfg(test)]
mod tests {
    //! No two are alike.
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_is_another() {
        let here = (0..1000).map(draw);
        let there = std::thread::spawn(|| (0..1000).map(draw).collect::<Vec<_>>());
        let there = there.join().expect("no panic");
        let all: BTreeSet<u64> = here.chain(there).collect();
        assert_eq!(all.len(), 2000);
    }
}
