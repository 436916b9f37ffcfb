//! What must have happened by some moment, besides the stops: limits that fall, workers that are given up or asked to
//! end and must be gone. And that no signal comes before its time.

use super::{Ledger, elapsed, latest, names};
use farm_lockstep::VTime;
use farm_master::{Shut, Signal};
use farm_protocol::{AttemptId, KindId, Session, TaskId};
use std::time::Duration;

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The task has started, or its waiting limit has ended it.
    Waiting(TaskId),
    /// The attempt is over, or was asked to stop for its running limit.
    Running(AttemptId),
    /// The worker has said hello, or is dead.
    Hello(Session),
}

impl Ledger {
    /// From here on this must come about; time overtakes it by one horizon at most.
    pub(super) fn expect(&mut self, at: VTime, due: Due) {
        self.dues.insert((latest(at, 1), due));
    }

    /// Looks at what has become due.
    pub(crate) fn look_at_dues(&mut self, now: VTime) {
        while let Some((at, due)) = self.dues.first().copied().filter(|(at, _)| *at < now) {
            self.dues.pop_first();
            self.is_done(at, due, now);
        }
    }

    fn is_done(&mut self, at: VTime, due: Due, now: VTime) {
        let (name, left) = match due {
            Due::Waiting(task) => {
                let waits = self.task(task).is_some_and(|facts| facts.attempt == 0);
                (names::I1, waits)
            }
            Due::Running(id) => {
                let session = self
                    .task(id.task)
                    .filter(|facts| facts.attempt == id.attempt.0 && !facts.asked)
                    .map(|facts| facts.session);
                let runs = session.is_some_and(|session| {
                    let facts = self.session(session);
                    facts.ended.is_none() && facts.executing == Some(id) && facts.at_work
                });
                (names::I6, runs)
            }
            Due::Hello(session) => {
                let facts = self.session(session);
                (names::I9, facts.ended.is_none() && !facts.greeted)
            }
        };
        if left {
            self.breaks(name, || {
                format!("{due:?} was due by {at} ms, and is not done at {now} ms")
            });
        }
    }

    /// No signal comes before its time.
    pub(super) fn signal_has_cause(&mut self, session: Session, signal: Signal) {
        let now = self.now;
        let close = self.config.close_budget;
        let killing = self.shut == Some(Shut::Kill);
        let (part, name) = match signal {
            Signal::Terminate => (2, "SIGTERM"),
            Signal::Kill => (1, "SIGKILL"),
        };
        let stop = self
            .stops
            .iter()
            .any(|stop| stop.session == session && elapsed(now, stop.asked, stop.budget / part));
        let facts = self.session(session);
        let closing = facts
            .asked_at
            .is_some_and(|asked| elapsed(now, asked, close / part));
        // Nonsense, no hello, a panic, or closed answers end a worker without being asked.
        let broken = facts.babbled || !facts.greeted || facts.panicked.is_some() || facts.eof_told;
        if !(killing || stop || closing || broken && signal == Signal::Kill) {
            self.breaks(names::I6, || {
                format!("{session} is sent {name} at {now} ms, and nothing was due")
            });
        }
        for stop in self.stops.iter_mut().filter(|stop| stop.session == session) {
            stop.signalled = true;
        }
    }

    /// After a call: whoever is to be replaced and has nothing to do is told to end.
    pub(crate) fn after_call(&mut self) {
        let idle = self.sessions.iter().rev().take(LOOKED_AT).find(|facts| {
            let over = facts.gone || facts.exit_told || facts.eof_told;
            let idle = facts.held.is_empty() && facts.decoding == 0 && !over;
            idle && facts.is_dismissed() && !facts.asked_to_end && facts.signalled.is_none()
        });
        if let Some(session) = idle.map(|facts| facts.session) {
            self.breaks(names::I8, || {
                format!("{session} was to be replaced, holds nothing, and is not told to end")
            });
        }
    }

    /// A budget as the boundary has it.
    pub(super) fn budget(&self, kind: KindId, grace: Option<Duration>) -> Duration {
        let default = Duration::from_millis(self.kind_config(kind).boundary.cancellation_budget_ms);
        grace.unwrap_or(default)
    }
}

/// So many of the youngest sessions are looked at after each call: more than there are slots in a scenario of its
/// default size. With more workers one that was dismissed long ago may go unnoticed.
const LOOKED_AT: usize = 8;
