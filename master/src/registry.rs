//! The adapter between the machine, which knows ids, and kinds, which know types.
//!
//! It holds the typed tasks, their waiters and every worker's competence, and contains panics: a
//! panic in a callback becomes a [`KindFault`]. It knows no process and no policy.

mod typed;
mod warm;

use crate::action::Refusal;
use crate::affinity::{Affinity, Injected, WhenGone, Whom};
use crate::event::Stream;
use crate::kind::{Feedback, TaskKind};
use crate::kinds::{KindFault, Kinds, Payload, RequestAnswer, ResponseAnswer};
use crate::outcome::{AttemptReport, Outcome, Settlement, waited};
use farm_protocol::{
    AttemptId, Instant, KindHello, KindId, MarshalError, Progress, ScopeId, SlotId, TaskId, Wire,
};
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use typed::Typed;

/// How much of a worker's own output is kept per task and stream, in bytes.
pub const OUTPUT_KEPT: usize = 64 << 10;

/// Whoever waits for a task of kind `K`. Called on the farm's loop: quick, never blocking.
pub trait Receive<K: TaskKind>: Send + Sync {
    /// The task has ended. Called exactly once, or [`Receive::refused`] is.
    fn settled(&self, settled: Settled<K>);
    /// The task was not admitted and is handed back.
    fn refused(&self, task: K::Task, refusal: Refusal);
    /// The task said something before its end, after its kind was told. Never after [`Receive::settled`]. A panic is
    /// contained, and counted with feedback that cannot be used.
    fn feedback(&self, id: AttemptId, feedback: Feedback<K>) {
        let (_, _) = (id, feedback);
    }

    /// An attempt of the task has said how far it is; the newest counts. Of a retried task those of
    /// every attempt come here.
    fn progress(&self, id: AttemptId, progress: &Progress) {
        let (_, _) = (id, progress);
    }
}

/// A task's end, with everything that is known of it.
#[derive(Debug)]
pub struct Settled<K: TaskKind> {
    /// Its id.
    pub id: TaskId,
    /// The scope it was submitted into: what comes from one that is not the present one any more is
    /// recognised by it as stale.
    pub scope: Option<ScopeId>,
    /// The task itself, back from the farm.
    pub task: K::Task,
    /// How it ended.
    pub outcome: Outcome<K::Output, K::Failure>,
    /// The attempts that executed.
    pub attempts: Vec<AttemptReport>,
    /// When it was submitted.
    pub submitted: Instant,
    /// When its last attempt was sent; `None` when none was. When the first began: [`Settled::waited`].
    pub started: Option<Instant>,
    /// When it ended.
    pub finished: Instant,
    /// What its worker wrote to its own streams meanwhile.
    pub output: WorkerOutput,
}

impl<K: TaskKind> Settled<K> {
    /// How long it waited: from its submission to the start of its first attempt that executed (or, if none did, of the
    /// last that was sent). `None`: it was never sent.
    #[must_use]
    pub fn waited(&self) -> Option<Duration> {
        waited(self.submitted, &self.attempts, self.started)
    }
}

/// What a worker wrote to its own stdout and stderr while a task was with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerOutput {
    /// The first [`OUTPUT_KEPT`] bytes of stdout.
    pub stdout: Vec<u8>,
    /// The first [`OUTPUT_KEPT`] bytes of stderr.
    pub stderr: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
    /// Whether other tasks were with the worker at the time, so that part of it may be theirs.
    pub shared: bool,
}

/// A task on its way in: what [`Registry::insert`] takes.
pub struct Held<K: TaskKind> {
    task: K::Task,
    waiter: Option<Arc<dyn Receive<K>>>,
    result: Option<Result<K::Output, K::Failure>>,
    output: Option<Box<WorkerOutput>>,
    /// What is done instead if the worker that it is pinned to is gone.
    instead: Option<K::Task>,
}

