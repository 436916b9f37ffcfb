//! What a call of the machine made, in sixteen bytes: the number of its actions and a digest of
//! them. The digest is the same on every platform and for every compiler.

use crate::action::{Action, Actions};
use farm_protocol::encode_into;

/// FNV-1a of 64 bits, as published by Fowler, Noll and Vo. It finds accidents, not malice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fnv(u64);

impl Fnv {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    /// The hash of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Self::BASIS)
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(Self::PRIME);
        }
    }

    /// The hash of what was added.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The hash of these bytes in 32 bits: both halves, one over the other.
    pub(super) fn folded(bytes: &[u8]) -> u32 {
        let mut hash = Self::new();
        hash.add(bytes);
        (hash.0 ^ (hash.0 >> 32)) as u32
    }
}

impl Default for Fnv {
    fn default() -> Self {
        Self::new()
    }
}

/// What one call of the machine made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// How many actions.
    pub actions: u64,
    /// [`Fnv`] over each action's postcard bytes, and after those of a `Send` over what is sent.
    pub digest: u64,
}

impl Made {
    /// What these actions come to. `scratch` lends its memory and is left empty.
    #[must_use]
    pub fn of(actions: &Actions, scratch: &mut Vec<u8>) -> Self {
        let mut hash = Fnv::new();
        for action in actions.as_slice() {
            scratch.clear();
            encode_into(action, scratch, usize::MAX).expect("actions are plain values");
            hash.add(scratch);
            if let Action::Send { bytes, .. } = action {
                hash.add(&actions.bytes[bytes.clone()]);
            }
        }
        scratch.clear();
        Self {
            actions: actions.as_slice().len() as u64,
            digest: hash.value(),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Pinned: the hash by its published values, the digest by one of ours.
    use super::*;
    use crate::action::Link;
    use farm_protocol::{KindId, Session, SlotId};

    #[test]
    fn published_values() {
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            let mut hash = Fnv::new();
            hash.add(text.as_bytes());
            assert_eq!(hash.value(), expected, "{text}");
        }
    }

    #[test]
    fn every_action_and_every_sent_byte_counts() {
        let (slot, session) = (SlotId(0), Session(1));
        let kind = KindId(0);
        let made = |byte: u8, spawn: bool| {
            let mut actions = Actions::new();
            if spawn {
                actions.push(Action::Spawn {
                    slot,
                    session,
                    kind,
                });
            }
            actions.bytes.push(byte);
            actions.send_from(slot, session, Link::Control, 0);
            Made::of(&actions, &mut Vec::new())
        };
        // By hand: variant 1 with slot 0, session 1, control pipe (1), 0..1; then the byte sent.
        let mut hash = Fnv::new();
        hash.add(&[1, 0, 1, 1, 0, 1, 7]);
        let expected = Made {
            actions: 1,
            digest: hash.value(),
        };
        assert_eq!(made(7, false), expected);
        assert_ne!(made(8, false).digest, expected.digest);
        assert_ne!(made(7, true).digest, expected.digest);
    }
}
