//! Invariant I11: a task goes only where it may, nobody goes before whom he should not, and what is said about a task
//! that nothing will start is so.

use super::{Ledger, Seen, SessionFacts, names};
use crate::model::{Model, Stand};
use farm_master::{Affinity, Shut, Signal, WhenGone};
use farm_protocol::{AffinityKey, AttemptId, KindId, Session, TaskId};
use std::cmp::Reverse;

/// How a task hangs on the process that it is pinned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// It is pinned to nobody.
    None,
    /// That process lives as far as can be known, and stays.
    Alive(Session),
    /// It is dead, or mute, and the master has not drawn the line under it: it may be looked at as gone, or not yet.
    Limbo,
    /// It is gone, or gets nothing new any more.
    Gone(WhenGone),
}

impl Tie {
    pub(super) const fn is_alive(self) -> bool {
        matches!(self, Self::Alive(_))
    }
}

/// An answer that may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum May {
    Yes,
    No,
    Perhaps,
}

impl May {
    pub(super) const fn is_yes(self) -> bool {
        matches!(self, Self::Yes)
    }
}

impl SessionFacts {
    /// The master has drawn a line under it, or will get nothing new to it.
    const fn is_given_up(&self) -> bool {
        let killed = matches!(self.signalled, Some(Signal::Kill));
        self.is_dismissed() || self.asked_to_end || killed
    }

    /// The master knows that it is dead or mute, and perhaps has not looked at all of it.
    const fn is_in_limbo(&self) -> bool {
        self.exit_told || self.eof_told
    }

    /// It gets requests.
    pub(super) const fn takes(&self) -> bool {
        self.greeted && !self.gone && !self.is_given_up() && !self.is_in_limbo()
    }

    /// It gets requests and has none.
    pub(super) const fn is_idle(&self) -> bool {
        self.takes() && self.held.is_empty() && self.decoding == 0
    }

    fn in_words(&self) -> String {
        let state = if self.is_idle() {
            "idle"
        } else if self.takes() {
            "busy"
        } else {
            "not to be had"
        };
        format!("{} {state} {:?}", self.session, self.knows)
    }

    /// Whether it counts as a holder of this key.
    const fn holds(&self, key: AffinityKey) -> May {
        if self.gone || !self.knows.keys.has(key) {
            May::No
        } else if self.takes() {
            May::Yes
        } else {
            May::Perhaps
        }
    }
}

/// Where a task stands for one worker: suspected ones, then its own pinned ones, then the rest by priority, what is for
/// others behind what is not, and in order.
type Turn = (u8, Reverse<i32>, bool, (i64, u64));

impl Ledger {
    /// What is ready, in order. Only where there is a model is anything known of it.
    pub(super) fn stands(&mut self, kind: KindId) -> Vec<Stand> {
        let now = crate::master::instant(self.now);
        let model = self.model_mut(kind);
        model.map_or_else(Vec::new, |model| model.standing(now))
    }

    fn is_suspected(&self, id: TaskId) -> bool {
        let model = self.model(self.kind_of(id));
        model.is_some_and(|model| model.is_suspected(id))
    }

    pub(super) fn some_come_back(&self) -> bool {
        self.model(KindId(0)).is_some_and(Model::some_come_back)
    }

    pub(super) fn living(&self) -> impl Iterator<Item = &SessionFacts> {
        self.sessions.iter().filter(|session| !session.gone)
    }

    pub(super) fn tie_of(&self, id: TaskId) -> Tie {
        let Some((session, when_gone)) = self.wishes(id).and_then(|wishes| wishes.pin) else {
            return Tie::None;
        };
        let holder = self.session_at(session);
        if holder.gone {
            Tie::Gone(when_gone)
        } else if holder.is_in_limbo() {
            Tie::Limbo
        } else if holder.is_given_up() {
            Tie::Gone(when_gone)
        } else if holder.wear.perhaps_retired && !holder.is_idle() {
            Tie::Limbo
        } else {
            Tie::Alive(session)
        }
    }

    fn session_at(&self, session: Session) -> &SessionFacts {
        &self.sessions[usize::try_from(session.0 - 1).expect("few sessions")]
    }

    /// Whether a worker that gets requests may take a ready task.
    pub(super) fn may_take(&self, stand: &Stand, session: &SessionFacts) -> May {
        let id = stand.task;
        if session.is_in_limbo() {
            return May::Perhaps;
        }
        if session.gone || session.is_given_up() || stand.suspected && session.knows.sent {
            return May::No;
        }
        match self.tie_of(id) {
            _ if stand.suspected => {}
            Tie::Alive(holder) if holder == session.session => return May::Yes,
            Tie::Alive(_) => return May::No,
            Tie::Limbo => return May::Perhaps,
            Tie::None | Tie::Gone(_) => {}
        }
        let allowed = session.knows.allowed(self.affinity_of(id));
        if allowed && self.suits(id, session.knows) {
            May::Yes
        } else {
            May::No
        }
    }

