//! What is seen of lanes and workers from outside. It changes nothing.

use super::Master;
use super::slot::{self, Process, Slot};
use crate::overview::{LaneLine, Phase, WorkerLine};
use farm_protocol::KindId;

impl Master {
    /// The lanes, in the order of the kinds.
    #[must_use]
    pub fn lanes(&self) -> Vec<LaneLine> {
        let kinds = 0..u16::try_from(self.pools.len()).expect("kinds have ids");
        kinds.map(|kind| self.lane_line(KindId(kind))).collect()
    }

    /// The worker processes, in the order of their slots.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerLine> {
        let living = |slot: &Slot| Some(self.worker_line(slot, slot.process.as_ref()?));
        self.slots.iter().filter_map(living).collect()
    }

    fn lane_line(&self, kind: KindId) -> LaneLine {
        let lane = self.lane(kind);
        let (counts, boundary) = (lane.counts(), lane.boundary());
        LaneLine {
            kind,
            gate: lane.gate(),
            // Not `queued`: what waits for the delay of a retry has ended as far as the lane goes.
            // Nor those that wait for room: they are not in it.
            waiting: self.outstanding(Some(kind)) - counts.occupied - self.offered(kind),
            in_flight: counts.in_flight,
            stopping: counts.occupied - counts.in_flight,
            max_in_flight: boundary.max_in_flight.get(),
            max_queued: boundary.max_queued,
            waits: self.waits(kind).p50().zip(self.waits(kind).p99()),
        }
    }

    fn worker_line(&self, slot: &Slot, process: &Process) -> WorkerLine {
        let first = process.in_flight.front().map(|flight| flight.id);
        let task = first.and_then(|id| {
            let task = self.tasks.get(id.task)?;
            Some((id, task.place()?.sent))
        });
        WorkerLine {
            slot: slot.id,
            kind: slot.kind,
            session: process.session,
            phase: phase(process),
            task,
            held: process.in_flight.len().saturating_sub(1),
            done: process.settled,
            last_answer: process.last_answer,
        }
    }
}

const fn phase(process: &Process) -> Phase {
    if process.exit.is_some() {
        return Phase::Closed;
    }
    match process.phase {
        slot::Phase::Launching(_) => Phase::Launching,
        slot::Phase::Running(_) if process.ending.is_none() => Phase::Running,
        slot::Phase::Running(_) | slot::Phase::Closing(_) | slot::Phase::Deaf => Phase::Closing,
    }
}
