//! A lane that takes nothing any more until it is empty, and the report of that. The loop answers after a turn; nobody polls.

use crate::farm::Farm;
use crate::queue::TaskQueue;
use crate::shared::{Over, Shared};
use crate::sync::{Sender, bounded};
use crate::turn::Loop;
use farm_master::lane::Gate;
use farm_master::{Ends, Event, LaneSums, TaskKind, Waits};
use farm_protocol::KindId;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

/// What became of everything that was there when a drain began, and of what came meanwhile. It adds up:
/// [`DrainReport::adds_up`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Tasks that were with a worker when it began.
    pub running: u64,
    /// Tasks that waited in the lane then, for a worker or for another try.
    pub queued: u64,
    /// Submitters that waited for room then.
    pub blocked: u64,
    /// Tasks that came in meanwhile: follow-ups, which belong to what was admitted before.
    pub followed: u64,
    /// How they have ended: running, queued and followed. The refused ones among them are `handed_back` and `late`.
    pub ends: Ends,
    /// Tasks handed back to submitters that waited for room.
    pub handed_back: u64,
    /// Tasks handed back that came after it had begun.
    pub late: u64,
}

impl DrainReport {
    /// Whether every task is accounted for exactly once. Always, unless a counter of ours is wrong, or somebody opened
    /// the lane again meanwhile.
    #[must_use]
    pub const fn adds_up(&self) -> bool {
        self.running + self.queued + self.followed == self.ends.total()
            && self.blocked == self.handed_back
            && self.handed_back + self.late == self.ends.refused
    }
}

/// How a lane is emptied.
#[derive(Clone, Copy, Debug)]
enum How {
    /// What waits is run.
    Drain,
    /// What waits is not run.
    Finish,
}

/// Those who wait for lanes to be empty.
#[derive(Default)]
pub(crate) struct Drainers(Vec<Drainer>);

struct Drainer {
    /// By which one of them is told from the others.
    token: Arc<()>,
    kinds: Vec<KindId>,
    /// What was there when it began.
    before: LaneSums,
    handed_back: u64,
    answer: Sender<DrainReport>,
}

impl<K: TaskKind> TaskQueue<K> {
    /// Starts nothing of this kind from now on; tasks are still taken in as far as there is room, and what runs goes on.
    pub fn pause(&self) {
        self.gate(Gate::Paused);
    }

    /// Starts and takes in again what a pause, a drain or a finish kept out. Without effect once the farm ends.
    pub fn resume(&self) {
        self.gate(Gate::Running);
    }

    fn gate(&self, gate: Gate) {
        self.shared.set_gate(self.kind, gate);
    }

    /// Takes nothing in any more, runs what waits, and returns when all of it has ended. Submitters that wait for room are
    /// handed their tasks back at once. What is not over at the deadline is given up then: what waits is not
    /// run, and what runs is cancelled, by the ladder of its own budget. What nothing would ever let start is not run.
    ///
    /// Afterwards the lane stays as it is, and the farm goes on: [`TaskQueue::resume`] opens it again. A source is not
    /// asked meanwhile. Of a farm that is over the report is empty.
    ///
    /// ```no_run
    /// # use farm_driver::TaskQueue;
    /// # use farm_master::TaskKind;
    /// # use std::time::Duration;
    /// # fn example<K: TaskKind>(queue: &TaskQueue<K>) {
    /// let report = queue.drain(Some(Duration::from_secs(60)));
    /// println!(
    ///     "{} of {} done, {} handed back",
    ///     report.ends.done,
    ///     report.ends.total(),
    ///     report.handed_back
    /// );
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the farm's loop has panicked, and on the farm's loop itself, where it would wait for ever.
    pub fn drain(&self, deadline: Option<Duration>) -> DrainReport {
        self.shared.drain(Some(self.kind), How::Drain, deadline)
    }

    /// Takes nothing in and starts nothing any more, and returns when what runs has ended; it is not tried again. What
    /// waits ends [`Outcome::Closed`](farm_master::Outcome::Closed). Otherwise as [`TaskQueue::drain`].
    ///
    /// # Panics
    /// As [`TaskQueue::drain`].
    pub fn finish(&self, deadline: Option<Duration>) -> DrainReport {
        self.shared.drain(Some(self.kind), How::Finish, deadline)
    }

    /// What stands in this kind's lane, who waits for room before it, and how its tasks have ended so far. Of a farm that
    /// is over: nothing.
    ///
    /// # Panics
    /// On the farm's loop, where it would wait for ever.
    #[must_use]
    pub fn sums(&self) -> LaneSums {
        let kind = self.kind;
        let sums = self.shared.look(move |it| it.master.sums(kind));
        sums.unwrap_or_default()
    }

    /// How long the tasks of this kind that have ended had waited for the start of their first attempt. Of a farm that
    /// is over: of no task.
    ///
    /// # Panics
    /// On the farm's loop, where it would wait for ever.
    #[must_use]
    pub fn waits(&self) -> Waits {
        let kind = self.kind;
        let waits = self.shared.look(move |it| it.master.waits(kind).clone());
        waits.unwrap_or_default()
    }
}

