//! The handle of a running farm.

use crate::builder::{FarmBuilder, KindRef};
use crate::group::GroupBuilder;
use crate::message::Message;
use crate::queue::TaskQueue;
use crate::resize::Kept;
use crate::scope::Scope;
use crate::shared::{Over, Shared};
use crate::source::{Source, SourceWaker, Typed};
use crate::sync::atomic::AtomicBool;
use crate::sync::thread::JoinHandle;
use crate::sync::{Mutex, MutexGuard, Sender, lock};
use farm_master::lane::Gate;
use farm_master::{Rule, Shut, TaskKind};
use farm_protocol::{SlotId, TaskId};
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;

/// A running farm. Clones are handles of the same farm; when the last one is dropped without a
/// [`Farm::shut`] having ended it, everything is killed, and no process is left.
#[derive(Clone, Debug)]
pub struct Farm {
    room: Arc<Room>,
}

/// What the last handle takes with it.
#[derive(Debug)]
struct Room {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// As the last resize has it. Its lock is held while that is posted: so the loop hears them in the same order.
    kept: Mutex<Kept>,
}

impl Farm {
    /// Begins a farm.
    #[must_use]
    pub fn builder() -> FarmBuilder {
        FarmBuilder::new()
    }

    pub(crate) fn new(shared: Arc<Shared>, thread: JoinHandle<()>, kept: Kept) -> Self {
        Self {
            room: Arc::new(Room {
                shared,
                thread: Mutex::new(Some(thread)),
                kept: Mutex::new(kept),
            }),
        }
    }

    fn post(&self, message: Message) {
        self.room.shared.post(message);
    }

    pub(crate) fn check<K>(&self, kind: KindRef<K>) {
        assert_eq!(
            kind.farm, self.room.shared.farm,
            "the kind belongs to another farm"
        );
    }

    /// The way in for tasks of a kind.
    ///
    /// # Panics
    /// When the kind belongs to another farm.
    #[must_use]
    pub fn queue<K: TaskKind>(&self, kind: KindRef<K>) -> TaskQueue<K> {
        self.check(kind);
        TaskQueue::new(Arc::clone(&self.room.shared), kind.id)
    }

    /// Has tasks of a kind pulled from `source` whenever there is room for them.
    ///
    /// # Panics
    /// When the kind belongs to another farm.
    pub fn feed<K: TaskKind>(
        &self,
        kind: KindRef<K>,
        source: impl Source<K> + 'static,
    ) -> SourceWaker {
        self.check(kind);
        let woken = Arc::new(AtomicBool::new(false));
        let source = Box::new(Typed::<K, _>::new(source));
        self.post(Message::Feed {
            kind: kind.id,
            source,
            woken: Arc::clone(&woken),
        });
        SourceWaker {
            post: Arc::clone(&self.room.shared.post),
            woken,
        }
    }

    /// Opens a cancel scope.
    pub fn scope(&self) -> Scope {
        Scope::new(Arc::clone(&self.room.shared))
    }

    /// Begins a group of tasks, of one kind or of several.
    pub fn group(&self, rule: Rule) -> GroupBuilder {
        GroupBuilder::new(Arc::clone(&self.room.shared), rule)
    }

    /// Asks for the end of a task, with a reason for people. Unknown and ended tasks are ignored.
    pub fn cancel(&self, task: TaskId, reason: impl Into<String>) {
        self.post(Message::Cancel {
            task,
            reason: reason.into(),
        });
    }

    /// Pauses, resumes or closes the lane of a kind.
    ///
    /// # Panics
    /// When the kind belongs to another farm.
    pub fn set_gate<K: TaskKind>(&self, kind: KindRef<K>, gate: Gate) {
        self.check(kind);
        self.shared().set_gate(kind.id, gate);
    }

    /// Asks the farm to end. A stronger wish replaces a weaker one.
    pub fn shut(&self, how: Shut) {
        self.shared().shut(how);
    }

    /// Waits until the farm has ended: every task has its end, and no worker is left.
    ///
    /// # Panics
    /// With the panic of the farm's loop, if it panicked; its workers are killed then too. And
    /// when called on that loop, where it would wait for ever.
    pub fn wait_stopped(&self) {
        let over = self.room.shared.wait_over();
        let thread = lock(&self.room.thread).take();
        match (thread.map(JoinHandle::join), over) {
            (Some(Err(panic)), _) => resume_unwind(panic),
            (None, Over::Panicked) => panic!("the farm's loop has panicked"),
            (Some(Ok(())) | None, Over::No | Over::Stopped | Over::Panicked) => {}
        }
    }

    /// Why the record that [`FarmBuilder::record`] asked for ends before the run does, once; `None`
    /// while it is whole. What it says after [`Farm::wait_stopped`] is final.
    #[must_use]
    pub fn take_record_trouble(&self) -> Option<io::Error> {
        self.room.shared.take_record_trouble()
    }

    /// Stops every worker with its group (SIGSTOP); the farm's clock stands still. Returns when it is done. One that is
    /// to be killed ([`Shut::Kill`]) is not stopped, and one that is stopped is killed as it is.
    ///
    /// # Panics
    /// On the farm's loop, where it would wait for ever. So do the next two.
    pub fn suspend(&self) {
        // `None`: the farm is over, and there is nothing to stop.
        let _over: Option<()> = self.ask(|done| Message::Suspend { done });
    }

    /// The opposite of [`Farm::suspend`]. Returns when it is done.
    pub fn resume(&self) {
        let _over: Option<()> = self.ask(|done| Message::Resume { done });
    }

    /// The worker processes at this moment, without those that are just being started; none when the farm is over.
    #[must_use]
    pub fn worker_pids(&self) -> Vec<(SlotId, u32)> {
        self.ask(|answer| Message::WorkerPids { answer })
            .unwrap_or_default()
    }

    fn ask<T>(&self, question: impl FnOnce(Sender<T>) -> Message) -> Option<T> {
        self.room.shared.ask(question)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.room.shared
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.room.kept)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let thread = lock(&self.thread).take();
        let Some(thread) = thread else { return };
        self.shared.shut(Shut::Kill);
        // A callback on the loop may drop the last handle: it cannot wait for itself.
        if !self.shared.is_loop_thread() && thread.join().is_err() {
            log::error!("the farm's loop has panicked; its workers have been killed");
        }
    }
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
