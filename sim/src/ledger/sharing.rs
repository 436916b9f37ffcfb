//! Who gets the next place where all are taken, and who goes for it. Invariant I14.
//!
//! The rules are held as they are told, in the order in which things happen, and not as spans of time: how long a kind
//! waits depends on how long others execute. A kind is hungry here only when it is so for certain, and for as long as it
//! was so after every call.

use super::{Ledger, Seen, SessionFacts, names};
use farm_protocol::{KindId, Session};

/// A worker that has answered so many requests was worth its start: it goes for a kind that has nobody.
const WORTH_ITS_START: u64 = 16;

/// What is known of the places.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    calls: u64,
    /// By kind.
    waits: Vec<Waits>,
    /// By session: the call in which it began something last.
    began: Vec<u64>,
}

/// How long a kind has waited for a place without a break.
#[derive(Clone, Debug, Default)]
struct Waits {
    /// It was hungry after the last call.
    hungry: bool,
    /// And had nobody; how many places each other kind has got since then.
    passed: Option<Vec<u32>>,
    /// Since this call a worker should be on its way out for it.
    ripe: Option<u64>,
}

impl Ledger {
    /// How many workers there are, over all kinds.
    fn living_in_all(&self) -> usize {
        self.pools.iter().map(|pool| pool.living).sum()
    }

    fn cap(&self) -> usize {
        let most = self.config.workers;
        most.map_or(usize::MAX, |most| most.get() as usize)
    }

    /// All places of the farm are taken.
    pub(super) fn is_full(&self) -> bool {
        self.living_in_all() >= self.cap()
    }

    /// Something of this kind is ready for certain that none of those who come will take, it may have one more worker,
    /// and nothing but a place or a token is missing.
    pub(super) fn surely_hungry(&self, kind: KindId) -> bool {
        let pool = self.pool(kind);
        let model = pool.model.as_ref();
        let Some(model) = model.filter(|model| model.wants_to_start()) else {
            return false;
        };
        let out = self.has_ended(kind) || self.may_pause(kind);
        let full = pool.living >= pool.staff.most as usize;
        if out || full {
            return false;
        }
        let comes = self.living_of(kind).filter(|it| !it.greeted).count();
        let idles = self.living_of(kind).any(SessionFacts::is_idle);
        model.ready() > comes && !idles
    }

    /// It may want a place.
    fn perhaps_hungry(&self, kind: KindId) -> bool {
        let staying = self.living_of(kind).filter(|it| it.surely_stays()).count();
        let fewer = staying < self.pool(kind).staff.least as usize && self.shut.is_none();
        !self.has_ended(kind) && (fewer || self.perhaps_has_work(kind))
    }

    /// A kind gets a place: there is one, and nobody else should have got it.
    pub(super) fn gets_a_place(&mut self, session: Session, kind: KindId) {
        if self.config.workers.is_none() {
            return;
        }
        let (living, cap) = (self.living_in_all(), self.cap());
        if living >= cap {
            return self.breaks(names::I14, || {
                format!(
                    "{session} is started beside {living}, and there may be {cap} over all kinds"
                )
            });
        }
        // With tokens the places of others wait for those.
        if self.is_limited() {
            return;
        }
        if let Some((other, why)) = self.comes_after_others(kind) {
            self.breaks(names::I14, || {
                format!("{session} of {kind} is started before one of {other}, {why}")
            });
        }
        for (index, waits) in self.sharing.waits.iter_mut().enumerate() {
            waits.ripe = None;
            if index == usize::from(kind.0) {
                (waits.passed, waits.hungry) = (None, false);
            }
        }
    }

    fn comes_after_others(&mut self, kind: KindId) -> Option<(KindId, String)> {
        let own = self.living_of(kind).filter(|it| it.surely_stays()).count();
        let idle = !self.perhaps_has_work(kind);
        for other in self.kinds().filter(|other| *other != kind) {
            let at = usize::from(other.0);
            let waits = self.sharing.waits.get(at);
            if !waits.is_some_and(|waits| waits.hungry) || !self.surely_hungry(other) {
                continue;
            }
            let has = self.living_of(other).filter(|it| it.may_stay()).count();
            if idle {
                return Some((other, "for which something waits".to_owned()));
            }
            if has < own {
                return Some((other, format!("which has {has}, and it had {own}")));
            }
            let waits = &mut self.sharing.waits[at];
            let Some(passed) = &mut waits.passed else {
                continue;
            };
            let times = &mut passed[usize::from(kind.0)];
            *times += 1;
            if *times > 1 {
                let why = format!("which has had nobody while it got {times} places");
                return Some((other, why));
            }
        }
        None
    }

    /// A worker has begun something.
    pub(super) fn notes_begin(&mut self, session: Session) {
        if self.config.workers.is_some() {
            let index = usize::try_from(session.0).expect("few sessions");
            let began = &mut self.sharing.began;
            if began.len() <= index {
                began.resize(index + 1, 0);
            }
            began[index] = self.sharing.calls;
        }
    }

