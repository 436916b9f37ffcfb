//! What a caller may ask about the tasks in a farm, and change of what waits.

use crate::farm::Farm;
use crate::message::Learn;
use crate::queue::TaskQueue;
use crate::shared::{Shared, contained};
use crate::ticket::Ticket;
use crate::turn::Loop;
use crate::watch::Watched;
use farm_master::{Event, QueueOrder, RankBy, TaskKind, TaskLine, Why};
use farm_protocol::{KindId, TaskId};
use std::sync::Arc;

impl Farm {
    /// Asks for the end of every task that is in the farm now, with a reason for people. Workers that do nothing are not
    /// touched; how each task ends is told as always. It does not wait: [`Farm::join`] does.
    pub fn cancel_all(&self, reason: impl Into<String>) {
        self.shared().cancel_all(None, reason.into());
    }

    /// Says how urgent a task is from now on: the larger starts first. It counts while it waits and for its further
    /// attempts; a running one goes on. Unknown and ended tasks are ignored. It costs the caller one message.
    pub fn set_priority(&self, task: TaskId, priority: i32) {
        self.shared().tell(Event::SetPriority { task, priority });
    }

    /// The tasks in the farm, at most `most`, each with where it stands and why it waits. None when the farm is over.
    ///
    /// The farm's loop makes the list and does nothing else meanwhile: ask for as many as a person reads.
    ///
    /// ```no_run
    /// # use farm_driver::Farm;
    /// use farm_master::Stands;
    /// # fn example(farm: &Farm) {
    /// for line in farm.list(20) {
    ///     match line.stands {
    ///         Stands::Waits(why) => println!("{} waits: {why}", line.task),
    ///         Stands::Runs { slot, since, .. } => println!("{} on {slot} since {since}", line.task),
    ///         Stands::Held { slot, .. } => println!("{} is next on {slot}", line.task),
    ///         Stands::Stops { slot, .. } => println!("{} on {slot} is stopping", line.task),
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Panics
    /// On the farm's loop, where it would wait for ever. So do the next two.
    #[must_use]
    pub fn list(&self, most: usize) -> Vec<TaskLine> {
        self.shared().list(None, most)
    }

    /// Why a task waits; `None` when it does not, or is not in the farm.
    #[must_use]
    pub fn why_waiting(&self, task: TaskId) -> Option<Why> {
        self.shared().look(move |it| it.why_waiting(task)).flatten()
    }

    /// How many tasks are in the farm, running or waiting. What this thread submitted before is counted.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.shared().outstanding(None)
    }
}

impl<K: TaskKind> TaskQueue<K> {
    /// As [`Farm::cancel_all`], of the tasks of this kind.
    pub fn cancel_all(&self, reason: impl Into<String>) {
        self.shared.cancel_all(Some(self.kind), reason.into());
    }

    /// Has tasks of equal priority start in this order from now on, also those that wait already. With
    /// [`QueueOrder::Ranked`] it is the kind's own [`TaskKind::rank`] that counts.
    pub fn set_order(&self, order: QueueOrder) {
        self.order(order, None);
    }

    /// Has tasks of equal priority start in the order of this rank, the smaller first, instead of the kind's own
    /// [`TaskKind::rank`]. Equal ranks start as they came.
    ///
    /// Each task that waits is ranked once now, each other one when it could start, and all that wait again at a
    /// [`TaskQueue::broadcast`]. `rank` runs on the farm's loop: quick, never blocking. A panic of it costs the task that it was about.
    ///
    /// ```no_run
    /// # use farm_driver::TaskQueue;
    /// # use farm_master::TaskKind;
    /// # fn example<K: TaskKind<Task = (String, u64)>>(queue: &TaskQueue<K>) {
    /// // What is nearest to line 120 first.
    /// queue.set_order_by(|(_, line)| line.abs_diff(120) as i64);
    /// # }
    /// ```
    pub fn set_order_by(&self, rank: impl Fn(&K::Task) -> i64 + Send + 'static) {
        self.order(QueueOrder::Ranked, Some(Box::new(rank)));
    }

    fn order(&self, order: QueueOrder, rank: Option<RankBy<K>>) {
        let kind = self.kind;
        self.shared.have_done(move |it| {
            // The one before is dropped at this.
            let registry = &mut it.registry;
            contained("the drop of a rank", || registry.rank_by::<K>(kind, rank));
            it.tell(Event::SetOrder { kind, order });
        });
    }

