//! What a task is to its kind: which workers it is for, what it leaves behind in them, and what follows from it.

use farm_master::{Affinity, WhenGone};
use farm_protocol::AffinityKey;

/// So many keys there are.
pub(crate) const KEYS: u32 = 3;

/// The nature of a task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nature {
    pub(crate) affinity: Affinity,
    pub(crate) suits: Suits,
    /// Its rank where the kind's ranks count. A broadcast turns all of them round.
    pub(crate) rank: i64,
    pub(crate) leaves: Leaves,
    /// What follows from it when it injects.
    pub(crate) follows: Vec<Follow>,
    /// What takes its place when its worker is gone.
    pub(crate) instead: Option<(Affinity, Suits)>,
    /// It is an errand to a named worker.
    pub(crate) errand: Option<Errand>,
}

/// What is asked of a named worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// To become somebody.
    Launch,
    /// To treat a request.
    Request,
}

/// A follow-up task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Follow {
    pub(crate) nature: Nature,
    pub(crate) pinned: Option<WhenGone>,
}

/// Whom the kind gives a task to, of those that its key allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Suits {
    /// Any worker.
    #[default]
    All,
    /// Workers that a teacher was on. No fresh one is.
    Taught,
    /// Workers that have answered nothing.
    Fresh,
    /// Workers that have answered something.
    Old,
    /// Any worker, while the kind is in the mood that every broadcast changes.
    Mood,
    /// Nobody.
    Nobody,
}

/// What an answer leaves behind in its worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// All as it was.
    #[default]
    Nothing,
    /// These keys and no others.
    Only(Keys),
    /// These keys beside those it holds.
    Also(Keys),
    /// It is taught.
    Lesson,
    /// No key, and nothing taught.
    Void,
}

/// Keys, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(u8);

impl Keys {
    pub(crate) const fn of_bits(bits: u8) -> Self {
        Self(bits)
    }

    pub(crate) const fn only(key: AffinityKey) -> Self {
        Self(1 << key.0)
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, key: AffinityKey) -> bool {
        self.0 & 1 << key.0 != 0
    }

    /// As a kind names them: in no order, one of them twice.
    pub(crate) fn named(self) -> Vec<AffinityKey> {
        let keys = (0..u64::from(KEYS)).rev().map(AffinityKey);
        let mut keys: Vec<AffinityKey> = keys.filter(|key| self.has(*key)).collect();
        keys.extend(keys.first().copied());
        keys
    }
}

/// What a worker knows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Knows {
    pub(crate) keys: Keys,
    pub(crate) taught: bool,
    /// An answer of it was used.
    pub(crate) old: bool,
    /// Something was sent to it.
    pub(crate) sent: bool,
}

impl Knows {
    /// After an answer to a task of this nature.
    pub(crate) const fn after(mut self, leaves: Leaves) -> Self {
        self.old = true;
        match leaves {
            Leaves::Nothing => {}
            Leaves::Only(keys) => self.keys = keys,
            Leaves::Also(keys) => self.keys = self.keys.with(keys),
            Leaves::Lesson => self.taught = true,
            Leaves::Void => (self.keys, self.taught) = (Keys::of_bits(0), false),
        }
        self
    }

    /// Whether the kind gives it what suits so, while its mood is good or not.
    pub(crate) const fn suits(self, suits: Suits, mood: bool) -> bool {
        match suits {
            Suits::All => true,
            Suits::Taught => self.taught,
            Suits::Fresh => !self.old,
            Suits::Old => self.old,
            Suits::Mood => mood,
            Suits::Nobody => false,
        }
    }

    /// Whether the key of a task allows it.
    pub(crate) const fn allowed(self, affinity: Affinity) -> bool {
        match affinity {
            // Whom it is pinned to is looked at elsewhere.
            Affinity::Any | Affinity::Prefers(_) | Affinity::Worker { .. } => true,
            Affinity::Requires(key) => !self.sent || self.keys.has(key),
        }
    }
}
