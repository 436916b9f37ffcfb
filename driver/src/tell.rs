//! Telling the machine what happened, and the observer what the machine made of it.

use crate::observer::Observer;
use crate::process::Place;
use crate::shared::contained;
use crate::turn::{Loop, Spawned};
use crate::watch::{TOO_LONG, Watched};
use farm_master::lane::Entry;
use farm_master::{Action, Event};
use farm_protocol::Instant;
use std::mem;

impl Loop {
    /// Tells the machine, does what it says, and tells it what came of that.
    pub(crate) fn tell(&mut self, event: Event<'_>) {
        self.tell_one(event);
        self.tell_spawned();
    }

    /// Tells what has come of starts.
    pub(crate) fn tell_spawned(&mut self) {
        while let Some(spawned) = self.spawned.pop_front() {
            match spawned {
                Spawned::Yes {
                    place: Place { slot, session },
                    page,
                } => {
                    self.tell_one(Event::Spawned {
                        slot,
                        session,
                        page,
                    });
                }
                Spawned::No {
                    place: Place { slot, session },
                    error,
                } => {
                    self.tell_one(Event::SpawnFailed {
                        slot,
                        session,
                        error,
                    });
                }
            }
        }
        // A count may be asked for by what was just told, too.
        while mem::take(&mut self.purse.counted) && !self.stopped {
            self.tell(Event::TokensCounted);
        }
    }

    fn tell_one(&mut self, event: Event<'_>) {
        let begin = self.now;
        let time = self
            .not_beyond
            .map_or(begin, |limit| begin.min(limit))
            .max(self.told);
        self.watch.begin();
        let mut kinds = Watched {
            kinds: &mut self.registry,
            watch: &mut self.watch,
        };
        self.told = time;
        let (master, actions) = (&mut self.master, &mut self.actions);
        if let Some(record) = &mut self.record {
            let written = record.handle(master, time, event, &mut kinds, actions);
            self.recorded(written);
        } else {
            master.handle(time, event, &mut kinds, actions);
        }
        self.count_room();
        self.tell_of_injected();
        let mut spawns = false;
        if !self.actions.is_empty() {
            let bytes = mem::take(&mut self.actions.bytes);
            let mut list = self.actions.take_list();
            self.send_first(&list, &bytes);
            for action in list.drain(..) {
                spawns |= matches!(action, Action::Spawn { .. });
                self.perform(action);
            }
            self.actions.restore(list);
            self.actions.bytes = bytes;
        }
        self.actions.clear();
        // One reading serves as this event's end and as the time of the next.
        self.now = self.clock.now().max(begin);
        let held = self.now.since(begin);
        // A start of a process takes its time without any callback.
        if held > TOO_LONG && !spawns {
            self.watch.slow(held);
        }
    }

    /// The observer hears of follow-up tasks before anything else is heard of them.
    fn tell_of_injected(&mut self) {
        for task in mem::take(&mut self.watch.injected) {
            let kind = self.registry.kind_of(task).expect("it was just inserted");
            self.observe(|o, now| o.submitted(now, task, kind, Entry::Inject));
        }
    }

    /// Sends what is to be sent before anybody is told of an end: a worker must not wait for its
    /// next request while results are written down. The other actions keep their order, and
    /// nothing among them can tell: what a pipe swallows is seen by the worker alone.
    fn send_first(&mut self, list: &[Action], bytes: &[u8]) {
        let mut settles = false;
        for action in list {
            match action {
                Action::Send {
                    slot,
                    session,
                    link,
                    bytes: range,
                } => {
                    let place = Place {
                        slot: *slot,
                        session: *session,
                    };
                    self.send(place, *link, &bytes[range.clone()]);
                }
                Action::Settle(_) => settles = true,
                Action::Spawn { .. }
                | Action::Signal { .. }
                | Action::Decode { .. }
                | Action::Started { .. }
                | Action::Watch { .. }
                | Action::Weigh { .. }
                | Action::Unwatch { .. }
                | Action::Progress { .. }
                | Action::AttemptEnded { .. }
                | Action::Refuse { .. }
                | Action::Unmatched { .. }
                | Action::Admitted { .. }
                | Action::ScopeEnded { .. }
                | Action::RefuseScope { .. }
                | Action::Token(_)
                | Action::PoolEnded { .. }
                | Action::WorkerReady { .. }
                | Action::WorkerGone { .. }
                | Action::Stopped => {}
            }
        }
        if settles {
            self.flush();
        }
    }

    /// Calls the observer, if there is one; one that panics is dropped.
    pub(crate) fn observe(&mut self, call: impl FnOnce(&mut dyn Observer, Instant)) {
        let now = self.now;
        let Some(observer) = self.observer.as_deref_mut() else {
            return;
        };
        if contained("an observer", || call(observer, now)).is_none() {
            let observer = self.observer.take();
            contained("the drop of an observer", || drop(observer));
        }
    }
}
