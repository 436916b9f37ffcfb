//! The requests: each is told its end once, and that is true.

use super::{Brought, Reason, Truth};
use crate::ledger::Seen;
use farm_master::HowStopped;
use farm_master::named::{
    Merge, PushRefused, RequestId, Resolution, Rule, Treated, Verdict, WorkerId,
};
use farm_protocol::{Session, SlotId};

impl Truth {
    fn brought(&mut self, worker: WorkerId, request: RequestId, admitted: bool) {
        let brought = Brought {
            worker,
            admitted,
            into: None,
            sent: false,
            cancelled: false,
            displaced: false,
            answered: false,
            fault: None,
            stopped: false,
            withdrawn: false,
            told: None,
        };
        let life = self.life_mut(worker);
        let closes = life.reason.is_some() || life.drains.is_some() || life.free;
        life.waiting.insert(request);
        let again = self.requests.insert(request, brought).is_some();
        if again || closes {
            self.breaks(|| {
                format!("{request:?} is taken ({again}) by {worker:?}, which closes: {closes}")
            });
        }
    }

    fn is_refused(&mut self, worker: WorkerId, refused: &PushRefused, waits: bool) {
        let is_so = match refused {
            PushRefused::Full(full) => {
                self.sees(Seen::PushedInVain);
                let most = match self.rule {
                    Rule::Bounded(most) => most.get(),
                    Rule::Unbounded | Rule::Dropbox | Rule::Pull => usize::MAX,
                };
                !waits && full.queued == most && full.most == most
            }
            PushRefused::Closed(crash) => {
                self.sees(Seen::PushedTooLate);
                let gone = self.life(worker).free && crash.is_none();
                gone || self.why_is_true(worker, crash.as_deref())
            }
        };
        if !is_so {
            let life = format!("{:?}", self.life(worker));
            self.breaks(|| format!("a request to {worker:?} is refused: {refused:?}; {life}"));
        }
    }

    pub(in crate::named) fn pushed(
        &mut self,
        worker: WorkerId,
        pushed: &Result<(RequestId, bool), PushRefused>,
        waits: bool,
    ) {
        match pushed {
            Ok((request, is_in)) => {
                self.brought(worker, *request, *is_in);
                if !is_in {
                    self.sees(Seen::PushWaits);
                }
            }
            Err(refused) => self.is_refused(worker, refused, waits),
        }
    }

    /// `old`: what waited in the box.
    pub(in crate::named) fn put(
        &mut self,
        worker: WorkerId,
        put: &Result<RequestId, PushRefused>,
        merge: Merge,
        old: Option<RequestId>,
    ) {
        let new = match put {
            Ok(new) => *new,
            Err(refused) => return self.is_refused(worker, refused, false),
        };
        self.brought(worker, new, true);
        match (merge, old) {
            (Merge::Newest | Merge::Oldest | Merge::Combined, None) => {}
            (Merge::Newest, Some(old)) => self.displaces(worker, old),
            (Merge::Oldest, Some(_)) => self.displaces(worker, new),
            (Merge::Empty, old) => {
                self.displaces(worker, new);
                if let Some(old) = old {
                    self.displaces(worker, old);
                }
            }
            (Merge::Combined, Some(old)) => {
                self.sees(Seen::Combined);
                self.life_mut(worker).waiting.remove(&new);
                self.request_mut(new).into = Some(old);
            }
        }
    }

    fn displaces(&mut self, worker: WorkerId, request: RequestId) {
        self.life_mut(worker).waiting.remove(&request);
        self.request_mut(request).displaced = true;
    }

    pub(in crate::named) fn pulled(
        &mut self,
        worker: WorkerId,
        pulled: Option<RequestId>,
        some: bool,
    ) {
        self.life_mut(worker).pulling = false;
        if let Some(request) = pulled {
            self.brought(worker, request, true);
        }
        if pulled.is_some() && !some {
            self.breaks(|| format!("{worker:?} has pulled what its source did not give"));
        }
    }

