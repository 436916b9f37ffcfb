//! Whether the cause that the master gives for an end is what happened, and whether the task had to end at all.

use super::{Ledger, Seen, letter, names};
use farm_lockstep::Exit;
use farm_master::lane::{Entry, Gate};
use farm_master::{
    AttemptEnd, CancelledBy, CrashLimit, Death, HowStopped, OnLost, Outcome, RetryOn, Settlement,
    Shut, SkippedBy, TimeLimit,
};
use farm_protocol::{Attempt, AttemptId, TaskId, Termination};

/// How a process ended, as the driver tells it.
pub(crate) const fn termination(exit: Exit) -> Termination {
    match exit {
        Exit::Code(code) => Termination::Exited(code),
        Exit::Signal(signal) => Termination::Signaled {
            signal,
            core_dumped: false,
        },
    }
}

impl Ledger {
    /// The cause that the master gives is what happened.
    pub(super) fn cause_is_true(&mut self, settlement: &Settlement) {
        let task = settlement.task;
        let facts = self.task(task).expect("looked up by the caller");
        let (used, cancelled, attempt) = (facts.used, facts.cancelled, facts.attempt);
        let (deaths, before, session) = (facts.deaths, facts.failed, facts.session);
        let id = AttemptId {
            task,
            attempt: Attempt(attempt),
        };
        let closing = self.shut >= Some(Shut::Finish);
        let is_so = match &settlement.outcome {
            Outcome::Done(()) => {
                self.sees(Seen::Done);
                used.is_some_and(|letter| letter != letter::FAILED)
            }
            Outcome::Failed(()) => {
                let failed = used == Some(letter::FAILED) || (used.is_none() && before);
                failed && !self.may_be_retried(task, RetryOn::EXIT)
            }
            Outcome::Cancelled { by, how } => {
                self.sees_stop(*how);
                let wanted = match by {
                    CancelledBy::Caller(_) => {
                        cancelled && (used.is_none() || used == Some(letter::FAILED))
                    }
                    CancelledBy::Stopping => closing,
                };
                wanted && self.how_is_true(id, *how)
            }
            Outcome::TimedOut { which, how } => {
                self.timed_out(task, *which);
                // A task that never started has nothing to retry.
                let final_one =
                    *which == TimeLimit::Waiting || !self.may_be_retried(task, RetryOn::TIMEOUT);
                // Or it ends as an attempt before the latest, which never executed.
                let earlier = settlement
                    .attempts
                    .last()
                    .is_some_and(|report| report.attempt != id.attempt);
                final_one && (earlier || self.how_is_true(id, *how))
            }
            Outcome::WorkerLost(death) | Outcome::Panicked(death) => self.lost_is_true(id, death),
            Outcome::Poisoned(evidence) => self.poisoned_is_true(id, evidence.len()),
            Outcome::ResponseGarbled(_) | Outcome::RequestRefused(_) => {
                let facts = self.session(session);
                // It is not trusted with anything more.
                facts.to_end = true;
                facts.babbled
            }
            Outcome::SpawnFailed(_) => self.budgets.pool_ended,
            Outcome::Closed => closing && used.is_none(),
            Outcome::InjectionRefused { .. } => {
                self.sees(Seen::InjectionRefused);
                self.task(task)
                    .is_some_and(|facts| facts.entry == Entry::Inject)
            }
            Outcome::Skipped(SkippedBy::Need(needed)) => self.need_is_unmet(task, *needed),
            Outcome::ResponseNotMarshallable(_) => true,
            Outcome::Skipped(SkippedBy::Kind)
            | Outcome::LimitExceeded { .. }
            | Outcome::RequestNotMarshallable(_)
            | Outcome::KindFault(_)
            | Outcome::HolderGone
            | Outcome::Displaced => false,
        };
        let told = self.attempts_are_told(settlement);
        if !is_so || !told {
            self.breaks(names::I1, || {
                format!(
                    "{task} ends {:?} after {:?}, and that is not what happened (used {used:?}, cancelled {cancelled}, deaths {deaths})",
                    settlement.outcome, settlement.attempts
                )
            });
        }
    }

    fn sees_stop(&mut self, how: HowStopped) {
        self.sees(match how {
            HowStopped::BeforeStart => Seen::CancelledWaiting,
            HowStopped::Acked => Seen::AckedStop,
            HowStopped::LateReply => Seen::LateAnswer,
            HowStopped::Exited | HowStopped::Terminated | HowStopped::Killed => Seen::KilledStop,
        });
    }

