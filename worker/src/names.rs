//! The names that a worker process gives: its own is given to it, the others begin with it.

use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// One process's names, or those of one stand-in for a process.
#[derive(Debug)]
pub(crate) struct Names {
    own: String,
    given: AtomicU64,
}

impl Names {
    pub(crate) const fn new(own: String) -> Self {
        Self {
            own,
            given: AtomicU64::new(0),
        }
    }

    /// Of an attempt without a worker process: nobody named it, so it goes by this process and the time.
    pub(crate) fn of_nobody() -> Self {
        static STARTED: OnceLock<u64> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let started = *STARTED.get_or_init(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            // Microseconds: a pid is not used again within one.
            let micros = since.unwrap_or_default().as_micros();
            u64::try_from(micros).unwrap_or(u64::MAX)
        });
        let (process, count) = (process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self::new(format!("d{process:x}_{started:x}_{count:x}w"))
    }

    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    pub(crate) fn fresh(&self) -> String {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        format!("{}_{number}", self.own)
    }
}

#[cfg(test)]
mod tests {
    //! Two stand-ins of one process differ, and nothing is given twice.
    use super::*;
    use farm_protocol::WORKER_NAME_MAX;

    #[test]
    fn names_of_nobody_differ() {
        let (one, two) = (Names::of_nobody(), Names::of_nobody());
        assert_ne!(one.own(), two.own());
        assert!(one.own().len() <= WORKER_NAME_MAX, "{}", one.own());
        assert_ne!(one.fresh(), one.fresh());
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(one.fresh().chars().all(fits));
        assert!(one.fresh().starts_with(&format!("{}_", one.own())));
    }
}
