//! Scopes and groups at work: opened, closed, cancelled, timed out, decided, over.
//!
//! Conclusions are drawn after the event has been handled, as for needs: what one reading of a pipe
//! brings counts together, and nobody is cancelled in the middle of another's end. They are drawn
//! before anything is started, so that nothing starts, and no worker is spawned, for who is given up.

use super::scopes::{Doomed, Fate, Seat};
use super::stop::ended_by;
use super::task::StopWhy;
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::{Action, Refusal};
use crate::group::{MemberEnd, Rule, Ties};
use crate::mutation::Mutation;
use crate::outcome::{CancelledBy, HowStopped, Outcome, Settlement};
use crate::scope::ScopeRefusal;
use farm_protocol::{KindId, ScopeId, TaskId};
use std::time::Duration;

impl Master {
    pub(super) fn open_scope(
        &mut self,
        turn: &mut Turn<'_>,
        scope: ScopeId,
        parent: Option<ScopeId>,
        rule: Option<(Rule, Ties)>,
        limit: Option<Duration>,
    ) {
        let group = rule.map(|rule| self.new_group(rule));
        let until = limit.map(|limit| turn.now.after(limit));
        let opened = if self.stopped {
            Err(ScopeRefusal::FarmOver)
        } else {
            self.scopes.open(scope, parent, group, until)
        };
        match (opened, until) {
            (Ok(()), Some(until)) => self.timers.arm(until, Timer::Group(scope)),
            (Ok(()), None) => {}
            (Err(refusal), _) => turn.actions.push(Action::RefuseScope { scope, refusal }),
        }
    }

    /// Cancels everything in a scope and in those inside it. Unknown and ended ones are ignored.
    pub(super) fn cancel_scope(&mut self, turn: &mut Turn<'_>, scope: ScopeId, reason: String) {
        self.doom(turn, scope, &Fate::Cancelled { scope, reason });
    }

    pub(super) fn scope_overdue(&mut self, turn: &mut Turn<'_>, scope: ScopeId) {
        // What came in time decides first.
        self.decide_scopes(turn);
        self.doom(turn, scope, &Fate::TimedOut);
    }

    fn doom(&mut self, turn: &mut Turn<'_>, scope: ScopeId, fate: &Fate) {
        // A list and no recursion: a caller may put scopes into each other without end.
        let mut scopes = vec![scope];
        while let Some(scope) = scopes.pop() {
            let Some(doomed) = self.scopes.doom(scope, fate) else {
                continue;
            };
            let Doomed {
                tasks,
                children,
                until,
            } = doomed;
            if let Some(until) = until {
                self.timers.disarm(until, Timer::Group(scope));
            }
            if !self.config.mutation.is(Mutation::InnerScopesLeft) {
                scopes.extend(children);
            }
            for task in tasks {
                self.end_by(turn, task, fate.why());
            }
        }
    }

    /// A submitted task's place in its scope.
    pub(super) fn join_scope(&mut self, scope: Option<ScopeId>) -> Result<Option<Seat>, Refusal> {
        scope.map(|scope| self.scopes.join(scope)).transpose()
    }

    /// Ends a task that has not entered if its scope has given it up. Whether it has.
    pub(super) fn comes_in_vain(
        &mut self,
        turn: &mut Turn<'_>,
        (id, kind): (TaskId, KindId),
        seat: Option<Seat>,
    ) -> bool {
        let why = seat.and_then(|seat| self.scopes.why_ended(seat));
        let why = why.filter(|why| !self.lets_in(why));
        let Some(why) = why else { return false };
        let (_, outcome) = ended_by(why, HowStopped::BeforeStart);
        self.settle_outside(turn, (id, kind), seat, outcome);
        true
    }

    /// The end of a task that never was in a lane.
    pub(super) fn settle_outside(
        &mut self,
        turn: &mut Turn<'_>,
        (id, kind): (TaskId, KindId),
        seat: Option<Seat>,
        outcome: Outcome,
    ) {
        let pool = &mut self.pools[kind.0 as usize];
        pool.outside += 1;
        pool.ends.count(&outcome);
        self.leave_scope(seat, id, MemberEnd::of(&outcome));
        turn.actions.push(Action::Settle(Settlement {
            task: id,
            scope: seat.map(|seat| seat.scope),
            outcome,
            attempts: Vec::new(),
            submitted: turn.now,
            started: None,
            finished: turn.now,
        }));
    }

    /// A task is at rest, or was refused.
    pub(super) fn leave_scope(&mut self, seat: Option<Seat>, id: TaskId, end: MemberEnd) {
        if let Some(seat) = seat
            && !self.has_outlived(seat)
        {
            let end = self.as_counted(end);
            self.scopes.left(seat, id, end);
        }
    }

    /// What follows from ends: dependents become ready or end, groups are decided, scopes are over.
    pub(super) fn draw_conclusions(&mut self, turn: &mut Turn<'_>) {
        loop {
            self.tell_dependents(turn);
            self.decide_scopes(turn);
            if self.ended.is_empty() {
                return;
            }
        }
    }

    /// Decides groups whose members have ended, and tells the end of scopes that are over.
    pub(super) fn decide_scopes(&mut self, turn: &mut Turn<'_>) {
        while let Some(id) = self.scopes.pop_changed() {
            for task in self.scopes.give_up(id) {
                if self.overlooks(task) {
                    continue;
                }
                let why = StopWhy::Cancelled(CancelledBy::Group(id));
                self.end_by(turn, task, why);
            }
            for child in self.scopes.children_given_up(id) {
                self.doom(turn, child, &Fate::Decided(id));
            }
            let early = self.config.mutation.is(Mutation::FollowUpsOutlive);
            if let Some((end, until)) = self.scopes.end_if_over(id, early) {
                if let Some(until) = until {
                    self.timers.disarm(until, Timer::Group(id));
                }
                turn.actions.push(Action::ScopeEnded { scope: id, end });
            }
        }
    }

    /// The farm has stopped: no scope gets a further member, and none has one.
    pub(super) fn end_all_scopes(&mut self, turn: &mut Turn<'_>) {
        self.scopes.close_all();
        self.decide_scopes(turn);
        assert_eq!(self.scopes.len(), 0, "a scope outlives its farm");
    }
}
