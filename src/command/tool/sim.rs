//! `mytool sim`: simulates the kinds of a program with the tasks of a file.
//!
//! Owns what is typed and what is printed; how a kind is simulated is `farm-sim`'s. Only what goes into `perform` and
//! the callbacks is taken from the file: which task needs which, and limits by name, are for `run`.
//!
//! Results go to stdout, the last line for programs; warnings go to stderr.

use crate::command::exit::Exit;
use crate::command::run::input::{Tasks, open};
use crate::command::run::{Filed, complain, options_of, read_limits};
use crate::taskfile::{Form, Run, Settings, TaskSpec};
use crate::tool::Kinds;
use clap::{Args, Command, value_parser};
use farm_master::TaskOptions;
use farm_protocol::Wire;
use farm_sim::{SCHEDULES_MAX, SIZE_MAX, SimFailure, SimSettings, SimSummary, SimToken, sim_with};
use farm_worker::Perform;
use serde::Serialize;
use std::cell::Cell;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seeds from the clock are below this, so that they are short.
const FRESH_SEEDS: u128 = 1_000_000_000_000;

/// A kind's tasks are read anew for every schedule, and a schedule takes some 15 steps for each: more are no simulation
/// that anybody waits for.
const TASKS_MAX: usize = 10_000;

/// `mytool sim`
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The task file, as for `run`; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Simulate this kind alone; without it every kind that the file has tasks of
    #[arg(long, value_name = "NAME")]
    kind: Option<String>,

    /// How many schedules are made of each kind
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = value_parser!(u64).range(1..=SCHEDULES_MAX))]
    schedules: u64,

    /// How many workers there may be at once
    #[arg(short = 'j', long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=i64::from(SIZE_MAX)))]
    workers: u32,

    /// What all orders follow from: the same seed makes the same schedules. Without it a fresh one, which is printed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Make the one schedule of a token again, with the same file
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["kind", "schedules", "workers", "seed"])]
    replay: Option<SimToken>,

    /// Panics of the kind are what the farm makes of them, and no finding
    #[arg(long)]
    panics_are_fine: bool,

    /// How many rows of the trace of a schedule that fails are printed, the last ones
    #[arg(long, value_name = "N", default_value_t = 120)]
    rows: usize,

    /// Take the input for this spelling instead of telling it from the content: array, document or lines
    #[arg(long, value_name = "FORM")]
    input_format: Option<Form>,

    /// Declare a limit that tasks may name, as for `run`. It is not simulated
    #[arg(long = "limit", value_name = "NAME=N")]
    limit: Vec<String>,
}

/// The subcommand of the program called `name`.
pub(super) fn command(name: &str) -> Command {
    Arguments::augment_args(Command::new("sim"))
        .about("Try the kinds with the tasks of a file in a simulated farm, in many orders and with workers that die")
        .long_about(None)
        .before_long_help(format!(
            "Examples:\n  {name} sim tasks.json\n  {name} sim --schedules 10000 --seed 7 tasks.json"
        ))
        .after_long_help(TABLE)
}

const TABLE: &str = "\
A callback or a `perform` that panics is found, and a task that never ends. Inputs and the options that all tasks of a
kind have in common are simulated; `needs`, `limit`, `cpu` and `memory` are not, nor are commands.

Exit codes:
  0    nothing was found
  1    something was found: a token and a trace are printed
  2    bad command line or task file, or something could not be read or written
  3    the same schedule did not go the same way twice: the kind is not deterministic
  4    there was no task to simulate
  101  an error of farm's own";

/// Makes the list of kinds anew.
type Again = Rc<dyn Fn() -> Kinds>;

/// What a kind is to be simulated with.
pub(crate) struct Play {
    again: Again,
    tasks: Vec<Arc<TaskSpec>>,
    options: TaskOptions,
    settings: SimSettings,
}

/// What came of it; outside: why it is worth nothing.
pub(crate) type Played = Result<Result<SimSummary, SimFailure>, String>;

impl Play {
    /// What makes the list of kinds anew.
    pub(crate) fn again(&self) -> Again {
        Rc::clone(&self.again)
    }