impl<K: TaskKind> Held<K> {
    /// A task and whoever waits for it.
    #[must_use]
    pub fn new(task: K::Task, waiter: Option<Arc<dyn Receive<K>>>) -> Self {
        Self {
            task,
            waiter,
            result: None,
            output: None,
            instead: None,
        }
    }
}

impl<K: TaskKind> fmt::Debug for Held<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("waited_for", &self.waiter.is_some())
            .finish_non_exhaustive()
    }
}

/// Decodes a response off the loop; what it gives goes back through [`Registry::keep_decoded`].
pub type Decoder = fn(&[u8]) -> Result<Box<dyn Any + Send>, MarshalError>;

/// Where a task stands among those of equal priority, the smaller first.
pub type RankBy<K> = Box<dyn Fn(&<K as TaskKind>::Task) -> i64 + Send>;

/// A kind without its types.
trait Erased: Send {
    /// `rank` is an `Option<RankBy<K>>` of its kind.
    fn rank_by(&mut self, rank: Box<dyn Any + Send>);
    fn affinity(&self, held: &dyn Any) -> Result<Affinity, KindFault>;
    fn rank(&self, held: &dyn Any) -> Result<i64, KindFault>;
    fn matches(&self, whom: Whom, held: &dyn Any) -> Result<bool, KindFault>;
    fn substitute(&mut self, held: &mut dyn Any);
    fn request(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        held: &mut dyn Any,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> RequestAnswer;
    /// Follow-up tasks come back still without ids.
    fn response(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        held: &mut dyn Any,
        payload: Body<'_>,
    ) -> Answered;
    /// A panic comes back; nothing is changed by it.
    fn late(&mut self, id: AttemptId, held: &dyn Any, bytes: &[u8]) -> Option<KindFault>;
    fn feedback(&mut self, id: AttemptId, held: &dyn Any, bytes: &[u8]) -> Result<(), String>;
    fn output(&mut self, held: &mut dyn Any, stream: Stream, bytes: &[u8], shared: bool);
    fn fresh(&mut self, slot: SlotId);
    fn progress(&self, id: AttemptId, held: &dyn Any, progress: &Progress);
    /// A panic of `on_lost` comes back; the task's end is unchanged by it.
    fn settle(&mut self, held: Box<dyn Any + Send>, settlement: Settlement) -> Option<KindFault>;
    fn refuse(&mut self, held: Box<dyn Any + Send>, refusal: Refusal);
    fn as_any(&self) -> &dyn Any;
}

/// A response on its way to the typed kind.
enum Body<'a> {
    Bytes(&'a [u8]),
    Decoded(Box<dyn Any + Send>),
}

/// The typed kind's answer, with follow-up tasks that have no ids yet.
struct Answered {
    answer: ResponseAnswer,
    follow_ups: Vec<(Box<dyn Any + Send>, Option<WhenGone>)>,
}

struct Place {
    generation: u32,
    task: Option<(KindId, Box<dyn Any + Send>)>,
}

struct Registered {
    hello: KindHello,
    decoder: Decoder,
    kind: Box<dyn Erased>,
}

/// All kinds of a farm and all tasks that are in it.
#[derive(Default)]
pub struct Registry {
    kinds: Vec<Registered>,
    places: Vec<Place>,
    free: Vec<u32>,
    decoded: BTreeMap<u64, Box<dyn Any + Send>>,
    last_handle: u64,
    void_fault: Option<KindFault>,
}

impl Registry {
    /// No kinds, no tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind; its id is its position. All kinds are added before the first task.
    ///
    /// # Panics
    /// With more than `u16::MAX` kinds.
    pub fn register<K: TaskKind>(&mut self, kind: K) -> KindId {
        let id = KindId(u16::try_from(self.kinds.len()).expect("a farm has at most 65535 kinds"));
        self.kinds.push(Registered {
            hello: <K::Wire as Wire>::hello(),
            decoder: typed::decode_response::<K>,
            kind: Box::new(Typed::new(kind)),
        });
        id
    }