impl Farm {
    /// As [`TaskQueue::drain`], of all kinds at once. The farm goes on; [`Farm::shut`] ends it.
    ///
    /// # Panics
    /// As [`TaskQueue::drain`].
    pub fn drain(&self, deadline: Option<Duration>) -> DrainReport {
        self.shared().drain(None, How::Drain, deadline)
    }

    /// As [`TaskQueue::finish`], of all kinds at once. The farm goes on; [`Farm::shut`] ends it.
    ///
    /// # Panics
    /// As [`TaskQueue::drain`].
    pub fn finish(&self, deadline: Option<Duration>) -> DrainReport {
        self.shared().drain(None, How::Finish, deadline)
    }
}

impl Shared {
    fn drain(&self, kind: Option<KindId>, how: How, deadline: Option<Duration>) -> DrainReport {
        assert!(
            !self.is_loop_thread(),
            "a callback on the farm's loop waits for that loop"
        );
        let (answer, wait) = bounded(1);
        let token = Arc::new(());
        let own = Arc::clone(&token);
        self.doubt(kind);
        self.have_done(move |it| it.begin_drain(kind, how, own, answer));
        let report = match deadline {
            None => wait.recv().ok(),
            Some(deadline) => wait.recv_timeout(deadline).ok().or_else(|| {
                self.have_done(move |it| it.give_up_drain(&token));
                wait.recv().ok()
            }),
        };
        // Without an answer the loop was over before, or has panicked.
        report.unwrap_or_else(|| match self.wait_over() {
            Over::Stopped | Over::No => DrainReport::default(),
            Over::Panicked => {
                panic!("the farm's loop has panicked: how its tasks ended is not known")
            }
        })
    }
}

impl Loop {
    fn begin_drain(
        &mut self,
        kind: Option<KindId>,
        how: How,
        token: Arc<()>,
        answer: Sender<DrainReport>,
    ) {
        let all = (0..).map(KindId).take(self.counted.len());
        let kinds: Vec<KindId> = kind.map_or_else(|| all.collect(), |kind| vec![kind]);
        let before = self.sums_of(&kinds);
        self.clear_doubt(kind);
        for &kind in &kinds {
            let gate = Gate::Draining;
            self.tell(match how {
                How::Drain => Event::SetGate { kind, gate },
                How::Finish => Event::Finish { kind },
            });
        }
        let refused = self.sums_of(&kinds).ends.refused;
        self.drainers.0.push(Drainer {
            token,
            kinds,
            before,
            handed_back: refused - before.ends.refused,
            answer,
        });
    }

    fn sums_of(&self, kinds: &[KindId]) -> LaneSums {
        let sums = kinds.iter().map(|kind| self.master.sums(*kind));
        sums.fold(LaneSums::default(), |all, one| all + one)
    }

    /// At the end of a turn: tells those whose lanes are empty. `busy`: there is something left to do that may let a
    /// task start.
    pub(crate) fn answer_drainers(&mut self, busy: bool) {
        if self.drainers.0.is_empty() || self.stopped {
            return;
        }
        let mut stuck = Vec::new();
        for drainer in &self.drainers.0 {
            for &kind in &drainer.kinds {
                if !busy && self.master.is_stuck(Some(kind)) {
                    stuck.push(kind);
                }
            }
        }
        for kind in stuck {
            self.tell(Event::Finish { kind });
        }
        let drainers = mem::take(&mut self.drainers.0);
        for drainer in drainers {
            let left = |kind: &KindId| self.master.outstanding(Some(*kind)) > 0;
            if drainer.kinds.iter().any(left) {
                self.drainers.0.push(drainer);
            } else {
                self.report(&drainer);
            }
        }
    }

    /// The farm has stopped, and with it every task has its end.
    pub(crate) fn end_drainers(&mut self) {
        for drainer in mem::take(&mut self.drainers.0) {
            self.report(&drainer);
        }
    }

    fn report(&self, drainer: &Drainer) {
        let (before, now) = (drainer.before, self.sums_of(&drainer.kinds));
        let ends = now.ends - before.ends;
        // Whoever asked waits.
        let _there = drainer.answer.send(DrainReport {
            running: before.running,
            queued: before.queued,
            blocked: before.offered,
            followed: now.came - before.came,
            ends,
            handed_back: drainer.handed_back,
            late: ends.refused - drainer.handed_back,
        });
    }

    /// One has waited long enough, unless it has its answer.
    fn give_up_drain(&mut self, token: &Arc<()>) {
        let mut drainers = self.drainers.0.iter();
        let Some(drainer) = drainers.find(|it| Arc::ptr_eq(&it.token, token)) else {
            return;
        };
        for kind in drainer.kinds.clone() {
            self.tell(Event::Finish { kind });
            self.tell(Event::CancelAll {
                kind: Some(kind),
                reason: "the drain of its lane has taken as long as it may".to_owned(),
            });
        }
    }
}
