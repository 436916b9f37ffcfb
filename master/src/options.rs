//! What a submitter may say about one task, and what a kind says about all of its tasks.

use farm_protocol::TaskId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The options of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOptions {
    /// Larger first; equal priorities in the order of the queue, which is that of submission unless somebody sets another.
    pub priority: i32,
    /// Tasks of the same farm that must have ended before this one starts. Each must have been
    /// submitted and not have ended yet; of what has ended the submitter knows the end.
    pub needs: Vec<Need>,
    /// The named cap this task counts against while it is in flight.
    pub limit: Option<LimitId>,
    /// The longest time from submission to the first start.
    pub waiting: Option<Duration>,
    /// The longest time for which the task may be ready while its pool has no worker that takes
    /// requests: the limit on the start of a worker for it. It ends with the hello of the first one,
    /// counts anew when the last one is lost, and not while the lane is paused. It ends this task
    /// alone; a worker that is late for its pool's hello is `hello_timeout`'s, one that cannot be started
    /// is `start_failures`', and either may go on while the limit counts.
    pub starting: Option<Duration>,
    /// The longest time an attempt may execute. A task with it is never sent behind another.
    pub running: Option<Duration>,
    /// The longest time an attempt may execute without a sign of life: progress or feedback, each of
    /// which extends it. A task with it is never sent behind another.
    pub stall: Option<Duration>,
    /// The most processor time an attempt may use, with all processes below its worker. Measured
    /// some twenty times a second in steps of the system's clock, 10 ms as a rule. A task with it is
    /// never sent behind another.
    pub cpu: Option<Duration>,
    /// The most memory that its worker may hold while it executes, in bytes: private and shared memory
    /// of the worker and of all processes below it, without files. A task with it is never sent behind another.
    pub memory: Option<u64>,
    /// The cancellation budget of this task: from the ask to SIGKILL. `None`: the lane's.
    pub grace: Option<Duration>,
    /// When and how often it runs again after it failed.
    pub retries: Retries,
    /// How many workers may die executing it before it is suspected.
    pub crash_limit: CrashLimit,
    /// Whether an attempt whose worker died may run again at all.
    pub on_lost: OnLost,
}

impl Default for TaskOptions {
    fn default() -> Self {
        Self {
            priority: 0,
            needs: Vec::new(),
            limit: None,
            waiting: None,
            starting: None,
            running: None,
            stall: None,
            cpu: None,
            memory: None,
            grace: None,
            retries: Retries::default(),
            crash_limit: CrashLimit::Deaths(2),
            on_lost: OnLost::Retry,
        }
    }
}

impl TaskOptions {
    /// Whether what its attempts use must be measured.
    #[must_use]
    pub const fn is_measured(&self) -> bool {
        self.cpu.is_some() || self.memory.is_some()
    }

    /// Whether something counts from the moment it is sent: it must not be sent behind another then.
    pub(crate) const fn counts_from_its_start(&self) -> bool {
        self.running.is_some() || self.stall.is_some() || self.is_measured()
    }
}

/// A task that must end first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Which.
    pub task: TaskId,
    /// How it must end.
    pub when: When,
}

/// How a needed task must end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// `Done`.
    #[default]
    Success,
    /// Anything but `Done`.
    Failure,
    /// Anything.
    Always,
}

impl When {
    /// Whether an end (`done`: it was `Done`) is as needed.
    #[must_use]
    pub const fn allows(self, done: bool) -> bool {
        match self {
            Self::Success => done,
            Self::Failure => !done,
            Self::Always => true,
        }
    }
}

/// A named concurrency cap: its position in the configuration's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LimitId(pub u16);

/// When a failed task runs again. Deaths of workers are counted by [`CrashLimit`], never here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Retries {
    /// How many times at most.
    pub count: u32,
    /// How the delay grows.
    pub backoff: Backoff,
    /// The first delay.
    pub delay: Duration,
    /// The delay never grows beyond this.
    pub max_delay: Duration,
    /// Whether each delay is drawn between half and the whole of it, so that many do not come back at once.
    pub jitter: bool,
    /// After which ends.
    pub on: RetryOn,
}

impl Retries {
    /// The cap of delays unless the submitter says otherwise.
    pub const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(600);

    /// Never again.
    pub const NONE: Self = Self::immediate(0);

    /// Up to `count` times, at once, after the default causes.
    #[must_use]
    pub const fn immediate(count: u32) -> Self {
        Self {
            count,
            backoff: Backoff::Fixed,
            delay: Duration::ZERO,
            max_delay: Self::DEFAULT_MAX_DELAY,
            jitter: false,
            on: RetryOn::DEFAULT,
        }
    }

    /// The same, after these ends alone.
    #[must_use]
    pub const fn on(mut self, on: RetryOn) -> Self {
        self.on = on;
        self
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self::NONE
    }
}

/// How the delay between retries grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Backoff {
    /// Always the first delay.
    #[default]
    Fixed,
    /// Doubled at each retry.
    Exponential,
}

/// A set of causes after which a task is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RetryOn(u8);

impl RetryOn {
    /// No cause.
    pub const NONE: Self = Self(0);
    /// The kind called the response a failure.
    pub const EXIT: Self = Self(1);
    /// A time limit passed.
    pub const TIMEOUT: Self = Self(2);
    /// A resource limit was exceeded, or memory ran out.
    pub const RESOURCE: Self = Self(4);
    /// What the kind calls a crash of the task (for a command: ended by a signal).
    pub const CRASH: Self = Self(8);
    /// Every cause.
    pub const ALL: Self = Self(15);
    /// What a retry without causes means: the task itself failed. A time limit must be asked for.
    pub const DEFAULT: Self = Self(Self::EXIT.0 | Self::CRASH.0);

    /// Whether all of `other` are in the set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The causes of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is no cause at all.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `cause` is in the set.
    #[must_use]
    pub const fn has(self, cause: Cause) -> bool {
        self.contains(match cause {
            Cause::Exit => Self::EXIT,
            Cause::Timeout => Self::TIMEOUT,
            Cause::Resource => Self::RESOURCE,
            Cause::Crash => Self::CRASH,
        })
    }
}

/// Why an attempt failed, for [`RetryOn`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The kind called the response a failure.
    #[default]
    Exit,
    /// A time limit passed.
    Timeout,
    /// A resource limit was exceeded, or memory ran out.
    Resource,
    /// The kind calls it a crash of the task.
    Crash,
}

/// How many workers a task may take with it. After that many charged deaths it runs once more
/// in a fresh worker that holds nothing else; a further death ends it `Poisoned`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CrashLimit {
    /// This many.
    Deaths(u32),
    /// No limit: it may kill workers for ever.
    Unlimited,
}

/// Whether an attempt whose worker died may run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnLost {
    /// Yes, within the crash limit: delivery is at least once.
    Retry,
    /// No: the first death ends the task `WorkerLost`; delivery is at most once.
    Fail,
}

/// A time limit of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TimeLimit {
    /// From submission to the first start.
    Waiting,
    /// The start of a worker for it.
    Starting,
    /// The execution of one attempt, by the clock on the wall.
    Running,
    /// The processor time of one attempt.
    Cpu,
    /// No sign of progress for too long.
    Stall,
    /// The limit of its group.
    Group,
}

impl TimeLimit {
    /// The limit's name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Cpu => "cpu",
            Self::Stall => "stall",
            Self::Group => "group",
        }
    }
}
