//! The end of a worker process, in the order that loses nothing.
//!
//! While it is an unreaped zombie its number is its own, so its group is killed first. Then its
//! pipes are read empty (nobody of the group writes any more), then their end is told, then it is
//! reaped, then its exit is told. Waiting for end-of-file instead would wait for any process that
//! left the group and holds a pipe.

use crate::process::Process;
use crate::reap::Reaped;
use crate::turn::Loop;
use farm_master::{Event, Exit, MemoryEvidence};
use farm_protocol::SlotId;
use rustix::process::Signal;

impl Loop {
    /// The process in `slot` is said to have exited.
    pub(crate) fn exited(&mut self, slot: SlotId) {
        let Some(process) = self.workers.in_slot(slot) else {
            return;
        };
        // The report may be about a process that had the slot before.
        if !process.has_exited() {
            return;
        }
        process.signal(Signal::KILL);
        self.read_last(slot);
        self.answers_ended(slot);
        let Some(process) = self.workers.in_slot(slot) else {
            return;
        };
        let place = process.place;
        // Out of the table before the exit is told: the machine may use the slot again at once.
        let mut process = self.workers.remove(place).expect("it was there a line ago");
        process.leave(self.poll.registry());
        let reaped = process.collect();
        let noted = process.page.as_ref().map(|_| process.noted());
        let evidence = MemoryEvidence {
            group_kills: self.memory.new_kills(),
            peak_bytes: peak_bytes(&process, reaped),
            allowed_bytes: self.memory.allowed_bytes(),
            last_words: process.last_words(),
            our_kill: process.our_kill,
        };
        let exit = Exit {
            termination: reaped.termination,
            noted,
            evidence,
        };
        self.tell(Event::Exited {
            slot: place.slot,
            session: place.session,
            exit,
        });
    }
}

/// The most memory it held, as far as somebody knows.
///
/// What the system says of a child counts the moment between its creation and its program, when it
/// was a copy of the master. So a figure not above the master's own peak says nothing.
fn peak_bytes(process: &Process, reaped: Reaped) -> Option<u64> {
    let of_system = Some(reaped.peak_bytes).filter(|peak| *peak > process.inherited_peak);
    let of_itself = Some(process.noted().peak_bytes).filter(|peak| *peak > 0);
    of_system.max(of_itself)
}