    /// Has everything that waits looked at again: something that [`TaskKind::task_match`] or a rank looks at has changed
    /// outside of the farm.
    pub fn broadcast(&self) {
        self.shared.tell(Event::Broadcast { kind: self.kind });
    }

    /// As [`Farm::list`], of the tasks of this kind.
    ///
    /// # Panics
    /// On the farm's loop, where it would wait for ever. So do the next four.
    #[must_use]
    pub fn list(&self, most: usize) -> Vec<TaskLine> {
        self.shared.list(Some(self.kind), most)
    }

    /// The tasks that wait, at most `most`, in the order in which they would start, and what `look` makes of each. Those
    /// that need another task or a pause first come last. Nothing is stopped for it, and none changes its place.
    ///
    /// `look` runs on the farm's loop: quick, never blocking. A panic of it comes out here.
    ///
    /// ```no_run
    /// # use farm_driver::TaskQueue;
    /// # use farm_master::TaskKind;
    /// # fn example<K: TaskKind<Task = (String, u64)>>(queue: &TaskQueue<K>) {
    /// for (line, file) in queue.snapshot_with(10, |(file, _)| file.clone()) {
    ///     println!("{file} waits since {}", line.submitted);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn snapshot_with<T: Send + 'static>(
        &self,
        most: usize,
        mut look: impl FnMut(&K::Task) -> T + Send + 'static,
    ) -> Vec<(TaskLine, T)> {
        let kind = self.kind;
        let seen = self.shared.look(move |it| {
            let kinds = &mut Watched {
                kinds: &mut it.registry,
                watch: &mut it.watch,
            };
            let lines = it.master.list_waiting(kinds, kind, most).into_iter();
            let with_task = lines.map(|line| {
                let task = it.registry.task::<K>(line.task);
                let seen = look(task.expect("what the machine has is held"));
                (line, seen)
            });
            with_task.collect()
        });
        seen.unwrap_or_default()
    }

    /// How many tasks of this kind are in the farm, running or waiting. What this thread submitted before is counted.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.shared.outstanding(Some(self.kind))
    }

    /// How many tasks of this kind wait.
    #[must_use]
    pub fn len(&self) -> usize {
        let kind = self.kind;
        let waiting = self.shared.look(move |it| {
            let running = it.master.lane(kind).counts().occupied;
            it.master.outstanding(Some(kind)) - running
        });
        waiting.unwrap_or(0)
    }

    /// Whether no task of this kind waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: TaskKind> Ticket<K> {
    /// As [`Farm::set_priority`], of this task.
    pub fn set_priority(&self, priority: i32) {
        let ticket = Arc::clone(&self.cell);
        self.shared.have_done(move |it| {
            if let Some(task) = ticket.id() {
                it.tell(Event::SetPriority { task, priority });
            }
        });
    }

    /// As [`Farm::why_waiting`], of this task.
    ///
    /// # Panics
    /// On the farm's loop, where it would wait for ever.
    #[must_use]
    pub fn why_waiting(&self) -> Option<Why> {
        let ticket = Arc::clone(&self.cell);
        let look = move |it: &mut Loop| it.why_waiting(ticket.id()?);
        self.shared.look(look).flatten()
    }
}

impl Shared {
    fn cancel_all(&self, kind: Option<KindId>, reason: String) {
        self.tell(Event::CancelAll { kind, reason });
    }

    fn list(&self, kind: Option<KindId>, most: usize) -> Vec<TaskLine> {
        let lines = self.look(move |it| {
            let kinds = &mut Watched {
                kinds: &mut it.registry,
                watch: &mut it.watch,
            };
            it.master.list(kinds, kind, most)
        });
        lines.unwrap_or_default()
    }

    fn outstanding(&self, kind: Option<KindId>) -> usize {
        self.look(move |it| it.master.outstanding(kind))
            .unwrap_or(0)
    }
}

impl Loop {
    fn why_waiting(&mut self, task: TaskId) -> Option<Why> {
        let kinds = &mut Watched {
            kinds: &mut self.registry,
            watch: &mut self.watch,
        };
        self.master.why_waiting(kinds, task)
    }
}
