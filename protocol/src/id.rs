//! The ids that cross the pipe or stand in a trace. Dense integers all; a user's names live elsewhere.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A task: a dense index and the generation of that index, so that an id is never met twice
/// although the places behind the index are used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId(u64);

impl TaskId {
    /// The id of place `index` in its `generation`-th use (counted from 0).
    #[must_use]
    pub const fn new(index: u32, generation: u32) -> Self {
        Self(((generation as u64) << 32) | index as u64)
    }

    /// The place: dense, for indexing a table.
    #[must_use]
    pub const fn index(self) -> usize {
        (self.0 & 0xffff_ffff) as usize
    }

    /// How many tasks had this place before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The id as one word, as it stands in the shared page.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The inverse of [`TaskId::to_bits`]; every word is some id.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generation() {
            0 => write!(f, "t{}", self.index()),
            generation => write!(f, "t{}.{generation}", self.index()),
        }
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One word per id type; the letter is its prefix in traces.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// A sort of task: the position of its implementation among the farm's kinds.
    KindId(u16), "k"
);
id!(
    /// A place for one worker process.
    SlotId(u32), "w"
);
id!(
    /// One process in a slot. Numbers rise over the whole farm and are never used again, so that
    /// whatever a dead process left behind is recognised as stale.
    Session(u64), "s"
);
id!(
    /// A cancel scope, or a group, which is a scope with a rule. Given out once, rising: a scope that
    /// takes the place of another has a larger one, so that what belongs to the earlier is recognised as stale.
    ScopeId(u64), "c"
);
id!(
    /// One sending of a task to a worker, numbered from 1.
    Attempt(u32), "#"
);

id!(
    /// What makes a task belong to some workers rather than others: a hash or a number of the kind's own choosing.
    AffinityKey(u64), "a"
);

impl AffinityKey {
    /// The key of a name, such as that of a library or of a data set: the same in every process and every build.
    ///
    /// FNV-1a of 64 bits, as published by Fowler, Noll and Vo. Two names that met in one key would only make a task
    /// prefer, or require, a worker in vain that knows the other one: what a worker really knows the kind decides.
    #[must_use]
    pub const fn of(name: &str) -> Self {
        let (bytes, mut key, mut place) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
        while place < bytes.len() {
            key = (key ^ bytes[place] as u64).wrapping_mul(0x0100_0000_01b3);
            place += 1;
        }
        Self(key)
    }
}

/// The fence: everything a worker says about a task carries it, and what does not match the
/// attempt now in flight is dropped and counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    /// The task.
    pub task: TaskId,
    /// Which sending of it.
    pub attempt: Attempt,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.task, self.attempt)
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    //! A name's key is the published hash.
    use super::AffinityKey;

    #[test]
    fn the_key_of_a_name_is_fnv_1a() {
        assert_eq!(AffinityKey::of(""), AffinityKey(0xcbf2_9ce4_8422_2325));
        assert_eq!(AffinityKey::of("a"), AffinityKey(0xaf63_dc4c_8601_ec8c));
        assert_eq!(
            AffinityKey::of("foobar"),
            AffinityKey(0x8594_4171_f739_67e8)
        );
    }
}
