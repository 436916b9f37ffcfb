//! Scopes and groups as they really are: who stands in which, why each must end, what each should come to.
//!
//! Why a scope must end is known from outside (it was cancelled) or worked out (its time is over, the group that it is
//! in is decided). When two of these come true within one call of the machine, which one counts depends on the order
//! of its timers; then both are right.

mod after;
mod ends;

use super::rule::{GivenUp, Members};
use super::{Ledger, Seen, names};
use crate::model::ByScope;
use farm_lockstep::VTime;
use farm_master::{
    CancelledBy, HowStopped, MemberEnd, Outcome, Refusal, Rule, ScopeRefusal, Settlement, Ties,
    TimeLimit,
};
use farm_protocol::{AttemptId, ScopeId, TaskId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) scope: ScopeId,
    index: u32,
    /// It follows from that member.
    follows: bool,
}

/// Why a task is to end, other than for its own sake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody cancelled this scope.
    Cancelled(ScopeId),
    /// This group gave it up, or was decided and took the scopes inside along.
    Decided(ScopeId),
    /// A time limit passed, its own or of a scope that it is in.
    TimedOut,
}

/// How a task is met that comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// As any other.
    Open,
    /// Its scope takes nothing.
    Shut(ScopeId),
    /// It ends at once: its group needs it no more.
    Vain,
}

#[derive(Debug)]
struct Scope {
    parent: Option<ScopeId>,
    /// Of a group.
    members: Option<Members>,
    /// Of another: how many of how many are done.
    counts: (u64, u64),
    until: Option<VTime>,
    closed: bool,
    /// Why it must end: what is right of these.
    fates: Vec<Why>,
    reason: String,
    /// They came true in this call, and nobody had told.
    fell_now: bool,
    /// Its rule had decided before.
    stands: bool,
    /// Who was given up when the last call was over.
    given_up: GivenUp,
    /// Members that were ended in this call because of a fate.
    undone: Vec<u32>,
    /// Its end was told, or it was never opened.
    over: bool,
}

impl Scope {
    const fn takes(&self) -> bool {
        !self.closed && self.fates.is_empty() && !self.over
    }

    fn gives_up(&self) -> GivenUp {
        let members = self.members.as_ref();
        members.map_or(GivenUp::Nobody, |members| members.given_up(self.closed))
    }

    fn is_decided(&self) -> bool {
        let members = self.members.as_ref();
        members.is_some_and(|members| members.is_decided(self.closed, &self.undone))
    }

    /// It is decided, and takes the scopes inside along.
    fn takes_along(&self) -> bool {
        self.gives_up() != GivenUp::Nobody && self.is_decided()
    }
}

/// All scopes that there ever were.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    all: BTreeMap<ScopeId, Scope>,
    /// The one that is being opened, and whether it must be refused.
    opening: Option<(ScopeId, Option<ScopeRefusal>)>,
    /// The task that is coming in, and how it must be met.
    coming: Option<(TaskId, Door)>,
}

impl Ledger {
    /// A caller opens a scope.
    pub(crate) fn opens(
        &mut self,
        id: ScopeId,
        parent: Option<ScopeId>,
        rule: Option<(Rule, Ties)>,
        limit: Option<Duration>,
    ) {
        let taken = |parent: &ScopeId| self.scopes.all.get(parent).is_some_and(Scope::takes);
        let refusal = match parent {
            _ if self.stopped => Some(ScopeRefusal::FarmOver),
            Some(parent) if !taken(&parent) => Some(ScopeRefusal::ParentOver(parent)),
            Some(_) | None => None,
        };
        let over = refusal.is_some();
        self.scopes.opening = Some((id, refusal));
        let scope = Scope {
            parent,
            members: rule.map(|(rule, ties)| Members::new(rule, ties)),
            counts: (0, 0),
            until: limit.map(|limit| self.now.after(limit)),
            closed: false,
            fates: Vec::new(),
            reason: String::new(),
            fell_now: false,
            stands: false,
            given_up: GivenUp::Nobody,
            undone: Vec::new(),
            over,
        };
        self.scopes.all.insert(id, scope);
    }

    /// A caller closes a scope.
    pub(crate) fn closes(&mut self, id: ScopeId) {
        if let Some(scope) = self.scopes.all.get_mut(&id) {
            scope.closed = true;
        }
    }

    /// A caller cancels a scope, and with it what is inside.
    pub(crate) fn cancels(&mut self, id: ScopeId, reason: &str) {
        if self.scopes.all.get(&id).is_none_or(|scope| scope.over) {
            return;
        }
        for inner in self.inside(id) {
            let scope = self.scopes.all.get_mut(&inner).expect("looked up just now");
            if scope.fates.is_empty() && !scope.over {
                scope.stands = scope.is_decided();
                scope.reason = reason.to_owned();
                scope.fates.push(Why::Cancelled(id));
            }
        }
    }

