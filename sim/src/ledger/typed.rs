//! A kind of somebody's own in the place of ours: it is asked through its registry, and what it says is noted as far as
//! the rules speak about it. What it makes of its tasks is its affair; that it panics is told.

use super::{Answered, Ledger, Seen, letter, names};
use crate::kind::place;
use farm_master::lane::Entry;
use farm_master::{
    Affinity, Judged, KindFault, NextOfWorker, Outcome, Payload, Refusal, RequestAnswer,
    ResponseAnswer, Settlement, SkippedBy, WhenGone, Whom,
};
use farm_protocol::{AttemptId, SlotId, TaskId};

impl Ledger {
    /// Whether a kind of somebody's own may panic.
    pub(crate) fn tolerates_panics(&self) -> bool {
        self.side
            .as_ref()
            .is_some_and(|side| side.panics_are_fine())
    }

    /// What people call a task.
    pub(crate) fn called(&self, task: TaskId) -> String {
        match &self.side {
            Some(side) => format!("{} ({task})", side.called(task)),
            None => task.to_string(),
        }
    }

    fn says(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.said.is_some() {
            let line = format!("kind: {}", line(self));
            self.said.get_or_insert_default().push(line);
        }
    }

    /// A callback panicked.
    fn kind_panics(&mut self, task: TaskId, fault: &KindFault) {
        if let Some(facts) = self.task(task) {
            facts.faulted = true;
        }
        let KindFault { callback, message } = fault;
        self.says(|_| format!("{callback} panics: {message}"));
        if !self.tolerates_panics() {
            let (called, place) = (self.called(task), place());
            self.breaks(names::KIND, || {
                format!("`{callback}` of {called} panicked{place}: {message}")
            });
        }
    }

    pub(super) fn typed_affinity(&mut self, task: TaskId) -> Option<Result<Affinity, KindFault>> {
        let affinity = self.side.as_mut()?.kinds().affinity(task);
        if let Err(fault) = &affinity {
            self.kind_panics(task, fault);
        }
        Some(affinity)
    }

    pub(super) fn typed_rank(&mut self, task: TaskId) -> Option<Result<i64, KindFault>> {
        let rank = self.side.as_mut()?.kinds().rank(task);
        if let Err(fault) = &rank {
            self.kind_panics(task, fault);
        }
        Some(rank)
    }

    pub(super) fn typed_substitute(&mut self, task: TaskId) {
        if let Some(side) = &mut self.side {
            side.kinds().substitute(task);
            self.says(|it| format!("the substitute of {} takes its place", it.called(task)));
        }
    }

    pub(super) fn typed_match(
        &mut self,
        task: TaskId,
        whom: Whom,
    ) -> Option<Result<bool, KindFault>> {
        let matched = self.side.as_mut()?.kinds().matches(task, whom);
        match &matched {
            Ok(true) => {}
            Ok(false) => {
                let whom = match whom {
                    Whom::Worker(slot) => format!("slot {}", slot.0),
                    Whom::Fresh => "any fresh worker".to_owned(),
                };
                self.says(|it| format!("task_match of {} and {whom}: no", it.called(task)));
            }
            Err(fault) => self.kind_panics(task, fault),
        }
        Some(matched)
    }