    /// Whoever waited to bring it does not any more, if the table says so.
    pub(in crate::named) fn withdrawn(&mut self, request: RequestId) {
        self.sees(Seen::Withdrawn);
        let known = self.request_mut(request);
        let told = known.told.is_some() || known.admitted;
        known.withdrawn = true;
        let worker = known.worker;
        self.life_mut(worker).waiting.remove(&request);
        if told {
            self.breaks(|| format!("{request:?} is withdrawn, and was taken or resolved before"));
        }
    }

    pub(in crate::named) fn cancels(&mut self, request: RequestId) {
        self.request_mut(request).cancelled = true;
    }

    pub(super) fn is_admitted(&mut self, request: RequestId) {
        let known = self.request_mut(request);
        let before = std::mem::replace(&mut known.admitted, true);
        if before || known.told.is_some() || known.withdrawn {
            let text = format!("{request:?} is said to be taken: {known:?}");
            self.breaks(|| text);
        }
    }

    /// It goes to the worker: the first that waits, one at a time, and to nobody who closes.
    pub(super) fn is_sent(&mut self, worker: WorkerId, request: RequestId) {
        let life = self.life_mut(worker);
        let first = life.waiting.pop_first();
        let before = life.current;
        if !life.gone {
            life.current = Some((request, false));
        }
        if first != Some(request) || before.is_some() || life.fired || life.place.is_none() {
            let text = format!(
                "{request:?} is sent while {before:?} is treated and {first:?} is the first; {life:?}"
            );
            return self.breaks(|| text);
        }
        let known = self.request_mut(request);
        known.sent = true;
        if known.told.is_some() || known.withdrawn || known.displaced || known.into.is_some() {
            let text = format!("{request:?} is sent: {known:?}");
            self.breaks(|| text);
        }
    }

    pub(super) fn is_stopped(&mut self, worker: WorkerId, request: RequestId) {
        let cancelled = self.request(request).cancelled && self.request(request).sent;
        if !cancelled {
            self.breaks(|| format!("{request:?} of {worker:?} is to stop, and nobody wants that"));
        }
    }

    /// The farm says what came of it, and with which process it was.
    pub(in crate::named) fn was_treated(
        &mut self,
        worker: WorkerId,
        request: RequestId,
        how: &Treated,
        place: Option<(SlotId, Session)>,
    ) {
        let known = self.request(request);
        let (told, cancelled) = (known.told.is_some(), known.cancelled);
        let life = self.life(worker);
        let own = life.place;
        let current = life.current;
        let closes = told || life.reason.is_some();
        if place.is_some() && place != own {
            self.breaks(|| {
                format!("{request:?} of {worker:?} was with {place:?}, and that is {own:?}")
            });
        }
        if current.is_some_and(|(current, _)| current != request) {
            self.breaks(|| format!("{worker:?} has treated {request:?}, and was sent {current:?}"));
        }
        // With its process gone, or its life, its treatment was over before.
        if current.is_none() || life_is_over(self, worker) {
            return;
        }
        let ends = match how {
            Treated::Answered { .. } if !closes => {
                self.life_mut(worker).current = Some((request, true));
                return;
            }
            Treated::Answered { .. } => None,
            Treated::Stopped(how) => {
                self.request_mut(request).stopped = true;
                if !cancelled && !told {
                    self.breaks(|| {
                        format!("{request:?} was stopped ({how:?}), and nobody wanted that")
                    });
                }
                None
            }
            Treated::Killed(_) => {
                self.request_mut(request).stopped = true;
                self.sees(Seen::KilledRequest);
                self.crashes(worker);
                None
            }
            Treated::Fault { fault, crash } => {
                self.request_mut(request).fault = Some(fault.clone());
                self.sees(if crash.is_some() {
                    Seen::FatalFault
                } else {
                    Seen::RequestFault
                });
                crash.as_ref().map(|crash| Reason::of(Some(crash)))
            }
            Treated::Died(crash) => {
                self.sees(Seen::DiedInRequest);
                Some(Reason::of(Some(crash)))
            }
            Treated::FarmOver => Some(Reason::Told),
        };
        if let Some(reason) = ends {
            self.life_mut(worker).reason.get_or_insert(reason);
        }
        self.life_mut(worker).current = None;
    }