    /// The kinds' hellos, in the order of their ids.
    pub fn hellos(&self) -> impl Iterator<Item = &KindHello> {
        self.kinds.iter().map(|registered| &registered.hello)
    }

    /// A kind as it is now; `None` when `id` is a kind of another type, or of none.
    #[must_use]
    pub fn kind<K: TaskKind>(&self, id: KindId) -> Option<&K> {
        let registered = self.kinds.get(id.0 as usize)?;
        registered.kind.as_any().downcast_ref()
    }

    /// The latest panic of a callback that could change nothing any more (`on_late_response`), once.
    pub const fn take_void_fault(&mut self) -> Option<KindFault> {
        self.void_fault.take()
    }

    /// How many tasks are held: submitted and neither settled nor refused.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether no task is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a task in and gives it an id. `held` must be a [`Held`] of the kind registered as `kind`.
    pub fn insert(&mut self, kind: KindId, held: Box<dyn Any + Send>) -> TaskId {
        assert!(
            (kind.0 as usize) < self.kinds.len(),
            "the kind was never registered"
        );
        if let Some(index) = self.free.pop() {
            let place = &mut self.places[index as usize];
            place.task = Some((kind, held));
            return TaskId::new(index, place.generation);
        }
        let index = u32::try_from(self.places.len()).expect("at most 2^32 tasks at once");
        self.places.push(Place {
            generation: 0,
            task: Some((kind, held)),
        });
        TaskId::new(index, 0)
    }

    /// Performs [`crate::Action::Settle`]: tells the kind, then whoever waits. The id is never
    /// valid again. A panic of the kind's `on_lost` comes back, to be reported: it changes nothing.
    #[must_use = "a panic of a callback is to be reported"]
    pub fn settle(&mut self, settlement: Settlement) -> Option<KindFault> {
        let (kind, held) = self.remove(settlement.task);
        self.kinds[kind.0 as usize].kind.settle(held, settlement)
    }

    /// Performs [`crate::Action::Refuse`]: hands the task back. The id is never valid again.
    pub fn refuse(&mut self, task: TaskId, refusal: Refusal) {
        let (kind, held) = self.remove(task);
        self.kinds[kind.0 as usize].kind.refuse(held, refusal);
    }

    /// Performs [`crate::Action::Progress`]: tells whoever waits.
    pub fn progress(&mut self, id: AttemptId, progress: &Progress) {
        let (kind, held) = self.reach(id.task);
        kind.progress(id, held, progress);
    }

    /// Ranks the tasks of a kind by this instead of by its [`TaskKind::rank`]; `None`: by that again. It counts from the
    /// next ranking on, so tell the machine to rank what waits anew.
    ///
    /// # Panics
    /// When `K` is not the kind registered as `kind`.
    pub fn rank_by<K: TaskKind>(&mut self, kind: KindId, rank: Option<RankBy<K>>) {
        self.kinds[kind.0 as usize].kind.rank_by(Box::new(rank));
    }

    /// A task that is held; `None`: it was settled or refused, or is of another kind.
    #[must_use]
    pub fn task<K: TaskKind>(&self, task: TaskId) -> Option<&K::Task> {
        let place = self.places.get(task.index())?;
        let (_, held) = place.task.as_ref()?;
        let held = held.downcast_ref::<Held<K>>()?;
        (place.generation == task.generation()).then_some(&held.task)
    }

    /// The kind of a task that is held.
    #[must_use]
    pub fn kind_of(&self, task: TaskId) -> Option<KindId> {
        let place = self.places.get(task.index())?;
        let (kind, _) = place.task.as_ref()?;
        (place.generation == task.generation()).then_some(*kind)
    }

    /// How responses of a kind are decoded off the loop.
    #[must_use]
    pub fn decoder(&self, kind: KindId) -> Decoder {
        self.kinds[kind.0 as usize].decoder
    }

    /// Keeps what a [`Decoder`] gave until the machine asks for it under the number returned.
    pub fn keep_decoded(&mut self, decoded: Result<Box<dyn Any + Send>, MarshalError>) -> u64 {
        self.last_handle += 1;
        self.decoded.insert(self.last_handle, Box::new(decoded));
        self.last_handle
    }

