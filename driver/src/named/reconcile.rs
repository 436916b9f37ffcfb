//! A table made to hold exactly who is wanted. Uses the table as any caller does.

use super::error::{CalledFromHook, LaunchError};
use super::handle::WorkerRef;
use super::hooks::WorkerKind;
use super::life::{LaunchOptions, ShutdownMode};
use super::table::{Inbox, Launching, WorkerTable};
use farm_protocol::Named;
use std::collections::BTreeMap;
use std::fmt;

/// What it took to have exactly who was wanted.
pub struct ReconcileReport<K: WorkerKind, M> {
    /// Those that were missing, and are there now.
    pub launched: Vec<WorkerRef<K, M>>,
    /// Those that were there.
    pub kept: Vec<WorkerRef<K, M>>,
    /// Those that nobody wanted, and are closed.
    pub stopped: Vec<String>,
    /// Those that could not be launched.
    pub failed: Vec<(String, LaunchError<K::Named>)>,
}

impl<K: WorkerKind, M> fmt::Debug for ReconcileReport<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconcileReport")
            .field("launched", &self.launched)
            .field("kept", &self.kept)
            .field("stopped", &self.stopped)
            .field("failed", &self.failed)
            .finish()
    }
}

impl<K: WorkerKind, M: Inbox> WorkerTable<K, M> {
    /// Shuts down whoever is not among `desired`, launches whoever is missing, all at once, and keeps the others as they
    /// are, also when other parameters are given for them; a second call with the same names does nothing. Who leaves and
    /// takes his time holds up only those for whom there is no place before. One that is just closing or draining is waited
    /// for and launched anew: so one that crashed is among `launched`. Of a name given twice the last counts.
    ///
    /// # Errors
    /// [`CalledFromHook`]; nothing has happened then.
    pub fn reconcile(
        &self,
        desired: impl IntoIterator<Item = (String, <K::Named as Named>::Params)>,
        options: &LaunchOptions,
        how: ShutdownMode,
    ) -> Result<ReconcileReport<K, M>, CalledFromHook> {
        if self.core().must_not_wait() {
            return Err(CalledFromHook);
        }
        let mut desired: BTreeMap<String, _> = desired.into_iter().collect();
        let (mut kept, mut leaving) = (Vec::new(), Vec::new());
        for (name, worker) in self.list() {
            // One that drains is on its way out like one that closes.
            let takes = (worker.core).with(|desk, _| desk.table.takes(worker.id).is_ok());
            let stays = takes && desired.remove(&name).is_some();
            if stays {
                kept.push(worker);
            } else {
                worker.trigger_shutdown(how);
                leaving.push((name, worker));
            }
        }
        let (mut under_way, mut failed) = (Vec::new(), Vec::new());
        let mut begin = |wanted: BTreeMap<String, _>| {
            for (name, params) in wanted {
                match self.begin(&name, params, options.clone(), None) {
                    Ok(launching) => under_way.push((name, launching)),
                    Err(error) => failed.push((name, error)),
                }
            }
        };
        // As many as there are places for now. Their parameters are given once, so a launch is not tried in vain.
        let (mut later, mut now) = (BTreeMap::new(), BTreeMap::new());
        let mut room = self.core().with(|desk, _| desk.table.room());
        for (name, params) in desired {
            let waits = room == 0 || leaving.iter().any(|(other, _)| *other == name);
            room -= usize::from(!waits);
            let part = if waits { &mut later } else { &mut now };
            part.insert(name, params);
        }
        begin(now);
        let mut stopped = Vec::new();
        for (name, worker) in leaving {
            worker.wait_closed()?;
            if !later.contains_key(&name) {
                stopped.push(name);
            }
        }
        begin(later);
        let mut launched = Vec::new();
        for (name, launching) in under_way {
            match Launching::wait(launching) {
                Ok(worker) => launched.push(worker),
                Err(error) => failed.push((name, error)),
            }
        }
        Ok(ReconcileReport {
            launched,
            kept,
            stopped,
            failed,
        })
    }
}
