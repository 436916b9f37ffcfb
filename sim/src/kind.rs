//! Kinds of one's own in the simulated farm: `sim(MyKind).tasks(…).check()` in a plain test.
//!
//! The kind is the user's, behind the production registry; its `perform` is called where the simulated worker stands.
//! Everything else is the farm of the scenarios. It knows no scenario, and the ledger knows no type of a kind.

mod check;
mod hush;
mod performer;
mod play;
mod report;
mod settings;
mod side;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use hush::place;
pub(crate) use performer::{Performed, Performer, Performers};
pub use report::{SimFailure, SimSummary};
pub use settings::SimSettings;
pub(crate) use side::KindSide;
pub use token::{SimToken, SimTokenError};

use crate::params::Faults;
use farm_lockstep::{Choices, Spec};
use farm_master::{Outcome, Refusal, Settled, TaskKind, TaskOptions};
use farm_protocol::TaskId;
use farm_worker::Perform;
use std::fmt;
use std::rc::Rc;

/// What [`sim`] needs of a kind: both halves over the same wire in one type that can be cloned, because every schedule
/// begins with the kind as it was given. It is there for every such type; nothing is to be implemented.
///
/// A kind whose halves are two types goes with [`sim_pair`], one that cannot be cloned with [`sim_with`].
pub trait SimKind: TaskKind + Perform<Wire = <Self as TaskKind>::Wire> + Clone {}

impl<K: TaskKind + Perform<Wire = <K as TaskKind>::Wire> + Clone> SimKind for K {}

/// Simulates a kind: the real master and the real session of a worker around it, in many orders of events and with
/// workers that die, hang, start badly and are slow, tasks that are cancelled, and bytes that come in pieces.
///
/// A callback or a `perform` that panics is a finding, and so is a task that never ends; put what the kind takes for
/// granted into it as an `assert!`, or into [`SimRun::verify`]. The kind is cloned for each schedule, and a second
/// time for each worker process, which starts with `perform`'s state as it was given.
///
/// ```
/// use farm_master::{TaskKind, Verdict, WorkerStatus};
/// use farm_protocol::{Never, Wire};
/// use farm_sim::sim;
/// use farm_worker::{Context, Perform};
///
/// #[derive(Clone, Default)]
/// struct Square {
///     sum: u64,
/// }
///
/// impl Wire for Square {
///     const NAME: &'static str = "square";
///     const VERSION: u32 = 1;
///     type Request = u64;
///     type Response = u64;
///     type Feedback = Never;
///     type Context = Never;
/// }
///
/// impl TaskKind for Square {
///     type Wire = Self;
///     type Task = u64;
///     type Competence = ();
///     type Output = u64;
///     type Failure = ();
///     fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<u64> {
///         Some(*task)
///     }
///     fn use_response(&mut self, _: &WorkerStatus<()>, task: &u64, square: u64) -> Verdict<Self> {
///         assert_eq!(square, task * task);
///         self.sum += square;
///         Verdict::done(square, ())
///     }
/// }
///
/// impl Perform for Square {
///     type Wire = Self;
///     fn perform(&mut self, n: u64, _: &Context<'_, Self>) -> u64 {
///         n * n
///     }
/// }
///
/// sim(Square::default())
///     .tasks((0..20).collect::<Vec<_>>())
///     .schedules(50)
///     .verify(|end| {
///         let done = end.settled.iter().filter(|settled| settled.outcome.is_done());
///         assert_eq!(end.kind.sum, done.map(|settled| settled.task * settled.task).sum());
///     })
///     .check();
/// ```
pub fn sim<K: SimKind>(kind: K) -> SimRun<K> {
    sim_with(move || kind.clone())
}

