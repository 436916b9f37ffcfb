//! Connect four on bits: whose disc lies where, who has four, what a simple opponent does. Knows no player and no farm.

use farm::prelude::*;
use serde::{Deserialize, Serialize};

/// From the middle outwards: where more fours meet is looked at first.
pub(crate) const COLUMNS: [u32; 7] = [3, 2, 4, 1, 5, 0, 6];

/// Bits of a column: six discs, and one above that stays empty.
const HIGH: u32 = 7;

/// The discs of whoever is to move, and of the other.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, Schema)]
pub(crate) struct Board(pub(crate) u64, pub(crate) u64);

impl Board {
    pub(crate) const fn turned(self) -> Self {
        Self(self.1, self.0)
    }

    /// With a disc more, if the column has room.
    pub(crate) const fn with(self, column: u32) -> Option<Self> {
        let foot = 1 << (column * HIGH);
        let cells = foot * 0b11_1111;
        // The carry goes up through all discs that lie there.
        let disc = (((self.0 | self.1) & cells) + foot) & cells;
        if disc == 0 {
            return None;
        }
        Some(Self(self.0 | disc, self.1))
    }

    /// What somebody does who looks one disc ahead: completes a four, prevents one, else does as chance will.
    pub(crate) fn simple(self, chance: usize) -> Option<u32> {
        let mut open = COLUMNS.to_vec();
        open.retain(|column| self.with(*column).is_some());
        let fourth = |board: Self| {
            let is_four = |it: &&u32| board.with(**it).is_some_and(|next| four(next.0));
            open.iter().find(is_four)
        };
        let any = open.get(chance % open.len().max(1));
        fourth(self).or(fourth(self.turned())).or(any).copied()
    }
}

/// Whether four of these discs lie in a row, upright, level or slanting.
pub(crate) fn four(discs: u64) -> bool {
    [1, HIGH - 1, HIGH, HIGH + 1].into_iter().any(|step| {
        let pairs = discs & (discs >> step);
        pairs & (pairs >> (2 * step)) != 0
    })
}
