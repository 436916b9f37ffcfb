//! What the master does, held against the truth.

use super::dues::Due;
use super::{Last, Ledger, Seen, elapsed, letter, names};
use farm_master::lane::Entry;
use farm_master::{
    Action, AttemptEnd, AttemptReport, CancelledBy, CrashLimit, Death, HowStopped, OnLost, Outcome,
    Refusal, Settlement, Shut, Signal, SkippedBy, TimeLimit,
};
use farm_protocol::{Attempt, AttemptId, Session, SlotId, TaskId};

impl Ledger {
    /// The master does this. What it sends is looked at where it is sent.
    pub(crate) fn acts(&mut self, action: &Action) {
        if self.stopped {
            self.breaks(names::I8, || format!("after its last action: {action:?}"));
        }
        match action {
            Action::Spawn {
                slot,
                session,
                kind,
            } => self.spawns(*slot, *session, *kind),
            Action::Started { id, slot, session } => {
                self.has_its_turn(*id, *session);
                self.starts(*id, *slot, *session);
                self.is_not_worn_for(*id, *session);
            }
            Action::AttemptEnded { task, report } => self.attempt_ended(*task, report),
            Action::Settle(settlement) => self.settles(settlement),
            Action::Refuse { task, refusal } => self.refuses(*task, refusal),
            Action::Signal {
                session, signal, ..
            } => self.signals(*session, *signal),
            Action::WorkerGone {
                slot,
                session,
                gone,
            } => self.worker_gone(*slot, *session, gone.whose),
            Action::PoolEnded { kind, .. } => self.pool_ended(*kind),
            Action::Weigh { session, .. } => self.is_weighed(*session),
            Action::Stopped => self.farm_stopped(),
            Action::Decode { session, id, .. } => {
                self.session(*session).decoding += 1;
                if let Some(facts) = self.task(id.task) {
                    facts.decoding = id.attempt.0;
                }
            }
            Action::ScopeEnded { scope, end } => self.scope_ended(*scope, end),
            Action::RefuseScope { scope, refusal } => self.refuses_scope(*scope, refusal),
            // What waits for a place that somebody has waits for as long as that stays.
            Action::Unmatched { .. } if self.has_named() => {}
            Action::Unmatched { task } if self.keyed => self.unmatched(*task),
            Action::Unmatched { task } => self.is_unmatched(*task),
            Action::Token(token) => self.token_acts(token),
            // No caller here waits for room: see `master/src/machine/tests/offers.rs`.
            Action::Admitted { .. } => {}
            // What an attempt uses is not measured here, and how far it says it is concerns callers alone.
            Action::Send { .. }
            | Action::Watch { .. }
            | Action::Unwatch { .. }
            | Action::Progress { .. }
            | Action::WorkerReady { .. } => {}
        }
    }

    fn starts(&mut self, id: AttemptId, slot: SlotId, session: Session) {
        let now = self.now;
        let Some(facts) = self.task(id.task) else {
            return self.breaks(names::I2, || {
                format!("{id} is sent, and the task is not in the farm")
            });
        };
        if facts.cancelled {
            return self.breaks(names::I2, || {
                format!("{id} is sent after its task was cancelled")
            });
        }
        let whys = self.unwanted(id.task);
        if !whys.is_empty() {
            return self.breaks(names::I2, || {
                format!("{id} is sent, and its scope has given it up: {whys:?}")
            });
        }
        let facts = self.task(id.task).expect("looked up above");
        if facts.attempt >= id.attempt.0 {
            return self.breaks(names::FENCE, || format!("{id} is sent, and attempts rise"));
        }
        if facts.asked && facts.told_last != facts.attempt {
            facts.void_stops += 1;
        }
        let before = facts.unheard();
        let (first, running) = (facts.attempt == 0, facts.options.running);
        let kind = facts.kind;
        facts.attempt = id.attempt.0;
        facts.session = session;
        facts.sent = now;
        facts.asked = false;
        (facts.used, facts.answer) = (None, None);
        self.pool_mut(kind).begun += usize::from(first);
        if let Some(limit) = running {
            self.expect(now.after(limit), Due::Running(id));
        }
        self.stop_is_over(id.task, None);
        if let Some((before, lost)) = before
            && self.session(lost).executing == Some(before)
        {
            return self.breaks(names::I9, || {
                format!(
                    "{before} had begun on {lost}, {id} is sent, and its task may not run twice"
                )
            });
        }
        let elsewhere = self.sessions.iter().find(|other| {
            let at_it = other.executing.is_some_and(|at| at.task == id.task) && other.at_work;
            at_it && other.ended.is_none()
        });
        if let Some(elsewhere) = elsewhere.map(|other| other.session) {
            return self.breaks(names::FENCE, || {
                format!("{id} is sent while an earlier attempt executes on {elsewhere}")
            });
        }
        self.arrives(id, slot, session);
    }

