//! How much a worker has been used, and by when it must be replaced for that: the session's half of invariant I13.

use super::{Ledger, Seen, SessionFacts, elapsed, latest, names};
use farm_lockstep::VTime;
use farm_master::{Recycle, SHORTEST_LIFE};
use farm_protocol::{AttemptId, KindId, Session};
use std::time::Duration;

/// What a simulated worker holds before its first task, in bytes; some hold up to a quarter more.
pub(crate) const BASELINE: u64 = 40_000_000;

/// What it holds more after a task is less than this, in bytes.
pub(crate) const GROWTH: u64 = 30_000_000;

/// A worker is measured again after an answer when the last measurement is so old.
const WEIGHED_EVERY: Duration = Duration::from_millis(100);

/// The use of one worker.
#[derive(Debug)]
pub(crate) struct Wear {
    /// What it holds, in bytes.
    held: u64,
    spawned: VTime,
    greeted: Option<VTime>,
    /// Requests that it has answered.
    answers: u64,
    /// When it answered last, or said hello.
    last: VTime,
    /// It has had nothing to do since then, and nothing was pinned to it.
    pub(super) idle_since: Option<VTime>,
    /// What it was said to hold at first.
    baseline: Option<u64>,
    /// It is being measured.
    weighing: bool,
    /// When it was measured last.
    weighed: VTime,
    /// It was said to hold more than it may.
    heavy: bool,
    /// It had something to do when there were too many: it may be to go after that.
    pub(super) perhaps_retired: bool,
    /// It was started when nobody waited for it, beyond those that are kept.
    pub(super) spare: bool,
}

/// A number that looks like any other.
const fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 17
}

impl Wear {
    pub(super) const fn new(session: Session, now: VTime, spare: bool) -> Self {
        Self {
            held: BASELINE + scattered(session.0) % (BASELINE / 4),
            spawned: now,
            greeted: None,
            answers: 0,
            last: now,
            idle_since: None,
            baseline: None,
            weighing: false,
            weighed: VTime::START,
            heavy: false,
            perhaps_retired: false,
            spare,
        }
    }

    /// How many requests it has answered.
    pub(super) const fn answers(&self) -> u64 {
        self.answers
    }

    /// What it holds, in bytes.
    pub(crate) const fn memory(&self) -> u64 {
        self.held
    }

    /// What it executes leaves something behind.
    pub(super) const fn grows(&mut self, id: AttemptId) {
        let number = id.task.to_bits() ^ (id.attempt.0 as u64) << 20;
        self.held += scattered(number) % GROWTH;
    }

    /// Why it has to go, as soon as nothing waits for it alone.
    fn is_worn(&self, recycle: &Recycle, now: VTime) -> Option<&'static str> {
        let tasks = recycle.tasks.map_or(u64::MAX, |tasks| tasks.get().into());
        let aged = |age: Duration| self.greeted.is_some_and(|at| at.after(raised(age)) <= now);
        if self.answers >= tasks {
            Some("has done all its tasks")
        } else if recycle.age.is_some_and(aged) {
            Some("has its age")
        } else if self.heavy {
            Some("was found to hold too much")
        } else {
            None
        }
    }
}

/// A span as the machine takes it.
pub(super) fn raised(span: Duration) -> Duration {
    span.max(SHORTEST_LIFE)
}

impl Ledger {
    fn recycle(&self, kind: KindId) -> Recycle {
        self.kind_config(kind).staffing.recycle.clone()
    }

    /// A worker has said hello.
    pub(super) fn is_ready(&mut self, session: Session) {
        let now = self.now;
        let wear = &mut self.session(session).wear;
        (wear.greeted, wear.last) = (Some(now), now);
        let took = now.since(wear.spawned);
        self.pool_mut(self.kind_at(session)).staff.start_took = took;
    }

    /// A worker has answered.
    pub(super) fn wears(&mut self, session: Session) {
        let now = self.now;
        let wear = &mut self.session(session).wear;
        wear.answers += 1;
        wear.last = now;
        self.pool_mut(self.kind_at(session)).staff.answered = Some(session);
    }

    /// The master wants to know what a worker holds.
    pub(super) fn is_weighed(&mut self, session: Session) {
        let wear = &mut self.session(session).wear;
        if std::mem::replace(&mut wear.weighing, true) {
            self.breaks(names::I13, || {
                format!("{session} is to be measured while it is being measured")
            });
        }
    }

