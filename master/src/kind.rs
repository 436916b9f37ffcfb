//! The typed face of a kind: what its author implements.

use crate::affinity::Affinity;
use crate::options::Cause;
use crate::outcome::Outcome;
use farm_protocol::{AffinityKey, AttemptId, ContextBody, MarshalError, SlotId, Wire};
use std::fmt;

/// The request type of a kind.
pub type Request<K> = <<K as TaskKind>::Wire as Wire>::Request;
/// The response type of a kind.
pub type Response<K> = <<K as TaskKind>::Wire as Wire>::Response;
/// The feedback type of a kind.
pub type Feedback<K> = <<K as TaskKind>::Wire as Wire>::Feedback;

/// The context type of a kind.
pub type Context<K> = <<K as TaskKind>::Wire as Wire>::Context;

/// A sort of task. This half runs in the master; the worker's half is `Perform` over the same `Wire`.
///
/// Callbacks run on the farm's loop: quick, never blocking. One that panics costs the task it was
/// about ([`Outcome::KindFault`]) and nothing else.
pub trait TaskKind: Send + 'static {
    /// What crosses the pipe.
    type Wire: Wire;
    /// What is submitted. It stays in the master and need not be serialisable.
    type Task: Send + 'static;
    /// What the master remembers of a worker that stayed.
    type Competence: Send + 'static;
    /// What a task that is done gives.
    type Output: Send + 'static;
    /// What a task that failed gives.
    type Failure: Send + 'static;

    /// Whether requests do not depend on the worker's status. Only then may a worker be sent
    /// requests ahead of the one it executes.
    const INDEPENDENT: bool = false;

    /// Whether this worker may take this task. Every worker may, unless the kind says otherwise. What is refused is
    /// asked again when the kind has heard another response, a late one included, so the answer may depend on what it learned from those;
    /// what else it depends on is to be told by a broadcast when it changes.
    fn task_match(&self, status: &WorkerStatus<Self::Competence>, task: &Self::Task) -> bool {
        let (_, _) = (status, task);
        true
    }

    /// Which workers this task is for: asked once, when it comes in. A key makes finding the right task a look-up,
    /// where [`TaskKind::task_match`] is a search. A task with a context prefers workers that hold it.
    fn affinity(&self, task: &Self::Task) -> Affinity {
        self.context_of_task(task)
            .map_or(Affinity::Any, Affinity::Prefers)
    }

    /// The keys that a worker of this competence holds, for tasks with an [`TaskKind::affinity`]. Of more than
    /// [`KEYS_PER_WORKER`](crate::KEYS_PER_WORKER) the first ones count.
    fn keys_of(&self, competence: &Self::Competence) -> Vec<AffinityKey> {
        let _ = competence;
        Vec::new()
    }

    /// Where this task stands among those of equal priority, the smaller first, in a queue that is
    /// [`QueueOrder::Ranked`](crate::QueueOrder::Ranked). Asked whenever the task gets its place: when it becomes ready,
    /// when its priority or the queue's order is set, and at a broadcast.
    fn rank(&self, task: &Self::Task) -> i64 {
        let _ = task;
        0
    }

    /// The request for this task on this worker; `None` ends the task [`Outcome::Skipped`].
    fn request_of_task(
        &mut self,
        status: &WorkerStatus<Self::Competence>,
        task: &Self::Task,
    ) -> Option<Request<Self>>
    where
        Self: Sized;

    /// As [`TaskKind::request_of_task`], told which attempt it is and where it goes. Implement it
    /// instead when the request must name its attempt.
    fn request_of_attempt(
        &mut self,
        sending: Sending,
        status: &WorkerStatus<Self::Competence>,
        task: &Self::Task,
    ) -> Option<Request<Self>>
    where
        Self: Sized,
    {
        let _ = sending;
        self.request_of_task(status, task)
    }

    /// The context that a worker must hold before it is sent this task: the same key always means the same context.
    /// None, unless the kind says otherwise. A kind that names contexts leaves [`TaskKind::INDEPENDENT`] false.
    fn context_of_task(&self, task: &Self::Task) -> Option<AffinityKey> {
        let _ = task;
        None
    }

    /// The context `key`, for a worker that certainly holds `held`, or nothing that is certain. Asked only when it is
    /// to be sent with a request: usually once per worker, and again when it is not known whether it arrived. A
    /// [`ContextBody::Difference`] is to `held`, and possible only where that is something.
    ///
    /// It counts with the request against the limit of a frame.
    fn context(&mut self, key: AffinityKey, held: Option<AffinityKey>) -> ContextBody<Context<Self>>
    where
        Self: Sized,
    {
        let _ = held;
        panic!(
            "kind `{}` names the context {key} in `context_of_task` and gives none: implement `TaskKind::context`",
            Self::Wire::NAME
        )
    }

    /// What the response means.
    fn use_response(
        &mut self,
        status: &WorkerStatus<Self::Competence>,
        task: &Self::Task,
        response: Response<Self>,
    ) -> Verdict<Self>
    where
        Self: Sized;

    /// A response came of an attempt that had been asked to stop (cancelled, out of time). How the
    /// task ends is decided without it; what it says, such as output so far, may be kept.
    fn on_late_response(&mut self, task: &Self::Task, response: Response<Self>)
    where
        Self: Sized,
    {
        let (_, _) = (task, response);
    }

    /// Something the worker said while it performed. Of a retried task the feedback of every attempt comes here; whoever
    /// waits for the task is told after it.
    fn on_feedback(&mut self, task: &Self::Task, feedback: &Feedback<Self>)
    where
        Self: Sized,
    {
        let (_, _) = (task, feedback);
    }

    /// The task ends without a response that the kind has taken: cancelled, expired, its worker
    /// dead, never started. Called once, before whoever waits is told.
    fn on_lost(&mut self, task: &Self::Task, outcome: &Outcome) {
        let (_, _) = (task, outcome);
    }

    /// A request could not be encoded or a response not decoded. The task ends with it; called before [`TaskKind::on_lost`].
    fn on_marshal_error(&mut self, task: &Self::Task, error: &MarshalError) {
        let (_, _) = (task, error);
    }
}

