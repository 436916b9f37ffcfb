//! The way into a mailbox, and out of it before a treatment: push, put, pull, withdraw and cancel.

use super::action::{Action, Merge, PushRefused, Resolution};
use super::mailbox::Rule;
use super::{At, Phase, Request, RequestId, Stage, Table, WorkerId};
use crate::lane::{Entry, Gate, Key};
use crate::mutation::Mutation;
use crate::outcome::HowStopped;
use farm_protocol::Instant;

impl Table {
    /// Brings a request to a worker whose mailbox is `Unbounded` or `Bounded`. With `waits`, one for which there is no room
    /// waits for it, behind those that do already; the caller then waits for [`Action::Admitted`], or for
    /// [`Action::Resolve`] if it is not taken any more.
    ///
    /// # Errors
    /// [`PushRefused`]. No request was issued.
    ///
    /// # Panics
    /// In a table of another rule.
    pub fn push(
        &mut self,
        now: Instant,
        worker: WorkerId,
        waits: bool,
    ) -> Result<(RequestId, bool), PushRefused> {
        assert!(
            matches!(self.rule, Rule::Unbounded | Rule::Bounded(_)),
            "who pushes has a queue"
        );
        self.takes(worker)?;
        let request = RequestId(self.last_request + 1);
        let mailbox = &mut self.at(worker).mailbox;
        let at = match mailbox.push(request, Entry::Push) {
            Ok(key) => At::Lane(key),
            Err(full) if !waits => return Err(PushRefused::Full(full)),
            Err(_) => {
                mailbox.block(request);
                At::Blocked
            }
        };
        self.issue(now, worker, at);
        self.go_on(now, worker);
        Ok((request, at != At::Blocked))
    }

    /// The request that waits in a dropbox, with which a new one is to be merged.
    #[must_use]
    pub fn waiting(&self, worker: WorkerId) -> Option<RequestId> {
        self.workers.get(&worker)?.mailbox.queued().next()
    }

    /// Brings a request to a dropbox. `merge` says what becomes of it and of the one that [waits](Table::waiting); with
    /// none waiting, [`Merge::Empty`] resolves the new one and the others let it stand.
    ///
    /// # Errors
    /// [`PushRefused::Closed`]. No request was issued.
    ///
    /// # Panics
    /// In a table of another rule.
    pub fn put(
        &mut self,
        now: Instant,
        worker: WorkerId,
        merge: Merge,
    ) -> Result<RequestId, PushRefused> {
        assert_eq!(self.rule, Rule::Dropbox, "who puts has a dropbox");
        self.takes(worker)?;
        let new = RequestId(self.last_request + 1);
        let old = self.waiting(worker);
        match (merge, old) {
            (Merge::Newest | Merge::Oldest | Merge::Combined, None) => {
                let mailbox = &mut self.at(worker).mailbox;
                let key = mailbox.push(new, Entry::Push).expect("the box is empty");
                self.issue(now, worker, At::Lane(key));
                self.go_on(now, worker);
            }
            (Merge::Newest, Some(old)) => {
                let key = self.stand_in_place_of(old, new, worker);
                self.issue(now, worker, At::Lane(key));
                if self.mutated.is(Mutation::DisplacedForgotten) {
                    self.forget(old);
                } else {
                    self.resolve(old, &Resolution::Displaced);
                }
            }
            (Merge::Combined, Some(old)) => {
                // One level deep, and the same work however often something is merged: the old one keeps its place.
                let pushed = self.requests[&old].pushed;
                self.issue(pushed, worker, At::Merged(old));
                self.open(old).merged.push(new);
            }
            (Merge::Oldest, Some(_)) => {
                self.issue(now, worker, At::Blocked);
                self.resolve(new, &Resolution::Displaced);
            }
            (Merge::Empty, old) => {
                self.issue(now, worker, At::Blocked);
                if let Some(old) = old {
                    let At::Lane(key) = self.requests[&old].at else {
                        panic!("what waits has a key")
                    };
                    self.at(worker).mailbox.drop_queued(key);
                    self.resolve(old, &Resolution::Displaced);
                }
                self.resolve(new, &Resolution::Displaced);
                self.go_on(now, worker);
            }
        }
        Ok(new)
    }

    fn stand_in_place_of(&mut self, old: RequestId, new: RequestId, worker: WorkerId) -> Key {
        let At::Lane(key) = self.requests[&old].at else {
            panic!("what waits has a key")
        };
        self.at(worker).mailbox.rename(key, new);
        key
    }

