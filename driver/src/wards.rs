//! The process groups that a worker inside this process answers for: it has no group of its own to which a signal
//! could go.
//!
//! It starts and collects nothing.

use crate::sync::{Mutex, lock};
use crate::system::family_use;
use crate::usage::Used;
use rustix::process::{Pid, Signal, kill_process_group};
use std::sync::Arc;

/// Who is signalled where a worker process's group would be. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Wards(Arc<Mutex<Charge>>);

#[derive(Debug, Default)]
struct Charge {
    /// Unreaped children of this process that lead their groups, so the numbers are theirs.
    leaders: Vec<Pid>,
    /// The farm is suspended.
    stopped: bool,
    /// The worker is to go, and whatever it starts with it.
    killed: bool,
}

impl Wards {
    /// Has the group of `leader`, a child of this process that leads it, signalled as the group of a worker would
    /// be. What has been missed (a kill, the suspension of the farm) it is sent at once.
    pub fn add(&self, leader: u32) {
        let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) else {
            return;
        };
        let mut charge = lock(&self.0);
        charge.leaders.push(leader);
        if charge.killed {
            send(leader, Signal::KILL);
        } else if charge.stopped {
            send(leader, Signal::STOP);
        }
    }

    /// The group of `leader` is signalled no more. To be called before the leader is collected: its number may be
    /// another's afterwards.
    pub fn remove(&self, leader: u32) {
        let number = i32::try_from(leader).ok();
        let same = |other: &Pid| Some(other.as_raw_nonzero().get()) == number;
        lock(&self.0).leaders.retain(|other| !same(other));
    }

    /// Signals all of them. Whether there are any.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        let mut charge = lock(&self.0);
        match signal {
            Signal::KILL => charge.killed = true,
            Signal::STOP => charge.stopped = true,
            Signal::CONT => charge.stopped = false,
            // It changes nothing for those who come later.
            _ => {}
        }
        for leader in &charge.leaders {
            send(*leader, signal);
        }
        !charge.leaders.is_empty()
    }

    pub(crate) fn leaders(&self) -> Vec<Pid> {
        lock(&self.0).leaders.clone()
    }

    /// What they use with all that they have started.
    pub(crate) fn used(&self) -> Used {
        let mut used = Used::default();
        for leader in &lock(&self.0).leaders {
            let of_one = family_use(*leader);
            used.cpu += of_one.cpu;
            used.memory += of_one.memory;
        }
        used
    }
}

fn send(leader: Pid, signal: Signal) {
    // It fails for a group all of whose members have exited, or that is not ours to signal: nothing is to be done.
    let _gone = kill_process_group(leader, signal);
}
