//! What must hold between the parts after every step. For tests and simulations: it walks everything.

use super::Master;
use super::task::{State, key};
use crate::lane::TaskState;

impl Master {
    /// Asserts the invariants between tasks, lanes, slots and timers.
    ///
    /// # Panics
    /// When one is broken.
    pub fn check_invariants(&self) {
        for pool in &self.pools {
            pool.lane.check_invariants();
        }
        let (mut ready, mut with_workers) = (0, 0);
        for task in self.tasks.iter() {
            let pool = &self.pools[task.kind.0 as usize];
            let lane = pool.lane.state(key(task.id));
            let agrees = match task.state() {
                State::Needing { .. } | State::Parked => {
                    matches!(lane, Some(TaskState::Queued { .. }))
                }
                State::Ready => {
                    ready += 1;
                    matches!(lane, Some(TaskState::Queued { seq }) if seq == task.seq)
                }
                State::Sent(_) => matches!(lane, Some(TaskState::InFlight { .. })),
                State::Stopping(..) => matches!(lane, Some(TaskState::Cancelled { .. })),
                State::Delayed { .. } | State::Returning => {
                    matches!(
                        lane,
                        Some(TaskState::Failed { .. } | TaskState::Cancelled { .. })
                    )
                }
            };
            assert!(
                agrees,
                "{} is {:?}, its lane says {lane:?}",
                task.id,
                task.state()
            );
            if let Some(place) = task.place() {
                with_workers += 1;
                let process = self.slots[place.slot.0 as usize].process.as_ref();
                let process = process.filter(|process| process.session == place.session);
                let process = process.expect("a task is with a process that lives");
                assert!(
                    process.flight(task.id).is_some(),
                    "{} is not with its worker",
                    task.id
                );
            }
        }
        assert_eq!(
            ready,
            self.pools
                .iter()
                .map(|pool| pool.ready.len())
                .sum::<usize>()
        );
        let processes = self.slots.iter().filter_map(|slot| slot.process.as_ref());
        let flights: usize = processes.map(|process| process.in_flight.len()).sum();
        assert_eq!(
            flights, with_workers,
            "a worker holds what is no task of ours"
        );
    }
}
