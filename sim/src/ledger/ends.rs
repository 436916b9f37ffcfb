//! How a task ended, in every detail that the master tells: how a stop ended, what it cost, what was left of a budget.

use super::{Answered, Facts, Ledger, letter, names};
use farm_lockstep::Exit;
use farm_master::{
    AttemptEnd, AttemptReport, Cause, CrashLimit, HowStopped, OnLost, Outcome, Settlement, Shut,
    Signal, TimeLimit,
};
use farm_protocol::{Attempt, AttemptId, Session, TaskId};

impl Facts {
    /// The end of its latest attempt was told while the task went on.
    const fn is_told(&self) -> bool {
        self.told_last == self.attempt
    }

    /// Its latest attempt, of which nothing was heard, and where it was, if it must not run twice.
    pub(super) fn unheard(&self) -> Option<(AttemptId, Session)> {
        let nothing = self.attempt > 0 && !self.is_told() && !self.asked && self.answer.is_none();
        (nothing && self.options.on_lost == OnLost::Fail).then_some((
            AttemptId {
                task: self.id,
                attempt: Attempt(self.attempt),
            },
            self.session,
        ))
    }

    /// Whether this outcome is the end of its latest attempt, and not of an earlier one or of none.
    fn ends_attempt(&self, outcome: &Outcome) -> bool {
        let runs = self.attempt > 0 && !self.is_told();
        match outcome {
            Outcome::Done(())
            | Outcome::ResponseGarbled(_)
            | Outcome::RequestRefused(_)
            | Outcome::ResponseNotMarshallable(_) => runs,
            Outcome::Failed(()) => runs && self.used.is_some(),
            Outcome::KindFault(_) => runs && self.used == Some(letter::FAULT),
            Outcome::Cancelled { how, .. } | Outcome::TimedOut { how, .. } => {
                runs && self.asked && *how != HowStopped::BeforeStart
            }
            Outcome::WorkerLost(death) | Outcome::Panicked(death) => {
                runs && death.attempt.0 == self.attempt
            }
            Outcome::Poisoned(_) => runs,
            Outcome::LimitExceeded { .. }
            | Outcome::Skipped(_)
            | Outcome::RequestNotMarshallable(_)
            | Outcome::HolderGone
            | Outcome::InjectionRefused { .. }
            | Outcome::SpawnFailed(_)
            | Outcome::Closed
            | Outcome::Displaced => false,
        }
    }
}

/// Whether the end of the last attempt goes with the outcome of its task.
fn agrees(end: &AttemptEnd, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Done(()) => *end == AttemptEnd::Done,
        Outcome::Failed(()) => *end == AttemptEnd::Failed,
        Outcome::Cancelled { how, .. } => *end == AttemptEnd::Cancelled(*how),
        Outcome::TimedOut { which, .. } => *end == AttemptEnd::TimedOut(*which),
        Outcome::WorkerLost(_) => matches!(end, AttemptEnd::Died(_)),
        Outcome::Panicked(_) => *end == AttemptEnd::Panicked,
        Outcome::Poisoned(_) => matches!(end, AttemptEnd::Died(_) | AttemptEnd::Panicked),
        _ => *end == AttemptEnd::Fault,
    }
}

impl Ledger {
    /// What a report says of the attempt that ends: where it was and since when.
    pub(super) fn report_is_true(&mut self, task: TaskId, report: &AttemptReport) {
        let now = crate::master::instant(self.now);
        let Some(facts) = self.task(task) else { return };
        let sent = crate::master::instant(facts.sent);
        let session = facts.session;
        let slot = self.session(session).slot;
        let right = report.session == session && report.slot == slot;
        if !right || report.started != sent || report.finished != now {
            self.breaks(names::I1, || {
                format!("{task} ran on {session} in {slot} from {sent:?} to {now:?}, and the master tells {report:?}")
            });
        }
    }

    /// The account of a task: its times, and exactly those attempts that executed.
    pub(super) fn account_is_true(&mut self, settlement: &Settlement) {
        let now = crate::master::instant(self.now);
        let Some(facts) = self.task(settlement.task) else {
            return;
        };
        let ends = facts.ends_attempt(&settlement.outcome);
        let (attempt, told) = (facts.attempt, facts.told + u32::from(ends));
        let sent = (attempt > 0).then(|| crate::master::instant(facts.sent));
        let submitted = crate::master::instant(facts.submitted);
        let times = settlement.submitted == submitted
            && settlement.started == sent
            && settlement.finished == now;
        let reports = &settlement.attempts;
        let rising = reports.is_sorted_by(|a, b| a.attempt < b.attempt);
        let last = reports.last();
        let last_is_right = !ends
            || last.is_some_and(|last| {
                last.attempt.0 == attempt && agrees(&last.end, &settlement.outcome)
            });
        if let Some(last) = last.filter(|_| ends) {
            self.report_is_true(settlement.task, last);
        }
        if !times || !rising || !last_is_right || reports.len() != told as usize {
            self.breaks(names::I1, || {
                format!("{told} attempts were made, {attempt} sent, the last at {sent:?}, submitted at {submitted:?}, and the master tells {settlement:?}")
            });
        }
    }

