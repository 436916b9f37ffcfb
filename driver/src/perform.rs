//! Performs the machine's actions, in their order.

use crate::body::Body;
use crate::decode::Work;
use crate::group::GroupEnd;
use crate::in_process;
use crate::launcher::Launcher;
use crate::process::{Place, Process, Role};
use crate::reap::own_peak_bytes;
use crate::shared::contained;
use crate::spawn::{SpawnFault, prepare};
use crate::system::ExitWatch;
use crate::turn::{Loop, Spawned};
use crate::usage::Beyond;
use farm_master::{Action, AttemptReport, Link, Refusal, Settlement, Signal};
use farm_protocol::{AttemptId, KindId, Progress, ScopeId, TaskId};
use rustix::process::Signal as SystemSignal;
use std::io;

impl Loop {
    /// Performs one action.
    pub(crate) fn perform(&mut self, action: Action) {
        match action {
            Action::Spawn {
                slot,
                session,
                kind,
            } => self.spawn(Place { slot, session }, kind),
            // Done before all others.
            Action::Send { .. } => {}
            Action::Signal {
                slot,
                session,
                signal,
            } => self.signal(Place { slot, session }, signal),
            Action::Decode {
                slot,
                session,
                id,
                kind,
                bytes,
            } => {
                let (place, decoder) = (Place { slot, session }, self.registry.decoder(kind));
                self.decode(Work {
                    place,
                    id,
                    decoder,
                    bytes,
                });
            }
            Action::Started { id, slot, session } => {
                let pid = self.workers.pid(slot);
                self.memory.begin();
                self.observe(|o, now| o.started(now, id, slot, session, pid));
            }
            Action::Watch {
                slot,
                session,
                id,
                cpu,
                memory,
            } => self.watch_usage(Place { slot, session }, id, Beyond { cpu, memory }),
            Action::Unwatch { slot, session, id } => {
                self.unwatch_usage(Place { slot, session }, id);
            }
            Action::Weigh { slot, session } => self.weigh(Place { slot, session }),
            Action::Progress { id, progress } => self.progress(id, &progress),
            Action::AttemptEnded { task, report } => self.attempt_ended(task, &report),
            Action::Settle(settlement) => self.settle(settlement),
            Action::Refuse { task, refusal } => self.refuse(task, refusal),
            Action::Unmatched { task } => self.unmatched(task),
            Action::Admitted { task } => self.admitted(task, true),
            Action::ScopeEnded { scope, end } => self.tell_group(scope, Ok(end)),
            Action::RefuseScope { scope, refusal } => self.tell_group(scope, Err(refusal)),
            Action::Token(action) => self.token(action),
            Action::PoolEnded { kind, error } => {
                log::error!("the pool of {kind} has ended: {error}");
                self.observe(|o, now| o.pool_ended(now, kind, &error));
            }
            Action::WorkerReady { slot, session, pid } => {
                self.observe(|o, now| o.worker_ready(now, slot, session, pid));
            }
            Action::WorkerGone {
                slot,
                session,
                gone,
            } => {
                log::debug!("worker {slot} ({session}) is gone: {}", gone.why);
                self.observe(|o, now| o.worker_gone(now, slot, session, &gone));
                self.ears.retain_mut(|ear| ear((slot, session), &gone));
            }
            Action::Stopped => self.stopped = true,
        }
    }

    fn decode(&mut self, work: Work) {
        self.decoders.decode(work, &self.shared.post);
    }

    fn progress(&mut self, id: AttemptId, progress: &Progress) {
        contained("a waiter", || self.registry.progress(id, progress));
        self.observe(|o, now| o.progress(now, id, progress));
    }

    fn attempt_ended(&mut self, task: TaskId, report: &AttemptReport) {
        self.observe(|o, now| o.attempt_ended(now, task, report));
    }

    fn refuse(&mut self, task: TaskId, refusal: Refusal) {
        self.observe(|o, now| o.refused(now, task, &refusal));
        contained("a waiter", || self.registry.refuse(task, refusal));
        self.admitted(task, false);
    }

    fn unmatched(&mut self, task: TaskId) {
        log::warn!("no worker matches {task}, nor would a fresh one: it waits");
        self.observe(|o, now| o.unmatched(now, task));
    }

    /// Tells who waits for a group; for other scopes nobody waits.
    fn tell_group(&mut self, scope: ScopeId, end: GroupEnd) {
        if let Err(refusal) = &end {
            log::warn!("{scope} is not opened: {refusal}");
        }
        if let Some(answer) = self.groups.remove(&scope) {
            answer.give(end);
        }
    }

    fn signal(&mut self, place: Place, signal: Signal) {
        let signal = match signal {
            Signal::Terminate => SystemSignal::TERM,
            Signal::Kill => SystemSignal::KILL,
        };
        if let Some(process) = self.workers.get(place) {
            process.signal(signal);
            if process.lingers() {
                self.expect_to_go(place);
            }
        } else if signal == SystemSignal::KILL {
            self.withdraw(place);
        }
    }

