//! What is to happen when. A table that is asked, not woken: an entry is removed with its reason,
//! and one that outlived it is recognised as stale when it falls.

use super::slot::Process;
use farm_protocol::{Instant, KindId, ScopeId, Session, SlotId, TaskId};
use std::collections::BTreeSet;

/// A thing that falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The worker has not said hello.
    Hello(SlotId, Session),
    /// The worker was asked to end and has not: SIGTERM.
    CloseTerminate(SlotId, Session),
    /// The worker was asked to end and has not: SIGKILL.
    CloseKill(SlotId, Session),
    /// The worker has its age.
    Aged(SlotId, Session),
    /// Look whether the worker has done nothing for as long as it may.
    Idle(SlotId, Session),
    /// The attempt has run as long as it may.
    Running(TaskId),
    /// Look whether the attempt has given a sign of life.
    Stall(TaskId),
    /// The task has been ready without a worker as long as it may.
    Starting(TaskId),
    /// The task has waited as long as it may.
    Waiting(TaskId),
    /// The delay before a retry is over.
    Delay(TaskId),
    /// The pause after a start failure is over.
    Pause(KindId),
    /// Look whether requests are held behind a long task while others idle.
    Rebalance(KindId),
    /// A group has taken as long as it may.
    Group(ScopeId),
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    set: BTreeSet<(Instant, Timer)>,
}

impl Timers {
    pub(super) fn arm(&mut self, at: Instant, timer: Timer) {
        self.set.insert((at, timer));
    }

    pub(super) fn disarm(&mut self, at: Instant, timer: Timer) {
        self.set.remove(&(at, timer));
    }

    /// Arms what is about the session of a process, and ends with it.
    pub(super) fn arm_for(&mut self, process: &mut Process, at: Instant, timer: Timer) {
        process.armed.push((at, timer));
        self.arm(at, timer);
    }

    /// A session is over: nothing wakes anybody for it any more.
    pub(super) fn disarm_all_of(&mut self, process: &Process) {
        for (at, timer) in &process.armed {
            self.disarm(*at, *timer);
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.set.first().map(|(at, _)| *at)
    }

    /// Whether exactly this is armed.
    pub(super) fn has(&self, at: Instant, timer: Timer) -> bool {
        self.set.contains(&(at, timer))
    }

    /// Everything armed, earliest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Instant, Timer)> + '_ {
        self.set.iter().copied()
    }

    /// Takes out one timer that is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Timer> {
        let first = self.set.first()?;
        if first.0 > now {
            return None;
        }
        self.set.pop_first().map(|(_, timer)| timer)
    }
}
