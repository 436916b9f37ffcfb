//! Whether a scope ends when it should, and as what.

use super::{Scope, Why};
use crate::ledger::rule::Members;
use crate::ledger::{Facts, Ledger, Seen, names};
use farm_master::{Decision, Rule, ScopeEnd, ScopeRefusal, Ties};
use farm_protocol::ScopeId;

impl Ledger {
    /// The master refuses a scope.
    pub(in crate::ledger) fn refuses_scope(&mut self, id: ScopeId, refusal: &ScopeRefusal) {
        let expected = self.scopes.opening.take();
        if expected != Some((id, Some(refusal.clone()))) {
            self.breaks(names::I12, || {
                format!("{id} is refused: {refusal}; expected: {expected:?}")
            });
        }
        self.sees(Seen::ScopeRefused);
    }

    /// The master tells the end of a scope.
    pub(in crate::ledger) fn scope_ended(&mut self, id: ScopeId, end: &ScopeEnd) {
        let nothing_left = self.open == 0 && self.shut.is_some();
        if self.scopes.all.get(&id).is_none_or(|scope| scope.over) {
            return self.breaks(names::I12, || format!("{id} ends and is not open"));
        }
        self.falls(id);
        let scope = self.scopes.all.get_mut(&id).expect("looked up above");
        // A farm that stops closes what is open.
        scope.closed |= nothing_left && scope.fates.is_empty();
        if scope.takes() {
            return self.breaks(names::I12, || format!("{id} ends and is open to more"));
        }
        let inside = self.inside(id);
        let left = inside[1..]
            .iter()
            .find(|inner| !self.scopes.all[inner].over);
        let live = |facts: &&Facts| {
            facts.open && facts.standing.is_some_and(|standing| standing.scope == id)
        };
        let task = self.tasks.iter().find(live).map(|facts| facts.id);
        if left.is_some() || task.is_some() {
            let left = left.copied();
            return self.breaks(names::I12, || {
                format!("{id} ends, and in it are {task:?} and {left:?}")
            });
        }
        self.end_is_right(id, end);
        self.scopes.all.get_mut(&id).expect("looked up above").over = true;
    }

    /// What a scope is said to have come to is what it should.
    fn end_is_right(&mut self, id: ScopeId, end: &ScopeEnd) {
        let scope = &self.scopes.all[&id];
        let (verdict, ends) = match &scope.members {
            Some(members) => (members.verdict(), members.by_index()),
            None => {
                let (done, of) = scope.counts;
                (Decision::AllEnded { done, of }, Vec::new())
            }
        };
        let fates = if scope.stands {
            &[][..]
        } else {
            &scope.fates[..]
        };
        let right = match (&end.decision, fates) {
            (decision, []) => *decision == verdict,
            // It was over by itself, just before.
            (decision, _) if scope.fell_now && scope.closed && scope.undone.is_empty() => {
                *decision == verdict || is_fated(decision, scope)
            }
            (decision, _) => is_fated(decision, scope),
        };
        let (stood, fated) = (scope.stands, fates.first().copied());
        let (group, own) = (scope.members.clone(), scope.parent);
        if !right || end.ends != ends {
            return self.breaks(names::I12, || {
                format!("{id} comes to {end:?}, and should to {verdict:?} with {ends:?}, or end for {fated:?} ({group:?})")
            });
        }
        if stood {
            self.sees(Seen::VerdictStood);
        }
        match fated.filter(|_| is_fated(&end.decision, &self.scopes.all[&id])) {
            Some(Why::Cancelled(of)) if of == id => self.sees(Seen::ScopeCancelled),
            Some(Why::Cancelled(_)) => self.sees(Seen::ParentCancelled),
            Some(Why::Decided(_)) => self.sees(Seen::ChildGivenUp),
            Some(Why::TimedOut) => self.sees(Seen::ScopeTimedOut),
            None => self.sees_verdict(group.as_ref(), &verdict),
        }
        if own.is_some() && fated.is_none() {
            self.sees(Seen::InnerEnded);
        }
    }

    fn sees_verdict(&mut self, group: Option<&Members>, verdict: &Decision) {
        let Some(group) = group else { return };
        let lowest = group.ties == Ties::Lowest;
        self.sees(match (verdict, group.rule) {
            (Decision::FirstError { .. }, _) if lowest => Seen::LowestError,
            (Decision::FirstError { .. }, _) => Seen::FirstError,
            (Decision::Succeeded { .. }, Rule::Quorum(_)) if lowest => Seen::LowestQuorum,
            (Decision::Succeeded { .. }, Rule::Quorum(_)) => Seen::FirstQuorum,
            (Decision::Succeeded { .. }, _) if lowest => Seen::LowestSuccess,
            (Decision::Succeeded { .. }, _) => Seen::FirstSuccess,
            (Decision::TooFew { .. }, _) => Seen::TooFew,
            _ => Seen::AllEnded,
        });
    }
}

/// Whether a scope is said to have ended for a fate that fell on it.
fn is_fated(decision: &Decision, scope: &Scope) -> bool {
    scope.fates.iter().any(|why| match (why, decision) {
        (Why::Cancelled(_), Decision::Cancelled { reason }) => *reason == scope.reason,
        (Why::Decided(_), Decision::Cancelled { .. }) | (Why::TimedOut, Decision::TimedOut) => true,
        _ => false,
    })
}