    fn settle(&mut self, settlement: Settlement) {
        let task = settlement.task;
        self.observe(|o, now| o.task_ended(now, &settlement));
        // A waiter is the user's: its panic must not take the other tasks with it.
        let fault = contained("a waiter", || {
            self.watch.call("on_lost, or a waiter's settled", || {
                self.registry.settle(settlement)
            })
        })
        .flatten();
        if let Some(fault) = fault {
            log::error!("{task} ended as it did, but {fault}");
        }
        self.admitted(task, true);
    }

    pub(crate) fn send(&mut self, place: Place, link: Link, bytes: &[u8]) {
        // A worker that is gone swallows them; its exit has been told.
        let Some(process) = self.workers.get(place) else {
            return;
        };
        match link {
            Link::Requests => process.requests.append(bytes),
            Link::Control => process.control.append(bytes),
        }
        if !process.unflushed {
            process.unflushed = true;
            self.unflushed.push(place.slot);
        }
    }

    fn spawn(&mut self, place: Place, kind: KindId) {
        self.memory.begin();
        let origin = &self.origins[kind.0 as usize];
        let started = match &origin.launcher {
            Launcher::Program(_) if origin.template => self.order_fork(place, kind).map(|()| None),
            Launcher::Program(program) => {
                let (name, server) = (self.name_of(place), self.purse.server());
                let inside = self.depth + 1;
                let prepared = prepare(program, &origin.kind, self.through, name, inside, server);
                let post = &self.shared.post;
                prepared.map(|prepared| {
                    self.starter.order(place, prepared, post);
                    None
                })
            }
            Launcher::InProcess(_) => self.begin_thread(place, kind).map(Some),
        };
        let spawned = match started {
            // Its template will say, or who starts it.
            Ok(None) => return,
            Ok(Some(page)) => Spawned::Yes { place, page },
            Err(fault) => Spawned::No {
                place,
                error: fault.to_string(),
            },
        };
        self.spawned.push_back(spawned);
    }

    /// Starts a worker inside this process; whether it has a page.
    fn begin_thread(&mut self, place: Place, kind: KindId) -> Result<bool, SpawnFault> {
        let name = self.name_of(place);
        let origin = &self.origins[kind.0 as usize];
        let Launcher::InProcess(launcher) = &origin.launcher else {
            unreachable!("asked for by who has looked")
        };
        let (inside, post) = (self.depth + 1, &self.shared.post);
        let parts = in_process::start(launcher, place, name, &origin.kind, inside, post)?;
        self.take_in(Process::new(place, parts, own_peak_bytes()))
            .map_err(|(fault, _)| fault)
    }

    /// A program that was ordered runs as a worker, or could not be started.
    pub(crate) fn has_started(&mut self, place: Place, started: Result<Box<Process>, SpawnFault>) {
        let unwanted = self.starter.has_come(place);
        // One that cannot be watched is killed and collected by its drop.
        let taken = started.and_then(|process| self.take_in(*process).map_err(|(fault, _)| fault));
        self.spawned.push_back(match taken {
            Ok(page) => Spawned::Yes { place, page },
            Err(fault) => Spawned::No {
                place,
                error: fault.to_string(),
            },
        });
        self.tell_spawned();
        if unwanted && let Some(process) = self.workers.get(place) {
            process.signal(SystemSignal::KILL);
        }
    }

    /// Has the poll report about a new process; whether it has a page. One that cannot be watched comes back.
    pub(crate) fn take_in(
        &mut self,
        mut process: Process,
    ) -> Result<bool, (SpawnFault, Box<Process>)> {
        if self.clock.stands() {
            process.signal(SystemSignal::STOP);
        }
        let registry = self.poll.registry();
        match self.watch_exit(&mut process) {
            Ok(()) => {
                let page = process.page.is_some();
                self.workers.insert(process);
                Ok(page)
            }
            Err(source) => {
                process.leave(registry);
                Err((SpawnFault::Watch { source }, Box::new(process)))
            }
        }
    }

    /// Has the poll, or whoever else knows, report about the process.
    fn watch_exit(&self, process: &mut Process) -> io::Result<()> {
        let registry = self.poll.registry();
        process.register(registry)?;
        let place = process.place;
        let token = Role::Exit.token(place.slot);
        match &mut process.body {
            Body::Child(child) => {
                let post = &self.shared.post;
                child.watch = Some(match &child.forked {
                    None => ExitWatch::new(child.pid, place, token, registry, post)?,
                    Some(forked) => ExitWatch::of(forked.handle.copy()?, token, registry)?,
                });
            }
            // It tells so itself.
            Body::Thread(_) => {}
        }
        Ok(())
    }
}
