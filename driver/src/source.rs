//! Tasks that are pulled: a source is asked for as many as there is room for. It knows no lane.

use crate::message::{Message, Post};
use crate::sync::atomic::{AtomicBool, Ordering};
use farm_master::{Held, Receive, Registry, TaskKind, TaskOptions};
use farm_protocol::{KindId, TaskId};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Where tasks of a kind come from when there is room for them. Called on the farm's loop: quick,
/// never blocking. One that panics has ended.
pub trait Source<K: TaskKind>: Send {
    /// Submits up to `demand` tasks to `intake`; what is submitted beyond may be refused.
    fn pull(&mut self, demand: usize, intake: &mut Intake<'_, K>) -> SourceState;
}

/// How it goes on with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// There is more: ask again when there is room. After a pull that submitted nothing it means
    /// that the farm asks again when something else has happened.
    More,
    /// There is nothing now: ask again after [`SourceWaker::wake`].
    Waiting,
    /// There is nothing any more. The source is dropped.
    Ended,
}

/// Takes the tasks of one pull.
pub struct Intake<'a, K> {
    registry: &'a mut Registry,
    kind: KindId,
    taken: &'a mut Vec<Taken>,
    of: PhantomData<fn(K)>,
}

/// A task that was pulled and not yet told to the machine.
pub(crate) type Taken = (TaskId, Option<Box<TaskOptions>>);

impl<K: TaskKind> Intake<'_, K> {
    /// Hands a task over. `None` as options: the kind's defaults. Without a waiter the kind alone
    /// hears of its end.
    pub fn submit(
        &mut self,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
        waiter: Option<Arc<dyn Receive<K>>>,
    ) -> TaskId {
        let id = self
            .registry
            .insert(self.kind, Box::new(Held::new(task, waiter)));
        self.taken.push((id, options));
        id
    }
}

impl<K> fmt::Debug for Intake<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("taken", &self.taken.len())
            .finish_non_exhaustive()
    }
}

/// Has a waiting source asked again.
#[derive(Clone)]
pub struct SourceWaker {
    pub(crate) post: Post,
    pub(crate) woken: Arc<AtomicBool>,
}

impl SourceWaker {
    /// Has the source asked again soon. Calls before it is asked count once. Without effect when
    /// the source or the farm has ended.
    pub fn wake(&self) {
        // Release, with the loop's acquire: what was prepared before this call is seen by the pull.
        if !self.woken.swap(true, Ordering::AcqRel) {
            let _ended = self.post.push(Message::SourceWoken);
        }
    }
}

impl fmt::Debug for SourceWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceWaker")
            .field("woken", &self.woken)
            .finish_non_exhaustive()
    }
}

/// A source without its type.
pub(crate) trait AnySource: Send {
    fn pull(
        &mut self,
        demand: usize,
        kind: KindId,
        registry: &mut Registry,
        taken: &mut Vec<Taken>,
    ) -> SourceState;
}

/// A source of tasks of `K`.
pub(crate) struct Typed<K, S> {
    source: S,
    of: PhantomData<fn(K)>,
}

impl<K: TaskKind, S: Source<K>> Typed<K, S> {
    pub(crate) const fn new(source: S) -> Self {
        Self {
            source,
            of: PhantomData,
        }
    }
}

impl<K: TaskKind, S: Source<K>> AnySource for Typed<K, S> {
    fn pull(
        &mut self,
        demand: usize,
        kind: KindId,
        registry: &mut Registry,
        taken: &mut Vec<Taken>,
    ) -> SourceState {
        let mut intake = Intake::<K> {
            registry,
            kind,
            taken,
            of: PhantomData,
        };
        self.source.pull(demand, &mut intake)
    }
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
