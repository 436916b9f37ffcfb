//! The hooks of a kind, and what whoever waits is told after them.

use super::super::core::{Admission, as_hook};
use super::super::courier::because;
use super::super::dropbox::said;
use super::super::error::{Closed, Fault, MessageError};
use super::super::handle::WorkerRef;
use super::super::hooks::{Timing, WorkerKind};
use super::Attendant;
use farm_master::named::{RequestId, Resolution, WorkerId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

impl<K: WorkerKind> Attendant<K> {
    fn handle(&self, worker: WorkerId) -> Option<WorkerRef<K>> {
        let life = self.core.with(|desk, _| {
            let person = desk.people.get(&worker);
            person.map(|person| Arc::clone(&person.life))
        });
        Some(WorkerRef::new(Arc::clone(&self.core), worker, life?))
    }

    /// Runs a hook; a panic of it is told in words.
    fn hook<T>(
        &self,
        name: &str,
        worker: WorkerId,
        run: impl FnOnce(&K, &WorkerRef<K>) -> T,
    ) -> Result<T, String> {
        let handle = self.handle(worker).expect("its worker is in the table");
        let ran = as_hook(|| catch_unwind(AssertUnwindSafe(|| run(&self.core.kind, &handle))));
        ran.map_err(|panic| {
            let fault = format!("the hook `{name}` panicked: {}", said(&*panic));
            log::error!(
                "worker `{}`: {fault}; it crashes, the others go on",
                handle.name()
            );
            fault
        })
    }

    pub(super) fn idle(&self, worker: WorkerId) {
        let idles = self.hook("on_idle", worker, |kind, worker| kind.on_idle(worker));
        if let Err(fault) = idles {
            self.core.with(|desk, now| {
                desk.table.close(now, worker, Some(because(fault)));
            });
        }
    }

    pub(super) fn judge(&self, worker: WorkerId, request: RequestId) {
        let (body, answer, timing) = self.core.with(|desk, now| {
            let parcel = &desk.parcels[&request];
            let answer = desk.people[&worker].answer.clone();
            let timing = Timing {
                pushed: self.core.date(parcel.pushed),
                started: self.core.date(parcel.started),
                finished: self.core.date(now),
            };
            (Arc::clone(&parcel.request), answer, timing)
        });
        let verdict = match answer.expect("it was just kept") {
            Ok(response) => self.hook("on_completion", worker, |kind, worker| {
                kind.on_completion(worker, &body, &response, &timing)
            }),
            Err(error) => self.hook("on_error", worker, |kind, worker| {
                kind.on_error(worker, &body, &error, &timing)
            }),
        };
        self.core
            .with(|desk, now| desk.table.judged(now, worker, request, verdict));
    }

    pub(super) fn resolve(&self, request: RequestId, with: Resolution) {
        let unheard = self.core.with(|desk, _| {
            let worker = desk.parcels.get(&request)?.worker;
            // While what it treated is known.
            desk.note_end(worker);
            let closed = match &with {
                Resolution::Closed(crash) => crash.as_ref().map(|crash| desk.crash(worker, crash)),
                Resolution::Answer
                | Resolution::Displaced
                | Resolution::Cancelled { .. }
                | Resolution::Fault(_) => None,
            };
            let parcel = desk.parcels.remove(&request)?;
            if let Some(cell) = parcel.admission {
                cell.give(Admission::Closed(parcel.request, closed));
                return None;
            }
            let Some(waiter) = parcel.waiter else {
                return Some(parcel.request);
            };
            let told = match (parcel.fault, with) {
                (Some(fault), _) | (None, Resolution::Fault(fault)) => {
                    Err(MessageError::Any(Fault(fault)))
                }
                (None, Resolution::Answer) => {
                    let person = desk.people.get(&worker);
                    let answer = person.and_then(|person| person.answer.clone());
                    answer
                        .expect("it was judged")
                        .map_err(MessageError::Request)
                }
                (None, Resolution::Closed(_)) => Err(MessageError::Closed(closed)),
                (None, Resolution::Displaced) => Err(MessageError::Displaced),
                (None, Resolution::Cancelled { reason, how }) => {
                    Err(MessageError::Cancelled { reason, how })
                }
            };
            waiter.give(told);
            Some(parcel.request)
        });
        // A user's value: its drop is not for under the lock.
        drop(unheard);
    }

    pub(super) fn close(&self, worker: WorkerId) {
        let closed = self.core.with(|desk, now| {
            desk.note_end(worker);
            let person = &desk.people[&worker];
            Closed {
                birth: self.core.date(person.born),
                since: self.core.date(person.since.unwrap_or(now)),
                crash: person.crash.clone(),
            }
        });
        // Its worker is closed already; a panic is reported, and there is nothing else to crash.
        let _reported = self.hook("on_close", worker, |kind, worker| {
            kind.on_close(worker, &closed);
        });
        self.core.with(|desk, _| desk.table.closed(worker));
    }
}