    /// What came of [`Action::Pull`]: a request has come from the source (`true`), and is issued; or there is none now,
    /// and [`Table::pull`] is to be called when that may have changed.
    ///
    /// `None`: the worker takes nothing any more, and the request is the caller's again.
    ///
    /// # Panics
    /// When the source was not asked.
    pub fn pulled(&mut self, now: Instant, worker: WorkerId, some: bool) -> Option<RequestId> {
        let there = self.workers.get_mut(&worker)?;
        assert!(there.pulling, "an answer of a source that was not asked");
        there.pulling = false;
        let woken = std::mem::take(&mut there.woken);
        if !some || self.takes(worker).is_err() {
            if woken {
                self.go_on(now, worker);
            }
            return None;
        }
        let request = RequestId(self.last_request + 1);
        let pushed = self.at(worker).mailbox.push(request, Entry::Pull);
        let key = pushed.expect("only an empty mailbox asks");
        self.issue(now, worker, At::Lane(key));
        self.go_on(now, worker);
        Some(request)
    }

    /// The source of a worker may have something.
    pub fn pull(&mut self, now: Instant, worker: WorkerId) {
        let Some(there) = self.workers.get_mut(&worker) else {
            return;
        };
        // It may have looked before there was something: what it is about to say counts no more.
        there.woken |= there.pulling;
        self.go_on(now, worker);
    }

    /// Whoever waited to bring this request waits no longer. Whether it goes: otherwise it is in the mailbox, or was resolved.
    pub fn withdraw(&mut self, request: RequestId) -> bool {
        let Some(known) = self.requests.get(&request) else {
            return false;
        };
        if known.at != At::Blocked {
            return false;
        }
        let worker = known.worker;
        assert!(self.at(worker).mailbox.unblock(request), "it is blocked");
        // It counts as resolved, by whoever withdrew it.
        self.forget(request);
        true
    }

    /// Whoever waits for a request has no use for it. One that waits is resolved at once; one in treatment is asked to
    /// stop and resolved when it has; one that was answered, or was merged with others, goes on.
    pub fn cancel(&mut self, now: Instant, request: RequestId, reason: &str) {
        let Some(&Request {
            worker,
            at,
            ref merged,
            ..
        }) = self.requests.get(&request)
        else {
            return;
        };
        let key = match at {
            At::Lane(key) if merged.is_empty() => key,
            At::Lane(_) | At::Merged(_) => return,
            At::Blocked => {
                assert!(self.at(worker).mailbox.unblock(request), "it is blocked");
                return self.resolve(request, &before_start(reason));
            }
        };
        let there = self.at(worker);
        match &mut there.treats {
            Some(treats) if treats.request == request => match treats.stage {
                Stage::Sent => {
                    treats.stage = Stage::Stopping;
                    treats.stopped = true;
                    reason.clone_into(&mut treats.reason);
                    there.mailbox.stop(key, now.as_millis());
                    self.actions.push_back(Action::Stop {
                        worker,
                        request,
                        reason: reason.to_owned(),
                    });
                }
                Stage::Stopping | Stage::Void | Stage::Judged => {}
            },
            Some(_) | None => {
                there.mailbox.drop_queued(key);
                self.resolve(request, &before_start(reason));
                self.go_on(now, worker);
            }
        }
    }

    /// Those that share the answer of this one.
    #[must_use]
    pub fn merged(&self, request: RequestId) -> &[RequestId] {
        self.requests.get(&request).map_or(&[], |it| &it.merged)
    }

    /// Whether a worker takes requests.
    ///
    /// # Errors
    /// [`PushRefused::Closed`].
    pub fn takes(&self, worker: WorkerId) -> Result<(), PushRefused> {
        let Some(worker) = self.workers.get(&worker) else {
            return Err(PushRefused::Closed(None));
        };
        match &worker.phase {
            Phase::Launching { .. } | Phase::Running { .. } => match worker.mailbox.gate() {
                Gate::Running | Gate::Paused => Ok(()),
                Gate::Draining | Gate::Closed => Err(PushRefused::Closed(None)),
            },
            Phase::Closing { crash, .. } => Err(PushRefused::Closed(crash.clone())),
        }
    }

    fn issue(&mut self, pushed: Instant, worker: WorkerId, at: At) {
        self.last_request += 1;
        let request = Request {
            worker,
            pushed,
            at,
            merged: Vec::new(),
        };
        self.requests.insert(RequestId(self.last_request), request);
    }

    /// A request that our own books name.
    pub(super) fn open(&mut self, request: RequestId) -> &mut Request {
        let request = self.requests.get_mut(&request);
        request.expect("the books name only requests that are open")
    }
}

fn before_start(reason: &str) -> Resolution {
    Resolution::Cancelled {
        reason: reason.to_owned(),
        how: HowStopped::BeforeStart,
    }
}
