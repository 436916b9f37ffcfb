//! What of the truth there is once for each kind: its model, its workers, its budget of starts; and to which kind belongs
//! what the machine is told and does.
//!
//! What is keyed (not every task is for every worker) has one kind, so there the first pool is the only one.

use super::budgets::Budgets;
use super::staffing::Staff;
use super::{Ledger, Seen, SessionFacts};
use crate::model::Model;
use farm_lockstep::VTime;
use farm_master::{Action, Config, Event, KindConfig, Tokens};
use farm_protocol::{Instant, KindId, Session, SlotId, TaskId};
use std::ops::Range;

/// The truth about one kind.
#[derive(Debug)]
pub(super) struct Pool {
    /// Not for a kind of somebody's own: it assumes tasks that match every worker.
    pub(super) model: Option<Model>,
    pub(super) budgets: Budgets,
    pub(super) staff: Staff,
    /// Its workers that are not gone.
    pub(super) living: usize,
    /// Its tasks in the farm that were sent at least once.
    pub(super) begun: usize,
    /// One of its tasks was done.
    pub(super) done: bool,
    /// Its slots among all.
    slots: Range<u32>,
}

impl Pool {
    /// A pool for each kind.
    pub(super) fn all(config: &Config, with_models: bool) -> Vec<Self> {
        let mut next = 0;
        let named = config.kinds.iter().any(|kind| kind.staffing.named);
        let with_models = with_models && !named;
        let pool = |kind: &KindConfig| {
            let slots = next..next + kind.numbered();
            next = slots.end;
            Self {
                model: with_models.then(|| Model::new(kind, &config.limits)),
                budgets: Budgets::new(config.start_failures),
                staff: Staff::new(kind, !named),
                living: 0,
                begun: 0,
                done: false,
                slots,
            }
        };
        config.kinds.iter().map(pool).collect()
    }

    pub(super) fn has_slot(&self, slot: SlotId) -> bool {
        self.slots.contains(&slot.0)
    }
}

impl Ledger {
    /// Kinds may have to wait for each other, or for the tokens of others.
    pub(super) fn shares(&self) -> bool {
        let shares = self.config.workers.is_some() || self.config.tokens != Tokens::Unlimited;
        shares && !self.has_named()
    }