    /// It is with the worker from now on.
    fn arrives(&mut self, id: AttemptId, slot: SlotId, session: Session) {
        let (kind, of) = (self.kind_at(session), self.kind_of(id.task));
        if kind != of {
            return self.breaks(names::I3, || {
                format!("{id} of {of} is sent to {session}, which is of {kind}")
            });
        }
        let credit = self.kind_config(kind).credit_cap as usize;
        let facts = self.session(session);
        let begins = facts.held.is_empty() && facts.decoding == 0;
        let again = facts.wear.answers() > 0;
        facts.held.push(id);
        let (held, page, there, gone) = (facts.held.len(), facts.page, facts.slot, facts.gone);
        if there != slot || gone {
            return self.breaks(names::I3, || {
                format!("{id} is sent to {session}, which is not in {slot}")
            });
        }
        self.may_be_sent_to(session);
        self.notes_begin(session);
        if begins {
            self.begins_to_work(session, again);
        }
        let most = if page { 1 + credit } else { 1 };
        if held > most {
            self.breaks(names::I5, || {
                format!("{session} holds {held} requests and may hold {most}")
            });
        }
    }

    fn attempt_ended(&mut self, task: TaskId, report: &AttemptReport) {
        let id = AttemptId {
            task,
            attempt: report.attempt,
        };
        let Some(facts) = self.task(task) else {
            return self.breaks(names::I1, || {
                format!("{id} ends and its task is not in the farm")
            });
        };
        let (rules, used, asked) = (facts.options, facts.used, facts.asked);
        if facts.attempt != report.attempt.0 || facts.session != report.session {
            return self.breaks(names::I3, || {
                format!("{id} ends and is not the attempt that runs")
            });
        }
        self.report_is_true(task, report);
        let facts = self.task(task).expect("looked up above");
        (facts.told, facts.told_last) = (facts.told + 1, report.attempt.0);
        match report.end {
            AttemptEnd::Died(_) | AttemptEnd::Panicked => return self.charged(id, false),
            AttemptEnd::Failed => {
                self.sees(Seen::Retried);
                if used != Some(letter::FAILED) {
                    self.breaks(names::I3, || {
                        format!("{id} counts as failed and did not say so")
                    });
                }
            }
            AttemptEnd::TimedOut(which) => {
                self.timed_out(task, which);
                self.stop_is_over(task, Some(report.attempt));
            }
            AttemptEnd::Cancelled(_) => {
                // A cancelled task is not tried again; one that a closing farm stopped neither.
                self.breaks(names::I2, || {
                    format!("{id} was cancelled and its task goes on")
                });
            }
            AttemptEnd::Done | AttemptEnd::Fault | AttemptEnd::LimitExceeded(_) => {
                self.breaks(names::I1, || {
                    format!("{id} ended for good and its task goes on")
                });
            }
        }
        if asked && report.end == AttemptEnd::Failed {
            self.breaks(names::I2, || {
                format!("{id} was asked to stop, and its answer counts")
            });
        }
        let facts = self.task(task).expect("looked up above");
        facts.retries += 1;
        facts.last = Some(if report.end == AttemptEnd::Failed {
            Last::Failed
        } else {
            Last::TimedOut
        });
        let (retries, count) = (facts.retries, rules.retries);
        if retries > count {
            self.breaks(names::I9, || {
                format!("{task} is retried the {retries}th time of {count}")
            });
        }
    }

    /// An attempt is charged with the death of its worker; `last`: its task ends with it.
    fn charged(&mut self, id: AttemptId, last: bool) {
        self.sees(Seen::Charged);
        self.charged_now.push(id);
        let Some(facts) = self.task(id.task) else {
            return;
        };
        facts.deaths += 1;
        facts.charged = id.attempt.0;
        facts.last = Some(Last::Died);
        let (deaths, rules) = (facts.deaths, facts.options);
        if !last && rules.on_lost == OnLost::Fail {
            self.breaks(names::I9, || {
                format!("{id} died and may not run twice, and its task goes on")
            });
        }
        if let CrashLimit::Deaths(limit) = rules.crash_limit
            && !last
            && (deaths > limit || limit == 0)
        {
            self.breaks(names::I9, || {
                format!(
                    "{} goes on after {deaths} deaths, its crash limit is {limit}",
                    id.task
                )
            });
        }
    }

