//! What the machine of a table says, done.

use super::super::core::{Admission, as_hook};
use super::super::courier::{Courier, because};
use super::super::dropbox::said;
use super::super::error::{Closed, LaunchError};
use super::super::hooks::WorkerKind;
use super::super::source::Pulled;
use super::{Attendant, Of};
use farm_master::named::{Action, RequestId, WorkerId};
use farm_master::{Errand, Event, OnLost, TaskOptions};
use farm_protocol::{Session, SlotId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// So many actions are done before the news are looked at again: callers who bring ever more do not keep them waiting.
const ACTIONS_PER_TURN: usize = 256;

impl<K: WorkerKind> Attendant<K> {
    /// What is to be done, in order, or as much of it as one turn may do.
    pub(super) fn act(&self) {
        for _ in 0..ACTIONS_PER_TURN {
            let (action, unheard) = self.core.with(|desk, _| {
                let mut unheard = Vec::new();
                loop {
                    let Some(action) = desk.table.take_action() else {
                        return (None, unheard);
                    };
                    // All of them at once: while this holds the lock, nobody makes more.
                    match desk.resolve_unheard(&action) {
                        Some(parcel) => unheard.push(parcel),
                        None => return (Some(action), unheard),
                    }
                }
            });
            // Values of a user: their drop is not for under the lock.
            drop(unheard);
            match action {
                Some(action) => self.perform(action),
                None => return,
            }
        }
    }

    fn perform(&self, action: Action) {
        match action {
            Action::Launch { worker } => self.launch(worker),
            Action::Launched { worker } => self.core.with(|desk, _| {
                desk.people[&worker].launched.give(Ok(()));
            }),
            Action::NotLaunched { worker } => self.core.with(|desk, _| {
                let person = desk.people.get_mut(&worker).expect("it is about to go");
                let failure = person.failure.take().unwrap_or(LaunchError::Closed);
                person.launched.give(Err(failure));
            }),
            Action::Pull { worker } => self.pull(worker),
            Action::Send { worker, request } => self.send(worker, request),
            Action::Stop { worker, reason, .. } => self.stop(worker, reason),
            Action::Judge {
                worker,
                request,
                ok: _,
            } => self.judge(worker, request),
            Action::Idle { worker } => self.idle(worker),
            Action::Admitted { request } => self.core.with(|desk, _| {
                let parcel = desk.parcels.get_mut(&request);
                if let Some(cell) = parcel.and_then(|parcel| parcel.admission.take()) {
                    cell.give(Admission::In);
                }
            }),
            Action::Resolve { request, with } => self.resolve(request, with),
            Action::Cancel { worker } => {
                let canceler = self.core.with(|desk, _| {
                    let person = &desk.people[&worker];
                    person.life.canceler.clone()
                });
                as_hook(|| canceler.cancel());
            }
            Action::End { worker } => self.end(worker),
            Action::Close { worker } => self.close(worker),
            Action::Closed { worker, crash } => self.leave(worker, crash),
        }
    }

    fn leave(&self, worker: WorkerId, crash: Option<Arc<farm_master::named::Crash>>) {
        let person = self.core.with(|desk, now| {
            let crash = crash.map(|crash| desk.crash(worker, &crash));
            let person = desk.people.remove(&worker).expect("it leaves once");
            person.life.closed.give(Closed {
                birth: self.core.date(person.born),
                since: self.core.date(person.since.unwrap_or(now)),
                crash,
            });
            person
        });
        // It holds values of a user.
        drop(person);
    }

    fn courier(
        &self,
        whose: (WorkerId, Option<RequestId>),
        errand: Errand<Of<K>>,
        options: TaskOptions,
    ) -> Arc<Courier<Of<K>>> {
        let to = (&*self.core.queue.shared, self.core.queue.kind);
        Courier::send(whose, &self.core.inbox, to, errand, options)
    }

    fn launch(&self, worker: WorkerId) {
        let (name, params, options) = self.core.with(|desk, _| {
            let person = desk.people.get_mut(&worker).expect("it is being launched");
            let params = person.params.take().expect("they are sent once");
            (
                Arc::clone(&person.life.name),
                params,
                person.options.clone(),
            )
        });
        let limits = TaskOptions {
            waiting: Some(options.timeout),
            running: Some(options.timeout),
            grace: options.grace,
            on_lost: OnLost::Fail,
            ..TaskOptions::default()
        };
        let courier = self.courier((worker, None), Errand::Launch { name, params }, limits);
        self.core.with(|desk, _| {
            let person = desk.people.get_mut(&worker);
            person.expect("it is being launched").errand = Some(courier);
        });
    }

    fn send(&self, worker: WorkerId, request: RequestId) {
        let (process, body, options) = self.core.with(|desk, now| {
            let person = desk.people.get_mut(&worker).expect("it treats a request");
            let parcel = desk.parcels.get_mut(&request).expect("it is open");
            parcel.started = now;
            person.answer = None;
            // A process that is gone already: the farm says so of the errand.
            let process = person.process.unwrap_or((SlotId(u32::MAX), Session(0)));
            (process, Arc::clone(&parcel.request), person.options.clone())
        });
        let errand = Errand::Request {
            worker: process,
            request: body,
        };
        let limits = TaskOptions {
            running: options.running,
            memory: options.memory,
            grace: options.grace,
            on_lost: OnLost::Fail,
            ..TaskOptions::default()
        };
        let courier = self.courier((worker, Some(request)), errand, limits);
        self.core.with(|desk, _| {
            if let Some(person) = desk.people.get_mut(&worker) {
                person.errand = Some(courier);
            }
        });
    }

    fn stop(&self, worker: WorkerId, reason: String) {
        let errand = self.core.with(|desk, _| {
            let person = desk.people.get(&worker);
            person.and_then(|person| person.errand.clone())
        });
        if let Some(courier) = errand {
            courier.stop(&self.core.queue.shared, reason);
        }
    }

    fn end(&self, worker: WorkerId) {
        let process = self.core.with(|desk, _| {
            desk.note_end(worker);
            let person = desk.people.get(&worker);
            person.and_then(|person| person.process)
        });
        self.stop(worker, "its worker closes".to_owned());
        if let Some((slot, session)) = process {
            let shared = &self.core.queue.shared;
            shared.tell(Event::EndWorker { slot, session });
        }
    }

    fn pull(&self, worker: WorkerId) {
        let source = self.core.with(|desk, _| {
            let person = desk.people.get_mut(&worker);
            person.and_then(|person| person.source.take())
        });
        // It closes, and what it would have said is of no use.
        let Some(mut source) = source else { return };
        let pulled = as_hook(|| catch_unwind(AssertUnwindSafe(&mut source)));
        self.core.with(|desk, now| {
            if let Some(person) = desk.people.get_mut(&worker) {
                person.source = Some(source);
            }
            match pulled {
                Ok(Pulled::Request(request)) => {
                    if let Some(id) = desk.table.pulled(now, worker, true) {
                        desk.enter((now, worker), id, request, None, None);
                    }
                }
                Ok(Pulled::Later) => {
                    let _none = desk.table.pulled(now, worker, false);
                }
                // The close comes first: a source that has ended is not asked again, whoever has woken it.
                Ok(Pulled::End) => {
                    desk.table.close(now, worker, None);
                    let _none = desk.table.pulled(now, worker, false);
                }
                Err(panic) => {
                    let why = format!("the source of its requests panicked: {}", said(&*panic));
                    desk.table.close(now, worker, Some(because(why)));
                    let _none = desk.table.pulled(now, worker, false);
                }
            }
        });
    }
}