    /// There may be no place, or no token.
    pub(super) fn waits_for_others(&self) -> bool {
        self.is_full() || self.is_limited()
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = KindId> + use<> {
        (0..u16::try_from(self.pools.len()).expect("few kinds")).map(KindId)
    }

    pub(super) fn pool(&self, kind: KindId) -> &Pool {
        &self.pools[usize::from(kind.0)]
    }

    pub(super) fn pool_mut(&mut self, kind: KindId) -> &mut Pool {
        &mut self.pools[usize::from(kind.0)]
    }

    pub(crate) fn kind_config(&self, kind: KindId) -> &KindConfig {
        &self.config.kinds[usize::from(kind.0)]
    }

    /// The kind of a task that is or was in the farm.
    pub(crate) fn kind_of(&self, task: TaskId) -> KindId {
        let facts = self.tasks.get(task.index());
        facts.map_or(KindId(0), |facts| facts.kind)
    }

    /// The kind of a worker.
    pub(crate) fn kind_at(&self, session: Session) -> KindId {
        let index = usize::try_from(session.0).expect("few sessions") - 1;
        self.sessions.get(index).map_or(KindId(0), |it| it.kind)
    }

    /// The farm has stopped.
    pub(super) fn sees_three_kinds(&mut self) {
        if self.pools.len() >= 3 && self.pools.iter().all(|pool| pool.done) {
            self.sees(Seen::ThreeKindsEnd);
        }
    }

    pub(crate) fn model(&self, kind: KindId) -> Option<&Model> {
        self.pool(kind).model.as_ref()
    }

    pub(crate) fn model_mut(&mut self, kind: KindId) -> Option<&mut Model> {
        self.pool_mut(kind).model.as_mut()
    }

    /// The workers of a kind that are not gone.
    pub(super) fn living_of(&self, kind: KindId) -> impl Iterator<Item = &SessionFacts> {
        self.living().filter(move |it| it.kind == kind)
    }

    /// Nothing is compared with a model any more.
    pub(super) fn drops_models(&mut self) {
        for pool in &mut self.pools {
            pool.model = None;
        }
    }

    /// Before the machine is told: the models hear it. To those of other kinds it is a moment like any other.
    pub(crate) fn models_hear(&mut self, now: Instant, event: &Event<'_>) {
        let of = self.whose(event);
        for (kind, pool) in (0..).map(KindId).zip(&mut self.pools) {
            if let Some(model) = &mut pool.model {
                let concerns = of.is_none_or(|of| of == kind);
                model.told(now, if concerns { event } else { &Event::Wake });
            }
        }
    }

    /// The kind that an event is about; `None`: it is about all.
    fn whose(&self, event: &Event<'_>) -> Option<KindId> {
        match event {
            Event::Submit { kind, .. }
            | Event::Offer { kind, .. }
            | Event::Finish { kind }
            | Event::SetOrder { kind, .. }
            | Event::Broadcast { kind }
            | Event::Resize { kind, .. }
            | Event::SetGate { kind, .. } => Some(*kind),
            Event::CancelAll { kind, .. } => *kind,
            Event::Cancel { task, .. }
            | Event::Withdraw { task }
            | Event::SetPriority { task, .. } => Some(self.kind_of(*task)),
            Event::Spawned { session, .. }
            | Event::SpawnFailed { session, .. }
            | Event::Bytes { session, .. }
            | Event::Output { session, .. }
            | Event::Eof { session, .. }
            | Event::Exited { session, .. }
            | Event::Decoded { session, .. }
            | Event::Usage { session, .. }
            | Event::Weighed { session, .. }
            | Event::EndWorker { session, .. } => Some(self.kind_at(*session)),
            Event::Shut(_)
            | Event::OpenScope { .. }
            | Event::CloseScope { .. }
            | Event::CancelScope { .. }
            | Event::TokenCame
            | Event::TokensLost { .. }
            | Event::TokensCounted
            | Event::Wake => None,
        }
    }

    /// The model of the kind that an action is about sees it.
    ///
    /// # Errors
    /// The action is against the rules; why.
    pub(crate) fn model_sees(&mut self, now: Instant, action: &Action) -> Result<(), String> {
        let kind = match action {
            Action::Spawn { kind, .. } | Action::PoolEnded { kind, .. } => *kind,
            Action::Send { session, .. }
            | Action::Started { session, .. }
            | Action::WorkerGone { session, .. } => self.kind_at(*session),
            Action::AttemptEnded { task, .. } | Action::Refuse { task, .. } => self.kind_of(*task),
            Action::Settle(settlement) => self.kind_of(settlement.task),
            // What no model looks at.
            Action::Signal { .. }
            | Action::Decode { .. }
            | Action::Watch { .. }
            | Action::Weigh { .. }
            | Action::Unwatch { .. }
            | Action::Progress { .. }
            | Action::Unmatched { .. }
            | Action::Admitted { .. }
            | Action::ScopeEnded { .. }
            | Action::RefuseScope { .. }
            | Action::Token(_)
            | Action::WorkerReady { .. }
            | Action::Stopped => return Ok(()),
        };
        let model = self.model_mut(kind);
        model.map_or(Ok(()), |model| model.does(now, action))
    }

    /// After all actions of the call.
    pub(crate) fn models_are_done(&mut self, now: Instant) {
        for pool in &mut self.pools {
            if let Some(model) = &mut pool.model {
                model.done(now);
            }
        }
    }

    /// Before a call: nobody is there that should have gone.
    pub(crate) fn nobody_overstays(&mut self, now: VTime) {
        for kind in self.kinds() {
            self.nobody_of_overstays(kind, now);
        }
    }

    /// After a call. `wakes`: when the master wants to be woken.
    pub(crate) fn pools_are_staffed(&mut self, wakes: Option<VTime>) {
        for kind in self.kinds() {
            self.is_staffed(kind, wakes);
        }
        self.nothing_is_overlooked();
        for kind in self.kinds() {
            self.is_staffed_as_set(kind);
        }
        if self.shares() && !self.stopped {
            self.places_are_shared();
            self.tokens_are_in_use();
        }
    }
}