    fn remove(&mut self, task: TaskId) -> (KindId, Box<dyn Any + Send>) {
        let place = self
            .places
            .get_mut(task.index())
            .expect("the id was given out");
        assert_eq!(
            place.generation,
            task.generation(),
            "{task} was settled before"
        );
        let held = place
            .task
            .take()
            .expect("a place of this generation holds its task");
        // A place whose generations are used up is never used again.
        if let Some(next) = place.generation.checked_add(1) {
            place.generation = next;
            self.free.push(task.index() as u32);
        }
        held
    }

    fn reach(&mut self, task: TaskId) -> (&mut dyn Erased, &mut (dyn Any + Send)) {
        let place = self
            .places
            .get_mut(task.index())
            .expect("the id was given out");
        assert_eq!(
            place.generation,
            task.generation(),
            "{task} was settled before"
        );
        let (kind, held) = place
            .task
            .as_mut()
            .expect("a place of this generation holds its task");
        (&mut *self.kinds[kind.0 as usize].kind, &mut **held)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("kinds", &self.kinds.len())
            .field("tasks", &self.len())
            .finish_non_exhaustive()
    }
}

impl Kinds for Registry {
    fn affinity(&mut self, task: TaskId) -> Result<Affinity, KindFault> {
        let (kind, held) = self.reach(task);
        kind.affinity(held)
    }

    fn rank(&mut self, task: TaskId) -> Result<i64, KindFault> {
        let (kind, held) = self.reach(task);
        kind.rank(held)
    }

    fn matches(&mut self, task: TaskId, whom: Whom) -> Result<bool, KindFault> {
        let (kind, held) = self.reach(task);
        kind.matches(whom, held)
    }

    fn substitute(&mut self, task: TaskId) {
        let (kind, held) = self.reach(task);
        kind.substitute(held);
    }

    fn request(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> RequestAnswer {
        let (kind, held) = self.reach(id.task);
        kind.request(id, slot, held, out, limit)
    }

    fn response(&mut self, id: AttemptId, slot: SlotId, payload: Payload<'_>) -> ResponseAnswer {
        let body = match payload {
            Payload::Bytes(bytes) => Body::Bytes(bytes),
            Payload::Decoded(handle) => Body::Decoded(
                self.decoded
                    .remove(&handle)
                    .expect("a handle is given out once and used once"),
            ),
        };
        let (kind, held) = self.reach(id.task);
        let Answered {
            mut answer,
            follow_ups,
        } = kind.response(id, slot, held, body);
        if !follow_ups.is_empty() {
            let kind = self.places[id.task.index()]
                .task
                .as_ref()
                .expect("reached above")
                .0;
            let ids = follow_ups
                .into_iter()
                .map(|(held, pinned)| Injected {
                    task: self.insert(kind, held),
                    pinned,
                })
                .collect();
            if let ResponseAnswer::Taken { injected, .. } = &mut answer {
                *injected = ids;
            }
        }
        answer
    }

    fn late(&mut self, id: AttemptId, bytes: &[u8]) {
        let (kind, held) = self.reach(id.task);
        let fault = kind.late(id, held, bytes);
        self.void_fault = fault.or(self.void_fault.take());
    }

    fn feedback(&mut self, id: AttemptId, bytes: &[u8]) -> Result<(), String> {
        let (kind, held) = self.reach(id.task);
        kind.feedback(id, held, bytes)
    }

    fn output(&mut self, tasks: &[TaskId], stream: Stream, bytes: &[u8]) {
        for &task in tasks {
            let (kind, held) = self.reach(task);
            kind.output(held, stream, bytes, tasks.len() > 1);
        }
    }

    fn fresh(&mut self, slot: SlotId) {
        for registered in &mut self.kinds {
            registered.kind.fresh(slot);
        }
    }
}

#[cfg(test)]
mod tests;
