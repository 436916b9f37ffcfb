//! The kind's side of which worker a task is for: what it says of tasks, and what its workers come to know.

use super::{Ledger, Seen, names};
use crate::nature::{Follow, Knows, Nature};
use farm_master::{Affinity, Injected, WhenGone, Whom};
use farm_protocol::{AffinityKey, Session, SlotId, TaskId};

/// What is known of a task beside its end: whom it is for.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(super) nature: Nature,
    /// The process it is pinned to, and what becomes of it without.
    pub(super) pin: Option<(Session, WhenGone)>,
    /// Its substitute has taken its place.
    pub(super) substituted: bool,
    /// It was said that nothing will start it, and nothing was changed about it since.
    pub(super) reported: bool,
}

impl Ledger {
    /// A task has come in, and is of this nature.
    pub(crate) fn is_of(&mut self, id: TaskId, nature: Option<Box<Nature>>) {
        let Some(nature) = nature else { return };
        self.keyed = true;
        if let Some(model) = self.model_mut(self.kind_of(id)) {
            model.ranks(id, nature.rank);
        }
        let facts = self.task(id).expect("it has just come in");
        // What is for one process ends with it; of one that was never there, it does so at once.
        if let Affinity::Worker { session, .. } = nature.affinity
            && session.0 > 0
        {
            facts.wishes.pin = Some((session, WhenGone::Fail));
        }
        facts.wishes.nature = *nature;
    }

    pub(super) fn facts(&self, id: TaskId) -> Option<&super::Facts> {
        let facts = self.tasks.get(id.index())?;
        (facts.id == id && facts.open).then_some(facts)
    }

    pub(super) fn wishes(&self, id: TaskId) -> Option<&Wishes> {
        self.facts(id).map(|facts| &facts.wishes)
    }

    pub(super) fn affinity_of(&self, id: TaskId) -> Affinity {
        let wishes = self.wishes(id);
        wishes.map_or(Affinity::Any, |wishes| wishes.nature.affinity)
    }

    pub(super) fn rank_of(&self, id: TaskId) -> i64 {
        let rank = self.wishes(id).map_or(0, |wishes| wishes.nature.rank);
        if self.mood { rank } else { -rank }
    }

    /// Whether the kind gives a task to a worker that knows this.
    pub(super) fn suits(&self, id: TaskId, knows: Knows) -> bool {
        let wishes = self.wishes(id);
        wishes.is_none_or(|wishes| knows.suits(wishes.nature.suits, self.mood))
    }

    pub(super) fn suits_whom(&self, id: TaskId, whom: Whom) -> bool {
        let knows = match whom {
            Whom::Worker(slot) => self.in_slot(slot).map(|there| there.knows),
            Whom::Fresh => None,
        };
        self.suits(id, knows.unwrap_or_default())
    }

    fn in_slot(&self, slot: SlotId) -> Option<&super::SessionFacts> {
        self.sessions.iter().rev().find(|it| it.slot == slot)
    }

    /// The tasks that are in the farm.
    pub(crate) fn all_open(&self) -> Vec<TaskId> {
        let open = self.tasks.iter().filter(|facts| facts.open);
        open.map(|facts| facts.id).collect()
    }

    /// A caller wants all of them to end.
    pub(crate) fn all_are_cancelled(&mut self) {
        for facts in &mut self.tasks {
            facts.cancelled |= facts.open;
        }
    }

    /// A broadcast: what the kind looks at changes.
    pub(crate) fn changes_mood(&mut self) {
        self.mood = !self.mood;
        self.unreported(None);
    }

    /// Something was changed about one task, or about all: what cannot start may be said again.
    pub(crate) fn unreported(&mut self, id: Option<TaskId>) {
        for facts in &mut self.tasks {
            if id.is_none_or(|id| facts.id == id) {
                facts.wishes.reported = false;
            }
        }
    }

    /// The worker of a pinned task is gone, and its substitute takes its place: once, and if that was the wish.
    pub(super) fn takes_substitute(&mut self, id: TaskId) {
        let pin = self.wishes(id).and_then(|wishes| match wishes.pin {
            Some((holder, WhenGone::Substitute)) if !wishes.substituted => Some(holder),
            Some(_) | None => None,
        });
        let Some(holder) = pin else {
            return self.breaks(names::I11, || {
                format!("{id} is replaced by its substitute once more, or that was not the wish")
            });
        };
        self.is_said_gone(id, holder);
        self.sees(Seen::Substituted);
        let wishes = &mut self.task(id).expect("looked up above").wishes;
        wishes.substituted = true;
        if let Some((affinity, suits)) = wishes.nature.instead {
            (wishes.nature.affinity, wishes.nature.suits) = (affinity, suits);
        }
    }

    /// A response was used: what its worker knows from now on, and which keys the kind names.
    pub(super) fn learns(&mut self, id: TaskId, session: Session, ends: bool) -> Vec<AffinityKey> {
        let leaves = self.wishes(id).map(|wishes| wishes.nature.leaves);
        let facts = self.session(session);
        if !ends {
            facts.knows = facts.knows.after(leaves.unwrap_or_default());
        }
        facts.knows.keys.named()
    }

    /// What follows from a task that injects, and is in the farm from now on.
    pub(super) fn follows(&mut self, of: TaskId, session: Session) -> Vec<Injected> {
        let follows = match self.wishes(of) {
            Some(wishes) if self.keyed => wishes.nature.follows.clone(),
            Some(_) | None => vec![Follow::default()],
        };
        let follows = if self.session(session).takes() {
            follows
        } else {
            one_that_fails(follows)
        };
        let kind = self.kind_of(of);
        let mut injected = Vec::new();
        for Follow { nature, pinned } in follows {
            self.sees(Seen::Injected);
            let task = self.enter(kind, farm_master::lane::Entry::Inject, None);
            if self.keyed {
                self.is_of(task, Some(Box::new(nature)));
            }
            let vain = self.follows_into_scope(task, of);
            if let Some(model) = self.model_mut(kind) {
                model.injected(of, task, vain);
            }
            if let Some(when_gone) = pinned {
                let facts = self.task(task).expect("it has just come in");
                facts.wishes.pin = Some((session, when_gone));
            }
            injected.push(Injected { task, pinned });
        }
        injected
    }
}

/// Where the worker is gone already, what is to end with it ends as it comes in, and makes room for the next. The model
/// does not look at one after the other, so there is one at most, and behind all others.
fn one_that_fails(follows: Vec<Follow>) -> Vec<Follow> {
    let fails = |follow: &Follow| follow.pinned == Some(WhenGone::Fail);
    let (fail, mut stay): (Vec<Follow>, Vec<Follow>) = follows.into_iter().partition(fails);
    stay.extend(fail.into_iter().next());
    stay
}
