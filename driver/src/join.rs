//! Waiting until nothing is in the farm any more, or until nothing lets the rest start. The loop answers after a turn;
//! nobody polls.

use crate::farm::Farm;
use crate::queue::TaskQueue;
use crate::shared::{Over, Shared};
use crate::sync::{Sender, bounded};
use crate::turn::Loop;
use crate::watch::Watched;
use farm_master::{TaskKind, TaskLine};
use farm_protocol::KindId;
use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

/// How many tasks a join that is stuck lists.
pub const STUCK_LISTED: usize = 64;

/// How a join ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    /// No task is in the farm: each has its end, and whoever waits for one has been told.
    Empty,
    /// Nothing that goes on will let the rest start: no worker matches it, nor would a fresh one, or it needs such a task.
    /// It is still there. These are of the rest, each with the reason why it waits, [`STUCK_LISTED`] at most. Cancel
    /// them, submit what they wait for, or [`TaskQueue::broadcast`] when what the kind looks at has changed.
    Stuck(Vec<TaskLine>),
    /// The time is over, and as many tasks are still there.
    TimedOut {
        /// How many, running or waiting.
        outstanding: usize,
    },
}

/// Those who wait for the end of tasks of a kind, or of all.
#[derive(Default)]
pub(crate) struct Joiners(BTreeMap<Option<KindId>, Vec<Joiner>>);

struct Joiner {
    /// By which one of them is told from the others.
    token: Arc<()>,
    answer: Sender<Joined>,
}

impl Farm {
    /// Waits until no task is in the farm, or nothing lets the rest start. The farm goes on: tasks may be submitted
    /// meanwhile, and are waited for as well. It waits for tasks alone, not for workers that end or are started anew,
    /// and not for what a source has yet to bring. Tasks of a paused lane are waited for.
    ///
    /// Of a farm that has ended it is [`Joined::Empty`].
    ///
    /// ```no_run
    /// # use farm_driver::{Farm, Joined};
    /// # fn example(farm: &Farm) {
    /// match farm.join() {
    ///     Joined::Empty => println!("all done"),
    ///     Joined::Stuck(lines) => println!("{} has nobody: {:?}", lines[0].task, lines[0].stands),
    ///     Joined::TimedOut { .. } => unreachable!("without a limit"),
    /// }
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the farm's loop has panicked, and on the farm's loop itself, where it would wait for ever.
    #[must_use = "tasks that nothing lets start are in the answer"]
    pub fn join(&self) -> Joined {
        self.shared().join(None, None)
    }

    /// As [`Farm::join`], and at most this long: then it is [`Joined::TimedOut`], as soon as the loop, which must not be
    /// held by a callback, has counted. With no time at all it is a look that does not wait for any task.
    ///
    /// # Panics
    /// As [`Farm::join`].
    #[must_use = "tasks that are still there are in the answer"]
    pub fn join_timeout(&self, span: Duration) -> Joined {
        self.shared().join(None, Some(span))
    }
}

impl<K: TaskKind> TaskQueue<K> {
    /// As [`Farm::join`], of the tasks of this kind: other kinds may be busy meanwhile.
    ///
    /// # Panics
    /// As [`Farm::join`].
    #[must_use = "tasks that nothing lets start are in the answer"]
    pub fn join(&self) -> Joined {
        self.shared.join(Some(self.kind), None)
    }

    /// As [`Farm::join_timeout`], of the tasks of this kind.
    ///
    /// # Panics
    /// As [`Farm::join`].
    #[must_use = "tasks that are still there are in the answer"]
    pub fn join_timeout(&self, span: Duration) -> Joined {
        self.shared.join(Some(self.kind), Some(span))
    }
}

impl Shared {
    fn join(&self, kind: Option<KindId>, limit: Option<Duration>) -> Joined {
        let joined = self.join_or_over(kind, limit);
        joined.unwrap_or_else(|over| match over {
            Over::Stopped | Over::No => Joined::Empty,
            Over::Panicked => {
                panic!("the farm's loop has panicked: how its tasks ended is not known")
            }
        })
    }

    /// `Err`: how the loop ended before it could answer.
    fn join_or_over(&self, kind: Option<KindId>, limit: Option<Duration>) -> Result<Joined, Over> {
        assert!(
            !self.is_loop_thread(),
            "a callback on the farm's loop waits for that loop"
        );
        let (answer, wait) = bounded(1);
        let token = Arc::new(());
        let joiner = Joiner {
            token: Arc::clone(&token),
            answer,
        };
        self.have_done(move |it| it.joiners.0.entry(kind).or_default().push(joiner));
        let joined = match limit {
            None => wait.recv().ok(),
            Some(limit) => wait.recv_timeout(limit).ok().or_else(|| {
                // It leaves nothing behind: the loop answers and forgets it, unless it has answered meanwhile.
                self.have_done(move |it| it.dismiss(kind, &token));
                wait.recv().ok()
            }),
        };
        // Without an answer the loop is over, or on its way there.
        joined.ok_or_else(|| self.wait_over())
    }
}

impl Loop {
    /// At the end of a turn: tells those who wait what they waited for. `more_to_pull`: a source brings more at once;
    /// `busy`: there is something left to do that may let a task start.
    pub(crate) fn answer_joiners(&mut self, more_to_pull: bool, busy: bool) {
        if self.joiners.0.is_empty() || self.stopped {
            return;
        }
        let mut joiners = mem::take(&mut self.joiners.0);
        joiners.retain(|&kind, waiting| {
            let empty = self.master.outstanding(kind) == 0 && !more_to_pull;
            if !empty && (busy || !self.master.is_stuck(kind)) {
                return true;
            }
            let joined = self.joined(kind);
            for joiner in waiting.drain(..) {
                // Whoever asked waits.
                let _there = joiner.answer.send(joined.clone());
            }
            false
        });
        self.joiners.0 = joiners;
    }

    /// One has waited long enough.
    fn dismiss(&mut self, kind: Option<KindId>, token: &Arc<()>) {
        let Some(waiting) = self.joiners.0.get_mut(&kind) else {
            return;
        };
        let place = waiting.iter().position(|it| Arc::ptr_eq(&it.token, token));
        let Some(place) = place else { return };
        let joiner = waiting.swap_remove(place);
        if waiting.is_empty() {
            self.joiners.0.remove(&kind);
        }
        let _there = joiner.answer.send(self.joined(kind));
    }

    /// What a join is at this moment.
    fn joined(&mut self, kind: Option<KindId>) -> Joined {
        let outstanding = self.master.outstanding(kind);
        if outstanding == 0 {
            Joined::Empty
        } else if self.master.is_stuck(kind) {
            let kinds = &mut Watched {
                kinds: &mut self.registry,
                watch: &mut self.watch,
            };
            Joined::Stuck(self.master.list(kinds, kind, STUCK_LISTED))
        } else {
            Joined::TimedOut { outstanding }
        }
    }
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
