//! How many workers there are, and how many there should be: the pool's half of invariant I13.
//!
//! What the master does without a word (it may have given up a busy worker) is not known here, so there are two counts:
//! who stays for certain, and who may.

use super::wear::Wear;
use super::{Ledger, Seen, SessionFacts, names};
use crate::model::Model;
use farm_lockstep::VTime;
use farm_master::{DEAR_START, KindConfig, Signal, Staffing};
use farm_protocol::{KindId, Session};
use std::time::Duration;

/// What is set, and what follows from it.
#[derive(Debug)]
pub(super) struct Staff {
    /// Anything is set, so workers may be started also when nothing waits for them: else there is nothing to be looked
    /// at but the places.
    pub(super) is_set: bool,
    pub(super) least: u32,
    pub(super) most: u32,
    /// There were more workers than there may be, in the call that goes on.
    pub(super) shrunk: bool,
    /// More workers idle than are needed, since then.
    pub(super) unneeded_since: Option<VTime>,
    /// How long the last start took.
    pub(super) start_took: Duration,
    /// A worker held more than the limit of memory before its first task.
    pub(super) refused: bool,
    /// Who has answered in the call that goes on.
    pub(super) answered: Option<Session>,
    /// A worker has died, and fewer are there than are kept.
    short: bool,
}

impl Staff {
    /// `known`: what is staffed is only what is ready.
    pub(super) fn new(kind: &KindConfig, known: bool) -> Self {
        Self {
            is_set: known && kind.staffing != Staffing::default(),
            least: kind.staffing.least.min(kind.slots),
            most: kind.slots,
            shrunk: false,
            unneeded_since: None,
            start_took: Duration::ZERO,
            refused: false,
            answered: None,
            short: false,
        }
    }
}

impl SessionFacts {
    /// The master may not have given it up: as far as can be seen from outside it stays.
    pub(super) fn may_stay(&self) -> bool {
        let killed = self.signalled == Some(Signal::Kill);
        !self.gone && !self.exit_told && !self.asked_to_end && !killed
    }

    /// It has certainly not.
    pub(super) fn surely_stays(&self) -> bool {
        let touched = self.signalled.is_some() || self.eof_told || self.is_dismissed();
        self.may_stay() && !touched && !self.wear.perhaps_retired
    }

    /// It has exited by itself for all that can be seen, and its answers have not ended: whether it could not be started
    /// is not known yet, and nobody comes in its place.
    fn may_be_unjudged(&self) -> bool {
        let killed = self.signalled == Some(Signal::Kill);
        self.exit_told && !self.gone && !self.asked_to_end && !killed
    }

    /// It certainly is: nor has it said something by which it is judged.
    fn is_unjudged(&self) -> bool {
        let touched = self.signalled.is_some() || self.is_dismissed();
        let spoken = self.babbled || self.panicked.is_some();
        self.may_be_unjudged() && !touched && !spoken && !self.wear.perhaps_retired
    }

    const fn has_work(&self) -> bool {
        !self.held.is_empty() || self.decoding > 0
    }
}

impl Ledger {
    /// A worker is started: there is a place for it. What is known of its use from then on.
    pub(super) fn hires(&mut self, session: Session, kind: KindId) -> Wear {
        let pool = self.pool(kind);
        let (living, most) = (pool.living, pool.staff.most as usize);
        let (least, short) = (pool.staff.least as usize, pool.staff.short);
        let is_set = pool.staff.is_set;
        if living >= most {
            self.breaks(names::I13, || {
                format!("{session} is started beside {living}, and there may be {most}")
            });
        }
        let staying = self.living_of(kind).filter(|it| it.may_stay()).count();
        // One whose delay is just over may not be ready yet, for the model.
        let wants = |model: &Model| model.wants_to_start() || model.some_come_back();
        let wanted = self.model(kind).is_some_and(wants);
        let kept = staying < least;
        if kept && short {
            self.sees(Seen::LeastRefilled);
        }
        let surely = |it: &&SessionFacts| it.surely_stays() || it.is_unjudged();
        let surely = self.living_of(kind).filter(surely).count();
        let enough = surely >= least && !wanted;
        if enough && is_set && self.kind_config(kind).staffing.spares == 0 {
            self.breaks(names::I13, || {
                format!("{session} is started, and {surely} stay, which is enough")
            });
        }
        Wear::new(session, self.now, !kept && !wanted)
    }

