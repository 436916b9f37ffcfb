//! The tree of scopes: who stands in which, and what each has come to. It changes no task.

use super::task::StopWhy;
use crate::action::Refusal;
use crate::group::{Group, MemberEnd, Verdict};
use crate::outcome::CancelledBy;
use crate::scope::{Decision, GROUP_LIMIT, SCOPE_LIMIT, ScopeEnd, ScopeRefusal};
use farm_protocol::{Instant, ScopeId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// Where a task stands in its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) scope: ScopeId,
    /// The member it is or follows from; 0 in a scope without a rule.
    pub(super) index: u32,
    /// Tells tasks of one index apart; 0 is the member itself.
    serial: u64,
    /// Whether it is a follow-up: it lives and dies with its scope, and its end counts for nothing.
    follows: bool,
}

impl Seat {
    pub(super) const fn key(self) -> (u32, u64) {
        (self.index, self.serial)
    }
}

/// Why a scope takes nothing any more and everything in it is cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Somebody cancelled this scope, which it is or is in.
    Cancelled { scope: ScopeId, reason: String },
    /// The group that it is in was decided.
    Decided(ScopeId),
    /// A time limit passed, its own or of a scope that it is in.
    TimedOut,
}

impl Fate {
    /// How tasks are to be ended by it.
    pub(super) fn why(&self) -> StopWhy {
        match self {
            Self::Cancelled { scope, reason } => StopWhy::Cancelled(CancelledBy::Scope {
                scope: *scope,
                reason: reason.clone(),
            }),
            Self::Decided(group) => StopWhy::Cancelled(CancelledBy::Group(*group)),
            Self::TimedOut => StopWhy::TimedOut(crate::options::TimeLimit::Group),
        }
    }

    fn decision(self) -> Decision {
        match self {
            Self::Cancelled { reason, .. } => Decision::Cancelled { reason },
            Self::Decided(group) => Decision::Cancelled {
                reason: format!("the group {group} was decided"),
            },
            Self::TimedOut => Decision::TimedOut,
        }
    }
}

#[derive(Debug)]
pub(super) struct Scope {
    pub(super) parent: Option<ScopeId>,
    /// Those of its children that are not over.
    pub(super) children: BTreeSet<ScopeId>,
    /// Its rule, if it is a group.
    pub(super) group: Option<Group>,
    /// Of a scope without a rule: how many were done, of how many.
    counts: (u64, u64),
    pub(super) closed: bool,
    pub(super) fate: Option<Fate>,
    /// Whether the rule had decided before its fate fell.
    stands: bool,
    /// Who is in the farm: members and follow-ups, by the member they belong to.
    pub(super) live: BTreeMap<(u32, u64), TaskId>,
    last_serial: u64,
    /// Its time limit, while it is armed.
    pub(super) until: Option<Instant>,
}

impl Scope {
    fn takes(&self) -> bool {
        !self.closed && self.fate.is_none()
    }

    /// Why what stands here is to end at once; `None`: it may run.
    fn why_ended(&self, seat: Seat) -> Option<StopWhy> {
        if let Some(fate) = &self.fate {
            return Some(fate.why());
        }
        let group = self.group.as_ref()?;
        let given_up = group.is_given_up(seat.index) && !group.is_winner(seat.index);
        given_up.then_some(StopWhy::Cancelled(CancelledBy::Group(seat.scope)))
    }

    /// No further members.
    pub(super) fn close(&mut self) {
        self.closed = true;
        if let Some(group) = &mut self.group {
            group.close();
        }
    }

    /// Nothing is left of it and nothing more comes.
    fn is_over(&self) -> bool {
        !self.takes() && self.live.is_empty() && self.children.is_empty()
    }

    /// `g7`: nothing is left of a group but follow-ups.
    fn has_follow_ups_alone(&self) -> bool {
        let members = self.live.keys().any(|(_, serial)| *serial == 0);
        self.group.is_some() && !self.takes() && self.children.is_empty() && !members
    }