    /// Whether a worker that is yet to be started would take a ready task.
    pub(super) fn fresh_may_take(&self, stand: &Stand) -> bool {
        let tied =
            !stand.suspected && matches!(self.tie_of(stand.task), Tie::Alive(_) | Tie::Limbo);
        !tied && self.suits(stand.task, crate::nature::Knows::default())
    }

    /// Whether a task is for other workers before this one.
    fn is_for_others(&self, id: TaskId, session: &SessionFacts) -> May {
        let (Affinity::Prefers(key) | Affinity::Requires(key)) = self.affinity_of(id) else {
            return May::No;
        };
        if session.knows.keys.has(key) {
            return May::No;
        }
        let others = self
            .living()
            .filter(|other| other.session != session.session);
        others.fold(May::No, |found, other| match (found, other.holds(key)) {
            (May::Yes, _) | (_, May::Yes) => May::Yes,
            (May::Perhaps, _) | (_, May::Perhaps) => May::Perhaps,
            (May::No, May::No) => May::No,
        })
    }

    fn turn_of(&self, stand: &Stand, others: bool) -> Turn {
        let class = match self.tie_of(stand.task) {
            _ if stand.suspected => 0,
            Tie::Alive(_) => 1,
            // It may have been given up, or not.
            Tie::Limbo => 1,
            Tie::None | Tie::Gone(_) => 2,
        };
        (class, stand.priority, others && class == 2, stand.place)
    }

    /// A task is about to start on a worker: it may, and nobody should have been before it.
    pub(super) fn has_its_turn(&mut self, id: AttemptId, session: Session) {
        if !self.keyed {
            return;
        }
        let stands = self.stands(KindId(0));
        let Some(started) = stands.iter().find(|stand| stand.task == id.task) else {
            return;
        };
        if let Some(why) = self.goes_wrong(id.task, session) {
            return self.breaks(names::I11, || format!("{id} starts on {session}, {why}"));
        }
        let worker = self.session_at(session);
        if self.may_take(started, worker) == May::No {
            let knows = worker.knows;
            return self.breaks(names::I11, || {
                format!("{id} starts on {session}, which knows {knows:?} and may not take it")
            });
        }
        if let Some(other) = self.comes_before(started, worker, &stands) {
            let (it, that) = (self.whom(id.task), self.whom(other));
            return self.breaks(names::I10, || {
                format!("{id} starts on {session} before {other}, which it could have taken; {it}; the other: {that}")
            });
        }
        if let Some(holder) = self.idle_holder(started, worker, &stands) {
            let what = self.whom(id.task);
            return self.breaks(names::I11, || {
                format!("{id} starts on {session}, and {holder} holds its key and is idle; {what}")
            });
        }
        self.sees_where(id.task, session);
        let worker = self.session(session);
        worker.knows.sent = true;
        self.task(id.task).expect("it is ready").wishes.reported = false;
    }