    /// Why a worker goes, if it goes for another kind.
    pub(super) fn goes_for_others(&mut self, session: Session) -> bool {
        let kind = self.kind_at(session);
        if !self.is_full() {
            return false;
        }
        let mut others = self.kinds().filter(|other| *other != kind);
        if !others.any(|other| self.perhaps_hungry(other)) {
            return false;
        }
        let least = self.pool(kind).staff.least as usize;
        let stay = self.living_of(kind).filter(|it| it.may_stay()).count();
        let busy = self.session(session).wear.perhaps_retired;
        self.sees(match busy {
            true => Seen::BusyGoesForOthers,
            false if stay <= least => Seen::KeptGoesForOthers,
            false => Seen::IdleGoesForOthers,
        });
        true
    }

    /// After a call: who waits for a place does not wait in vain.
    pub(super) fn places_are_shared(&mut self) {
        if self.config.workers.is_none() {
            return;
        }
        self.sharing.calls += 1;
        let kinds = self.pools.len();
        self.sharing.waits.resize_with(kinds, Waits::default);
        let full = self.is_full();
        let certain = !self.is_limited();
        for kind in self.kinds() {
            let hungry = self.surely_hungry(kind);
            let alone = hungry && self.pool(kind).living == 0;
            if hungry && !full && certain {
                self.breaks(names::I14, || {
                    format!("there is a place, {kind} wants it, and nobody is started")
                });
            }
            let hungry = hungry && full;
            let ripe = hungry && alone && certain && self.somebody_is_ripe(kind);
            let calls = self.sharing.calls;
            let waits = &mut self.sharing.waits[usize::from(kind.0)];
            waits.hungry = hungry;
            let passed = waits.passed.take().filter(|_| hungry && alone);
            waits.passed = passed.or_else(|| (hungry && alone).then(|| vec![0; kinds]));
            waits.ripe = waits
                .ripe
                .filter(|_| ripe)
                .or_else(|| ripe.then_some(calls));
            if hungry {
                self.sees(Seen::WaitsForPlace);
            }
            if hungry && certain {
                self.idle_ones_go(kind);
                self.busy_ones_go(kind);
            }
        }
        self.note_perhaps_retired(full);
    }

    /// A worker that executes something may have been given up for another kind, without a word.
    fn note_perhaps_retired(&mut self, full: bool) {
        if !full {
            return;
        }
        let hungry: Vec<KindId> = self
            .kinds()
            .filter(|kind| self.perhaps_hungry(*kind))
            .collect();
        for kind in self.kinds() {
            if hungry.iter().any(|other| *other != kind) {
                self.all_may_be_retired(kind);
            }
        }
    }

    /// Nobody idles in another kind while this one waits for a place.
    fn idle_ones_go(&mut self, kind: KindId) {
        let goes = |it: &SessionFacts| {
            !it.may_stay() || it.eof_told || it.is_dismissed() || it.signalled.is_some()
        };
        if self.living().any(goes) {
            return;
        }
        let nobody = self.pool(kind).living == 0;
        let found = self
            .kinds()
            .filter(|other| *other != kind)
            .find_map(|other| {
                let least = self.pool(other).staff.least as usize;
                let stay = self.living_of(other).filter(|it| it.surely_stays()).count();
                let more = nobody || stay > least;
                let mut workers = self.living_of(other).filter(|_| more);
                let idle = workers.find(|it| it.is_idle() && it.surely_stays());
                idle.map(|it| it.session)
            });
        if let Some(idle) = found {
            self.breaks(names::I14, || {
                format!("{kind} waits for a place, and {idle} of another kind idles and stays")
            });
        }
    }

    /// All places are other kinds', none of their workers goes, and one of them should: it was worth its start, or its
    /// kind has more than an equal share.
    fn somebody_is_ripe(&self, kind: KindId) -> bool {
        let goes = |it: &SessionFacts| !it.may_stay() || it.eof_told || it.signalled.is_some();
        let answers = |it: &SessionFacts| it.wear.answers().saturating_sub(it.decoding.into());
        let worth = |it: &SessionFacts| it.takes() && answers(it) >= WORTH_ITS_START;
        let others = || self.living().filter(|it| it.kind != kind);
        // At least two kinds want places.
        let share = (self.cap() / 2).max(1);
        let mut kinds = self.kinds().filter(|other| *other != kind);
        let rich = kinds.any(|other| {
            let pool = self.pool(other);
            let serves = self.living_of(other).any(SessionFacts::takes);
            serves && pool.living > share.max(pool.staff.least as usize)
        });
        others().all(|it| !goes(it) && it.greeted) && (rich || others().any(worth))
    }

    /// Then one goes for a kind that has nobody: not all of them begin something more.
    fn busy_ones_go(&mut self, kind: KindId) {
        let Some(since) = self.sharing.waits[usize::from(kind.0)].ripe else {
            return;
        };
        let began = |it: &SessionFacts| {
            let index = usize::try_from(it.session.0).expect("few sessions");
            self.sharing.began.get(index).is_some_and(|at| *at > since)
        };
        if self.living().all(began) {
            self.breaks(names::I14, || {
                format!("{kind} has nobody and waits for a place, and no worker goes for it after what it executes")
            });
        }
    }
}