    /// An answer has come, and a hook is to look at it.
    pub(super) fn is_looked_at(&mut self, worker: WorkerId, request: RequestId) {
        let current = self.life(worker).current;
        if current != Some((request, true)) {
            self.breaks(|| {
                format!("a hook looks at {request:?}, and {worker:?} treats {current:?}")
            });
        }
    }

    pub(in crate::named) fn was_judged(
        &mut self,
        worker: WorkerId,
        request: RequestId,
        verdict: &Result<Verdict, String>,
        answer: Option<bool>,
    ) {
        match answer {
            Some(true) => self.sees(Seen::Answered),
            Some(false) => self.sees(Seen::AnsweredNo),
            None => self.breaks(|| format!("a hook looks at {request:?}, and there is no answer")),
        }
        self.life_mut(worker).current = None;
        let known = self.request_mut(request);
        let reason = match verdict {
            Ok(Verdict::Continue) => None,
            Ok(Verdict::Shutdown) => Some(Reason::Told),
            Ok(Verdict::Crash(why)) => Some(Reason::Crash(Some(why.clone()))),
            Err(fault) => {
                known.fault = Some(fault.clone());
                Some(Reason::Crash(Some(fault.clone())))
            }
        };
        known.answered = verdict.is_ok();
        if let Some(reason) = reason {
            self.life_mut(worker).reason.get_or_insert(reason);
        }
    }

    /// Whoever waits for it is told: once, and the truth.
    pub(super) fn resolves(&mut self, request: RequestId, with: &Resolution) {
        let known = self.request_mut(request);
        let again = known.told.replace(with.clone()).is_some() || known.withdrawn;
        let (worker, into) = (known.worker, known.into);
        self.life_mut(worker).waiting.remove(&request);
        if again {
            return self.breaks(|| format!("{request:?} is resolved twice, now {with:?}"));
        }
        let known = self.request(request);
        let shared = self.request(into.unwrap_or(request));
        let is_so = match with {
            Resolution::Answer => shared.answered,
            Resolution::Closed(crash) => self.why_is_true(worker, crash.as_deref()),
            Resolution::Displaced => shared.displaced,
            Resolution::Cancelled {
                how: HowStopped::BeforeStart,
                ..
            } => known.cancelled,
            Resolution::Cancelled { .. } => known.cancelled && known.sent && known.stopped,
            Resolution::Fault(fault) => shared.fault.as_ref() == Some(fault),
        };
        if !is_so {
            let text = format!(
                "{request:?} is told {with:?}: {known:?}; {:?}",
                self.life(worker)
            );
            return self.breaks(|| text);
        }
        let admitted = known.admitted;
        self.sees(match with {
            Resolution::Answer if into.is_some() => Seen::SharedAnswer,
            Resolution::Answer => Seen::Answered,
            Resolution::Closed(_) if !admitted => Seen::BlockedClosed,
            Resolution::Closed(Some(_)) => Seen::CrashTold,
            Resolution::Closed(None) => Seen::CloseTold,
            Resolution::Displaced => Seen::Displaced,
            Resolution::Cancelled {
                how: HowStopped::BeforeStart,
                ..
            } => Seen::CancelledInBox,
            Resolution::Cancelled { .. } => Seen::CancelledInTreatment,
            Resolution::Fault(_) => Seen::FaultTold,
        });
    }
}

/// The farm is over for it.
fn life_is_over(truth: &Truth, worker: WorkerId) -> bool {
    truth.life(worker).free
}