    fn timed_out(&mut self, task: TaskId, which: TimeLimit) {
        self.sees(Seen::TimedOut);
        let now = self.now;
        let Some(facts) = self.task(task) else { return };
        let over = match which {
            // Whether it was over was looked at when the attempt was asked to stop.
            TimeLimit::Running => facts.timed_out && facts.options.running.is_some(),
            TimeLimit::Stall => facts.timed_out && facts.options.stall.is_some(),
            TimeLimit::Waiting => facts
                .options
                .waiting
                .is_some_and(|limit| elapsed(now, facts.submitted, limit)),
            TimeLimit::Starting | TimeLimit::Cpu | TimeLimit::Group => false,
        };
        if !over {
            self.breaks(names::I1, || {
                format!(
                    "{task} timed out ({}) and its time was not over",
                    which.label()
                )
            });
        }
    }

    fn settles(&mut self, settlement: &Settlement) {
        let task = settlement.task;
        if self.task(task).is_none() {
            return self.breaks(names::I1, || {
                format!("{task} is settled and is not in the farm")
            });
        }
        self.account_is_true(settlement);
        self.should_end(settlement);
        self.stop_is_true(settlement);
        self.is_at_rest(settlement.task);
        self.cause_is_true(settlement);
        self.ends_unmatched(settlement);
        self.stop_is_over(task, None);
        self.leaves_scope(settlement);
        self.leave(task);
    }

