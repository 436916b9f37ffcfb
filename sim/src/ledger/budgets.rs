//! The budget of starts: failures in a row make pauses, and too many end the pool.

use super::{Ledger, Seen, names};
use crate::model::Model;
use farm_lockstep::{Exit, VTime};
use farm_master::StartFailures;
use farm_protocol::{KindId, Session};
use std::time::Duration;

use super::sessions::Answered;

/// Start failures as the world sees them.
#[derive(Debug)]
pub(super) struct Budgets {
    rules: StartFailures,
    /// In a row, no answer and no charged death between them: at least so many.
    row: u32,
    /// As many as may have been counted since the last that went well.
    at_most: u32,
    /// No start before this.
    pause_until: VTime,
    /// No pause goes on after this.
    paused_at_most: VTime,
    /// Failures of sessions up to this one belong to a failure that was counted, surely or perhaps.
    surely_counted: u64,
    perhaps_counted: u64,
    pub(super) pool_ended: bool,
}

impl Budgets {
    pub(super) const fn new(rules: StartFailures) -> Self {
        Self {
            rules,
            row: 0,
            at_most: 0,
            pause_until: VTime::START,
            paused_at_most: VTime::START,
            surely_counted: 0,
            perhaps_counted: 0,
            pool_ended: false,
        }
    }

    /// The pause after so many failures in a row.
    fn pause_after(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX);
        let pause = self.rules.pause.saturating_mul(factor);
        pause.min(self.rules.max_pause)
    }
}

impl Ledger {
    /// A start must not come in a pause.
    pub(super) fn may_start(&mut self, session: Session, kind: KindId) {
        let now = self.now;
        let budgets = &self.pool(kind).budgets;
        let (until, ended) = (budgets.pause_until, budgets.pool_ended);
        let (failures, limit) = (budgets.row, budgets.rules.limit);
        // Of somebody only the first answer says that a start went well: failures in a row are not what they are here.
        let named = self.is_named(kind);
        if now < until && !named {
            self.breaks(names::I9, || {
                format!("{session} is started at {now} ms, in a pause until {until} ms")
            });
        }
        if ended {
            self.breaks(names::I9, || {
                format!("{session} is started though the pool has ended")
            });
        }
        if failures >= limit && !named {
            self.breaks(names::I9, || {
                format!("{session} is started after {failures} start failures in a row, the limit is {limit}")
            });
        }
    }

    /// A pause between two starts may go on.
    pub(super) fn may_pause(&self, kind: KindId) -> bool {
        self.now < self.pool(kind).budgets.paused_at_most
    }

    /// No worker is started any more.
    pub(super) fn has_ended(&self, kind: KindId) -> bool {
        self.pool(kind).budgets.pool_ended
    }

    /// Tasks could start, and there is no worker: then one comes, at the latest when the pause is over. `wakes`: when
    /// the master wants to be woken.
    pub(super) fn is_staffed(&mut self, kind: KindId, wakes: Option<VTime>) {
        let pool = self.pool(kind);
        let wants = pool.model.as_ref().is_some_and(Model::wants_to_start);
        // Where others have all places, or the tokens, it waits: that is told apart by I14 and I15.
        if pool.living > 0 || pool.budgets.pool_ended || !wants || self.waits_for_others() {
            return;
        }
        // Where every task is for every worker, a fresh one would take the first.
        if self.keyed {
            let stands = self.stands(kind);
            if !stands.iter().any(|stand| self.fresh_may_take(stand)) {
                return;
            }
        }
        let (until, now) = (self.pool(kind).budgets.paused_at_most, self.now);
        if now >= until || wakes.is_none_or(|at| at > until) {
            self.breaks(names::I9, || {
                format!("tasks wait, no worker comes, the pause ends at {until} ms, and the master sleeps until {wakes:?}")
            });
        }
    }

    /// An answer was heard: the worker has started well.
    pub(super) fn budget_of_start_reset(&mut self, session: Session, how: Answered) {
        let budgets = &mut self.pool_mut(self.kind_at(session)).budgets;
        match how {
            Answered::Replied { .. } | Answered::Unmarshallable => {
                (budgets.row, budgets.at_most) = (0, 0);
            }
            Answered::Refused | Answered::Revoked => {}
        }
    }

    /// A process could not be started.
    pub(crate) fn spawn_failed(&mut self, session: Session) {
        let facts = self.session(session);
        facts.gone = true;
        facts.ended = Some(Exit::Code(-1));
        let (asked_to_end, kind) = (facts.asked_to_end, facts.kind);
        self.pool_mut(kind).living -= 1;
        if !asked_to_end {
            self.failed_to_start(session, true);
        }
    }

    /// A session is over: was it a start failure? One that was executing what was asked to `stop`, or what has ended
    /// already, perhaps was not.
    pub(super) fn judge_start(&mut self, session: Session, charged: bool, stopped: bool) {
        let facts = self.session(session);
        let (kind, settled) = (facts.kind, facts.settled);
        let budgets = &mut self.pool_mut(kind).budgets;
        if charged || settled {
            (budgets.row, budgets.at_most) = (0, 0);
            return;
        }
        if stopped {
            budgets.row = 0;
            return;
        }
        let facts = self.session(session);
        let by_itself = facts.signalled.is_none() && !facts.asked_to_end && !facts.babbled;
        let by_itself = by_itself && !facts.wear.perhaps_retired;
        self.failed_to_start(session, by_itself);
    }

    /// A failure is counted once for all that were started before it was known. Whether one that is not `certain` was
    /// counted decides whether the next is; so a pause is demanded only after one that was counted either way.
    fn failed_to_start(&mut self, session: Session, certain: bool) {
        let (started, now) = (self.sessions.len() as u64, self.now);
        let budgets = &mut self.pool_mut(self.kind_at(session)).budgets;
        if session.0 <= budgets.surely_counted {
            return;
        }
        budgets.at_most += 1;
        let at_most = now.after(budgets.pause_after(budgets.at_most));
        budgets.paused_at_most = budgets.paused_at_most.max(at_most);
        let counted = certain && session.0 > budgets.perhaps_counted;
        budgets.perhaps_counted = started;
        if !counted {
            return;
        }
        budgets.surely_counted = started;
        budgets.row += 1;
        let pause = budgets.pause_after(budgets.row);
        if budgets.row < budgets.rules.limit {
            budgets.pause_until = budgets.pause_until.max(now.after(pause));
        }
        self.sees(Seen::StartFailed);
    }

    /// The master gives the pool up.
    pub(super) fn pool_ended(&mut self, kind: KindId) {
        self.sees(Seen::PoolEnded);
        let pool = self.pool_mut(kind);
        pool.budgets.pool_ended = true;
        let (failures, limit) = (pool.budgets.at_most, pool.budgets.rules.limit);
        let refused = pool.staff.refused;
        if failures < limit && !refused {
            self.breaks(names::I9, || {
                format!(
                    "the pool ends after {failures} start failures in a row, the limit is {limit}"
                )
            });
        }
        self.all_may_be_retired(kind);
    }
}