    /// It is told that.
    pub(crate) fn weighs(&mut self, session: Session, memory: u64) {
        let kind = self.kind_at(session);
        let (now, recycle) = (self.now, self.recycle(kind));
        let facts = self.session(session);
        let gone = facts.gone;
        let wear = &mut facts.wear;
        (wear.weighing, wear.weighed) = (false, now);
        let Some(baseline) = wear.baseline else {
            wear.baseline = Some(memory);
            let refused = recycle.memory.is_some_and(|limit| limit <= memory);
            self.pool_mut(kind).staff.refused |= refused && !gone;
            return;
        };
        let grown = recycle.growth.map(|growth| baseline + growth);
        let limit = recycle.memory.into_iter().chain(grown).min();
        wear.heavy |= limit.is_some_and(|limit| memory > limit);
    }

    /// A worker that has to go is sent only what is for nobody else.
    pub(super) fn is_not_worn_for(&mut self, id: AttemptId, session: Session) {
        let kind = self.kind_at(session);
        let (now, recycle) = (self.now, self.recycle(kind));
        // What was sent ahead may follow what is pinned.
        let ahead = self.kind_config(kind).credit_cap > 0;
        let pin = self.wishes(id.task).and_then(|wishes| wishes.pin);
        let pinned = pin.is_some_and(|(holder, _)| holder == session);
        let wear = &mut self.session(session).wear;
        wear.perhaps_retired = false;
        let spare = std::mem::take(&mut wear.spare);
        let worn = wear.is_worn(&recycle, now);
        if spare {
            self.sees(Seen::SpareUsed);
        }
        if worn.is_some() && pinned {
            self.sees(Seen::PinnedToWorn);
        }
        if let Some(worn) = worn.filter(|_| !pinned && !ahead) {
            self.breaks(names::I13, || {
                format!("{id} is sent to {session}, which {worn}")
            });
        }
    }

    /// A worker is told to end while the farm goes on, and it is not said why: there is a reason, and nothing waits
    /// for it alone.
    pub(super) fn goes_for_a_reason(&mut self, session: Session) {
        let reason = self.reason_to_go(session);
        let now = self.now;
        let Some(reason) = reason else {
            let what = self.session(session);
            let wear = format!("{:?}", what.wear);
            return self.breaks(names::I13, || {
                format!("{session} is told to end at {now} ms, and has no reason: {wear}")
            });
        };
        if let Some(seen) = reason {
            self.sees(seen);
        }
        let kind = self.kind_at(session);
        let shrunk = self.session(session).wear.perhaps_retired || self.pool(kind).staff.shrunk;
        if !shrunk && self.is_pinned_and_ready(session) {
            self.breaks(names::I13, || {
                format!("{session} is told to end, and something waits for it alone")
            });
        }
    }

    /// Why it goes, of several the first; `None`: there is nothing.
    fn reason_to_go(&mut self, session: Session) -> Option<Option<Seen>> {
        let kind = self.kind_at(session);
        let (now, recycle) = (self.now, self.recycle(kind));
        let reaped = self.kind_config(kind).staffing.idle;
        let least = self.pool(kind).staff.least as usize;
        let wear = &self.session(session).wear;
        let tasks = recycle.tasks.map_or(u64::MAX, |tasks| tasks.get().into());
        let fewest = tasks.saturating_sub(recycle.jitter.into()).max(1);
        let over = |since: Option<VTime>, limit: Option<Duration>| match (since, limit) {
            (Some(since), Some(limit)) => elapsed(now, since, raised(limit)),
            (None, _) | (_, None) => false,
        };
        let idle = wear.greeted.map(|_| wear.last);
        if wear.answers >= fewest {
            return Some(Some(Seen::RecycledByTasks));
        }
        if over(wear.greeted, recycle.age) {
            return Some(Some(Seen::RecycledByAge));
        }
        if wear.heavy {
            return Some(Some(Seen::RecycledByMemory));
        }
        if over(idle, recycle.idle) {
            return Some(Some(Seen::RecycledByIdling));
        }
        let (retired, beyond) = (wear.perhaps_retired, over(idle, reaped));
        let others = |it: &&SessionFacts| it.may_stay() && it.session != session;
        if beyond && self.living_of(kind).filter(others).count() >= least {
            return Some(Some(Seen::Reaped));
        }
        let others = self.goes_for_others(session);
        if retired {
            return Some(Some(Seen::BusyShrunk));
        }
        let room = self.makes_room(session);
        (self.pool(kind).staff.shrunk || room || others).then_some(None)
    }

