//! Templates that were killed and have not been collected. Nobody waits for them while the farm runs: one that the system
//! holds in a device dies when that lets go.
//!
//! It knows no order and no worker.

use crate::reap::{Reaped, try_reap};
use crate::system::{ExitWatch, Handle};
use mio::Registry;
use rustix::process::Pid;
use std::time::{Duration, Instant};

/// So many may be dying before no other template is started: each may hold as much memory as a living one.
pub(crate) const DYING_MOST: usize = 16;

/// How long the end of a farm waits for all of them.
pub(crate) const DYING_WITHIN: Duration = Duration::from_secs(2);

/// A template that was killed.
#[derive(Debug)]
pub(crate) struct Dying {
    pid: Pid,
    handle: Handle,
    /// Wakes the loop when it has ended.
    watch: Option<ExitWatch>,
    /// Set once, and then its number is another's.
    collected: Option<Reaped>,
}

impl Dying {
    /// A child of ours that is not collected.
    pub(crate) const fn new(pid: Pid, handle: Handle, watch: Option<ExitWatch>) -> Self {
        Self {
            pid,
            handle,
            watch,
            collected: None,
        }
    }

    /// Collects it if it has ended; never waits. How it ended.
    pub(crate) fn collect(&mut self) -> Option<Reaped> {
        if self.collected.is_none() && self.handle.has_exited() {
            self.collected = try_reap(self.pid);
        }
        self.collected
    }

    /// The same, and waits for its end until `deadline`. Whether it is collected.
    fn collect_by(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        self.handle.wait_for(left);
        self.collect().is_some()
    }

    /// Nobody is to be told of its exit any more.
    fn leave(&self, registry: &Registry) {
        if let Some(watch) = &self.watch {
            watch.leave(registry);
        }
    }
}

/// All that are dying.
#[derive(Debug, Default)]
pub(crate) struct Deathbeds(Vec<Dying>);

impl Deathbeds {
    pub(crate) fn add(&mut self, dying: Dying) {
        self.0.push(dying);
    }

    /// Whether no other may come because of them.
    pub(crate) const fn are_full(&self) -> bool {
        self.0.len() >= DYING_MOST
    }

    /// Collects those that have ended.
    pub(crate) fn collect(&mut self, registry: &Registry) {
        self.0.retain_mut(|dying| {
            let collected = dying.collect().is_some();
            if collected {
                dying.leave(registry);
            }
            !collected
        });
    }

    /// The farm ends: waits for them for so long together, and leaves the others behind. How many those are.
    pub(crate) fn end(self, within: Duration) -> usize {
        let deadline = Instant::now() + within;
        let mut left = 0;
        for mut dying in self.0 {
            if !dying.collect_by(deadline) {
                left += 1;
                log::warn!(
                    "template {} was killed and has not ended within {within:?}: the system holds it, and it is left \
                     behind",
                    dying.pid.as_raw_nonzero()
                );
            }
        }
        left
    }
}

#[cfg(all(test, target_os = "linux", not(feature = "portable")))]
mod tests {
    //! Who does not die is not waited for, and who has died is collected. The process is a `sleep` that nobody kills.
    use super::*;
    use mio::Poll;
    use std::process::{Child, Command};

    fn dying() -> (Child, Dying) {
        let child = Command::new("/bin/sleep").arg("10").spawn();
        let child = child.expect("sleep");
        let pid = Pid::from_child(&child);
        let handle = Handle::open(pid).expect("it lives");
        (child, Dying::new(pid, handle, None))
    }

    #[test]
    fn who_has_ended_is_collected_and_nobody_is_waited_for() {
        let poll = Poll::new().expect("a poll");
        let (mut child, dying) = dying();
        let mut all = Deathbeds::default();
        all.add(dying);
        all.collect(poll.registry());
        assert_eq!(all.0.len(), 1, "it lives");
        child.kill().expect("it lives");
        assert!(all.0[0].handle.wait_for(Duration::from_secs(10)));
        all.collect(poll.registry());
        assert!(all.0.is_empty());
        assert!(child.wait().is_err(), "it is collected already");
    }

    #[test]
    fn the_end_of_the_farm_waits_for_a_while() {
        let (mut left, first) = dying();
        let (mut gone, second) = dying();
        gone.kill().expect("it lives");
        assert!(second.handle.wait_for(Duration::from_secs(10)));
        let mut all = Deathbeds::default();
        all.add(first);
        all.add(second);
        assert_eq!(all.end(Duration::from_millis(5)), 1);
        assert!(gone.wait().is_err(), "it is collected");
        left.kill().expect("it lives");
        left.wait().expect("it is left");
    }

    #[test]
    fn so_many_and_no_more() {
        let mut all = Deathbeds::default();
        for _ in 0..DYING_MOST {
            assert!(!all.are_full());
            let (mut child, dying) = dying();
            child.kill().expect("it lives");
            all.add(dying);
        }
        assert!(all.are_full());
        assert_eq!(all.end(Duration::from_secs(10)), 0);
    }
}