    fn into_end(mut self) -> ScopeEnd {
        self.close();
        let (mut done, mut of) = self.counts;
        let verdict = match &self.group {
            None => Verdict::AllEnded,
            Some(group) => {
                (done, of) = (u64::from(group.done()), group.len() as u64);
                group.verdict().expect("nobody of it is in the farm")
            }
        };
        let decision = match (self.fate.filter(|_| !self.stands), verdict) {
            (Some(fate), _) => fate.decision(),
            (None, Verdict::AllEnded) => Decision::AllEnded { done, of },
            (None, Verdict::FirstError { index, task }) => Decision::FirstError { index, task },
            (None, Verdict::Succeeded { indexes }) => Decision::Succeeded { indexes },
            (None, Verdict::TooFew { done, wanted }) => Decision::TooFew { done, wanted },
        };
        let ends = self.group.map(Group::into_ends).unwrap_or_default();
        ScopeEnd { decision, ends }
    }
}

/// All scopes that are not over.
#[derive(Debug, Default)]
pub(super) struct ScopeTable {
    open: BTreeMap<ScopeId, Scope>,
    /// Those in which something happened whose conclusions have not been drawn.
    changed: BTreeSet<ScopeId>,
}

impl ScopeTable {
    pub(super) fn open(
        &mut self,
        id: ScopeId,
        parent: Option<ScopeId>,
        group: Option<Group>,
        until: Option<Instant>,
    ) -> Result<(), ScopeRefusal> {
        if self.open.contains_key(&id) {
            return Err(ScopeRefusal::NotNew);
        }
        if self.open.len() >= SCOPE_LIMIT {
            let limit = SCOPE_LIMIT;
            return Err(ScopeRefusal::TooMany { limit });
        }
        if let Some(parent) = parent {
            let found = self.open.get_mut(&parent).filter(|parent| parent.takes());
            let found = found.ok_or(ScopeRefusal::ParentOver(parent))?;
            found.children.insert(id);
            // A group that is decided takes along also what is opened in it afterwards.
            self.changed.insert(parent);
        }
        let scope = Scope {
            parent,
            children: BTreeSet::new(),
            group,
            counts: (0, 0),
            closed: false,
            fate: None,
            stands: false,
            live: BTreeMap::new(),
            last_serial: 0,
            until,
        };
        self.open.insert(id, scope);
        Ok(())
    }

    /// A task of a caller comes in. What comes of it, a refusal included, is told by [`Self::left`].
    pub(super) fn join(&mut self, id: ScopeId) -> Result<Seat, Refusal> {
        let scope = self.open.get_mut(&id).filter(|scope| scope.takes());
        let scope = scope.ok_or(Refusal::ScopeOver(id))?;
        let (index, serial) = match &mut scope.group {
            Some(group) if group.len() >= GROUP_LIMIT => {
                let limit = GROUP_LIMIT;
                return Err(Refusal::GroupFull { limit });
            }
            Some(group) => (group.join(), 0),
            None => {
                scope.counts.1 += 1;
                scope.last_serial += 1;
                (0, scope.last_serial)
            }
        };
        Ok(Seat {
            scope: id,
            index,
            serial,
            follows: false,
        })
    }

    /// A follow-up of a task that stands, or stood until a moment ago, in this place.
    pub(super) fn follow(&mut self, of: Seat) -> Seat {
        let scope = self.at_mut(of.scope);
        scope.last_serial += 1;
        let serial = scope.last_serial;
        Seat {
            serial,
            follows: true,
            ..of
        }
    }

    /// Why a task that comes into this place ends at once.
    pub(super) fn why_ended(&self, seat: Seat) -> Option<StopWhy> {
        self.open.get(&seat.scope)?.why_ended(seat)
    }

    /// The task is in the farm.
    pub(super) fn enter(&mut self, seat: Seat, task: TaskId) {
        let live = &mut self.at_mut(seat.scope).live;
        let before = live.insert(seat.key(), task);
        assert!(before.is_none(), "{task} enters where another task stands");
    }

