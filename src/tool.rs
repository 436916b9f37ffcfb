//! A program of one's own around kinds of one's own: `mytool run tasks.json`, as `farm run` is for commands.
//!
//! Owns the macro [`main!`](crate::main), the list of kinds, and what a kind must be to stand in it. What the program
//! then does is the command's ([`crate::command`]); it has no other rules than `farm` itself.

use crate::command::{Card, Door, Filed, Lane, Listed, ListedCommands, Product, Stage};
#[cfg(feature = "sim")]
use crate::command::{Play, Played};
use crate::taskfile::{InputShape, Run, Shapes, TaskSpec, from_text};
use farm_driver::{FarmBuilder, Pool};
use farm_master::TaskKind;
use farm_protocol::{Schema, Wire};
use farm_worker::{Perform, Worker, run_if_asked};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

/// The `main` of a program that runs tasks of these kinds from task files.
///
/// ```no_run
/// # use farm::protocol::{Never, Wire};
/// # use farm::worker::{Context, Perform};
/// # use farm::{TaskKind, Verdict, WorkerStatus};
/// # struct Square;
/// # impl Wire for Square {
/// #     const NAME: &'static str = "square";
/// #     const VERSION: u32 = 1;
/// #     type Request = u64;
/// #     type Response = u64;
/// #     type Feedback = Never;
/// #     type Context = Never;
/// # }
/// # impl TaskKind for Square {
/// #     type Wire = Square;
/// #     type Task = u64;
/// #     type Competence = ();
/// #     type Output = u64;
/// #     type Failure = ();
/// #     fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<u64> { Some(*task) }
/// #     fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, square: u64) -> Verdict<Self> {
/// #         Verdict::done(square, ())
/// #     }
/// # }
/// # impl Perform for Square {
/// #     type Wire = Square;
/// #     fn perform(&mut self, n: u64, _: &Context<'_, Square>) -> u64 { n * n }
/// # }
/// farm::main!([Square]);
/// ```
///
/// Each element is an expression whose value is a [`FileKind`]. It is evaluated in the master and, anew, in every
/// worker process; [`Commands`](crate::exec::Commands) may stand among them (as `farm::exec::Commands::new()`), so that
/// the program runs commands too.
///
/// The program has these subcommands:
///
/// * `run [--workers N] FILE`: everything that `farm run` does. A task is `{"kind": "square", "input": 12}` with every
///   other field that a command has, but for those that speak of commands. `kind` may be left out where the program has
///   one kind, or the document's `defaults` name it. The input is read as serde reads the kind's `Task`; unknown fields
///   are errors. On stdout stands one line of JSON per task that is done, its output; what workers print, and the
///   failure of a task that failed, goes to stderr. In `--results` the `kind` of a line is the kind's name, `output`
///   the output, `error.failure` the failure, and `stdout` and `stderr` what its worker printed.
/// * `sim FILE` (with the feature `sim`): simulates each kind with the tasks of the file, in many orders and with
///   workers that die; see [`farm::sim::sim`](crate::sim::sim). A list's expressions are evaluated anew for each schedule.
/// * `status`, `pause`, `resume`, `finish`, `cancel`: how a run of this user stands, and what is wanted of it, as in
///   `farm`; each of these programs finds the runs of all of them.
/// * `kinds [--json]`: lists the kinds and what their input looks like.
/// * `worker`: what the farm starts its workers with.
///
/// With several kinds, `--workers` is how many workers they have together (see [`FarmBuilder::workers`]), but for
/// `--workers 0`: then each has a thread.
///
/// The program's name and version are those of the crate that uses the macro.
#[macro_export]
macro_rules! main {
    ([$($kind:expr),+ $(,)?]) => {
        fn main() -> ::std::process::ExitCode {
            $crate::tool::main(
                $crate::tool::Program {
                    // A crate may have several programs; only theirs and those of examples have a name of their own.
                    name: match ::core::option_env!("CARGO_BIN_NAME") {
                        ::core::option::Option::Some(name) => name,
                        ::core::option::Option::None => ::core::env!("CARGO_PKG_NAME"),
                    },
                    version: ::core::env!("CARGO_PKG_VERSION"),
                },
                || $crate::tool::Kinds::new()$(.with($kind))+,
            )
        }
    };
}

/// A kind whose tasks can come from a file: both halves in one value, its task readable, what it gives writable.
///
/// Implemented for every type that can be one; nobody implements it. `Task` is read with serde from JSON that describes
/// itself, so everything that serde can do is allowed there: defaults, renamed fields, untagged enums, `try_from` with
/// conditions of one's own. ([`Wire::Request`] is not that free.) `Task` also says its shape ([`Schema`]), for people
/// who ask what an input looks like. Derive it beside `Deserialize`; the derive has to be told where its crate is:
///
/// ```
/// use farm::protocol::{Schema, postcard_schema};
///
/// #[derive(serde::Deserialize, Schema)]
/// #[postcard(crate = postcard_schema)]
/// struct Goal {
///     text: String,
///     #[serde(default)]
///     depth: u32,
/// }
/// ```
///
/// A panic while a task is read from its input is an error at that task.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind that a task file can name",
    note = "it needs `TaskKind` and `Perform` over the same `Wire`, `Task: DeserializeOwned + Schema`, `Output: Serialize` and `Failure: Serialize`"
)]
pub trait FileKind:
    TaskKind<Task: DeserializeOwned + Schema, Output: Serialize, Failure: Serialize>
    + Perform<Wire = <Self as TaskKind>::Wire>
{
}