    /// A task that may run again does not end.
    pub(super) fn should_end(&mut self, settlement: &Settlement) {
        let closing = self.shut >= Some(Shut::Finish)
            || self.has_ended(self.kind_of(settlement.task))
            || self.holder_is_gone(settlement.task);
        let unwanted = !self.unwanted(settlement.task).is_empty();
        let Some(facts) = self.task(settlement.task) else {
            return;
        };
        let cause = match &settlement.outcome {
            Outcome::Failed(()) => match facts.retried_for {
                Some(cause) => cause,
                None => return,
            },
            Outcome::TimedOut {
                which: TimeLimit::Running,
                ..
            } => Cause::Timeout,
            _ => return,
        };
        let used = facts.retries + facts.void_stops;
        let rules = facts.options;
        let unused = facts.used.is_none();
        let over =
            closing || unwanted || facts.cancelled || facts.is_told() || used >= rules.retries;
        let id = settlement.task;
        let more = !over && rules.retried_on.has(cause);
        if more && !(unused && (self.ends_unpinned(id) || self.nobody_matches(id))) {
            self.breaks(names::I9, || {
                format!(
                    "{} ends after {used} of {} retries: {:?}",
                    settlement.task, rules.retries, settlement.outcome
                )
            });
        }
    }

    /// A new death ends a task: it may not run again, or nothing starts any more and it was not on its last try.
    pub(super) fn death_is_the_end(&mut self, task: TaskId) {
        let closing = self.shut >= Some(Shut::Finish) || self.ends_with_its_worker(task);
        let Some(facts) = self.task(task) else { return };
        let (deaths, rules) = (facts.deaths, facts.options);
        let pinned = facts.fails_without.is_some();
        let suspected =
            matches!(rules.crash_limit, CrashLimit::Deaths(most) if most > 0 && deaths >= most);
        if rules.on_lost == OnLost::Retry && !pinned && (!closing || suspected) {
            self.breaks(names::I9, || {
                format!(
                    "{task} ends lost after {deaths} deaths before, and its rules are {rules:?}"
                )
            });
        }
    }

    /// The worker of this attempt is dead and was executing it, and the master is just being told.
    pub(super) fn dies_executing(&mut self, id: AttemptId) -> bool {
        if id.attempt.0 == 0 {
            return false;
        }
        let session = self.task(id.task).expect("looked up by the caller").session;
        let facts = self.session(session);
        let over = facts.exit_told && facts.eof_told && !facts.gone && !facts.babbled;
        over && facts.page && facts.executing == Some(id) && facts.held.contains(&id)
    }

    /// How a stop is said to have ended is how it ended.
    pub(super) fn stop_is_true(&mut self, settlement: &Settlement) {
        let outcome = &settlement.outcome;
        let (Outcome::Cancelled { how, .. } | Outcome::TimedOut { how, .. }) = outcome else {
            return;
        };
        let task = settlement.task;
        let Some(attempt) = self.task(task).map(|facts| Attempt(facts.attempt)) else {
            return;
        };
        let id = AttemptId { task, attempt };
        if !self.how_is_true(id, outcome, *how) {
            let answer = self.task(task).and_then(|facts| facts.answer);
            self.breaks(names::I1, || {
                format!("{id} ends {outcome:?}, and that is not how (heard {answer:?})")
            });
        }
    }

    fn how_is_true(&mut self, id: AttemptId, outcome: &Outcome, how: HowStopped) -> bool {
        let facts = self.task(id.task).expect("looked up by the caller");
        let (asked, answer, told) = (facts.asked, facts.answer, facts.is_told());
        if id.attempt.0 == 0 || told || !asked {
            // It waited; if it ends as an earlier attempt did, that was told.
            let earlier = matches!(outcome, Outcome::TimedOut { .. }) && facts.told > 0;
            return how == HowStopped::BeforeStart || earlier;
        }
        let session = facts.session;
        let executing = self.dies_executing(id);
        let facts = self.session(session);
        if facts.babbled {
            return true;
        }
        let signalled = facts.signalled;
        let begun = !facts.page || facts.executing == Some(id) || facts.panicked == Some(id);
        let died = facts.exit_told && begun && answer.is_none();
        let ended = facts.ended;
        let killed = ended == Some(Exit::Signal(9)) && signalled == Some(Signal::Kill);
        match how {
            HowStopped::BeforeStart => !executing,
            HowStopped::Acked => matches!(answer, Some(Answered::Replied { heeded: true, .. })),
            HowStopped::LateReply => matches!(
                answer,
                Some(
                    Answered::Replied { heeded: false, .. }
                        | Answered::Refused
                        | Answered::Unmarshallable
                )
            ),
            HowStopped::Killed => died && killed,
            HowStopped::Terminated => died && ended == Some(Exit::Signal(15)),
            HowStopped::Exited => died && !killed,
        }
    }
}