/// Which attempt a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Task and attempt.
    pub id: AttemptId,
    /// The slot it goes to.
    pub slot: SlotId,
}

/// A worker as the kind's rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerStatus<C> {
    /// Its process has answered nothing yet.
    Fresh,
    /// It answered, and the kind left this to be remembered.
    Old(C),
}

/// What a kind makes of a response.
pub struct Verdict<K: TaskKind> {
    /// How the task ends (a failure only if it is not retried).
    pub result: Result<K::Output, K::Failure>,
    /// What happens with the worker.
    pub next: Next<K>,
    /// What sort of failure it is, for the retries' `on`.
    pub cause: Cause,
    /// Never retry this failure.
    pub fatal: bool,
}

/// What happens with a worker after a response.
pub enum Next<K: TaskKind> {
    /// It stays.
    Stay {
        /// What the master remembers of it.
        competence: K::Competence,
        /// Follow-up tasks for the same lane.
        inject: Vec<FollowUp<K::Task>>,
    },
    /// It is ended and replaced.
    End,
}

/// A task that the kind puts into the lane from [`TaskKind::use_response`]. It never waits for admission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowUp<T> {
    /// What is to be done.
    pub task: T,
    /// Who may do it.
    pub whose: Whose<T>,
}

/// Who may take a follow-up task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose<T> {
    /// Any worker, as with every other task.
    Shared,
    /// The worker that answered, before anything else that waits; `task_match` is not asked. And what
    /// becomes of it if that worker is gone before it has ended.
    Pinned(Fallback<T>),
}

/// What becomes of a pinned task whose worker is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback<T> {
    /// Any worker may take it.
    AnyWorker,
    /// This task is done instead, by any worker, under the same id.
    Instead(T),
    /// It ends [`Outcome::HolderGone`].
    Fail,
}

impl<K: TaskKind> fmt::Debug for Verdict<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stays = matches!(self.next, Next::Stay { .. });
        f.debug_struct("Verdict")
            .field("done", &self.result.is_ok())
            .field("worker_stays", &stays)
            .field("cause", &self.cause)
            .field("fatal", &self.fatal)
            .finish_non_exhaustive()
    }
}

impl<K: TaskKind> fmt::Debug for Next<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stay { inject, .. } => f
                .debug_struct("Stay")
                .field("inject", &inject.len())
                .finish_non_exhaustive(),
            Self::End => f.write_str("End"),
        }
    }
}

impl<K: TaskKind> Verdict<K> {
    /// Done, and the worker stays with this competence.
    pub const fn done(output: K::Output, competence: K::Competence) -> Self {
        let next = Next::Stay {
            competence,
            inject: Vec::new(),
        };
        Self {
            result: Ok(output),
            next,
            cause: Cause::Exit,
            fatal: false,
        }
    }

    /// Failed, and the worker stays with this competence.
    pub const fn failed(failure: K::Failure, competence: K::Competence) -> Self {
        let next = Next::Stay {
            competence,
            inject: Vec::new(),
        };
        Self {
            result: Err(failure),
            next,
            cause: Cause::Exit,
            fatal: false,
        }
    }

    /// The same verdict, of another sort of failure.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// The same verdict, never retried.
    #[must_use]
    pub fn fatal(mut self) -> Self {
        self.fatal = true;
        self
    }

    /// The same verdict, with follow-up tasks that any worker may take. Without effect when the worker ends.
    #[must_use]
    pub fn inject(mut self, tasks: Vec<K::Task>) -> Self {
        if let Next::Stay { inject, .. } = &mut self.next {
            inject.extend(tasks.into_iter().map(|task| FollowUp {
                task,
                whose: Whose::Shared,
            }));
        }
        self
    }

    /// The same verdict, with a follow-up task for this worker. Without effect when the worker ends.
    #[must_use]
    pub fn pin(mut self, task: K::Task, fallback: Fallback<K::Task>) -> Self {
        if let Next::Stay { inject, .. } = &mut self.next {
            let whose = Whose::Pinned(fallback);
            inject.push(FollowUp { task, whose });
        }
        self
    }

    /// The same verdict, and the worker ends.
    #[must_use]
    pub fn end_worker(mut self) -> Self {
        self.next = Next::End;
        self
    }
}
