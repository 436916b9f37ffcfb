//! One request after the other: what is treated next, and what comes of it.

use super::action::{Action, Crash, Resolution, Treated, Verdict};
use super::mailbox::Rule;
use super::{At, InTreatment, Phase, Process, RequestId, Stage, Table, WorkerId};
use crate::lane::Gate;
use crate::mutation::Mutation;
use crate::outcome::HowStopped;
use farm_protocol::Instant;

impl Table {
    /// `on_launch` has succeeded.
    ///
    /// # Panics
    /// When that was said before.
    pub fn launched(&mut self, now: Instant, worker: WorkerId) {
        let forgotten = self.mutated.is(Mutation::LauncherForgotten);
        let there = self.at(worker);
        assert_eq!(there.process, Process::Starting, "it is launched once");
        there.process = Process::There;
        there.launched |= forgotten;
        match there.phase {
            Phase::Launching { .. } => {
                there.launched = true;
                there.phase = Phase::Running { since: now };
                self.actions.push_back(Action::Launched { worker });
                self.go_on(now, worker);
            }
            Phase::Running { .. } => panic!("it is launched once"),
            // It was shut down meanwhile, and came up before that reached it: for whoever launched it, it never ran.
            Phase::Closing { .. } => self.actions.push_back(Action::End { worker }),
        }
    }

    /// What came of [`Action::Send`]. About a worker that is not in the table any more, nothing follows.
    ///
    /// # Panics
    /// When the process has answered something else than it treats, or twice.
    pub fn treated(
        &mut self,
        now: Instant,
        worker: WorkerId,
        request: RequestId,
        treated: Treated,
    ) {
        let Some(there) = self.workers.get_mut(&worker) else {
            return;
        };
        // With its process gone, its treatment was over before the farm said so.
        let Some(treats) = &mut there.treats else {
            return;
        };
        assert_eq!(treats.request, request, "one request at a time");
        match treated {
            // One that was asked to stop may have answered before that: nobody has seen it, and it is as good.
            Treated::Answered { ok } if treats.stage != Stage::Void => {
                treats.stage = Stage::Judged;
                self.actions.push_back(Action::Judge {
                    worker,
                    request,
                    ok,
                });
            }
            Treated::Answered { .. } => self.over(now, worker, &Resolution::Answer, None),
            Treated::Stopped(how) => {
                let with = self.cancelled(worker, how);
                self.over(now, worker, &with, None);
            }
            Treated::Killed(how) => {
                let with = self.cancelled(worker, how);
                let why = "its process was ended: the request that it treated was cancelled, and it did not stop in time";
                self.over(now, worker, &with, Some(Some(crash(why, request))));
            }
            Treated::Fault { fault, crash } => {
                self.over(now, worker, &Resolution::Fault(fault), crash.map(Some));
            }
            Treated::Died(mut crash) => {
                crash.during = Some(request);
                self.close(now, worker, Some(crash));
                self.over(now, worker, &Resolution::Answer, None);
            }
            Treated::FarmOver => {
                self.close(now, worker, None);
                self.over(now, worker, &Resolution::Answer, None);
            }
        }
    }

    fn cancelled(&mut self, worker: WorkerId, how: HowStopped) -> Resolution {
        let treats = self.at(worker).treats.as_ref();
        Resolution::Cancelled {
            reason: treats.map_or(String::new(), |treats| treats.reason.clone()),
            how,
        }
    }

    /// The hook has looked at the answer: whoever waits for it is told now. An `Err` says that the hook has panicked, and
    /// what it should have done is not done: that is told instead of the answer, and the worker crashes.
    ///
    /// # Panics
    /// When no hook was asked about it.
    pub fn judged(
        &mut self,
        now: Instant,
        worker: WorkerId,
        request: RequestId,
        verdict: Result<Verdict, String>,
    ) {
        let treats = self.at(worker).treats.as_ref();
        let asked = treats.is_some_and(|it| it.request == request && it.stage == Stage::Judged);
        assert!(asked, "a hook is asked once, about what is in treatment");
        let (with, end) = match verdict {
            Ok(Verdict::Continue) => (Resolution::Answer, None),
            Ok(Verdict::Shutdown) => (Resolution::Answer, Some(None)),
            Ok(Verdict::Crash(why)) => (Resolution::Answer, Some(Some(crash(&why, request)))),
            Err(fault) => {
                let crash = crash(&fault, request);
                (Resolution::Fault(fault), Some(Some(crash)))
            }
        };
        self.over(now, worker, &with, end);
    }

    /// A treatment is over. With `end` the worker closes, for the reason in it: that is fixed before anybody is told.
    fn over(
        &mut self,
        now: Instant,
        worker: WorkerId,
        with: &Resolution,
        end: Option<Option<Crash>>,
    ) {
        let there = self.at(worker);
        let treats = there.treats.take().expect("it treats something");
        there.mailbox.end(treats.key, treats.stopped);
        let closes = end.is_some_and(|crash| self.begin_to_close(now, worker, crash));
        match treats.stage {
            Stage::Sent | Stage::Stopping | Stage::Judged => self.resolve(treats.request, with),
            Stage::Void => {}
        }
        if closes {
            self.tell_all(now, worker);
        }
        self.go_on(now, worker);
        self.finish(worker);
    }

    /// Begins what can begin: treats the next request, asks the source, ends a drain, takes in who waits for room.
    pub(super) fn go_on(&mut self, now: Instant, worker: WorkerId) {
        let there = self.at(worker);
        if matches!(there.phase, Phase::Running { .. }) && there.treats.is_none() {
            if let Some((request, key)) = there.mailbox.start(now.as_millis()) {
                there.idle_at = None;
                there.treats = Some(InTreatment {
                    request,
                    key,
                    started: now,
                    stage: Stage::Sent,
                    stopped: false,
                    reason: String::new(),
                });
                self.actions.push_back(Action::Send { worker, request });
            } else if there.mailbox.gate() == Gate::Draining {
                return self.close(now, worker, None);
            } else {
                there.idle_at = there.idle_at.or(there.idle.map(|span| now.after(span)));
                if there.mailbox.rule == Rule::Pull && !there.pulling {
                    there.pulling = true;
                    self.actions.push_back(Action::Pull { worker });
                }
            }
        }
        while let Some((request, key)) = self.at(worker).mailbox.admit() {
            self.open(request).at = At::Lane(key);
            self.actions.push_back(Action::Admitted { request });
        }
    }
}

fn crash(why: &str, during: RequestId) -> Crash {
    Crash {
        why: why.to_owned(),
        during: Some(during),
    }
}
