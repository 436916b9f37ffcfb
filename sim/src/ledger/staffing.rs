//! How many workers there are, and how many there should be: the pool's half of invariant I13.
//!
//! What the master does without a word (it may have given up a busy worker) is not known here, so there are two counts:
//! who stays for certain, and who may.

use super::wear::Wear;
use super::{Ledger, Seen, SessionFacts, names};
use crate::model::Model;
use farm_lockstep::VTime;
use farm_master::{DEAR_START, KindConfig, Signal, Staffing};
use farm_protocol::Session;
use std::time::Duration;

/// What is set, and what follows from it.
#[derive(Debug)]
pub(super) struct Staff {
    /// Anything is set: else there is nothing to be looked at but the places.
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
    pub(super) fn new(kind: &KindConfig) -> Self {
        Self {
            is_set: kind.staffing != Staffing::default(),
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
    fn surely_stays(&self) -> bool {
        let touched = self.signalled.is_some() || self.eof_told || self.is_dismissed();
        self.may_stay() && !touched && !self.wear.perhaps_retired
    }

    /// It has exited by itself for all that can be seen, and its answers have not ended: whether it could not be started
    /// is not known yet, and nobody comes in its place.
    fn may_be_unjudged(&self) -> bool {
        let killed = self.signalled == Some(Signal::Kill);
        self.exit_told && !self.gone && !self.asked_to_end && !killed
    }

    /// It certainly is.
    fn is_unjudged(&self) -> bool {
        let touched = self.signalled.is_some() || self.is_dismissed();
        self.may_be_unjudged() && !touched && !self.wear.perhaps_retired
    }

    const fn has_work(&self) -> bool {
        !self.held.is_empty() || self.decoding > 0
    }
}

impl Ledger {
    /// A worker is started: there is a place for it. What is known of its use from then on.
    pub(super) fn hires(&mut self, session: Session) -> Wear {
        let (living, most) = (self.living, self.staff.most as usize);
        if living >= most {
            self.breaks(names::I13, || {
                format!("{session} is started beside {living}, and there may be {most}")
            });
        }
        let staying = self.living().filter(|it| it.may_stay()).count();
        // One whose delay is just over may not be ready yet, for the model.
        let wants = |model: &Model| model.wants_to_start() || model.some_come_back();
        let wanted = self.model.as_ref().is_some_and(wants);
        let kept = staying < self.staff.least as usize;
        if kept && self.staff.short {
            self.sees(Seen::LeastRefilled);
        }
        let surely = |it: &&SessionFacts| it.surely_stays() || it.is_unjudged();
        let surely = self.living().filter(surely).count();
        let enough = surely >= self.staff.least as usize && !wanted;
        if enough && self.staff.is_set && self.config.kinds[0].staffing.spares == 0 {
            self.breaks(names::I13, || {
                format!("{session} is started, and {surely} stay, which is enough")
            });
        }
        Wear::new(session, self.now, !kept && !wanted)
    }

    /// Workers are started also when nothing waits for them.
    pub(super) const fn keeps_workers(&self) -> bool {
        self.staff.is_set
    }

    /// A caller wants another number of workers.
    pub(crate) fn resizes(&mut self, least: u32, most: u32) {
        let numbered = self.config.kinds[0].numbered();
        let staff = &mut self.staff;
        staff.most = most.max(1).min(numbered);
        staff.least = least.min(staff.most);
        let most = staff.most as usize;
        let staying = self.living().filter(|it| it.may_stay()).count();
        let free = |it: &&SessionFacts| it.may_stay() && !it.has_work();
        let free = self.living().filter(free).count();
        self.staff.shrunk = staying > most;
        if staying.saturating_sub(most) > free {
            self.all_may_be_retired();
        }
    }

    /// Busy workers are to go after what they execute.
    pub(super) fn all_may_be_retired(&mut self) {
        for facts in &mut self.sessions {
            facts.wear.perhaps_retired |= facts.may_stay() && facts.has_work();
        }
    }

    /// Whether a limit of memory was set that the workers exceed before they have done anything.
    pub(super) const fn limit_is_refused(&self) -> bool {
        self.staff.refused
    }

    /// After each call: there are as many workers as there shall be.
    pub(crate) fn is_staffed_as_set(&mut self) {
        self.staff.shrunk = false;
        if !self.staff.is_set || self.shut.is_some() || self.budgets.pool_ended {
            return;
        }
        let staffing = &self.config.kinds[0].staffing;
        let (least, most) = (self.staff.least as usize, self.staff.most as usize);
        let spares = staffing.spares as usize;
        let count = |which: &dyn Fn(&SessionFacts) -> bool| {
            self.living().filter(|facts| which(facts)).count()
        };
        let (may_stay, stay) = (
            count(&SessionFacts::may_stay),
            count(&SessionFacts::surely_stays),
        );
        let unjudged = count(&SessionFacts::may_be_unjudged);
        let at_hand = count(&|it| it.may_stay() && !it.has_work());
        let surely_at_hand = count(&|it| it.surely_stays() && (it.is_idle() || !it.greeted));
        let busy = count(&|it| it.surely_stays() && it.greeted && !it.held.is_empty());
        let room = self.living < most && !self.may_pause();
        let dear = self.staff.start_took >= DEAR_START;
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
        let since = self.staff.unneeded_since.filter(|_| unneeded);
        self.staff.unneeded_since = since.or_else(|| unneeded.then_some(self.now));
        self.staff.short &= may_stay < least;
        self.nobody_worn_idles();
    }

    /// A worker is dead: the next may be one for it.
    pub(super) const fn staff_loses(&mut self, died: bool) {
        self.staff.short |= died;
    }
}
