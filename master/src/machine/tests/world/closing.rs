//! What is left of processes, and of a farm that ends.

use super::*;

impl World {
    /// The rest of a process that has ended, piece by piece: bytes, then end-of-file and exit in any order.
    pub(in super::super) fn bury(&mut self, index: usize) {
        let either = self.rng.chance(500);
        let worker = &mut self.workers[index];
        let (slot, session) = (worker.slot, worker.session);
        if !worker.exit_told && (worker.eof_told || either) {
            worker.exit_told = true;
            let executing = worker.executing.map(|(_, id)| id);
            let noted = worker.page.then_some(Noted {
                executing,
                started_nanos: 1,
                peak_bytes: 0,
            });
            let termination = worker.ended.expect("it has ended");
            if worker.eof_told {
                self.workers.swap_remove(index);
            }
            self.tell(Event::Exited {
                slot,
                session,
                exit: Exit {
                    termination,
                    noted,
                    evidence: MemoryEvidence::default(),
                },
            });
        } else if !worker.pipe.is_empty() {
            self.deliver(index);
        } else if !worker.eof_told {
            worker.eof_told = true;
            if worker.exit_told {
                self.workers.swap_remove(index);
            }
            self.tell(Event::Eof { slot, session });
        }
    }

    /// Some of what stands in a worker's pipe.
    pub(in super::super) fn deliver(&mut self, index: usize) {
        let length = self.workers[index].pipe.len();
        let count = if self.rng.chance(500) {
            length
        } else {
            1 + self.rng.below(length as u64) as usize
        };
        let worker = &mut self.workers[index];
        let bytes: Vec<u8> = worker.pipe.drain(..count).collect();
        let (slot, session) = (worker.slot, worker.session);
        self.tell(Event::Bytes {
            slot,
            session,
            bytes: &bytes,
        });
    }

    /// Kills the farm, collects everything, and checks that every task has ended once.
    pub(in super::super) fn close(&mut self) {
        self.tell(Event::Shut(Shut::Kill));
        for _ in 0..100_000 {
            if self.stopped > 0 {
                break;
            }
            if !self.outside() {
                let index = self
                    .workers
                    .iter()
                    .position(|worker| worker.ended.is_some());
                self.bury(index.expect("all that is left was killed"));
            }
            self.master.check_invariants();
        }
        self.check_stopped();
    }

    /// The farm has stopped, and every task has ended once.
    pub(in super::super) fn check_stopped(&self) {
        assert_eq!(self.stopped, 1, "the farm has stopped");
        assert!(self.workers.is_empty() && self.decodes.is_empty() && self.stillborn.is_empty());
        assert!(self.open.is_empty(), "lost: {:?}", self.open);
        assert_eq!(self.submitted, self.settled.len() + self.refused);
        assert_eq!(self.master.tasks(), 0);
        self.tokens.all_are_back();
    }
}
