//! The thread of a table: does what its machine says, in order, and runs the hooks.

use super::core::{Admission, Core, as_hook};
use super::courier::{Courier, News, because, crash, lives, treated};
use super::dropbox::said;
use super::error::{Closed, Fault, LaunchError, MessageError};
use super::handle::WorkerRef;
use super::hooks::{Timing, WorkerKind};
use super::source::Pulled;
use crate::ticket::Resolved;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use farm_master::named::{Action, RequestId, Resolution, Shutdown, WorkerId};
use farm_master::{
    Errand, Event, Gone, HowStopped, NamedKind, OnLost, Outcome, Report, Settled, TaskOptions,
    TimeLimit, WhoseDoing,
};
use farm_protocol::{Named, Session, SlotId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub(super) struct Attendant<K: WorkerKind> {
    pub(super) core: Arc<Core<K>>,
    pub(super) news: Receiver<News<K::Named>>,
}

type Of<K> = <K as WorkerKind>::Named;

impl<K: WorkerKind> Attendant<K> {
    /// Until nobody has the table and nobody is in it.
    pub(super) fn run(self) {
        loop {
            let (deadline, over) = self.core.with(|desk, _| {
                let over = desk.ended && desk.table.is_empty();
                (desk.table.deadline(), over)
            });
            if over {
                return;
            }
            let deadline = deadline.map(|at| self.core.at(at));
            let news = match deadline {
                Some(deadline) => self.news.recv_deadline(deadline),
                None => self.news.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match news {
                Ok(news) => self.hear(news),
                Err(RecvTimeoutError::Timeout) => {
                    self.core.with(|desk, now| desk.table.wake(now));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    unreachable!("the core that this thread has holds a sender")
                }
            }
            self.act();
        }
    }

    fn hear(&self, news: News<Of<K>>) {
        match news {
            News::Rung => self.core.heard(),
            News::Ended {
                worker,
                request: Some(request),
                how,
            } => self.request_ended(worker, request, *how),
            News::Ended {
                worker,
                request: None,
                how,
            } => self.launch_ended(worker, *how),
            News::Gone { place, gone } => self.gone(place, &gone),
            News::FarmOver => self.farm_over(),
            News::Left => self.core.with(|desk, now| {
                desk.ended = true;
                let everybody: Vec<_> = desk.table.names().map(|(_, id)| id).collect();
                for worker in everybody {
                    desk.table.shutdown(now, worker, Shutdown::Drop);
                }
            }),
        }
    }

    /// Nothing will be heard of anybody: all processes are gone, or are none of ours any more.
    fn farm_over(&self) {
        self.core.with(|desk, now| {
            desk.ended = true;
            let everybody: Vec<_> = desk.table.names().map(|(_, id)| id).collect();
            for worker in everybody {
                desk.table.abandon(now, worker);
            }
            desk.processes.clear();
        });
    }

    fn launch_ended(&self, worker: WorkerId, how: Resolved<NamedKind<Of<K>>>) {
        let place = how.as_ref().ok().and_then(place_of);
        let mut strays = None;
        self.core.with(|desk, now| {
            let person = desk.people.get_mut(&worker);
            let person = person.expect("it is in the table until its launch has ended");
            person.errand = None;
            match launched(how) {
                Ok(welcome) => {
                    let place = place.expect("who answered was somewhere");
                    (person.state, person.process) = (Some(welcome), Some(place));
                    person.born = now;
                    desk.processes.insert(place, worker);
                    desk.table.launched(now, worker);
                }
                Err((failure, lives)) => {
                    person.failure =
                        Some(failure.unwrap_or_else(|late| late.because(&person.options)));
                    strays = place.filter(|_| lives);
                    desk.table.launch_failed(now, worker);
                }
            }
        });
        // It became somebody whom nobody has.
        if let Some((slot, session)) = strays {
            let shared = &self.core.queue.shared;
            shared.tell(Event::EndWorker { slot, session });
        }
    }

    fn request_ended(&self, worker: WorkerId, request: RequestId, how: Resolved<NamedKind<Of<K>>>) {
        self.core.with(|desk, now| {
            // The farm takes nothing more: as if it had been there when that began.
            let outcome = how.map_or(Outcome::Closed, |settled| settled.outcome);
            let (how, answer) = treated(outcome);
            if let Some(person) = desk.people.get_mut(&worker) {
                person.errand = None;
                person.answer = answer;
            }
            desk.table.treated(now, worker, request, how);
        });
    }

    fn gone(&self, place: (SlotId, Session), gone: &Gone) {
        self.core.with(|desk, now| {
            let Some(worker) = desk.processes.remove(&place) else {
                return;
            };
            let crash = match gone.whose {
                WhoseDoing::Finished | WhoseDoing::Replaced => None,
                WhoseDoing::Killed | WhoseDoing::Died => Some(because(gone.why.clone())),
            };
            if let Some(person) = desk.people.get_mut(&worker) {
                person.process = None;
            }
            desk.table.gone(now, worker, crash);
        });
    }

    /// Everything that is to be done, in order.
    fn act(&self) {
        while let Some(action) = self.core.with(|desk, _| desk.table.take_action()) {
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
                Action::Idle { worker } => {
                    let idles = self.hook("on_idle", worker, |kind, worker| kind.on_idle(worker));
                    if let Err(fault) = idles {
                        self.core.with(|desk, now| {
                            desk.table.close(now, worker, Some(because(fault)));
                        });
                    }
                }
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
                Action::Closed { worker, crash } => self.core.with(|desk, now| {
                    let crash = crash.map(|crash| desk.crash(worker, &crash));
                    let person = desk.people.remove(&worker).expect("it leaves once");
                    person.life.closed.give(Closed {
                        birth: self.core.date(person.born),
                        since: self.core.date(person.since.unwrap_or(now)),
                        crash,
                    });
                }),
            }
        }
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
        let process = self.core.with(|desk, now| {
            let person = desk.people.get_mut(&worker);
            person.and_then(|person| {
                person.since.get_or_insert(now);
                person.process
            })
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
                Ok(Pulled::End) => {
                    let _none = desk.table.pulled(now, worker, false);
                    desk.table.close(now, worker, None);
                }
                Err(panic) => {
                    let _none = desk.table.pulled(now, worker, false);
                    let why = format!("the source of its requests panicked: {}", said(&*panic));
                    desk.table.close(now, worker, Some(because(why)));
                }
            }
        });
    }

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

    fn judge(&self, worker: WorkerId, request: RequestId) {
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

    fn resolve(&self, request: RequestId, with: Resolution) {
        let unheard = self.core.with(|desk, now| {
            let worker = desk.parcels.get(&request)?.worker;
            let closed = match &with {
                Resolution::Closed(crash) => {
                    if let Some(person) = desk.people.get_mut(&worker) {
                        person.since.get_or_insert(now);
                    }
                    crash.as_ref().map(|crash| desk.crash(worker, crash))
                }
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
            let waiter = parcel.waiter?;
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

    fn close(&self, worker: WorkerId) {
        let closed = self.core.with(|desk, now| {
            let crash = desk
                .table
                .view(worker)
                .and_then(|it| it.phase.crash().cloned());
            let crash = crash.map(|crash| desk.crash(worker, &crash));
            let person = &desk.people[&worker];
            Closed {
                birth: self.core.date(person.born),
                since: self.core.date(person.since.unwrap_or(now)),
                crash,
            }
        });
        // Its worker is closed already; a panic is reported, and there is nothing else to crash.
        let _reported = self.hook("on_close", worker, |kind, worker| {
            kind.on_close(worker, &closed)
        });
        self.core.with(|desk, _| desk.table.closed(worker));
    }
}

/// The process that an errand was with last.
fn place_of<N: Named>(settled: &Settled<NamedKind<N>>) -> Option<(SlotId, Session)> {
    let last = settled.attempts.last()?;
    Some((last.slot, last.session))
}

/// A launch that was not answered in time; its options say what the time was.
struct Late(TimeLimit);

impl Late {
    fn because<N: Named>(self, options: &super::life::LaunchOptions) -> LaunchError<N> {
        let waited = options.timeout;
        match self.0 {
            TimeLimit::Waiting | TimeLimit::Starting => LaunchError::FarmFull { waited },
            TimeLimit::Running | TimeLimit::Stall | TimeLimit::Cpu | TimeLimit::Group => {
                LaunchError::TimedOut { waited }
            }
        }
    }
}

/// What came of a launch; of a failed one also whether its process lives.
fn launched<N: Named>(
    how: Resolved<NamedKind<N>>,
) -> Result<N::Welcome, (Result<LaunchError<N>, Late>, bool)> {
    let outcome = match how {
        Ok(settled) => settled.outcome,
        Err(refused) => {
            log::debug!("a launch was not admitted: {}", refused.refusal);
            return Err((Ok(LaunchError::Closed), false));
        }
    };
    let any = |fault: String| LaunchError::Any(Fault(fault));
    let (failure, lives) = match outcome {
        Outcome::Done(Report::Launched(welcome)) => return Ok(welcome),
        Outcome::Done(Report::Refused(error)) => (LaunchError::Refused(error), false),
        Outcome::Done(Report::Answered(_) | Report::Closed) => {
            unreachable!("what does not fit the errand is a failure")
        }
        Outcome::Failed(misfit) => (any(misfit.to_string()), false),
        Outcome::TimedOut { which, how } => {
            let lives = how != HowStopped::BeforeStart && lives(how);
            return Err((Err(Late(which)), lives));
        }
        Outcome::SpawnFailed(error) => (LaunchError::Spawn(error), false),
        Outcome::WorkerLost(death) | Outcome::Panicked(death) => {
            let crash = super::error::Crash {
                why: crash(&death).why,
                during: Some("its launch".to_owned()),
            };
            (LaunchError::Lost(crash), false)
        }
        Outcome::Cancelled { how, .. } => {
            let lives = how != HowStopped::BeforeStart && lives(how);
            (LaunchError::Closed, lives)
        }
        Outcome::Closed => (LaunchError::Closed, false),
        Outcome::RequestNotMarshallable(error) => (
            any(format!("its parameters cannot be encoded: {error}")),
            false,
        ),
        Outcome::RequestRefused(error) => (
            any(format!(
                "its process could not decode its parameters: {error}"
            )),
            false,
        ),
        Outcome::ResponseNotMarshallable(error) => (
            any(format!("its process could not encode its welcome: {error}")),
            true,
        ),
        Outcome::ResponseGarbled(error) => (
            any(format!("its welcome could not be decoded: {error}")),
            false,
        ),
        Outcome::KindFault(fault) => (any(fault.to_string()), false),
        Outcome::LimitExceeded { .. }
        | Outcome::Poisoned(_)
        | Outcome::HolderGone
        | Outcome::Skipped(_)
        | Outcome::InjectionRefused { .. }
        | Outcome::Displaced => (any("it was not sent".to_owned()), false),
    };
    Err((Ok(failure), lives))
}
