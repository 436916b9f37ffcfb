//! Keys in a row, oldest first, from which any may be taken in constant time. Knows no states: whether an item still
//! counts is asked of the lane.
//!
//! An item taken from the middle stays behind as a *ghost* and is swept when ghosts outnumber the rest, so taking costs
//! no shifting and ghosts cost at most as much memory as the live items. The first item is never a ghost.

use super::{Key, Seq};
use std::collections::VecDeque;

/// Below so many ghosts, sweeping costs more than they do.
const FEWEST_SWEPT: usize = 32;

#[derive(Clone, Debug)]
pub(super) struct Order {
    items: VecDeque<(Seq, Key)>,
    ghosts: usize,
}

impl Order {
    pub(super) const fn new() -> Self {
        Self {
            items: VecDeque::new(),
            ghosts: 0,
        }
    }

    /// How many live items there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.items.len() - self.ghosts
    }

    /// The oldest item.
    #[inline]
    pub(super) fn first(&self) -> Option<(Seq, Key)> {
        self.items.front().copied()
    }

    /// All items, ghosts included, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Seq, Key)> + '_ {
        self.items.iter().copied()
    }

    /// Puts an item behind all others.
    #[inline]
    pub(super) fn push(&mut self, seq: Seq, key: Key) {
        self.items.push_back((seq, key));
    }

    /// Puts an item back between those before and behind it by `seq`. Only for an order that is sorted by `seq`.
    ///
    /// If the item was taken from the middle its ghost may still be there; then it lives again, since a second copy
    /// would start the task twice.
    pub(super) fn put_back(&mut self, seq: Seq, key: Key) {
        match self.items.binary_search_by_key(&seq, |&(at, _)| at) {
            Ok(at) => {
                assert!(self.items[at].1 == key, "two tasks share place {seq}");
                self.ghosts -= 1;
            }
            Err(at) => self.items.insert(at, (seq, key)),
        }
    }

    /// Takes an item out. `is_live` must already say no for it.
    #[inline]
    pub(super) fn take(&mut self, seq: Seq, key: Key, is_live: impl Fn(Seq, Key) -> bool) {
        if self.first() == Some((seq, key)) {
            self.items.pop_front();
        } else {
            self.ghosts += 1;
        }
        if self.ghosts > 0 {
            self.sweep(is_live);
        }
    }

    /// Restores the two rules about ghosts: none is first, and they do not outnumber the live.
    fn sweep(&mut self, is_live: impl Fn(Seq, Key) -> bool) {
        while let Some((seq, key)) = self.first()
            && !is_live(seq, key)
        {
            self.items.pop_front();
            self.ghosts -= 1;
        }
        if self.ghosts >= FEWEST_SWEPT && self.ghosts > self.len() {
            self.items.retain(|&(seq, key)| is_live(seq, key));
            self.ghosts = 0;
        }
    }

    /// Asserts what this type promises about itself.
    pub(super) fn check(&self, is_live: impl Fn(Seq, Key) -> bool) {
        let live = self.iter().filter(|&(seq, key)| is_live(seq, key)).count();
        assert!(live == self.len(), "ghosts miscounted");
        assert!(
            self.first().is_none_or(|(seq, key)| is_live(seq, key)),
            "a ghost came first"
        );
        assert!(
            self.ghosts <= live.max(FEWEST_SWEPT),
            "ghosts outnumber the live"
        );
    }

    /// Whether items stand in rising order of `seq`.
    pub(super) fn is_sorted(&self) -> bool {
        self.items.iter().is_sorted_by(|a, b| a.0 < b.0)
    }
}
