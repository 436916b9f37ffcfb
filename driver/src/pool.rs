//! What a kind is given: its workers and its limits.

use crate::launcher::Launcher;
use farm_master::lane::Boundary;
use farm_master::{DECODE_ABOVE, KindConfig, Recycle, Staffing, TaskKind, TaskOptions};
use farm_protocol::Wire;
use std::num::NonZeroUsize;
use std::time::Duration;

/// How many requests a worker of an independent kind may hold beyond the one it executes. Above a
/// few hundred nothing is gained any more; the machine uses less where tasks are long.
const CREDIT_OF_INDEPENDENT: u32 = 256;

/// How many injected tasks may wait beyond the queue, unless the pool says otherwise.
const INJECTION_LIMIT: usize = 1024;

/// How many tasks may wait in a lane unless the pool says otherwise: a caller who submits a batch
/// must not be refused, and one who submits without end must be.
pub const QUEUED: usize = 10_000;

/// The workers of one kind.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Where its workers come from.
    pub launcher: Launcher,
    /// How many workers there may be at once; they are started when there is work for them.
    pub slots: u32,
    /// The limits of the kind's lane; `None`: as [`Boundary::for_workers`] of the slots says, with
    /// room for [`QUEUED`] tasks to wait.
    pub boundary: Option<Boundary>,
    /// How many requests a worker may hold beyond the one it executes; `None`: 256 if the kind is
    /// `INDEPENDENT`, else 0. Without effect for a kind that is not.
    pub credit_cap: Option<u32>,
    /// How many injected tasks may wait beyond the lane's `max_queued`.
    pub injection_limit: usize,
    /// The options of tasks that come without any.
    pub defaults: TaskOptions,
    /// Responses above this many bytes are decoded off the loop.
    pub decode_above: usize,
    /// How long a worker of this kind may take from its start to its hello; `None`: as the farm says.
    pub hello_timeout: Option<Duration>,
    /// How many workers are kept without work, and when a healthy one is replaced.
    pub staffing: Staffing,
    /// Whether workers are forked from a template; see [`Pool::template`].
    pub template: bool,
}

/// How the workers of a kind come to be.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) launcher: Launcher,
    /// The kind's name.
    pub(crate) kind: String,
    pub(crate) template: bool,
    pub(crate) hello_timeout: Option<Duration>,
}

impl Pool {
    /// A pool of `slots` workers that come from `launcher`, such as a [`Program`](crate::Program); everything else at
    /// its default.
    #[must_use]
    pub fn new(launcher: impl Into<Launcher>, slots: u32) -> Self {
        Self {
            launcher: launcher.into(),
            slots,
            boundary: None,
            credit_cap: None,
            injection_limit: INJECTION_LIMIT,
            defaults: TaskOptions::default(),
            decode_above: DECODE_ABOVE,
            hello_timeout: None,
            staffing: Staffing::default(),
            template: false,
        }
    }

    /// The same pool with these limits of its lane.
    #[must_use]
    pub fn boundary(mut self, boundary: Boundary) -> Self {
        self.boundary = Some(boundary);
        self
    }

    /// The same pool whose workers may take this long from their start to their hello: some kinds load a
    /// library first that takes its time.
    #[must_use]
    pub fn hello_timeout(mut self, span: Duration) -> Self {
        self.hello_timeout = Some(span);
        self
    }

    /// The same pool, which starts so many workers with the farm and keeps them.
    #[must_use]
    pub fn least(mut self, workers: u32) -> Self {
        self.staffing.least = workers;
        self
    }

    /// The same pool, which [`Farm::resize`](crate::Farm::resize) may give up to so many workers.
    #[must_use]
    pub fn ceiling(mut self, workers: u32) -> Self {
        self.staffing.ceiling = workers;
        self
    }

    /// The same pool, in which a worker ends that has had nothing to do for this long, as long as the
    /// [least](Self::least) are left. 100 ms at least.
    #[must_use]
    pub fn idle(mut self, span: Duration) -> Self {
        self.staffing.idle = Some(span);
        self
    }

    /// The same pool, which keeps so many workers more than are busy, if a start takes 50 ms or longer.
    #[must_use]
    pub fn spares(mut self, workers: u32) -> Self {
        self.staffing.spares = workers;
        self
    }

    /// The same pool, in which healthy workers are replaced.
    ///
    /// ```
    /// # use farm_driver::{Pool, Program};
    /// use farm_master::Recycle;
    /// use std::{num::NonZeroU32, time::Duration};
    /// let pool = Pool::new(Program::this_executable(), 8).recycle(Recycle {
    ///     tasks: NonZeroU32::new(1_000),
    ///     jitter: 100,
    ///     age: Some(Duration::from_secs(3600)),
    ///     growth: Some(500_000_000),
    ///     ..Recycle::default()
    /// });
    /// ```
    #[must_use]
    pub fn recycle(mut self, recycle: Recycle) -> Self {
        self.staffing.recycle = recycle;
        self
    }

    /// The same pool whose workers are forked from a *template*: a process of the program that is started with the first
    /// worker, has the kind's `Perform::warm` called once, and is copied from then on. What `warm` has made is there in
    /// each worker at its beginning, for the price of a fork. On Linux; elsewhere the farm is not started.
    ///
    /// The first worker waits for the template: its `hello_timeout` counts that too. A template that dies or cannot be
    /// warmed is a failed start, by which no task is charged, and the next worker has another; workers that live go on,
    /// only how they ended is unknown ([`Termination::Lost`](farm_protocol::Termination::Lost)), unless the farm's process
    /// inherits them. The memory
    /// limit of a task counts what a worker shares with its template, as it would if it had made it itself; the peak in
    /// a report of a death does not.
    #[must_use]
    pub const fn template(mut self) -> Self {
        self.template = true;
        self
    }

    pub(crate) fn origin<K: TaskKind>(&self) -> Origin {
        Origin {
            launcher: self.launcher.clone(),
            kind: K::Wire::NAME.to_owned(),
            // A thread has nothing to be forked from, and is warmed like a process of its own.
            template: self.template && matches!(self.launcher, Launcher::Program(_)),
            hello_timeout: self.hello_timeout,
        }
    }

    pub(crate) fn config<K: TaskKind>(&self) -> KindConfig {
        let workers = NonZeroUsize::new(self.slots as usize).unwrap_or(NonZeroUsize::MIN);
        let credit_cap = if K::INDEPENDENT {
            self.credit_cap.unwrap_or(CREDIT_OF_INDEPENDENT)
        } else {
            0
        };
        KindConfig {
            hello: <K::Wire as Wire>::hello(),
            slots: self.slots,
            boundary: self.boundary.unwrap_or_else(|| {
                let boundary = Boundary::for_workers(workers);
                let max_queued = boundary.max_queued.max(QUEUED);
                Boundary {
                    max_queued,
                    ..boundary
                }
            }),
            credit_cap,
            injection_limit: self.injection_limit,
            decode_above: self.decode_above,
            hello_timeout: self.hello_timeout,
            staffing: self.staffing.clone(),
            defaults: self.defaults.clone(),
        }
    }
}