impl<K> FileKind for K
where
    K: TaskKind + Perform<Wire = <K as TaskKind>::Wire>,
    K::Task: DeserializeOwned + Schema,
    K::Output: Serialize,
    K::Failure: Serialize,
{
}

/// What a program is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name, as people type it.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// The kinds of a program.
#[derive(Default)]
pub struct Kinds {
    kinds: Vec<Box<dyn Listed>>,
    commands: Option<Box<dyn Listed>>,
}

/// What can stand in a list of kinds: every [`FileKind`], and [`Commands`](crate::exec::Commands).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind that a task file can name",
    note = "it needs `TaskKind` and `Perform` over the same `Wire`, `Task: DeserializeOwned + Schema`, `Output: Serialize` and `Failure: Serialize`"
)]
pub trait Listable: sealed::Sealed {}

mod sealed {
    /// Puts itself into a list.
    pub trait Sealed {
        fn list(self, kinds: &mut super::Kinds);
    }
}

impl<K: FileKind> Listable for K {}

impl<K: FileKind> sealed::Sealed for K {
    fn list(self, kinds: &mut Kinds) {
        kinds.kinds.push(Box::new(OfFile(self)));
    }
}

impl Listable for crate::exec::Commands {}

impl sealed::Sealed for crate::exec::Commands {
    fn list(self, kinds: &mut Kinds) {
        kinds.commands = Some(Box::new(ListedCommands));
    }
}

impl Kinds {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more.
    ///
    /// # Panics
    /// When a kind of this name is there already: nobody could tell which is meant.
    #[must_use]
    pub fn with(mut self, kind: impl Listable) -> Self {
        kind.list(&mut self);
        let cards: Vec<Card> = self.cards();
        for (place, card) in cards.iter().enumerate() {
            let again = cards[..place].iter().any(|other| other.name == card.name);
            assert!(!again, "the kind `{}` is listed twice", card.name);
        }
        self
    }

    pub(crate) fn commands() -> Self {
        Self::new().with(crate::exec::Commands::new())
    }

    /// What is told of each kind, commands last.
    pub(crate) fn cards(&self) -> Vec<Card> {
        let all = self.kinds.iter().chain(&self.commands);
        all.map(|kind| kind.card()).collect()
    }

    /// What a task of a file may be.
    pub(crate) fn shapes(&self) -> Shapes {
        let cards = self.cards();
        let shapes = cards.iter().filter_map(|card| card.input);
        Shapes {
            commands: self.commands.is_some(),
            kinds: shapes.map(|(shape, _)| shape).collect(),
        }
    }

    /// Each of them, commands last.
    #[cfg(feature = "sim")]
    pub(crate) fn listed(&self) -> impl Iterator<Item = &dyn Listed> {
        let all = self.kinds.iter().chain(&self.commands);
        all.map(|kind| &**kind)
    }

    /// All of them, commands last.
    pub(crate) fn into_listed(self) -> Vec<Box<dyn Listed>> {
        let mut all = self.kinds;
        all.extend(self.commands);
        all
    }

    pub(crate) fn into_worker(self) -> Worker {
        let all = self.into_listed().into_iter();
        all.fold(Worker::new(), |worker, kind| kind.sit(worker))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cards = self.cards();
        f.debug_list()
            .entries(cards.iter().map(|card| card.name))
            .finish()
    }
}

/// The `main` that [`main!`](crate::main) writes: a worker if the farm has started this process as one, else what was
/// typed. `kinds` is called once, for each worker inside this process, and in a simulation for each schedule and each
/// simulated worker: the same kinds each time.
pub fn main(program: Program, kinds: impl Fn() -> Kinds + Send + Sync + 'static) -> ExitCode {
    run_if_asked(|| kinds().into_worker());
    crate::command::tool_main(program, kinds, std::env::args_os()).end()
}

/// A kind of a task file in a list.
struct OfFile<K>(K);

impl<K: FileKind> Listed for OfFile<K> {
    fn card(&self) -> Card {
        let name = <<K as TaskKind>::Wire as Wire>::NAME;
        Card {
            name,
            version: <<K as TaskKind>::Wire as Wire>::VERSION,
            input: Some((InputShape::of::<K::Task>(name), K::Task::SCHEMA)),
        }
    }

    fn sit(self: Box<Self>, worker: Worker) -> Worker {
        worker.with(self.0)
    }

    fn enter(self: Box<Self>, farm: &mut FarmBuilder, pool: Pool, _: &Stage) -> Box<dyn Door> {
        let pool = Pool {
            // Elsewhere each worker warms itself: slower, and otherwise the same.
            template: <K as Perform>::TEMPLATE && cfg!(target_os = "linux"),
            ..pool
        };
        Box::new(Lane(farm.kind(self.0, pool)))
    }

    #[cfg(feature = "sim")]
    fn simulate(&self, play: Play) -> Option<Played> {
        let again = play.again();
        let make = move || {
            let kinds = again().kinds.into_iter();
            let mut same = kinds.filter_map(|kind| kind.into_any().downcast::<Self>().ok());
            same.next().expect("the list is the same each time").0
        };
        Some(play.with(make))
    }

    #[cfg(feature = "sim")]
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}

impl<K: FileKind> Filed for K {
    fn task(spec: &Arc<TaskSpec>) -> Result<K::Task, String> {
        match &spec.run {
            Run::Kind(task) => from_text(&task.input),
            Run::Argv(_) | Run::Shell(_) => Err("it is a command".to_owned()),
        }
    }

    fn done(output: K::Output) -> Product {
        Product::json(&output)
    }

    fn failed(failure: K::Failure) -> Product {
        Product::json(&failure)
    }
}
