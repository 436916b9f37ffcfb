//! The lives of workers: launched once, closed once and by one path, a name for each as long as it lives and no longer.

use super::{Life, Reason, Truth};
use crate::ledger::{Ledger, Seen};
use farm_master::named::{Crash, LaunchRefused, Shutdown, WorkerId};
use farm_protocol::{Instant, Session, SlotId};
use std::collections::BTreeSet;

impl Truth {
    /// A caller has launched a worker, or was refused.
    pub(in crate::named) fn launches(
        &mut self,
        name: &'static str,
        launched: Result<WorkerId, LaunchRefused>,
    ) {
        let taken = self
            .lives
            .values()
            .any(|life| life.name == name && !life.free);
        let living = self.lives.values().filter(|life| !life.free).count();
        let full = living >= self.most.get() as usize;
        let is_so = match launched {
            Ok(_) => !taken && !full,
            Err(LaunchRefused::DuplicateName) => {
                self.sees(Seen::NameTaken);
                taken
            }
            Err(LaunchRefused::Full { .. }) => {
                self.sees(Seen::TableFull);
                full
            }
        };
        if !is_so {
            self.breaks(|| {
                format!("a launch of `{name}` beside {living} (taken: {taken}): {launched:?}")
            });
        }
        let Ok(worker) = launched else { return };
        if self.lives.values().any(|life| life.name == name) {
            self.sees(Seen::NameUsedAgain);
        }
        let life = Life {
            name,
            launched: None,
            place: None,
            ran: false,
            gone: false,
            reason: None,
            drains: None,
            fired: false,
            on_close: 0,
            free: false,
            closed: false,
            waiting: BTreeSet::new(),
            current: None,
            pulling: false,
        };
        self.lives.insert(worker, life);
    }

    pub(in crate::named) fn came_up(&mut self, worker: WorkerId, place: (SlotId, Session)) {
        let life = self.life_mut(worker);
        let before = life.place.replace(place);
        life.ran = life.reason.is_none();
        if life.reason.is_some() {
            self.sees(Seen::UpTooLate);
        }
        if before.is_some() {
            self.breaks(|| format!("{worker:?} comes up twice"));
        }
    }

    /// Whoever launched it is told.
    pub(super) fn is_told(&mut self, worker: WorkerId, up: bool) {
        let life = self.life_mut(worker);
        let before = life.launched.replace(up);
        if before.is_some() || life.ran != up {
            self.breaks(|| {
                format!("it is said that {worker:?} was launched ({up}), and before: {before:?}")
            });
        }
    }

    pub(in crate::named) fn did_not_come_up(&mut self, worker: WorkerId) {
        self.ends(worker, Reason::Told);
        self.life_mut(worker).free = true;
    }

    /// From here on it closes, or it did before: the first reason stands.
    fn ends(&mut self, worker: WorkerId, reason: Reason) {
        self.life_mut(worker).reason.get_or_insert(reason);
    }

    pub(in crate::named) fn is_closed(&mut self, worker: WorkerId, crash: Option<&Crash>) {
        if self.life(worker).free {
            return;
        }
        self.ends(worker, Reason::of(crash));
    }

    /// It crashed, in words of the table's own.
    pub(super) fn crashes(&mut self, worker: WorkerId) {
        self.ends(worker, Reason::Crash(None));
    }

    pub(in crate::named) fn shut_down(&mut self, worker: WorkerId, how: Shutdown) {
        match how {
            _ if self.life(worker).free => {}
            Shutdown::Drop => self.ends(worker, Reason::Told),
            Shutdown::Drain { until } => {
                if self.life(worker).reason.is_none() && !self.life(worker).waiting.is_empty() {
                    self.sees(Seen::DrainsWork);
                }
                let drains = &mut self.life_mut(worker).drains;
                *drains = Some(drains.map_or(until, |before| before.min(until)));
            }
        }
    }

    /// The table looks at the clock: who has drained for long enough closes.
    pub(in crate::named) fn woken(&mut self, now: Instant) {
        for life in self.lives.values_mut() {
            if !life.free && life.drains.is_some_and(|until| until <= now) {
                life.reason.get_or_insert(Reason::Told);
            }
        }
    }

    pub(in crate::named) fn process_is_gone(&mut self, worker: WorkerId, crash: Option<&Crash>) {
        self.ends(worker, Reason::of(crash));
        let life = self.life_mut(worker);
        life.gone = true;
        // Of one that never ran nothing is left.
        life.free |= !life.ran;
        // What a hook looks at is told its answer; what else was treated gets none.
        if life.current.is_some_and(|(_, judged)| !judged) {
            life.current = None;
        }
        if crash.is_some() && life.current.is_none() {
            self.sees(Seen::IdleDeath);
        }
    }

    /// The farm is over.
    pub(in crate::named) fn abandoned(&mut self, worker: WorkerId) {
        self.ends(worker, Reason::Told);
        let life = self.life_mut(worker);
        life.gone = true;
        life.free |= !life.ran;
        if life.current.is_some_and(|(_, judged)| !judged) {
            life.current = None;
        }
    }

    /// `on_close` is to run: once, of one that was launched, and when its process is gone.
    pub(in crate::named) fn on_close_begins(&mut self, worker: WorkerId, ledger: &Ledger) {
        let life = self.life_mut(worker);
        life.on_close += 1;
        let gone = life
            .place
            .is_some_and(|(_, session)| ledger.is_gone(session));
        if life.on_close > 1 || !gone || !life.ran || life.free || life.current.is_some() {
            let text =
                format!("`on_close` of {worker:?} runs, its process is gone: {gone}; {life:?}");
            self.breaks(|| text);
        }
    }

    pub(in crate::named) fn on_close_returned(&mut self, worker: WorkerId) {
        self.life_mut(worker).free = true;
    }

    /// Whoever waits for its end is told.
    pub(super) fn is_over(&mut self, worker: WorkerId, crash: Option<&Crash>) {
        let why = self.why_is_true(worker, crash);
        let life = self.life_mut(worker);
        let again = std::mem::replace(&mut life.closed, true);
        let whole = life.free && life.launched.is_some() && life.waiting.is_empty();
        if again || !whole || !why {
            let text = format!("{worker:?} is said to be closed ({crash:?}): {life:?}");
            self.breaks(|| text);
        }
        self.sees(if crash.is_some() {
            Seen::Crashed
        } else {
            Seen::ClosedAsTold
        });
    }

    /// Whether this is why a worker closes. One that drains has ended as it was told, whatever came later.
    pub(super) fn why_is_true(&self, worker: WorkerId, crash: Option<&Crash>) -> bool {
        let life = self.life(worker);
        match (crash, &life.reason) {
            (Some(crash), reason) => reason.as_ref().is_some_and(|it| it.fits(crash)),
            (None, reason) => life.drains.is_some() || *reason == Some(Reason::Told),
        }
    }

    /// Its source is asked.
    pub(super) fn asks_source(&mut self, worker: WorkerId) {
        let life = self.life_mut(worker);
        let again = std::mem::replace(&mut life.pulling, true);
        if again || !life.waiting.is_empty() || life.current.is_some() {
            self.breaks(|| {
                format!("the source of {worker:?} is asked, and there is something to do")
            });
        }
    }
}