/// As [`sim`], with a kind that `make` makes for each schedule and each worker process.
pub fn sim_with<K>(make: impl Fn() -> K + 'static) -> SimRun<K>
where
    K: TaskKind + Perform<Wire = <K as TaskKind>::Wire>,
{
    let make = Rc::new(make);
    let performers = Performers::new::<K>(Rc::clone(&make) as Rc<dyn Fn() -> K>);
    SimRun::new(make, performers)
}

/// As [`sim`], with a master's half and a worker's half of different types.
pub fn sim_pair<K, P>(kind: K, performer: P) -> SimRun<K>
where
    K: TaskKind + Clone,
    P: Perform<Wire = K::Wire> + Clone,
{
    sim_pair_with(move || kind.clone(), move || performer.clone())
}

/// As [`sim_pair`], with halves that are made: the one for each schedule, the other for each worker process.
pub fn sim_pair_with<K, P>(
    kind: impl Fn() -> K + 'static,
    performer: impl Fn() -> P + 'static,
) -> SimRun<K>
where
    K: TaskKind,
    P: Perform<Wire = K::Wire>,
{
    let performers = Performers::new::<P>(Rc::new(performer));
    SimRun::new(Rc::new(kind), performers)
}

/// Where a schedule's tasks come from.
type Tasks<K> = Box<dyn Fn(&mut Draw<'_>) -> Vec<<K as TaskKind>::Task>>;
/// What must hold at the end of a schedule.
type Verify<K> = Box<dyn Fn(&SimEnd<'_, K>)>;

/// A simulation that is being described: what [`sim`] gives. Nothing runs before [`SimRun::check`] or [`SimRun::run`].
#[must_use = "nothing is simulated before `check` or `run`"]
pub struct SimRun<K: TaskKind> {
    make: Rc<dyn Fn() -> K>,
    performers: Performers,
    tasks: Option<Tasks<K>>,
    options: TaskOptions,
    verify: Option<Verify<K>>,
    settings: SimSettings,
}

impl<K: TaskKind> SimRun<K> {
    fn new(make: Rc<dyn Fn() -> K>, performers: Performers) -> Self {
        Self {
            make,
            performers,
            tasks: None,
            options: TaskOptions::default(),
            verify: None,
            settings: SimSettings::default(),
        }
    }

    /// The tasks, submitted in this order in every schedule, some of them at a time.
    pub fn tasks(self, tasks: Vec<K::Task>) -> Self
    where
        K::Task: Clone,
    {
        self.tasks_with(move |_| tasks.clone())
    }

    /// Tasks that each schedule draws for itself.
    pub fn tasks_with(mut self, draw: impl Fn(&mut Draw<'_>) -> Vec<K::Task> + 'static) -> Self {
        self.tasks = Some(Box::new(draw));
        self
    }

    /// The options of all tasks, as a pool's defaults. Not its needs.
    pub fn options(mut self, options: TaskOptions) -> Self {
        self.options = options;
        self
    }

    /// How many workers there may be at once: 3 unless said otherwise.
    pub const fn workers(mut self, workers: u32) -> Self {
        self.settings.workers = workers;
        self
    }

    /// How many schedules are made: 500 unless said otherwise.
    pub const fn schedules(mut self, schedules: u64) -> Self {
        self.settings.schedules = schedules;
        self
    }

    /// Which schedules: the same seed gives the same. 1 unless said otherwise.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Who chooses what happens next.
    pub const fn strategy(mut self, strategy: Spec) -> Self {
        self.settings.strategy = strategy;
        self
    }

    /// Which faults are made. With [`Faults::None`] nothing dies, nothing is cancelled, and only the order is chosen.
    pub const fn faults(mut self, faults: Faults) -> Self {
        self.settings.faults = faults;
        self
    }

    /// Panics of callbacks and of `perform` are what the farm makes of them, and no finding.
    pub const fn panics_are_fine(mut self) -> Self {
        self.settings.panics_are_fine = true;
        self
    }

    /// Makes one schedule again: what stands in the report of a failure.
    ///
    /// # Panics
    /// When it is no token.
    pub fn replay(mut self, token: &str) -> Self {
        match token.parse() {
            Ok(token) => self.settings.replay = Some(token),
            Err(error) => panic!("`{token}` cannot be replayed: {error}"),
        }
        self
    }

    /// All settings at once, for a program that reads them from its command line.
    pub fn with(mut self, settings: SimSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Called at the end of every schedule; what panics in it is a finding.
    pub fn verify(mut self, verify: impl Fn(&SimEnd<'_, K>) + 'static) -> Self {
        self.verify = Some(Box::new(verify));
        self
    }
}

impl<K: TaskKind> fmt::Debug for SimRun<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimRun")
            .field("settings", &self.settings)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The end of a schedule.
pub struct SimEnd<'a, K: TaskKind> {
    /// The kind, as its callbacks have left it.
    pub kind: &'a K,
    /// The tasks from outside that have ended, in that order.
    pub settled: &'a [Settled<K>],
    /// Those that were not admitted, because no worker could be started.
    pub refused: &'a [(K::Task, Refusal)],
    /// How injected tasks have ended, in that order.
    pub injected: &'a [(TaskId, Outcome)],
}

impl<K: TaskKind> fmt::Debug for SimEnd<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimEnd")
            .field("settled", &self.settled.len())
            .field("refused", &self.refused.len())
            .field("injected", &self.injected.len())
            .finish_non_exhaustive()
    }
}

/// Chance, as a schedule has it: part of what its token repeats.
#[derive(Debug)]
pub struct Draw<'a>(&'a mut Choices);

impl Draw<'_> {
    /// A number below `n`.
    ///
    /// # Panics
    /// When `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        self.0.choose(n, "drawn by the author of the kind")
    }

    /// Yes in so many of a thousand cases.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.0.chance(per_mille, "drawn by the author of the kind")
    }
}
