//! Moves with scopes and groups.

use super::*;
use crate::{Decision, MemberEnd, Rule, Ties};

impl Stage {
    /// Opens one; ids count from 1.
    pub(in super::super) fn open(
        &mut self,
        parent: Option<ScopeId>,
        rule: Option<(Rule, Ties)>,
        limit: Option<Duration>,
    ) -> ScopeId {
        self.last_scope += 1;
        let scope = ScopeId(self.last_scope);
        self.tell(Event::OpenScope {
            scope,
            parent,
            rule,
            limit,
        });
        scope
    }

    pub(in super::super) fn group(&mut self, rule: Rule, ties: Ties) -> ScopeId {
        self.open(None, Some((rule, ties)), None)
    }

    pub(in super::super) fn member(&mut self, scope: ScopeId) -> TaskId {
        self.member_with(scope, TaskOptions::default())
    }

    pub(in super::super) fn members(&mut self, scope: ScopeId, count: usize) -> Vec<TaskId> {
        (0..count).map(|_| self.member(scope)).collect()
    }

    pub(in super::super) fn member_with(&mut self, scope: ScopeId, options: TaskOptions) -> TaskId {
        let task = self.next_id();
        self.tell(Event::Submit {
            task,
            kind: KindId(0),
            entry: Entry::Push,
            options: Some(Box::new(options)),
            scope: Some(scope),
        });
        task
    }

    pub(in super::super) fn close_scope(&mut self, scope: ScopeId) {
        self.tell(Event::CloseScope { scope });
    }

    pub(in super::super) fn cancel_scope(&mut self, scope: ScopeId) {
        let reason = "edited".to_owned();
        self.tell(Event::CancelScope { scope, reason });
    }

    #[track_caller]
    pub(in super::super) fn decision(&self, scope: ScopeId) -> &Decision {
        &self.scope_end(scope).decision
    }

    /// How the members ended: a letter each.
    #[track_caller]
    pub(in super::super) fn ends(&self, scope: ScopeId) -> String {
        let letter = |end: &MemberEnd| match end {
            MemberEnd::Done => 'd',
            MemberEnd::Error => 'e',
            MemberEnd::Neutral => '-',
        };
        self.scope_end(scope).ends.iter().map(letter).collect()
    }

    #[track_caller]
    fn scope_end(&self, scope: ScopeId) -> &ScopeEnd {
        self.scope_ends.get(&scope).expect("the scope is not over")
    }

    pub(in super::super) fn is_over(&self, scope: ScopeId) -> bool {
        self.scope_ends.contains_key(&scope)
    }
}
