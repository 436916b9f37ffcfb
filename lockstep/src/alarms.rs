//! When processes want to be woken: at most one alarm each. It knows no processes.

use crate::process::Pid;
use crate::time::{NEVER, VTime};

/// The alarms that have not fallen.
#[derive(Debug)]
pub(crate) struct Alarms {
    /// In no order: a run has a few, and each is moved far more often than it falls.
    all: Vec<(VTime, Pid)>,
    /// The earliest, kept because every step asks for it; [`NEVER`]: there is none.
    next: VTime,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            next: NEVER,
        }
    }
}

impl Alarms {
    /// When the next one falls; [`NEVER`]: none does.
    #[inline]
    pub(crate) const fn next(&self) -> VTime {
        self.next
    }

    /// Sets or moves the alarm of a process; [`NEVER`] takes it away.
    pub(crate) fn set(&mut self, pid: Pid, at: VTime) {
        let place = self.all.iter().position(|(_, whose)| *whose == pid);
        let before = place.map_or(NEVER, |place| self.all[place].0);
        if before == at {
            return;
        }
        match place {
            Some(place) if at == NEVER => {
                self.all.swap_remove(place);
            }
            Some(place) => self.all[place].0 = at,
            None => self.all.push((at, pid)),
        }
        if at < self.next {
            self.next = at;
        } else if before == self.next {
            self.next = self.all.iter().map(|(at, _)| *at).min().unwrap_or(NEVER);
        }
    }

    /// Takes away the alarm that has fallen by `now` of the oldest process: not the one set first, so that the order
    /// in which processes are woken does not depend on which alarms were moved before.
    pub(crate) fn take_due(&mut self, now: VTime) -> Option<Pid> {
        if self.next > now {
            return None;
        }
        let due = self.all.iter().filter(|(at, _)| *at <= now);
        let pid = due.map(|(_, pid)| *pid).min()?;
        self.set(pid, NEVER);
        Some(pid)
    }
}

#[cfg(test)]
mod tests;
