//! The end of a worker process, in the order that loses nothing.
//!
//! While it is an unreaped zombie its number is its own, so its group is killed first. Then its
//! pipes are read empty (nobody of the group writes any more), then their end is told, then it is
//! reaped, then its exit is told. Waiting for end-of-file instead would wait for any process that
//! left the group and holds a pipe. What a template has forked, the template reaps: the exit is
//! told when it has answered.

use crate::process::{Place, Process};
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
        if let Some(forked) = process.body.forked() {
            let template = forked.template;
            return self.order_collect(template, process);
        }
        let reaped = process.collect();
        self.tell_exit(&process, reaped);
    }

    /// Tells the machine how a process ended that is collected.
    pub(crate) fn tell_exit(&mut self, process: &Process, reaped: Reaped) {
        let Place { slot, session } = process.place;
        let noted = process.last_noted();
        let evidence = MemoryEvidence {
            group_kills: self.memory.new_kills(),
            peak_bytes: process.peak_bytes(reaped.peak_bytes),
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
            slot,
            session,
            exit,
        });
    }
}
