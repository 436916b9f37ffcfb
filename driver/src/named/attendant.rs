//! The thread of a table: hears what the farm and callers say, and does what its machine says, in order.

mod acts;
mod fallen;
mod hooked;

use super::core::Core;
use super::courier::{News, because, treated};
use super::hooks::WorkerKind;
use super::launched::{launched, place_of};
use crate::ticket::Resolved;
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use farm_master::named::{RequestId, Shutdown, WorkerId};
use farm_master::{Event, Gone, NamedKind, Outcome, WhoseDoing};
use farm_protocol::{Session, SlotId};
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
            // A look at the clock in every turn: where there is always news, waiting is never in vain.
            let (deadline, busy, over) = self.core.with(|desk, now| {
                if desk.table.deadline().is_some_and(|at| at <= now) {
                    desk.table.wake(now);
                }
                let busy = desk.table.has_actions();
                let over = desk.ended && desk.table.is_empty() && !busy;
                (desk.table.deadline(), busy, over)
            });
            if over {
                return;
            }
            if let Some(news) = self.next(busy, deadline.map(|at| self.core.at(at))) {
                self.hear(news);
            }
            self.act();
        }
    }

    /// The next news; `None`: there is something else to do.
    fn next(&self, busy: bool, deadline: Option<std::time::Instant>) -> Option<News<Of<K>>> {
        let held = "the core that this thread has holds a sender";
        match (busy, deadline) {
            (true, _) => match self.news.try_recv() {
                Ok(news) => Some(news),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => unreachable!("{held}"),
            },
            (false, Some(deadline)) => match self.news.recv_deadline(deadline) {
                Ok(news) => Some(news),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => unreachable!("{held}"),
            },
            (false, None) => Some(self.news.recv().expect(held)),
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
            let Some(person) = desk.people.get_mut(&worker) else {
                // Given up with the farm, which handed its launch back afterwards.
                return;
            };
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
            let is_there = |id| matches!(desk.people.get(id), Some(it) if it.process.is_some());
            if matches!(outcome, Outcome::HolderGone) && is_there(&worker) {
                // It never got there. How the process ended is about to be heard, and ends this too.
                return;
            }
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
}
