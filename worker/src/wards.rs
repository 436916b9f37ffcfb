//! Process groups that a worker answers for which has no group of its own, because it runs inside its master's process.
//!
//! Who signals them is the master's matter.

use std::fmt;

/// Where the master of a worker inside its process keeps whom to signal. In a worker process nobody needs it: what a
/// kind starts there is in the worker's group.
pub trait Wards: fmt::Debug + Send + Sync {
    /// The group of `leader` is signalled from now on wherever a worker process's group would be.
    fn add(&self, leader: u32);

    /// It is signalled no more.
    fn remove(&self, leader: u32);
}

/// A process group in its master's charge. Drop it before the leader is collected: its number may be another's
/// afterwards.
#[derive(Debug)]
pub struct Ward<'a> {
    wards: Option<&'a dyn Wards>,
    leader: u32,
}

impl<'a> Ward<'a> {
    /// Puts the group of `leader` into the charge of `wards`, if somebody is needed who takes charge.
    pub(crate) fn new(wards: Option<&'a dyn Wards>, leader: u32) -> Self {
        if let Some(wards) = wards {
            wards.add(leader);
        }
        Self { wards, leader }
    }
}

impl Drop for Ward<'_> {
    fn drop(&mut self) {
        if let Some(wards) = self.wards {
            wards.remove(self.leader);
        }
    }
}
