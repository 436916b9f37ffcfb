//! The loop's side of sources: asks each for tasks while its lane has room.

use crate::shared::contained;
use crate::source::{AnySource, SourceState};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::turn::Loop;
use farm_master::Event;
use farm_master::lane::Entry;
use farm_protocol::KindId;
use std::mem;
use std::sync::Arc;

/// The most tasks asked for at once, so that workers are answered between two pulls.
const AT_ONCE: usize = 256;

/// A source and how it goes on with it.
pub(crate) struct Feed {
    kind: KindId,
    source: Box<dyn AnySource>,
    state: SourceState,
    woken: Arc<AtomicBool>,
}

impl Feed {
    pub(crate) fn new(kind: KindId, source: Box<dyn AnySource>, woken: Arc<AtomicBool>) -> Self {
        Self {
            kind,
            source,
            state: SourceState::More,
            woken,
        }
    }
}

impl Loop {
    /// Asks every source that has more, once. Whether asking again at once makes sense.
    pub(crate) fn pull(&mut self) -> bool {
        if self.feeds.is_empty() {
            return false;
        }
        let mut again = false;
        let mut feeds = mem::take(&mut self.feeds);
        for mut feed in feeds.drain(..) {
            again |= self.pull_from(&mut feed);
            if feed.state == SourceState::Ended {
                contained("the drop of a source", || drop(feed));
            } else {
                self.feeds.push(feed);
            }
        }
        again
    }

    fn pull_from(&mut self, feed: &mut Feed) -> bool {
        if feed.state != SourceState::More || self.stopped {
            return false;
        }
        let demand = self.master.demand(feed.kind).min(AT_ONCE);
        if demand == 0 {
            return false;
        }
        let mut taken = Vec::new();
        let (registry, watch) = (&mut self.registry, &mut self.watch);
        let state = contained("a source", || {
            watch.call("a source's pull", || {
                feed.source.pull(demand, feed.kind, registry, &mut taken)
            })
        });
        feed.state = state.unwrap_or(SourceState::Ended);
        let pulled = !taken.is_empty();
        for (task, options) in taken {
            let (kind, entry) = (feed.kind, Entry::Pull);
            self.observe(|o, now| o.submitted(now, task, kind, entry));
            self.tell(Event::Submit {
                task,
                kind,
                entry,
                options,
                scope: None,
            });
        }
        pulled && feed.state == SourceState::More && self.master.demand(feed.kind) > 0
    }

    /// Sources that were woken are asked again.
    pub(crate) fn wake_feeds(&mut self) {
        for feed in &mut self.feeds {
            // Acquire, with the waker's release. Cleared before the pull, so that a wake-up during it counts.
            if feed.woken.swap(false, Ordering::AcqRel) {
                match feed.state {
                    SourceState::Waiting => feed.state = SourceState::More,
                    SourceState::More | SourceState::Ended => {}
                }
            }
        }
    }
}
