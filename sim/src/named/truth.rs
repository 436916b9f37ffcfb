//! Invariant I16: what really happened to named workers and their requests, worked out from what was said to the table,
//! and everything that it says held against that.
//!
//! It knows no lane, no stage and no phase of the table. What the table says comes later than what it is told, so only
//! what must be so at the moment of the saying is looked at.

mod lives;
mod requests;

use crate::ledger::Seen;
use farm_master::named::{Action, Crash, RequestId, Resolution, Rule, Table, WorkerId};
use farm_protocol::{Instant, Session, SlotId};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

/// Why a worker closes: the first reason.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    /// Somebody told it to, or nobody is left who could.
    Told,
    /// It crashed, for this reason where one was given.
    Crash(Option<String>),
}

impl Reason {
    fn of(crash: Option<&Crash>) -> Self {
        crash.map_or(Self::Told, |crash| Self::Crash(Some(crash.why.clone())))
    }

    fn fits(&self, crash: &Crash) -> bool {
        match self {
            Self::Told => false,
            Self::Crash(why) => why.as_ref().is_none_or(|why| *why == crash.why),
        }
    }
}

/// The life of one worker.
#[derive(Debug)]
pub(super) struct Life {
    name: &'static str,
    /// What whoever launched it was told.
    pub(super) launched: Option<bool>,
    /// Its process, once its launch had succeeded.
    place: Option<(SlotId, Session)>,
    /// It came up before anybody wanted it to end.
    ran: bool,
    /// It is known to be gone: what is still said to be sent to it is treated by nobody.
    gone: bool,
    reason: Option<Reason>,
    /// Somebody wants it to end when it has done what waits, at the latest then.
    drains: Option<Instant>,
    /// Its canceler has fired: it closes.
    fired: bool,
    on_close: u32,
    /// `on_close` has returned, or none was owed: its name is free.
    free: bool,
    /// Whoever waited for its end was told.
    pub(super) closed: bool,
    /// What waits for it, in or before its mailbox.
    waiting: BTreeSet<RequestId>,
    /// What it treats, and whether the answer has come and a hook is to look at it.
    current: Option<(RequestId, bool)>,
    /// Its source was asked.
    pulling: bool,
}

/// One request.
#[derive(Debug)]
pub(super) struct Brought {
    worker: WorkerId,
    /// It is in the mailbox, as far as its caller was told.
    pub(super) admitted: bool,
    /// It shares the answer of this one.
    into: Option<RequestId>,
    sent: bool,
    cancelled: bool,
    displaced: bool,
    answered: bool,
    /// What went wrong with it, beside the worker's answer.
    fault: Option<String>,
    /// Its treatment came to rest because it was asked to.
    stopped: bool,
    withdrawn: bool,
    pub(super) told: Option<Resolution>,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) rule: Rule,
    most: NonZeroU32,
    lives: BTreeMap<WorkerId, Life>,
    requests: BTreeMap<RequestId, Brought>,
    broken: Option<String>,
    seen: Vec<Seen>,
}

impl Truth {
    pub(crate) const fn new(rule: Rule, most: NonZeroU32) -> Self {
        Self {
            rule,
            most,
            lives: BTreeMap::new(),
            requests: BTreeMap::new(),
            broken: None,
            seen: Vec::new(),
        }
    }