    pub(super) fn typed_request(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Option<RequestAnswer> {
        let answer = self.side.as_mut()?.kinds().request(id, slot, out, limit);
        let what = match &answer {
            RequestAnswer::Ready => "a request",
            RequestAnswer::Skip => "none",
            RequestAnswer::NotMarshallable(_) => "what cannot be encoded",
            RequestAnswer::Fault(_) => "a panic",
        };
        self.says(|it| {
            let (called, attempt) = (it.called(id.task), id.attempt.0);
            format!(
                "request_of_task of {called}, attempt {attempt}, for slot {}: {what}",
                slot.0
            )
        });
        match &answer {
            RequestAnswer::Ready | RequestAnswer::Skip => {}
            RequestAnswer::NotMarshallable(_) => {
                if let Some(facts) = self.task(id.task) {
                    facts.faulted = true;
                }
            }
            RequestAnswer::Fault(fault) => self.kind_panics(id.task, fault),
        }
        Some(answer)
    }

    pub(super) fn typed_response(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        payload: Payload<'_>,
    ) -> Option<ResponseAnswer> {
        let answer = self.side.as_mut()?.kinds().response(id, slot, payload);
        let facts = self.task(id.task)?;
        let session = facts.session;
        if facts.answer.is_some_and(Answered::leaves_something) {
            self.dismisses(session);
        }
        match &answer {
            ResponseAnswer::Taken {
                judged,
                next,
                injected,
                keys: _,
            } => {
                self.says(|it| {
                    let called = it.called(id.task);
                    format!(
                        "use_response of {called}, slot {}: {judged:?}, {next:?}",
                        slot.0
                    )
                });
                let facts = self.task(id.task)?;
                match judged {
                    Judged::Done => facts.used = Some(letter::DONE),
                    Judged::Failed { cause, fatal } => {
                        facts.used = Some(letter::FAILED);
                        facts.retried_for = (!fatal).then_some(*cause);
                    }
                }
                if *next == NextOfWorker::End {
                    self.dismisses(session);
                }
                for follow_up in injected {
                    self.sees(Seen::Injected);
                    if let Some(side) = &mut self.side {
                        side.injected(follow_up.task, id.task);
                    }
                    self.enter_as(follow_up.task, self.kind_of(id.task), Entry::Inject, None);
                    let fails = follow_up.pinned == Some(WhenGone::Fail);
                    self.task(follow_up.task)?.fails_without = fails.then_some(session);
                }
            }
            ResponseAnswer::Garbled(error) => {
                let called = self.called(id.task);
                self.breaks(names::WIRE, || format!("the response of {called}: {error}"));
                self.dismisses(session);
            }
            ResponseAnswer::Fault(fault) => {
                self.task(id.task)?.used = Some(letter::FAULT);
                self.kind_panics(id.task, fault);
                self.dismisses(session);
            }
        }
        Some(answer)
    }

    /// Whether it was handed on.
    pub(super) fn typed_late(&mut self, id: AttemptId, bytes: &[u8]) -> bool {
        let Some(side) = &mut self.side else {
            return false;
        };
        side.kinds().late(id, bytes);
        let fault = side.take_void_fault();
        self.says(|it| format!("on_late_response of {}", it.called(id.task)));
        if let Some(fault) = fault {
            self.kind_panics(id.task, &fault);
        }
        true
    }

    pub(super) fn typed_feedback(
        &mut self,
        id: AttemptId,
        bytes: &[u8],
    ) -> Option<Result<(), String>> {
        let told = self.side.as_mut()?.kinds().feedback(id, bytes);
        self.says(|it| format!("on_feedback of {}", it.called(id.task)));
        if let Err(why) = &told
            && !self.tolerates_panics()
        {
            let (called, place) = (self.called(id.task), place());
            self.breaks(names::KIND, || {
                format!("feedback of {called}{place}: {why}")
            });
        }
        Some(told)
    }

    /// The master says that no worker takes a task. Ours are for all of them.
    pub(super) fn is_unmatched(&mut self, task: TaskId) {
        if self.side.is_none() {
            return self.breaks(names::I7, || {
                format!("{task} matches no worker, and every worker matches")
            });
        }
        // What comes in later may still help it.
        if let Some(facts) = self.task(task) {
            facts.unmatched = Some(facts.attempt);
        }
    }

    /// A task that no worker would take was not taken by any: it ends as its last attempt did, or without one.
    pub(super) fn ends_unmatched(&mut self, settlement: &Settlement) {
        let of_itself = match &settlement.outcome {
            Outcome::Skipped(SkippedBy::NoMatch)
            | Outcome::Failed(())
            | Outcome::WorkerLost(_)
            | Outcome::Panicked(_) => true,
            Outcome::Done(())
            | Outcome::Skipped(SkippedBy::Kind | SkippedBy::Need(_))
            | Outcome::TimedOut { .. }
            | Outcome::LimitExceeded { .. }
            | Outcome::Cancelled { .. }
            | Outcome::RequestNotMarshallable(_)
            | Outcome::RequestRefused(_)
            | Outcome::ResponseNotMarshallable(_)
            | Outcome::ResponseGarbled(_)
            | Outcome::KindFault(_)
            | Outcome::HolderGone
            | Outcome::InjectionRefused { .. }
            | Outcome::Poisoned(_)
            | Outcome::SpawnFailed(_)
            | Outcome::Closed
            | Outcome::Displaced => false,
        };
        let facts = self.task(settlement.task);
        let waited = facts.is_some_and(|facts| facts.unmatched == Some(facts.attempt));
        if waited && of_itself {
            let called = self.called(settlement.task);
            self.breaks(names::NO_MATCH, || {
                format!("{called} waits until the farm is drained, and nothing that goes on lets it start (`task_match`, `affinity`)")
            });
        }
    }

    /// A task has ended: the kind is told, and whoever waits.
    pub(crate) fn tells_end(&mut self, settlement: &Settlement) {
        let called = self.called(settlement.task);
        let Some(side) = &mut self.side else { return };
        let fault = side.settle(settlement.clone());
        let Some(KindFault { callback, message }) = fault else {
            return;
        };
        self.says(|_| format!("{callback} panics: {message}"));
        if !self.tolerates_panics() {
            let place = place();
            self.breaks(names::KIND, || {
                format!("`{callback}` of {called} panicked{place}: {message}")
            });
        }
    }

    /// A task was not admitted.
    pub(crate) fn hands_back(&mut self, task: TaskId, refusal: &Refusal) {
        if let Some(side) = &mut self.side {
            side.refuse(task, refusal.clone());
        }
    }

    /// The worker that a task needs is gone, or will be.
    pub(super) fn holder_is_gone(&mut self, task: TaskId) -> bool {
        let holder = self.task(task).and_then(|facts| facts.fails_without);
        holder.is_some_and(|holder| {
            let facts = self.session(holder);
            let leaves = facts.dismissed || facts.asked_to_end || facts.signalled.is_some();
            leaves || facts.ended.is_some()
        })
    }

    /// The tasks that have no end, for people.
    pub(crate) fn left(&self) -> Vec<String> {
        let open = self.tasks.iter().filter(|facts| facts.open);
        open.map(|facts| {
            let called = self.called(facts.id);
            if facts.attempt == 0 {
                format!("{called} was never sent to a worker")
            } else {
                format!("{called} was last sent to {}", facts.session)
            }
        })
        .collect()
    }
}
