//! Which context the worker in each slot holds, as far as that is certain.
//!
//! A context is certain to be held once an answer of the attempt that carried it came: before that the attempt may have
//! been taken back, or have ended in front of the context. Knows no types and no kind.

use farm_protocol::{AffinityKey, AttemptId, SlotId};

/// Of one slot.
#[derive(Clone, Copy, Debug, Default)]
struct Holder {
    /// The worker holds it.
    held: Option<AffinityKey>,
    /// On its way with this attempt; whether it arrives is not known.
    sent: Option<(AttemptId, AffinityKey)>,
}

/// The slots of a kind whose tasks name contexts. Empty for other kinds.
#[derive(Debug, Default)]
pub(super) struct Warm {
    holders: Vec<Holder>,
}

impl Warm {
    pub(super) const fn new() -> Self {
        Self {
            holders: Vec::new(),
        }
    }

    /// What the worker in `slot` certainly holds.
    pub(super) fn held(&self, slot: SlotId) -> Option<AffinityKey> {
        self.holders.get(slot.0 as usize)?.held
    }

    /// The context goes to `slot` with this attempt. Until an answer comes nothing is certain: the worker may already
    /// have dropped what it held before.
    pub(super) fn sent(&mut self, slot: SlotId, id: AttemptId, key: AffinityKey) {
        let index = slot.0 as usize;
        if self.holders.len() <= index {
            self.holders.resize_with(index + 1, Holder::default);
        }
        self.holders[index] = Holder {
            held: None,
            sent: Some((id, key)),
        };
    }

    /// An answer of this attempt came from `slot`.
    pub(super) fn answered(&mut self, slot: SlotId, id: AttemptId) {
        if let Some(holder) = self.holders.get_mut(slot.0 as usize) {
            holder.answered(id);
        }
    }

    /// An answer of this attempt came, from wherever it was sent.
    pub(super) fn answered_somewhere(&mut self, id: AttemptId) {
        for holder in &mut self.holders {
            holder.answered(id);
        }
    }

    /// A new process is in `slot`: it holds nothing.
    pub(super) fn fresh(&mut self, slot: SlotId) {
        if let Some(holder) = self.holders.get_mut(slot.0 as usize) {
            *holder = Holder::default();
        }
    }
}

impl Holder {
    fn answered(&mut self, id: AttemptId) {
        if let Some((_, key)) = self.sent.take_if(|(sent, _)| *sent == id) {
            self.held = Some(key);
        }
    }
}