    /// A scope and all inside it, outer ones first.
    fn inside(&self, id: ScopeId) -> Vec<ScopeId> {
        let within = |inner: &ScopeId| self.line(*inner).contains(&id);
        self.scopes.all.keys().copied().filter(within).collect()
    }

    /// A scope and all that it is in.
    fn line(&self, id: ScopeId) -> Vec<ScopeId> {
        let up = |scope: &ScopeId| self.scopes.all.get(scope)?.parent;
        std::iter::successors(Some(id), up).collect()
    }

    /// A task comes into a scope.
    pub(crate) fn joins(&mut self, task: TaskId, scope: Option<ScopeId>) -> Door {
        let Some(id) = scope else { return Door::Open };
        let found = self.scopes.all.get_mut(&id).filter(|scope| scope.takes());
        let door = match found {
            None => Door::Shut(id),
            Some(scope) => {
                let index = scope.members.as_ref().map_or(0, |members| members.count);
                match &mut scope.members {
                    Some(members) => members.count += 1,
                    None => scope.counts.1 += 1,
                }
                let vain = scope.given_up.is(index);
                let standing = Standing {
                    scope: id,
                    index,
                    follows: false,
                };
                self.task(task).expect("it comes in").standing = Some(standing);
                if vain { Door::Vain } else { Door::Open }
            }
        };
        self.scopes.coming = Some((task, door.clone()));
        door
    }

    /// A task follows from another. Whether it comes in vain: nothing was decided since the call began.
    pub(super) fn follows_into_scope(&mut self, task: TaskId, of: TaskId) -> bool {
        let Some(standing) = self.task(of).and_then(|facts| facts.standing) else {
            return false;
        };
        let follows = true;
        self.task(task).expect("it comes in").standing = Some(Standing {
            follows,
            ..standing
        });
        let scope = &self.scopes.all[&standing.scope];
        let vain = !scope.fates.is_empty() || scope.given_up.is(standing.index);
        if vain {
            self.sees(Seen::VainFollowUp);
        }
        vain
    }

    /// Why a scope must end, as far as can be known now.
    fn fates(&self, id: ScopeId) -> Vec<Why> {
        let scope = &self.scopes.all[&id];
        if !scope.fates.is_empty() {
            return scope.fates.clone();
        }
        let mut fates = Vec::new();
        let due = |id: &ScopeId| {
            self.scopes.all[id]
                .until
                .is_some_and(|until| until <= self.now)
        };
        let line = self.line(id);
        fates.extend(line.iter().any(due).then_some(Why::TimedOut));
        let along = line[1..]
            .iter()
            .filter(|id| self.scopes.all[id].takes_along());
        fates.extend(along.map(|id| Why::Decided(*id)));
        fates
    }

    /// Why a task must end, other than for its own sake: what is right of these.
    pub(super) fn unwanted(&mut self, task: TaskId) -> Vec<Why> {
        let Some(standing) = self.task(task).and_then(|facts| facts.standing) else {
            return Vec::new();
        };
        let id = standing.scope;
        let mut whys = self.fates(id);
        let scope = &self.scopes.all[&id];
        if scope.fates.is_empty() && scope.gives_up().is(standing.index) {
            whys.push(Why::Decided(id));
        }
        whys
    }

    /// An attempt is asked to stop: the model is told what it cannot know, for which reason.
    pub(super) fn stops_for_its_scope(&mut self, id: AttemptId, whys: &[Why]) {
        let now = crate::master::instant(self.now);
        let by = if whys.iter().any(|why| matches!(why, Why::Cancelled(_))) {
            ByScope::Event
        } else {
            ByScope::Rule
        };
        if let Some(model) = self.model_mut(self.kind_of(id.task)) {
            model.stopped_by_scope(now, id.task, by);
        }
        let timed_out = whys.contains(&Why::TimedOut);
        self.sees(if timed_out {
            Seen::MemberOverdue
        } else {
            Seen::MemberStopped
        });
    }

    /// Whether the scope of a task wanted its end, for the reason that the master gives.
    pub(super) fn scope_wanted(&mut self, task: TaskId, outcome: &Outcome) -> bool {
        let Some(facts) = self.task(task) else {
            return false;
        };
        let mut whys = facts.asked_for.clone();
        let asked = facts.asked && facts.told_last != facts.attempt;
        if !asked || !self.is_with_worker(task) {
            whys.extend(self.unwanted(task));
        }
        whys.iter().any(|why| match (why, outcome) {
            (Why::Cancelled(id), Outcome::Cancelled { by, .. }) => {
                let reason = &self.scopes.all[id].reason;
                *by == CancelledBy::Scope {
                    scope: *id,
                    reason: reason.clone(),
                }
            }
            (Why::Decided(id), Outcome::Cancelled { by, .. }) => *by == CancelledBy::Group(*id),
            (Why::TimedOut, Outcome::TimedOut { which, .. }) => *which == TimeLimit::Group,
            _ => false,
        })
    }

