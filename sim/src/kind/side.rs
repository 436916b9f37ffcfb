//! The master's half of a kind of somebody's own: the production registry with its typed tasks, and what became of each.
//!
//! The ledger holds it without its types. It decides nothing.

use farm_master::{
    Held, KindFault, Kinds, Outcome, Receive, Refusal, Registry, Settled, Settlement, TaskKind,
};
use farm_protocol::{KindId, TaskId};
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A kind without its types.
pub(crate) trait KindSide: fmt::Debug {
    /// What the machine asks.
    fn kinds(&mut self) -> &mut dyn Kinds;
    /// The next task comes in from outside.
    fn insert(&mut self) -> TaskId;
    /// One came in that follows from another.
    fn injected(&mut self, task: TaskId, of: TaskId);
    /// A task has ended. A panic of a callback comes back.
    fn settle(&mut self, settlement: Settlement) -> Option<KindFault>;
    /// A task was not admitted.
    fn refuse(&mut self, task: TaskId, refusal: Refusal);
    /// A response is decoded off the loop: under which handle it lies.
    fn decode(&mut self, bytes: &[u8]) -> u64;
    /// What panicked and could change nothing any more.
    fn take_void_fault(&mut self) -> Option<KindFault>;
    /// What people call a task, or called the last one of this id.
    fn called(&self, task: TaskId) -> &str;
    fn panics_are_fine(&self) -> bool;
    fn as_any(&self) -> &dyn Any;
}

/// What became of the tasks that came from outside.
pub(super) struct Ends<K: TaskKind> {
    settled: Mutex<Vec<Settled<K>>>,
    refused: Mutex<Vec<(K::Task, Refusal)>>,
}

/// One thread makes a schedule: whoever panicked under the lock has left the list as it was.
fn list<T>(of: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: TaskKind> Receive<K> for Ends<K> {
    fn settled(&self, settled: Settled<K>) {
        list(&self.settled).push(settled);
    }

    fn refused(&self, task: K::Task, refusal: Refusal) {
        list(&self.refused).push((task, refusal));
    }
}

/// A kind with its types.
pub(super) struct Side<K: TaskKind> {
    registry: Registry,
    kind: KindId,
    /// Those that have not come in, in order.
    tasks: VecDeque<K::Task>,
    ends: Arc<Ends<K>>,
    /// How injected tasks ended.
    follow_ups: Vec<(TaskId, Outcome)>,
    /// By the index of the id.
    names: Vec<Name>,
    inserted: usize,
    panics_are_fine: bool,
}

/// What a place's task is called.
#[derive(Clone, Debug, Default)]
struct Name {
    text: String,
    injected: bool,
}

impl<K: TaskKind> Side<K> {
    pub(super) fn new(kind: K, tasks: Vec<K::Task>, panics_are_fine: bool) -> Self {
        let mut registry = Registry::new();
        let kind = registry.register(kind);
        Self {
            registry,
            kind,
            tasks: tasks.into(),
            ends: Arc::new(Ends {
                settled: Mutex::default(),
                refused: Mutex::default(),
            }),
            follow_ups: Vec::new(),
            names: Vec::new(),
            inserted: 0,
            panics_are_fine,
        }
    }

    fn name(&mut self, task: TaskId, name: Name) {
        let index = task.index();
        if self.names.len() <= index {
            self.names.resize_with(index + 1, Name::default);
        }
        self.names[index] = name;
    }

    /// The schedule is over.
    pub(super) fn end<T>(&self, look: impl FnOnce(&super::SimEnd<'_, K>) -> T) -> T {
        look(&super::SimEnd {
            kind: self.registry.kind(self.kind).expect("registered above"),
            settled: &list(&self.ends.settled),
            refused: &list(&self.ends.refused),
            injected: &self.follow_ups,
        })
    }
}

impl<K: TaskKind> fmt::Debug for Side<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Side")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

impl<K: TaskKind> KindSide for Side<K> {
    fn kinds(&mut self) -> &mut dyn Kinds {
        &mut self.registry
    }

    fn insert(&mut self) -> TaskId {
        let task = self.tasks.pop_front().expect("the script has as many");
        let waiter: Arc<dyn Receive<K>> = Arc::clone(&self.ends) as Arc<dyn Receive<K>>;
        let held = Held::<K>::new(task, Some(waiter));
        let id = self.registry.insert(self.kind, Box::new(held));
        let text = format!("task {}", self.inserted);
        self.inserted += 1;
        self.name(
            id,
            Name {
                text,
                injected: false,
            },
        );
        id
    }

    fn injected(&mut self, task: TaskId, of: TaskId) {
        // Of a long line of follow-ups only the first is named.
        let text = match self.names.get(of.index()) {
            Some(name) if name.injected => name.text.clone(),
            Some(_) | None => format!("follow-up of {}", self.called(of)),
        };
        self.name(
            task,
            Name {
                text,
                injected: true,
            },
        );
    }

    fn settle(&mut self, settlement: Settlement) -> Option<KindFault> {
        if self.names[settlement.task.index()].injected {
            self.follow_ups
                .push((settlement.task, settlement.outcome.clone()));
        }
        self.registry.settle(settlement)
    }

    fn refuse(&mut self, task: TaskId, refusal: Refusal) {
        self.registry.refuse(task, refusal);
    }

    fn decode(&mut self, bytes: &[u8]) -> u64 {
        let decoded = self.registry.decoder(self.kind)(bytes);
        self.registry.keep_decoded(decoded)
    }

    fn take_void_fault(&mut self) -> Option<KindFault> {
        self.registry.take_void_fault()
    }

    fn called(&self, task: TaskId) -> &str {
        self.names
            .get(task.index())
            .map_or("a task", |name| name.text.as_str())
    }

    fn panics_are_fine(&self) -> bool {
        self.panics_are_fine
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
