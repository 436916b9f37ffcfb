//! Measuring what attempts use, for as long as the machine wants to know. While it does not, nothing is looked at.
//!
//! It decides nothing: what is too much is the machine's to say.

use crate::process::Place;
use crate::system::family_use;
use crate::turn::Loop;
use farm_master::{Event, Sample};
use farm_protocol::{AttemptId, Instant};
use std::time::Duration;

/// How often is measured. An attempt may exceed its limit for so long before anybody sees it.
const EVERY: Duration = Duration::from_millis(50);

/// Measuring takes one part in this many of the loop's time at most: with large families it is done less often.
const SHARE: u32 = 20;

/// What a worker and everything below it uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) cpu: Duration,
    /// In bytes.
    pub(crate) memory: u64,
}

/// An attempt that is measured.
#[derive(Debug)]
struct Watched {
    place: Place,
    id: AttemptId,
    /// The processor time before it: not its own.
    before: Duration,
    /// What was told last; its time never falls, whoever is missed in a later look.
    last: Used,
}

/// The attempts that are measured.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    watched: Vec<Watched>,
    /// When they are looked at next.
    due: Instant,
}

impl Usage {
    /// When something is to be measured; `None`: nothing is.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        (!self.watched.is_empty()).then_some(self.due)
    }
}

impl Loop {
    /// The machine wants to know what this attempt uses.
    pub(crate) fn watch_usage(&mut self, place: Place, id: AttemptId) {
        // One that is gone uses nothing, and its exit has been told.
        let Some(process) = self.workers.get(place) else {
            return;
        };
        let before = family_use(process.pid).cpu;
        if self.usage.watched.is_empty() {
            self.usage.due = self.now.after(EVERY);
        }
        self.usage.watched.push(Watched {
            place,
            id,
            before,
            last: Used::default(),
        });
    }

    /// It does not any more.
    pub(crate) fn unwatch_usage(&mut self, place: Place, id: AttemptId) {
        let this = |watched: &Watched| watched.place == place && watched.id == id;
        self.usage.watched.retain(|watched| !this(watched));
    }

    /// Measures, if it is time, and tells what has changed.
    pub(crate) fn measure_usage(&mut self) {
        if self.usage.deadline().is_none_or(|due| due > self.now) || self.clock.stands() {
            return;
        }
        let begin = self.clock.now();
        let mut samples = Vec::new();
        for watched in &mut self.usage.watched {
            let Watched {
                place,
                id,
                before,
                last,
            } = watched;
            let Some(process) = self.workers.get(*place) else {
                continue;
            };
            // Not yet, or not any more; without a page it is the only one that the worker has.
            if process.page.is_some() && process.noted().executing != Some(*id) {
                continue;
            }
            let used = family_use(process.pid);
            let used = Used {
                cpu: used.cpu.saturating_sub(*before).max(last.cpu),
                memory: used.memory,
            };
            if used != *last {
                *last = used;
                // Asked again: whoever executes now did so all the while, or has begun just now.
                samples.push((*place, *id, used, process.noted()));
            }
        }
        let took = self.clock.now().since(begin);
        self.usage.due = self.now.after(EVERY.max(took * SHARE));
        for (place, id, used, noted) in samples {
            let Used { cpu, memory } = used;
            let sample = Sample { cpu, memory, noted };
            self.tell(Event::Usage {
                slot: place.slot,
                session: place.session,
                id,
                sample,
            });
        }
    }
}
