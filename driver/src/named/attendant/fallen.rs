//! When the thread of a table panics: nobody who waits for it waits for ever.

use super::super::core::{Admission, as_hook};
use super::super::error::{Closed, Crash, Fault, LaunchError, MessageError};
use super::super::hooks::WorkerKind;
use super::Attendant;
use farm_master::Event;
use farm_protocol::Named;
use std::thread;

/// What is told then.
const WHY: &str = "the thread of its table has panicked, in a `Clone` or `Drop` of the kind's values or by a defect of the \
                   farm; what it said is in the log of the program";

impl<K: WorkerKind> Drop for Attendant<K> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        log::error!(
            "named workers of kind `{}`: {WHY}",
            <super::Of<K> as Named>::NAME
        );
        let crash = || Crash {
            why: WHY.to_owned(),
            during: None,
        };
        let (people, parcels, processes) = self.core.with(|desk, _| desk.fall());
        let shared = &self.core.queue.shared;
        for (slot, session) in processes.into_keys() {
            shared.tell(Event::EndWorker { slot, session });
        }
        for parcel in parcels.into_values() {
            if let Some(cell) = parcel.admission {
                cell.give(Admission::Closed(parcel.request, Some(crash())));
            }
            if let Some(waiter) = parcel.waiter {
                waiter.give(Err(MessageError::Closed(Some(crash()))));
            }
        }
        for person in people.into_values() {
            if let Some(errand) = person.errand {
                errand.stop(shared, "its table is over".to_owned());
            }
            person
                .launched
                .give(Err(LaunchError::Any(Fault(WHY.to_owned()))));
            person.life.closed.give(Closed {
                birth: self.core.date(person.born),
                since: self
                    .core
                    .date(person.since.unwrap_or_else(|| self.core.now())),
                crash: Some(crash()),
            });
            as_hook(|| person.life.canceler.cancel());
        }
    }
}