    /// The cause that the master gives is what happened.
    fn cause_is_true(&mut self, settlement: &Settlement) {
        let task = settlement.task;
        let (shut, kind) = (self.shut, self.kind_of(task));
        let facts = self.task(task).expect("looked up by the caller");
        let (used, cancelled, attempt) = (facts.used, facts.cancelled, facts.attempt);
        let deaths = facts.deaths;
        let before = facts.last == Some(Last::Failed);
        let ran_before = facts.last.is_some();
        let id = AttemptId {
            task,
            attempt: Attempt(attempt),
        };
        let is_so = match &settlement.outcome {
            outcome if self.ends_as_named(kind, outcome) => used.is_none() && !ran_before,
            Outcome::Done(()) => {
                self.sees(Seen::Done);
                self.pool_mut(kind).done = true;
                used.is_some_and(|letter| letter != letter::FAILED)
            }
            Outcome::Failed(()) => used == Some(letter::FAILED) || (used.is_none() && before),
            Outcome::Cancelled { by, how } => {
                self.sees_stop(*how);
                self.cancelled_is_true(settlement, by)
            }
            Outcome::TimedOut {
                which: TimeLimit::Group,
                ..
            } => self.scope_wanted(task, &settlement.outcome),
            Outcome::TimedOut { which, .. } => {
                self.timed_out(task, *which);
                true
            }
            Outcome::WorkerLost(death) | Outcome::Panicked(death) => self.lost_is_true(id, death),
            Outcome::Poisoned(evidence) => self.poisoned_is_true(id, evidence.len()),
            Outcome::ResponseGarbled(_) | Outcome::RequestRefused(_) => {
                let session = facts_session(self, task);
                self.session(session).babbled
            }
            Outcome::SpawnFailed(_) => self.has_ended(self.kind_of(task)) && !ran_before,
            Outcome::Closed => {
                shut >= Some(Shut::Finish)
                    && used.is_none()
                    && !ran_before
                    && !self.dies_executing(id)
            }
            Outcome::InjectionRefused { .. } => {
                self.sees(Seen::InjectionRefused);
                self.task(task)
                    .is_some_and(|facts| facts.entry == Entry::Inject)
            }
            Outcome::HolderGone if self.keyed => self.ends_without_holder(task),
            Outcome::Skipped(SkippedBy::NoMatch) if self.keyed => self.nobody_matches(task),
            Outcome::ResponseNotMarshallable(_) | Outcome::Skipped(_) => true,
            Outcome::RequestNotMarshallable(_) | Outcome::KindFault(_) => {
                self.task(task).is_some_and(|facts| facts.faulted)
            }
            Outcome::HolderGone => self.holder_is_gone(task),
            Outcome::LimitExceeded { .. } | Outcome::Displaced => false,
        };
        if !is_so {
            self.breaks(names::I1, || {
                format!("{task} ends {:?}, and that is not what happened (used {used:?}, cancelled {cancelled}, deaths {deaths})", settlement.outcome)
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

    /// Whoever is said to have cancelled a task has, and no answer of it counted.
    fn cancelled_is_true(&mut self, settlement: &Settlement, by: &CancelledBy) -> bool {
        let facts = self.task(settlement.task).expect("looked up by the caller");
        let unused = facts.used.is_none() || facts.used == Some(letter::FAILED);
        let cancelled = facts.cancelled;
        match by {
            CancelledBy::Group(_) | CancelledBy::Scope { .. } => {
                unused && self.scope_wanted(settlement.task, &settlement.outcome)
            }
            CancelledBy::Caller(_) => unused && cancelled,
            CancelledBy::Stopping => self.shut >= Some(Shut::Finish),
        }
    }

    /// A death ends a task: the worker is dead, and it was that death.
    fn lost_is_true(&mut self, id: AttemptId, death: &Death) -> bool {
        let charged = self.task(id.task).map_or(0, |facts| facts.charged);
        // It may be a death that was charged before, of a task that finds no further worker.
        if charged < death.attempt.0 {
            self.death_is_the_end(id.task);
            self.charged(id, true);
        } else if self.task(id.task).and_then(|facts| facts.last) != Some(Last::Died) {
            return false;
        }
        let lost = self.session(death.session);
        lost.ended.map(super::termination) == Some(death.termination) && death.slot == lost.slot
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

    /// What ends is with no worker any more.
    fn is_at_rest(&mut self, task: TaskId) {
        let Some(facts) = self.task(task) else { return };
        let (session, attempt) = (facts.session, facts.attempt);
        if session.0 == 0 {
            return;
        }
        let facts = self.session(session);
        let holds = facts
            .held
            .iter()
            .any(|id| id.task == task && id.attempt.0 == attempt);
        if holds && facts.ended.is_none() && !facts.babbled {
            self.breaks(names::I6, || {
                format!("{task} is settled while {session} still has it")
            });
        }
    }

    fn refuses(&mut self, task: TaskId, refusal: &Refusal) {
        let pulled = self
            .task(task)
            .is_some_and(|facts| facts.entry == Entry::Pull);
        match refusal {
            Refusal::Saturated { .. } if pulled => {
                self.breaks(names::I5, || {
                    format!("{task} was pulled because there was demand, and is refused: {refusal}")
                });
            }
            Refusal::Saturated { .. } => self.sees(Seen::QueueFull),
            Refusal::PoolEnded(_) if !self.has_ended(self.kind_of(task)) => {
                self.breaks(names::I9, || {
                    format!("{task} is refused because of a pool that has not ended")
                });
            }
            Refusal::Lane(_)
            | Refusal::UnknownNeed(_)
            | Refusal::UnknownLimit
            | Refusal::Unmeasured
            | Refusal::PoolEnded(_)
            | Refusal::NotAdmitting(_)
            | Refusal::ModeForbids { .. }
            | Refusal::TimedOut { .. }
            | Refusal::ScopeOver(_)
            | Refusal::GroupFull { .. } => {}
        }
        self.is_turned_away(task, refusal);
        self.leave(task);
    }

    fn signals(&mut self, session: Session, signal: Signal) {
        self.signal_has_cause(session, signal);
        let facts = self.session(session);
        let (told, before) = (facts.exit_told, facts.signalled);
        if before != Some(Signal::Kill) {
            facts.signalled = Some(signal);
        }
        if told {
            // Its number may be another process's by now.
            self.breaks(names::I8, || {
                format!("{session} is sent {signal:?} and has been collected")
            });
        }
        if before == Some(Signal::Kill) && signal == Signal::Kill {
            self.breaks(names::I8, || format!("{session} is sent SIGKILL twice"));
        }
    }

    /// A caller has asked for the end of a task; the master has been told and has answered.
    pub(crate) fn cancel_is_heeded(&mut self, task: TaskId) {
        let Some(facts) = self.task(task) else { return };
        let (attempt, asked, session) = (facts.attempt, facts.asked, facts.session);
        // An answer that is being decoded was there before the wish, and wins.
        let decoding = attempt > 0 && !self.session(session).held.iter().any(|id| id.task == task);
        if !asked && !decoding {
            self.breaks(names::I6, || {
                format!("{task} was cancelled, and neither ended nor was asked to stop")
            });
        }
    }
}

fn facts_session(ledger: &mut Ledger, task: TaskId) -> Session {
    ledger.task(task).expect("looked up by the caller").session
}