    /// Something waits that this worker does not take, and every place is taken.
    fn makes_room(&mut self, session: Session) -> bool {
        let kind = self.kind_at(session);
        let stands = self.stands(kind);
        let facts = &self.sessions[session.0 as usize - 1];
        let most = self.pool(kind).staff.most as usize;
        let full = self.is_full() || self.living_of(kind).count() >= most;
        let refuses = |stand: &crate::model::Stand| !self.may_take(stand, facts).is_yes();
        full && stands.iter().any(refuses)
    }

    fn is_pinned_and_ready(&mut self, session: Session) -> bool {
        let kind = self.kind_at(session);
        let stands = self.stands(kind);
        // One whose delay is just over was not ready before, and a worker does not wait for delays.
        let delayed = !self.kind_config(kind).defaults.retries.delay.is_zero();
        let retried = |id| self.facts(id).is_some_and(|facts| facts.last.is_some());
        let pinned = |stand: &crate::model::Stand| {
            let pin = self.wishes(stand.task).and_then(|wishes| wishes.pin);
            let here = pin.is_some_and(|(holder, _)| holder == session);
            let certain = !stand.suspected && !stand.limited;
            here && certain && !(delayed && retried(stand.task))
        };
        stands.iter().any(pinned)
    }

    /// Before a call: nobody is there that should have been replaced for its age or for idling.
    pub(super) fn nobody_of_overstays(&mut self, kind: KindId, now: VTime) {
        let pool = self.pool(kind);
        if !pool.staff.is_set || self.shut.is_some() || pool.budgets.pool_ended {
            return;
        }
        let recycle = self.recycle(kind);
        let reaped = self.kind_config(kind).staffing.idle;
        let unneeded = pool.staff.unneeded_since;
        let late = |since: VTime, limit: Duration| latest(since.after(raised(limit)), 1) < now;
        let found = self.living_of(kind).find_map(|facts| {
            let idle = facts.wear.idle_since?;
            let greeted = facts.wear.greeted?;
            let aged = recycle.age.is_some_and(|age| late(greeted, age));
            let idled = recycle.idle.is_some_and(|limit| late(idle, limit));
            let kept = unneeded
                .zip(reaped)
                .is_some_and(|(unneeded, limit)| late(idle.max(unneeded), limit));
            let why = [
                (aged, "has its age"),
                (idled, "has idled"),
                (kept, "is not needed"),
            ];
            let (_, why) = why.into_iter().find(|(so, _)| *so)?;
            Some((facts.session, why, idle))
        });
        if let Some((session, why, idle)) = found {
            self.breaks(names::I13, || {
                format!("{session} {why}, idles since {idle} ms, and is there at {now} ms")
            });
        }
    }

    /// After a call: who idles and is worn has been told to end, and who has answered is measured.
    pub(super) fn nobody_worn_idles(&mut self, kind: KindId) {
        let (now, recycle) = (self.now, self.recycle(kind));
        let answered = self.pool_mut(kind).staff.answered.take();
        let mut found = None;
        for index in 0..self.sessions.len() {
            let facts = &self.sessions[index];
            if facts.gone || facts.kind != kind {
                continue;
            }
            let idle = facts.is_idle() && !self.is_pinned_to(facts.session);
            let worn = facts.wear.is_worn(&recycle, now).filter(|_| idle);
            let weighed = !recycle.weighs()
                || answered != Some(facts.session)
                || !facts.takes()
                || facts.decoding > 0
                || facts.wear.weighing
                || facts.wear.weighed.after(WEIGHED_EVERY) > now;
            if let Some(worn) = worn {
                found.get_or_insert((facts.session, worn));
            }
            if !weighed {
                found.get_or_insert((facts.session, "has answered, and is not measured"));
            }
            let facts = &mut self.sessions[index];
            facts.wear.perhaps_retired &= !idle;
            let since = facts.wear.idle_since.filter(|_| idle);
            facts.wear.idle_since = since.or_else(|| idle.then_some(now));
        }
        if let Some((session, why)) = found {
            self.breaks(names::I13, || format!("{session} is there, and {why}"));
        }
    }
}
