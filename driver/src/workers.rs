//! The table of worker processes by slot. A lookup with a session finds that process or none.

use crate::body::Body;
use crate::process::{Place, Process};
use farm_protocol::SlotId;

/// The processes that are not yet collected.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    slots: Vec<Option<Process>>,
}

impl Workers {
    /// A new process is in its slot.
    pub(crate) fn insert(&mut self, process: Process) {
        let index = process.place.slot.0 as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        let before = self.slots[index].replace(process);
        assert!(
            before.is_none(),
            "a slot is used again only after the exit of its process was told"
        );
    }

    /// Whichever process is in `slot`.
    pub(crate) fn in_slot(&mut self, slot: SlotId) -> Option<&mut Process> {
        self.slots.get_mut(slot.0 as usize)?.as_mut()
    }

    /// This very process, unless it is gone.
    pub(crate) fn get(&mut self, place: Place) -> Option<&mut Process> {
        self.in_slot(place.slot)
            .filter(|process| process.place == place)
    }

    /// Takes this very process out.
    pub(crate) fn remove(&mut self, place: Place) -> Option<Process> {
        let slot = self.slots.get_mut(place.slot.0 as usize)?;
        slot.take_if(|process| process.place == place)
    }

    /// Those that were told to go, cannot be killed and have not gone.
    pub(crate) fn lingering(&self) -> Vec<Place> {
        let all = self.slots.iter().flatten();
        all.filter(|process| process.lingers())
            .map(|process| process.place)
            .collect()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Process> {
        self.slots.iter_mut().flatten()
    }

    /// The pid of whichever process is in `slot`; 0 when it is gone.
    pub(crate) fn pid(&self, slot: SlotId) -> u32 {
        self.slots
            .get(slot.0 as usize)
            .and_then(Option::as_ref)
            .map_or(0, Process::number)
    }

    /// The processes by their pids; whoever runs inside this one is not among them.
    pub(crate) fn pids(&self) -> Vec<(SlotId, u32)> {
        let processes = self.slots.iter().flatten();
        processes
            .filter(|process| matches!(process.body, Body::Child(_)))
            .map(|process| (process.place.slot, process.number()))
            .collect()
    }
}