    fn breaks(&mut self, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(what());
        }
    }

    pub(super) fn take_broken(&mut self) -> Option<String> {
        self.broken.take()
    }

    fn sees(&mut self, what: Seen) {
        self.seen.push(what);
    }

    pub(super) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    pub(super) fn life(&self, worker: WorkerId) -> &Life {
        &self.lives[&worker]
    }

    fn life_mut(&mut self, worker: WorkerId) -> &mut Life {
        self.lives.get_mut(&worker).expect("it was launched")
    }

    pub(super) fn request(&self, request: RequestId) -> &Brought {
        &self.requests[&request]
    }

    fn request_mut(&mut self, request: RequestId) -> &mut Brought {
        self.requests.get_mut(&request).expect("it was brought")
    }

    /// The latest workers, whether they live or not.
    pub(super) fn latest(&self, count: usize) -> Vec<WorkerId> {
        self.lives.keys().rev().take(count).copied().collect()
    }

    /// The latest requests of which nobody was told.
    pub(super) fn open(&self, count: usize) -> Vec<RequestId> {
        let open = self.requests.iter().rev();
        let open = open.filter(|(_, it)| it.told.is_none() && !it.withdrawn);
        open.take(count).map(|(id, _)| *id).collect()
    }

    /// The table wants this done.
    pub(super) fn acts(&mut self, action: &Action) {
        match action {
            Action::Launch { .. } | Action::End { .. } => {}
            Action::Launched { worker } => self.is_told(*worker, true),
            Action::NotLaunched { worker } => self.is_told(*worker, false),
            Action::Pull { worker } => self.asks_source(*worker),
            Action::Send { worker, request } => self.is_sent(*worker, *request),
            Action::Stop {
                worker, request, ..
            } => self.is_stopped(*worker, *request),
            Action::Judge {
                worker, request, ..
            } => self.is_looked_at(*worker, *request),
            Action::Idle { worker } => {
                let life = self.life(*worker);
                if life.place.is_none() || life.on_close > 0 {
                    self.breaks(|| format!("{worker:?} is said to idle, and does not run"));
                }
            }
            Action::Admitted { request } => self.is_admitted(*request),
            Action::Resolve { request, with } => self.resolves(*request, with),
            Action::Cancel { worker } => {
                if std::mem::replace(&mut self.life_mut(*worker).fired, true) {
                    self.breaks(|| format!("the canceler of {worker:?} fires twice"));
                }
            }
            // Looked at where it begins, with what is known of processes.
            Action::Close { .. } => {}
            Action::Closed { worker, crash } => self.is_over(*worker, crash.as_deref()),
        }
    }

    /// After each call: names are taken and free as they should be, and no mailbox has more than it may.
    pub(super) fn agrees_with(&mut self, table: &Table) {
        let names = self.lives.iter().find_map(|(id, life)| {
            let has = table.find(life.name) == Some(*id);
            (has == life.free).then_some((*id, life.name, life.free))
        });
        if let Some((id, name, free)) = names {
            let what = if free { "has it still" } else { "lost it" };
            self.breaks(|| {
                format!("`{name}` is the name of {id:?} until that is gone, and it {what}")
            });
        }
        let most = match self.rule {
            Rule::Unbounded => usize::MAX,
            Rule::Bounded(most) => most.get(),
            Rule::Dropbox | Rule::Pull => 1,
        };
        let everybody = self.lives.iter().filter(|(_, life)| !life.free);
        let full = everybody.filter_map(|(id, _)| Some((*id, table.view(*id)?.queued)));
        let full: Vec<_> = full.filter(|(_, queued)| *queued >= most).collect();
        for (id, queued) in full {
            if queued > most {
                self.breaks(|| format!("{queued} wait in the mailbox of {id:?}, and {most} may"));
            }
            self.sees(Seen::MailboxFull);
        }
    }

    /// Nobody is left, and nothing will be said any more.
    pub(super) fn all_is_over(&mut self, table: &Table) {
        let untold = self
            .requests
            .iter()
            .find(|(_, it)| it.told.is_none() && !it.withdrawn);
        if let Some((id, what)) = untold {
            let text = format!("{id:?} was never resolved: {what:?}");
            return self.breaks(|| text);
        }
        let left = self.lives.iter().find(|(_, life)| {
            let owed = u32::from(life.ran);
            !life.closed || !life.free || life.on_close != owed || life.launched.is_none()
        });
        if let Some((id, life)) = left {
            let text = format!("the life of {id:?} is not over: {life:?}");
            return self.breaks(|| text);
        }
        let issued = self.requests.len() as u64;
        if table.ledger() != (issued, issued) {
            let ledger = table.ledger();
            self.breaks(|| {
                format!("{issued} were issued and resolved, and the table says {ledger:?}")
            });
        }
    }
}