    /// A task ends: what that is to its scope.
    pub(super) fn leaves_scope(&mut self, settlement: &Settlement) {
        let task = settlement.task;
        let standing = self.task(task).and_then(|facts| facts.standing);
        if settlement.scope != standing.map(|standing| standing.scope) {
            self.breaks(names::I12, || {
                format!(
                    "{task} stands in {standing:?}, and ends in {:?}",
                    settlement.scope
                )
            });
        }
        let Some(standing) = standing else { return };
        let (end, by_scope) = ended(&settlement.outcome);
        if by_scope {
            self.ends_before_its_time(settlement);
        }
        if end == MemberEnd::Error && !self.unwanted(task).is_empty() {
            self.sees(Seen::LateError);
        }
        self.member_ended(standing, task, end, by_scope);
    }

    /// A task ends for its scope: whether it waited for a retry is worth counting.
    fn ends_before_its_time(&mut self, settlement: &Settlement) {
        let waited = matches!(
            settlement.outcome,
            Outcome::Cancelled {
                how: HowStopped::BeforeStart,
                ..
            } | Outcome::TimedOut {
                how: HowStopped::BeforeStart,
                ..
            }
        );
        let told = |facts: &mut super::Facts| facts.told > 0 && facts.told_last == facts.attempt;
        if waited && self.task(settlement.task).is_some_and(told) {
            self.sees(Seen::DelayedGivenUp);
        }
    }

    fn member_ended(&mut self, standing: Standing, task: TaskId, end: MemberEnd, by_scope: bool) {
        let scope = self
            .scopes
            .all
            .get_mut(&standing.scope)
            .expect("its task is in the farm");
        if standing.follows {
            return;
        }
        match &mut scope.members {
            Some(members) => members.ends.push((standing.index, task, end)),
            None => scope.counts.0 += u64::from(end == MemberEnd::Done),
        }
        if by_scope {
            scope.undone.push(standing.index);
        }
    }

    /// A task is refused.
    pub(super) fn is_turned_away(&mut self, task: TaskId, refusal: &Refusal) {
        let shut = match &self.scopes.coming {
            Some((coming, Door::Shut(scope))) if *coming == task => Some(*scope),
            _ => None,
        };
        let said = match refusal {
            Refusal::ScopeOver(scope) => Some(*scope),
            _ => None,
        };
        if shut != said {
            self.breaks(names::I12, || {
                format!("{task} is refused: {refusal}; the scope that is over is {shut:?}")
            });
        }
        if said.is_some() {
            self.sees(Seen::ScopeOver);
        }
        if let Some(standing) = self.task(task).and_then(|facts| facts.standing) {
            self.sees(Seen::MemberRefused);
            self.member_ended(standing, task, MemberEnd::Error, false);
        }
    }

    /// Fixes the fate of a scope if one has fallen in this call.
    fn falls(&mut self, id: ScopeId) {
        let scope = &self.scopes.all[&id];
        if !scope.fates.is_empty() || scope.over {
            return;
        }
        let fates = self.fates(id);
        let scope = self.scopes.all.get_mut(&id).expect("looked up above");
        if !fates.is_empty() {
            scope.stands = scope.is_decided();
            scope.fates = fates;
            scope.fell_now = true;
        }
    }

    /// The master is about to be told something: does a time limit fall by it?
    pub(crate) fn scopes_before(&mut self) {
        let now = self.now;
        let falls = |scope: &Scope| {
            scope.fates.is_empty() && !scope.over && scope.until.is_some_and(|until| until <= now)
        };
        // Which of several timers that fall in one call comes first cannot be told from outside, and the places in the
        // lane follow from it: of one schedule in 80,000 the model got them wrong. The other checks go on.
        if self.scopes.all.values().any(falls) {
            self.drops_models();
        }
    }
}

/// What an outcome is to a group, and whether it was the doing of a scope.
fn ended(outcome: &Outcome) -> (MemberEnd, bool) {
    match outcome {
        Outcome::Done(()) => (MemberEnd::Done, false),
        Outcome::Cancelled {
            by: CancelledBy::Group(_) | CancelledBy::Scope { .. },
            ..
        }
        | Outcome::TimedOut {
            which: TimeLimit::Group,
            ..
        } => (MemberEnd::Neutral, true),
        Outcome::Cancelled { .. } | Outcome::Skipped(_) | Outcome::Closed | Outcome::Displaced => {
            (MemberEnd::Neutral, false)
        }
        Outcome::Failed(())
        | Outcome::TimedOut { .. }
        | Outcome::LimitExceeded { .. }
        | Outcome::RequestNotMarshallable(_)
        | Outcome::RequestRefused(_)
        | Outcome::ResponseNotMarshallable(_)
        | Outcome::ResponseGarbled(_)
        | Outcome::KindFault(_)
        | Outcome::HolderGone
        | Outcome::InjectionRefused { .. }
        | Outcome::Panicked(_)
        | Outcome::WorkerLost(_)
        | Outcome::Poisoned(_)
        | Outcome::SpawnFailed(_) => (MemberEnd::Error, false),
    }
}