    /// A caller wants another number of workers.
    pub(crate) fn resizes(&mut self, kind: KindId, least: u32, most: u32) {
        let numbered = self.kind_config(kind).numbered();
        let staff = &mut self.pool_mut(kind).staff;
        staff.most = most.max(1).min(numbered);
        staff.least = least.min(staff.most);
        let most = staff.most as usize;
        let staying = self.living_of(kind).filter(|it| it.may_stay()).count();
        let free = |it: &&SessionFacts| it.may_stay() && !it.has_work();
        let free = self.living_of(kind).filter(free).count();
        self.pool_mut(kind).staff.shrunk = staying > most;
        if staying.saturating_sub(most) > free {
            self.all_may_be_retired(kind);
        }
    }

    /// Busy workers are to go after what they execute.
    pub(super) fn all_may_be_retired(&mut self, kind: KindId) {
        for facts in self.sessions.iter_mut().filter(|it| it.kind == kind) {
            facts.wear.perhaps_retired |= facts.may_stay() && facts.has_work();
        }
    }

    /// After each call: there are as many workers as there shall be.
    pub(super) fn is_staffed_as_set(&mut self, kind: KindId) {
        let closes = self.shut.is_some();
        let pool = self.pool_mut(kind);
        pool.staff.shrunk = false;
        if !pool.staff.is_set || closes || pool.budgets.pool_ended {
            return;
        }
        let pool = self.pool(kind);
        let staffing = &self.kind_config(kind).staffing;
        let (least, most) = (pool.staff.least as usize, pool.staff.most as usize);
        let spares = staffing.spares as usize;
        let count = |which: &dyn Fn(&SessionFacts) -> bool| {
            self.living_of(kind).filter(|facts| which(facts)).count()
        };
        let (may_stay, stay) = (
            count(&SessionFacts::may_stay),
            count(&SessionFacts::surely_stays),
        );
        let unjudged = count(&SessionFacts::may_be_unjudged);
        let at_hand = count(&|it| it.may_stay() && !it.has_work());
        let surely_at_hand = count(&|it| it.surely_stays() && (it.is_idle() || !it.greeted));
        let busy = count(&|it| it.surely_stays() && it.greeted && !it.held.is_empty());
        // Where others have all places, or the tokens, it waits for its least.
        let room = pool.living < most && !self.may_pause(kind) && !self.shares();
        let dear = pool.staff.start_took >= DEAR_START;
        let wrong = [
            (stay > most, "more stay than there may be"),
            (
                may_stay + unjudged < least && room,
                "fewer are there than are kept",
            ),
            (
                room && dear && busy > 0 && at_hand + unjudged < spares,
                "a start is dear, and fewer are ready than should be",
            ),
        ];
        if let Some((_, why)) = wrong.iter().find(|(wrong, _)| *wrong) {
            self.breaks(names::I13, || {
                format!("{why}: {stay} to {may_stay} of {least} to {most}, {at_hand} at hand of {spares}")
            });
        }
        let unneeded = stay > least && surely_at_hand > spares;
        let now = self.now;
        let staff = &mut self.pool_mut(kind).staff;
        let since = staff.unneeded_since.filter(|_| unneeded);
        staff.unneeded_since = since.or_else(|| unneeded.then_some(now));
        staff.short &= may_stay < least;
        self.nobody_worn_idles(kind);
    }

    /// A worker is dead: the next may be one for it.
    pub(super) fn staff_loses(&mut self, session: Session, died: bool) {
        self.pool_mut(self.kind_at(session)).staff.short |= died;
    }
}
