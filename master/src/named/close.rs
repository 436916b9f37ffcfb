//! The one way out of the table: whatever ends a worker ends it here.

use super::action::{Action, Crash, Resolution, Shutdown};
use super::{At, Phase, Process, RequestId, Stage, Table, WorkerId};
use crate::lane::Gate;
use crate::mutation::Mutation;
use farm_protocol::Instant;
use std::sync::Arc;

impl Table {
    /// Closes a worker. One that closes already goes on as it does, and its first reason stands.
    pub fn close(&mut self, now: Instant, worker: WorkerId, crash: Option<Crash>) {
        if self.workers.contains_key(&worker) && self.begin_to_close(now, worker, crash) {
            self.tell_all(now, worker);
        }
    }

    /// As somebody wants it from outside. Of a worker that is draining or closing a stronger wish is heeded, a weaker one not.
    pub fn shutdown(&mut self, now: Instant, worker: WorkerId, how: Shutdown) {
        let bug = self.mutated;
        let Some(there) = self.workers.get_mut(&worker) else {
            return;
        };
        match (how, &there.phase) {
            (Shutdown::Drop, _) => self.close(now, worker, None),
            (Shutdown::Drain { .. }, Phase::Closing { .. }) => {}
            (Shutdown::Drain { until }, Phase::Launching { .. } | Phase::Running { .. }) => {
                if !bug.is(Mutation::DrainTakesMore) {
                    there.mailbox.set_gate(Gate::Draining);
                }
                there.close_by = Some(there.close_by.map_or(until, |by| by.min(until)));
                for request in there.mailbox.take_blocked() {
                    self.resolve(request, &Resolution::Closed(None));
                }
                self.go_on(now, worker);
            }
        }
    }

    /// The process of a worker is gone. If nobody had told it to, `crash` says how it went.
    pub fn gone(&mut self, now: Instant, worker: WorkerId, crash: Option<Crash>) {
        let Some(there) = self.workers.get_mut(&worker) else {
            return;
        };
        assert_eq!(there.process, Process::There, "a process goes once");
        there.process = Process::Gone;
        let during = there.treats.as_ref().map(|treats| treats.request);
        let crash = crash.map(|crash| Crash {
            during: crash.during.or(during),
            ..crash
        });
        self.close(now, worker, crash);
        let there = self.at(worker);
        // What it said before it went has been heard: there will be no answer.
        if let Some(treats) = there.treats.take_if(|treats| treats.stage != Stage::Judged) {
            there.mailbox.end(treats.key, treats.stopped);
        }
        self.finish(worker);
    }

    /// The launch has failed: there is no process, or none that is this worker's. About a worker that was given up with
    /// the farm, nothing follows.
    ///
    /// # Panics
    /// When it had succeeded.
    pub fn launch_failed(&mut self, now: Instant, worker: WorkerId) {
        let Some(there) = self.workers.get_mut(&worker) else {
            return;
        };
        assert_eq!(there.process, Process::Starting, "it is launched once");
        there.process = Process::Gone;
        self.close(now, worker, None);
        self.finish(worker);
    }

    /// Nothing will be heard any more of a worker, its process or what it treats: the farm is over.
    pub fn abandon(&mut self, now: Instant, worker: WorkerId) {
        let Some(there) = self.workers.get(&worker) else {
            return;
        };
        match there.process {
            Process::Starting => self.launch_failed(now, worker),
            Process::There => self.gone(now, worker, None),
            Process::Gone => {}
        }
    }

    /// `on_close` has returned.
    ///
    /// # Panics
    /// When it was not asked for.
    pub fn closed(&mut self, worker: WorkerId) {
        assert!(
            self.at(worker).on_close,
            "`on_close` runs when it is asked for"
        );
        if self.mutated.is(Mutation::ClosedTwice) && self.at(worker).launched {
            self.at(worker).launched = false;
            return self.actions.push_back(Action::Close { worker });
        }
        self.free(worker);
    }

    /// From here on the worker is closing, and why is known. False: it was so before.
    pub(super) fn begin_to_close(
        &mut self,
        now: Instant,
        worker: WorkerId,
        crash: Option<Crash>,
    ) -> bool {
        let there = self.at(worker);
        if matches!(there.phase, Phase::Closing { .. }) {
            return false;
        }
        there.phase = Phase::Closing {
            birth: there.phase.birth(),
            since: now,
            crash: crash.map(Arc::new),
        };
        there.mailbox.set_gate(Gate::Closed);
        (there.idle_at, there.close_by) = (None, None);
        if self.mutated.is(Mutation::NameFreedEarly) {
            let name = Arc::clone(&self.at(worker).name);
            self.names.remove(&name);
        }
        true
    }

    /// Whoever waits for something of a worker that begins to close is told, the one in treatment first.
    pub(super) fn tell_all(&mut self, now: Instant, worker: WorkerId) {
        let bug = self.mutated;
        let there = self.at(worker);
        let crash = there.phase.crash().cloned();
        let with = if bug.is(Mutation::ToldBeforeReason) {
            Resolution::Closed(None)
        } else {
            Resolution::Closed(crash)
        };
        let mut told: Vec<RequestId> = Vec::new();
        if let Some(treats) = &mut there.treats {
            match treats.stage {
                Stage::Sent | Stage::Stopping => {
                    if !treats.stopped {
                        treats.stopped = true;
                        there.mailbox.stop(treats.key, now.as_millis());
                    }
                    treats.stage = Stage::Void;
                    told.push(treats.request);
                }
                // Its answer is there, and is told when the hook has looked at it.
                Stage::Judged => {}
                Stage::Void => panic!("it is told once that it closes"),
            }
        }
        let queued: Vec<RequestId> = there.mailbox.queued().collect();
        for request in queued {
            let At::Lane(key) = self.open(request).at else {
                panic!("what waits has a key")
            };
            self.at(worker).mailbox.drop_queued(key);
            told.push(request);
        }
        let blocked = self.at(worker).mailbox.take_blocked();
        if bug.is(Mutation::BlockedForgotten) {
            blocked.into_iter().for_each(|request| self.forget(request));
        } else {
            told.extend(blocked);
        }
        for request in told {
            self.resolve(request, &with);
        }
        self.actions.push_back(Action::Cancel { worker });
        match self.at(worker).process {
            Process::Starting | Process::There => self.actions.push_back(Action::End { worker }),
            Process::Gone => {}
        }
    }

    /// Runs `on_close` when the process is gone and every hook before it has returned; of one that was never launched
    /// there is nothing to run.
    pub(super) fn finish(&mut self, worker: WorkerId) {
        let there = self.at(worker);
        let over = there.process == Process::Gone && there.treats.is_none() && !there.on_close;
        if !over {
            return;
        }
        if there.launched {
            there.on_close = true;
            self.actions.push_back(Action::Close { worker });
        } else {
            self.free(worker);
        }
    }

    fn free(&mut self, id: WorkerId) {
        let worker = self.workers.remove(&id);
        let worker = worker.expect("the books name only workers that are in the table");
        worker.mailbox.check();
        let open = worker.mailbox.counts();
        assert_eq!((open.queued, open.occupied), (0, 0), "all were told");
        self.names.remove(&worker.name);
        if !worker.launched {
            self.actions.push_back(Action::NotLaunched { worker: id });
        }
        self.actions.push_back(Action::Closed {
            worker: id,
            crash: worker.phase.crash().cloned(),
        });
    }
}