    /// Simulates the kind that `make` makes.
    pub(crate) fn with<K>(self, make: impl Fn() -> K + 'static) -> Played
    where
        K: Filed + Perform<Wire = <K as farm_master::TaskKind>::Wire>,
    {
        // A task type need not be `Clone`: it is read for each schedule, as it was read once before all of them.
        let unlike = Rc::new(Cell::new(None));
        let wrong = Rc::clone(&unlike);
        let tasks = self.tasks;
        let read = move |spec: &Arc<TaskSpec>| match K::task(spec) {
            Ok(task) => Some(task),
            Err(words) => {
                let name = <<K as farm_master::TaskKind>::Wire as Wire>::NAME;
                wrong.set(Some(format!(
                    "error: the input of task {} was read well once and is refused when it is read again ({words}): \
                     what `{name}` takes must depend on the text alone",
                    spec.id
                )));
                None
            }
        };
        let simulated = sim_with(make)
            .tasks_with(move |_| tasks.iter().filter_map(&read).collect())
            .options(self.options)
            .with(self.settings)
            .run();
        match unlike.take() {
            Some(words) => Err(words),
            None => Ok(simulated),
        }
    }
}

/// The last line: what was found, for programs.
#[derive(Debug, Default, Serialize)]
struct Line {
    seed: u64,
    kinds: Vec<String>,
    schedules: u64,
    steps: u64,
    faults: u64,
    deterministic: bool,
    failed: Option<Found>,
}

/// A schedule that failed.
#[derive(Debug, Serialize)]
struct Found {
    kind: String,
    token: String,
    schedule: u64,
    invariant: &'static str,
    detail: String,
}

/// Simulates the kinds of the program called `name`.
pub(super) fn run(arguments: &Arguments, name: &str, kinds: &Kinds, again: Again) -> Exit {
    let mut out = BufWriter::new(io::stdout().lock());
    match try_run(arguments, name, kinds, &again, &mut out) {
        Ok(exit) => match out.flush() {
            Ok(()) => exit,
            Err(error) => unprintable(&error),
        },
        Err(Trouble::Said(message)) => {
            // What was printed before stands.
            let _unprintable = out.flush();
            complain(&message);
            Exit::Trouble
        }
        Err(Trouble::Output(error)) => unprintable(&error),
    }
}

/// Why nothing more is done.
enum Trouble {
    /// Something to be said.
    Said(String),
    /// What is printed cannot be.
    Output(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<String> for Trouble {
    fn from(message: String) -> Self {
        Self::Said(message)
    }
}

fn unprintable(error: &io::Error) -> Exit {
    // Whoever has closed our output wants no more of it.
    if error.kind() != ErrorKind::BrokenPipe {
        complain(&format!("error: cannot write to stdout: {error}"));
    }
    Exit::Trouble
}

fn try_run(
    arguments: &Arguments,
    name: &str,
    kinds: &Kinds,
    again: &Again,
    out: &mut impl Write,
) -> Result<Exit, Trouble> {
    let wanted = wanted(arguments, kinds)?;
    let mut specs = read(arguments, name, kinds)?;
    let settings = settings(arguments);
    let mut line = Line {
        seed: settings.seed,
        deterministic: true,
        ..Line::default()
    };
    writeln!(out, "seed {}, strategy {}", line.seed, settings.strategy)?;
    for (place, kind) in kinds.listed().enumerate() {
        let card = kind.card();
        let tasks: Vec<Arc<TaskSpec>> = specs
            .extract_if(.., |spec| place_of(spec, kinds) == place)
            .collect();
        if tasks.is_empty() || wanted.as_ref().is_some_and(|name| name != card.name) {
            continue;
        }
        let Some(options) = fit(card.name, &tasks)? else {
            continue;
        };
        let play = Play {
            again: Rc::clone(again),
            tasks,
            options,
            settings: settings.clone(),
        };
        let Some(played) = kind.simulate(play) else {
            complain("warning: commands are not simulated: to perform one is to start a process");
            continue;
        };
        line.kinds.push(card.name.to_owned());
        let end = tell(arguments, name, played?, &mut line, out)?;
        if end != Exit::Success {
            writeln!(out, "{}", line.line())?;
            return Ok(end);
        }
    }
    if line.kinds.is_empty() {
        complain(&format!("{name}: there is no task to simulate"));
        return Ok(Exit::NoTasks);
    }
    writeln!(out, "{}", line.line())?;
    Ok(Exit::Success)
}

impl Line {
    fn line(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts")
    }
}

/// The one kind that is wanted, if only one is.
fn wanted(arguments: &Arguments, kinds: &Kinds) -> Result<Option<String>, String> {
    let (name, asked) = match (&arguments.kind, &arguments.replay) {
        (Some(name), _) => (name, "--kind"),
        (None, Some(token)) => (&token.kind, "--replay"),
        (None, None) => return Ok(None),
    };
    let cards = kinds.cards();
    let known: Vec<&str> = cards.iter().map(|card| card.name).collect();
    if known.contains(&name.as_str()) {
        return Ok(Some(name.clone()));
    }
    Err(format!(
        "error: {asked}: there is no kind `{name}`; there are: {}",
        known.join(", ")
    ))
}

fn settings(arguments: &Arguments) -> SimSettings {
    let seed = match (&arguments.replay, arguments.seed) {
        (Some(token), _) => token.seed,
        (None, Some(seed)) => seed,
        (None, None) => fresh_seed(),
    };
    SimSettings {
        workers: arguments.workers,
        schedules: arguments.schedules,
        seed,
        panics_are_fine: arguments.panics_are_fine,
        rows: arguments.rows,
        replay: arguments.replay.clone(),
        ..SimSettings::default()
    }
}

fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos() % FRESH_SEEDS;
    u64::try_from(now).expect("below a limit that fits")
}

/// All tasks of the file.
fn read(arguments: &Arguments, name: &str, kinds: &Kinds) -> Result<Vec<Arc<TaskSpec>>, String> {
    let limits = read_limits(&arguments.limit)?;
    let (file, form) = (arguments.file.as_deref(), arguments.input_format);
    let input = open(file, form, &format!("{name} sim"), &limits, kinds.shapes())?;
    let mut tasks = Vec::new();
    match input.tasks {
        Tasks::Whole(list) => tasks.extend(list.tasks.into_iter().map(Arc::new)),
        Tasks::Lines(lines) => {
            for spec in lines {
                tasks.push(Arc::new(spec.map_err(|wrong| wrong.to_string())?));
                // An input without an end has at some point enough for every kind.
                if tasks.len() > TASKS_MAX * kinds.cards().len() {
                    return Err(too_many("the input", tasks.len()));
                }
            }
        }
    }
    Ok(tasks)
}

fn too_many(what: &str, count: usize) -> String {
    format!(
        "error: {what} has {count} tasks, and {TASKS_MAX} of a kind are simulated at most; a few of them, such as 20, find more in the same time"
    )
}

/// Kinds stand in the order of the list, and commands after them.
fn place_of(spec: &TaskSpec, kinds: &Kinds) -> usize {
    match &spec.run {
        Run::Kind(task) => task.place,
        Run::Argv(_) | Run::Shell(_) => kinds.shapes().kinds.len(),
    }
}

/// The options that all tasks of a kind have in common.
fn fit(kind: &str, tasks: &[Arc<TaskSpec>]) -> Result<Option<TaskOptions>, String> {
    if tasks.len() > TASKS_MAX {
        return Err(too_many(&format!("`{kind}`"), tasks.len()));
    }
    let Some((first, others)) = tasks.split_first() else {
        return Ok(None);
    };
    let simulated = |settings: &Settings| TaskOptions {
        cpu: None,
        memory: None,
        ..options_of(settings)
    };
    let options = simulated(&first.settings);
    if others
        .iter()
        .all(|task| simulated(&task.settings) == options)
    {
        return Ok(Some(options));
    }
    complain(&format!(
        "warning: the tasks of `{kind}` differ in their options, such as `retries` and `timeout`; they are simulated without any"
    ));
    Ok(Some(TaskOptions::default()))
}

/// Tells what came of a kind.
fn tell(
    arguments: &Arguments,
    name: &str,
    played: Result<SimSummary, SimFailure>,
    line: &mut Line,
    out: &mut impl Write,
) -> Result<Exit, io::Error> {
    match played {
        Ok(summary) => {
            line.schedules += summary.schedules;
            line.steps += summary.steps;
            line.faults += summary.faults;
            line.deterministic &= summary.deterministic;
            writeln!(out, "{summary}")?;
            Ok(if summary.deterministic {
                Exit::Success
            } else {
                Exit::Diverged
            })
        }
        Err(failure) => {
            let token = failure.token();
            line.schedules += if arguments.replay.is_some() {
                1
            } else {
                token.number + 1
            };
            line.steps += failure.steps();
            line.deterministic &= failure.is_deterministic();
            line.failed = Some(Found {
                kind: token.kind.clone(),
                token: token.to_string(),
                schedule: token.number,
                invariant: failure.violation(),
                detail: failure.detail().to_owned(),
            });
            writeln!(out, "{failure}")?;
            let file = arguments.file.as_deref().map(|file| file.display());
            let file = file.map_or_else(|| "-".to_owned(), |file| file.to_string());
            writeln!(out, "\nagain: {name} sim --replay {token} {file}")?;
            Ok(if failure.is_deterministic() {
                Exit::Violation
            } else {
                Exit::Diverged
            })
        }
    }
}