    /// A task that may be tried again does not end.
    fn may_be_retried(&mut self, task: TaskId, cause: RetryOn) -> bool {
        let closing =
            self.shut >= Some(Shut::Finish) || self.budgets.pool_ended || self.gate == Gate::Closed;
        let Some(facts) = self.task(task) else {
            return false;
        };
        // An attempt that was asked to stop before it began may have used a retry without a word about it.
        let used = facts.retries + facts.silent;
        let rules = facts.options;
        !closing && !facts.cancelled && rules.retry_on.contains(cause) && used < rules.retries
    }

    /// How a stopped attempt came to rest.
    fn how_is_true(&mut self, id: AttemptId, how: HowStopped) -> bool {
        let Some(facts) = self.task(id.task) else {
            return false;
        };
        let (heard, over, session) = (facts.heard, facts.over, facts.session);
        if session.0 == 0 {
            return how == HowStopped::BeforeStart;
        }
        let facts = self.session(session);
        let exit = facts.ended.filter(|_| facts.exit_told);
        let began = facts.executing == Some(id) && facts.page;
        match how {
            // Also of a task whose last attempt is long over.
            HowStopped::BeforeStart => heard.is_none() || over,
            HowStopped::Acked => heard == Some(true),
            HowStopped::LateReply => heard == Some(false) || facts.babbled,
            HowStopped::Killed => exit == Some(Exit::Signal(9)) && facts.signalled.is_some(),
            HowStopped::Terminated => exit == Some(Exit::Signal(15)),
            HowStopped::Exited => {
                // What our signals end is not an exit.
                let by_us = exit == Some(Exit::Signal(15)) && facts.signalled.is_some()
                    || exit == Some(Exit::Signal(9)) && facts.killed;
                let begun = began || !facts.page || facts.panicked == Some(id);
                exit.is_some() && !by_us && begun
            }
        }
    }

    /// A death ends a task: the worker is dead, it was that death, and there was no further attempt to be made.
    fn lost_is_true(&mut self, id: AttemptId, death: &Death) -> bool {
        let closing = self.shut >= Some(Shut::Finish) || self.budgets.pool_ended;
        let Some(facts) = self.task(id.task) else {
            return false;
        };
        let (charged, rules) = (facts.charged, facts.options);
        // It may be a death that was charged before, of a task that finds no further worker.
        if charged < death.attempt.0 {
            self.charged(id, true);
        }
        let lost = self.session(death.session);
        let that =
            lost.ended.map(termination) == Some(death.termination) && death.slot == lost.slot;
        that && (closing || rules.on_lost == OnLost::Fail)
    }

    /// A task is set aside after exactly as many deaths as its crash limit says.
    fn poisoned_is_true(&mut self, id: AttemptId, evidence: usize) -> bool {
        self.sees(Seen::Poisoned);
        let Some(facts) = self.task(id.task) else {
            return false;
        };
        let (deaths, limit) = (facts.deaths as usize, facts.options.crash_limit);
        self.charged(id, true);
        let wanted = match limit {
            CrashLimit::Deaths(0) => 1,
            CrashLimit::Deaths(limit) => limit as usize + 1,
            CrashLimit::Unlimited => usize::MAX,
        };
        evidence == wanted && deaths + 1 == wanted
    }

    /// It needs a task that has ended, and not as it needs it.
    fn need_is_unmet(&mut self, task: TaskId, needed: TaskId) -> bool {
        let done = self.ends.get(&needed).copied();
        let Some(facts) = self.task(task) else {
            return false;
        };
        let unmet = |done: bool| {
            facts
                .needs
                .iter()
                .any(|need| need.task == needed && !need.when.allows(done))
        };
        done.is_some_and(unmet)
    }

    /// The attempts in a settlement are those that executed: in their order, and none is missing.
    fn attempts_are_told(&mut self, settlement: &Settlement) -> bool {
        let Some(facts) = self.task(settlement.task) else {
            return false;
        };
        let (told, attempt) = (facts.told as usize, facts.attempt);
        let reports = &settlement.attempts;
        let rise = reports
            .windows(2)
            .all(|pair| pair[0].attempt < pair[1].attempt);
        let last = reports.last().map(|report| (report.attempt.0, &report.end));
        let whole = match &settlement.outcome {
            Outcome::Done(()) => last == Some((attempt, &AttemptEnd::Done)),
            _ => true,
        };
        rise && whole && reports.len() >= told && last.is_none_or(|(last, _)| last <= attempt)
    }
}