    /// The task is at rest, or was refused.
    pub(super) fn left(&mut self, seat: Seat, task: TaskId, end: MemberEnd) {
        let scope = self.at_mut(seat.scope);
        scope.live.remove(&seat.key());
        match &mut scope.group {
            _ if seat.follows => {}
            Some(group) => group.ended(seat.index, task, end),
            None => scope.counts.0 += u64::from(end == MemberEnd::Done),
        }
        self.changed.insert(seat.scope);
    }

    /// The fate falls on one scope; `None` if one has fallen before. Who is to be ended, and the scopes inside.
    pub(super) fn doom(&mut self, id: ScopeId, fate: &Fate) -> Option<Doomed> {
        let scope = self.open.get_mut(&id).filter(|s| s.fate.is_none())?;
        scope.stands = scope.group.as_ref().is_some_and(Group::is_decided);
        scope.fate = Some(fate.clone());
        self.changed.insert(id);
        Some(Doomed {
            tasks: scope.live.values().copied().collect(),
            children: scope.children.iter().copied().collect(),
            until: scope.until.take(),
        })
    }

    /// Who is given up by the rule of a group since it was last asked.
    pub(super) fn give_up(&mut self, id: ScopeId) -> Vec<TaskId> {
        let Some(scope) = self.open.get_mut(&id).filter(|s| s.fate.is_none()) else {
            return Vec::new();
        };
        let Some(group) = &mut scope.group else {
            return Vec::new();
        };
        let Some(range) = group.give_up() else {
            return Vec::new();
        };
        let given_up = scope.live.range((range.start, 0)..(range.end, 0));
        given_up
            .filter(|((index, _), _)| !group.is_winner(*index))
            .map(|(_, task)| *task)
            .collect()
    }

    /// The scopes inside a group that is decided and has given somebody up: they are given up as well.
    pub(super) fn children_given_up(&self, id: ScopeId) -> Vec<ScopeId> {
        let scope = self.open.get(&id);
        let scope = scope.filter(|scope| {
            let group = scope.group.as_ref();
            group.is_some_and(|group| group.is_decided() && group.has_given_up())
        });
        scope
            .map(|scope| scope.children.iter().copied().collect())
            .unwrap_or_default()
    }

    /// Takes a scope out if it is over; its parent may be over with it.
    /// `early`: follow-ups do not count, which is a seeded bug (`g7`).
    pub(super) fn end_if_over(
        &mut self,
        id: ScopeId,
        early: bool,
    ) -> Option<(ScopeEnd, Option<Instant>)> {
        let scope = self.open.get(&id)?;
        if !(scope.is_over() || early && scope.has_follow_ups_alone()) {
            return None;
        }
        let scope = self.open.remove(&id).expect("looked at just now");
        if let Some(parent) = scope.parent {
            self.at_mut(parent).children.remove(&id);
            self.changed.insert(parent);
        }
        let until = scope.until;
        Some((scope.into_end(), until))
    }

    /// Closes one scope; unknown ones are ignored.
    pub(super) fn close(&mut self, id: ScopeId) {
        if let Some(scope) = self.open.get_mut(&id) {
            scope.close();
            self.changed.insert(id);
        }
    }

    /// Closes all: nothing can come into them any more.
    pub(super) fn close_all(&mut self) {
        for (id, scope) in &mut self.open {
            scope.close();
            self.changed.insert(*id);
        }
    }

    /// The next scope whose conclusions are to be drawn; inner ones, which are younger, first.
    pub(super) fn pop_changed(&mut self) -> Option<ScopeId> {
        self.changed.pop_last()
    }

    pub(super) fn get(&self, id: ScopeId) -> Option<&Scope> {
        self.open.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ScopeId, &Scope)> {
        self.open.iter().map(|(id, scope)| (*id, scope))
    }

    pub(super) fn is_settled(&self) -> bool {
        self.changed.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    fn at_mut(&mut self, id: ScopeId) -> &mut Scope {
        self.open
            .get_mut(&id)
            .expect("a scope is not over while somebody stands in it")
    }
}

/// What falls with a scope.
pub(super) struct Doomed {
    pub(super) tasks: Vec<TaskId>,
    pub(super) children: Vec<ScopeId>,
    /// The time limit that is to be disarmed.
    pub(super) until: Option<Instant>,
}