    /// A pinned task goes elsewhere.
    fn goes_wrong(&self, id: TaskId, session: Session) -> Option<&'static str> {
        let wishes = self.wishes(id)?;
        let (holder, when_gone) = wishes.pin.filter(|(holder, _)| *holder != session)?;
        let free = self.is_suspected(id);
        if self.tie_of(id) == Tie::Alive(holder) && !free {
            return Some("and is pinned to another, which lives");
        }
        match when_gone {
            WhenGone::AnyWorker => None,
            WhenGone::Substitute if wishes.substituted => None,
            WhenGone::Substitute => Some("and its substitute should have taken its place"),
            WhenGone::Fail => Some("and should have ended with the worker that it was pinned to"),
        }
    }

    /// Who should have started on this worker before.
    fn comes_before(
        &self,
        started: &Stand,
        worker: &SessionFacts,
        stands: &[Stand],
    ) -> Option<TaskId> {
        // Where it is not certain who holds a key, both have the benefit of the doubt.
        let others = self.is_for_others(started.task, worker) == May::Yes;
        let turn = self.turn_of(started, others);
        let mut before = stands.iter().filter(|other| {
            let certain = other.has_room_for_all && !other.late && other.task != started.task;
            certain && self.may_take(other, worker) == May::Yes && {
                let others = self.is_for_others(other.task, worker) != May::No;
                self.turn_of(other, others) < turn
            }
        });
        before.next().map(|other| other.task)
    }

    /// A worker that is idle and holds the key of what goes to another.
    fn idle_holder(
        &self,
        started: &Stand,
        worker: &SessionFacts,
        stands: &[Stand],
    ) -> Option<Session> {
        let id = started.task;
        if self.tie_of(id).is_alive() || self.is_for_others(id, worker) != May::Yes {
            return None;
        }
        let (Affinity::Prefers(key) | Affinity::Requires(key)) = self.affinity_of(id) else {
            return None;
        };
        // It takes something more urgent.
        let urgent = |other: &SessionFacts| {
            stands.iter().any(|stand| {
                stand.priority < started.priority && self.may_take(stand, other) != May::No
            })
        };
        let mut holders = self.living().filter(|other| {
            let holds = other.holds(key) == May::Yes && other.is_idle();
            holds && self.may_take(started, other) == May::Yes && !urgent(other)
        });
        holders.next().map(|holder| holder.session)
    }

    fn sees_where(&mut self, id: TaskId, session: Session) {
        let (affinity, tie) = (self.affinity_of(id), self.tie_of(id));
        let keys = self.session(session).knows.keys;
        match tie {
            Tie::Alive(_) => return self.sees(Seen::PinnedStarts),
            Tie::Gone(WhenGone::AnyWorker) => self.sees(Seen::Unpinned),
            Tie::None | Tie::Limbo | Tie::Gone(_) => {}
        }
        match affinity {
            Affinity::Prefers(key) if keys.has(key) => self.sees(Seen::Preferred),
            Affinity::Requires(key) if keys.has(key) => self.sees(Seen::Required),
            Affinity::Any
            | Affinity::Prefers(_)
            | Affinity::Requires(_)
            | Affinity::Worker { .. } => {}
        }
    }

    /// A task ends because the process that it was pinned to is gone: it is, and nothing else is to be said of it.
    pub(super) fn ends_without_holder(&mut self, id: TaskId) -> bool {
        self.sees(Seen::HolderGone);
        let ran = self.facts(id).is_none_or(|facts| facts.last.is_some());
        self.ends_unpinned(id) && !ran
    }

    /// The master takes the process that a task is pinned to for gone. What it does about it may come later in its call.
    pub(super) fn is_said_gone(&mut self, id: TaskId, holder: Session) {
        if !self.is_suspected(id) {
            self.said_gone.push((id, holder));
        }
    }

    /// Whether a task ends, as its last attempt did, because the process that it was pinned to is gone.
    pub(super) fn ends_unpinned(&mut self, id: TaskId) -> bool {
        let pin = self.wishes(id).and_then(|wishes| wishes.pin);
        let Some((holder, WhenGone::Fail)) = pin else {
            return false;
        };
        self.is_said_gone(id, holder);
        true
    }

    /// After the call: who was taken for gone is.
    pub(super) fn gone_are_gone(&mut self) {
        for (id, holder) in std::mem::take(&mut self.said_gone) {
            let facts = self.session_at(holder);
            let perhaps = facts.wear.perhaps_retired;
            if !(facts.gone || facts.is_given_up() || facts.is_in_limbo() || perhaps) {
                self.breaks(names::I11, || {
                    format!("{id} loses its place because {holder} is gone, and that lives")
                });
            }
        }
    }

    /// Its worker died of it, and it was for that worker alone.
    pub(super) fn ends_with_its_worker(&self, id: TaskId) -> bool {
        let session = self.facts(id).map(|facts| facts.session);
        let pin = self.wishes(id).and_then(|wishes| wishes.pin);
        pin.is_some_and(|(holder, gone)| gone == WhenGone::Fail && Some(holder) == session)
    }

    /// A draining farm ends a task that nothing will start: so it is.
    pub(super) fn nobody_matches(&mut self, id: TaskId) -> bool {
        self.sees(Seen::NoMatch);
        if self.shut != Some(Shut::Drain) || !self.all_may_rest() {
            return false;
        }
        let stands = self.stands(KindId(0));
        let stand = stands.iter().find(|stand| stand.task == id).copied();
        let rest = !self.some_come_back();
        rest && stand.is_some_and(|stand| self.is_hopeless(&stand))
    }

    /// The master says that nothing that goes on will let a task start: so it is, and it was not said before.
    pub(super) fn unmatched(&mut self, id: TaskId) {
        self.sees(Seen::Unmatched);
        let stands = self.stands(KindId(0));
        let Some(stand) = stands.iter().find(|stand| stand.task == id).copied() else {
            return self.breaks(names::I11, || {
                format!("{id} is said to match nobody, and it is not ready")
            });
        };
        let so = self.all_may_rest() && self.is_hopeless(&stand);
        if !so {
            let what = self.whom(id);
            self.breaks(names::I11, || {
                format!("{id} is said to match nobody, and there is somebody, or something goes on; {what}")
            });
        }
        let wishes = &mut self.task(id).expect("it is ready").wishes;
        let again = std::mem::replace(&mut wishes.reported, true);
        // One with a limit may have been set aside meanwhile.
        if again && !stand.limited {
            self.breaks(names::I11, || {
                format!("{id} is said to match nobody, and was said to before")
            });
        }
    }

    /// Whom a task is for, and who there is, for people.
    pub(super) fn whom(&self, id: TaskId) -> String {
        let Some(wishes) = self.wishes(id) else {
            return "it is not in the farm".into();
        };
        let (nature, pin) = (&wishes.nature, wishes.pin);
        let there: Vec<String> = self.living().map(SessionFacts::in_words).collect();
        format!(
            "it is for {:?} (suits {:?}), pinned {pin:?}; there are {}",
            nature.affinity,
            nature.suits,
            there.join(", ")
        )
    }

    /// No worker takes it, nor would a fresh one.
    pub(super) fn is_hopeless(&self, stand: &Stand) -> bool {
        let nobody = self
            .living()
            .all(|session| self.may_take(stand, session) == May::No);
        nobody && !self.fresh_may_take(stand)
    }
}
