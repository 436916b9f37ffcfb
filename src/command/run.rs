//! `farm run`: reads the tasks, runs them, reports.

mod clerk;
mod course;
mod desk;
mod door;
mod end;
mod feed;
mod hopper;
pub(super) mod input;
mod jobserver;
mod options;
mod record;
mod said;
mod seen;
mod signals;
mod spills;
mod watch;
mod why;

pub(crate) use door::{Card, Door, Lane, Listed, ListedCommands, Stage};
pub(crate) use end::{Filed, Product};
#[cfg(feature = "sim")]
pub(super) use feed::options_of;
#[cfg(feature = "sim")]
pub(super) use options::read_limits;
pub(super) use options::{AFTER_HELP, Arguments, EXAMPLES};

use super::exit::Exit;
use crate::exec::Settings;
use crate::in_process;
use crate::report::{
    ProgressMode, ReportOptions, Reporter, ResultsTarget, RunEnd, Status, StdoutMode, Watcher,
};
use crate::taskfile::parse_duration;
use crate::tool::Kinds;
use clerk::Clerk;
use course::Course;
use desk::{Desk, SharedDesk};
use farm_driver::{Farm, FarmBuilder, Jobserver, Launcher, Pool, Program, SourceWaker};
use farm_master::TaskOptions;
use farm_master::lane::{AdapterMode, Boundary};
use hopper::{Hopper, Reading};
use input::Tasks;
use spills::SpillFolder;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use watch::{Ending, Letter, Watch};

/// The name of the command itself, which has no subcommand `worker`.
pub(super) const OWN_NAME: &str = "farm";

/// How many tasks of an endless input wait in the farm.
const WINDOW: usize = 1024;

/// The default budget from asking a task to end until it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// Makes the list of kinds anew, for a worker inside this process.
pub(super) type MakeKinds = Box<dyn Fn() -> Kinds + Send + Sync>;

/// Runs the tasks of a file for the program called `name`, which runs tasks of these kinds; `again` makes them again.
pub(super) fn run(
    arguments: &Arguments,
    name: &'static str,
    kinds: Kinds,
    again: MakeKinds,
) -> Exit {
    match try_run(arguments, name, kinds, again) {
        Ok(exit) => exit,
        Err(message) => {
            complain(&message);
            Exit::Trouble
        }
    }
}

/// Says something on stderr before there is a reporter, or when there is none any more.
#[expect(
    clippy::print_stderr,
    reason = "the one place that talks before the reporter exists"
)]
pub(super) fn complain(message: &str) {
    eprintln!("{}", message.trim_end());
}

fn try_run(
    arguments: &Arguments,
    name: &'static str,
    kinds: Kinds,
    again: MakeKinds,
) -> Result<Exit, String> {
    let grace = grace(arguments)?;
    let limits = arguments.limits()?;
    let jobserver = jobserver::open(arguments.jobserver, name, arguments.workers.count())?;
    let command = format!("{name} run");
    let file = arguments.file.as_deref();
    let form = arguments.input_format;
    let input = input::open(file, form, &command, &limits, kinds.shapes())?;
    if matches!(&input.tasks, Tasks::Whole(list) if list.tasks.is_empty()) {
        complain(&format!("{name}: there is no task"));
        return Ok(Exit::NoTasks);
    }
    let names = kinds.cards().iter().map(|card| card.name).collect();
    let kinds = kinds.into_listed();
    let spills = SpillFolder::new(arguments.results.as_deref(), arguments.events.is_some())?;
    let mut reporter = open_reporter(arguments, name, kinds.len(), &input, &spills)?;
    let limits = input.all_limits(limits);
    let limit_names = limits.iter().map(|(name, _)| name.clone()).collect();
    let card = clerk::Card::new(name, file, reporter.began(), (names, limit_names));
    let record = reporter.take_record();
    let (post, letters) = channel();
    let desk = open_desk(reporter, &post, &spills);
    let stage = Stage {
        desk: Arc::clone(&desk),
        settings: settings(arguments, &spills),
    };
    let mut builder = Farm::builder();
    let launcher = launcher(arguments.workers.in_process(), name, again);
    let pool = pool(arguments.workers.count(), launcher, &input, grace)?;
    let doors = enter(kinds, &mut builder, &pool, &stage);
    builder.limits(limits.iter().map(|(_, cap)| *cap).collect());
    builder.through(true);
    share(&mut builder, arguments, doors.len(), jobserver);
    builder.observer(Box::new(desk::Eyes(Arc::clone(&desk))));
    if let Some(file) = record {
        builder.record(file);
    }
    let socket = clerk::socket(arguments, name)?;
    let signals = signals::catch(post.clone())
        .map_err(|error| format!("error: cannot catch signals: {error}"))?;
    let limits = card.limits.clone();
    let (hopper, reading) = Hopper::new(input.tasks, doors.len(), Arc::clone(&desk), limits);
    let hopper = Arc::new(Mutex::new(hopper));
    let outside = Arc::downgrade(&hopper);
    let farm = start(builder, &doors, hopper, reading)?;
    let course = Course::new();
    let clerk = Clerk::new((&farm, outside), &desk, &course, post.clone(), card);
    let server = clerk.sit_at(socket);
    let mut ending = Watch {
        farm: &farm,
        doors: &doors,
        letters: &letters,
        post,
        desk: &desk,
        course: &course,
        grace,
        name,
    }
    .until_stopped();
    if let Some(error) = farm.take_record_trouble() {
        desk::lock(&desk).reporter.record_failed(error);
    }
    let exit = finish(&desk, name, &mut ending, &letters, spills);
    drop(server);
    // Only now: until the last byte is written an interrupt must be heard.
    drop(signals);
    Ok(exit)
}

/// The kinds as kinds of the farm.
fn enter(
    kinds: Vec<Box<dyn Listed>>,
    builder: &mut FarmBuilder,
    pool: &Pool,
    stage: &Stage,
) -> Vec<Box<dyn Door>> {
    let kinds = kinds.into_iter();
    kinds
        .map(|kind| kind.enter(builder, pool.clone(), stage))
        .collect()
}

/// The desk, told by the reporter's readers when to look at them.
fn open_desk(reporter: Reporter, post: &Sender<Letter>, spills: &SpillFolder) -> SharedDesk {
    let bell = post.clone();
    let watcher: Watcher = Arc::new(move || {
        let _run_over = bell.send(Letter::Look);
    });
    reporter.watched_by(&watcher);
    let desk = Desk::new(reporter, post.clone(), spills.folder.clone());
    Arc::new(Mutex::new(desk))
}

/// What commands are told of the run.
fn settings(arguments: &Arguments, spills: &SpillFolder) -> Settings {
    let live = arguments.output == StdoutMode::Line && !arguments.results_to_stdout();
    Settings {
        // What has been shown line by line needs no file, unless the results are to name it.
        spill_folder: (!live || spills.keep).then(|| spills.folder.clone()),
        live,
    }
}

fn grace(arguments: &Arguments) -> Result<Duration, String> {
    match &arguments.grace {
        Some(text) => parse_duration(text).map_err(|error| format!("error: --grace: {error}")),
        None => Ok(GRACE),
    }
}

/// Among whom the workers are shared: the kinds, and other programs with a jobserver.
fn share(
    builder: &mut FarmBuilder,
    arguments: &Arguments,
    kinds: usize,
    jobserver: Option<Jobserver>,
) {
    if let Some(workers) = arguments.workers.shared().filter(|_| kinds > 1) {
        builder.workers(workers);
    }
    if let Some(jobserver) = jobserver {
        builder.jobserver(jobserver);
    }
}

/// Starts the farm and everything that gives it tasks.
fn start(
    builder: FarmBuilder,
    doors: &[Box<dyn Door>],
    hopper: feed::SharedHopper,
    reading: Reading,
) -> Result<Farm, String> {
    let farm = builder.start().map_err(|error| format!("error: {error}"))?;
    let wakers: Vec<SourceWaker> = doors
        .iter()
        .enumerate()
        .map(|(place, door)| door.feed(&farm, Arc::clone(&hopper), place))
        .collect();
    feed::open(&hopper).woken_by(&wakers);
    reading
        .start(wakers)
        .map_err(|error| format!("error: cannot start a thread: {error}"))?;
    Ok(farm)
}

/// Where workers come from.
fn launcher(inside: bool, name: &str, again: MakeKinds) -> Launcher {
    if inside {
        return in_process(move || again().into_worker()).into();
    }
    let program = Program::this_executable();
    let program = if name == OWN_NAME {
        program
    } else {
        // So that a list of processes says what they are.
        program.arg("worker")
    };
    program.into()
}

/// The workers of one kind.
fn pool(
    workers: u32,
    launcher: Launcher,
    input: &input::Input,
    grace: Duration,
) -> Result<Pool, String> {
    Ok(Pool {
        boundary: Some(boundary(workers, input, grace)?),
        defaults: TaskOptions::default(),
        ..Pool::new(launcher, workers)
    })
}

fn boundary(workers: u32, input: &input::Input, grace: Duration) -> Result<Boundary, String> {
    let budget = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
    let window = input
        .wanted_window()
        .unwrap_or(WINDOW)
        .max(2 * workers as usize);
    Boundary::new(AdapterMode::PullOnly, workers as usize, window, budget)
        .map_err(|error| format!("error: {error}"))
}

fn open_reporter(
    arguments: &Arguments,
    name: &'static str,
    kinds: usize,
    input: &input::Input,
    spills: &SpillFolder,
) -> Result<Reporter, String> {
    let mut options = ReportOptions::new(SystemTime::now());
    options.results = arguments.results.clone().map(ResultsTarget::named);
    options.joblog.clone_from(&arguments.joblog);
    options.events.clone_from(&arguments.events);
    options.record.clone_from(&arguments.record);
    options.inputs = input.path.iter().cloned().collect();
    options.stdout = arguments.output;
    options.keep_order = arguments.keep_order;
    options.keep_spills = spills.keep;
    options.spill_folder = std::env::temp_dir();
    options.progress = arguments.progress.unwrap_or(ProgressMode::Auto);
    options.total = input.total();
    let kinds = u32::try_from(kinds).unwrap_or(u32::MAX);
    // Inside this process each kind has a thread of its own.
    let each = if arguments.workers.in_process() {
        kinds
    } else {
        1
    };
    options.workers = arguments.workers.count().saturating_mul(each);
    options.program = name;
    Reporter::open(&options).map_err(|error| format!("error: {error}"))
}

/// Shows what is left to show, and decides how the command ends.
fn finish(
    desk: &SharedDesk,
    name: &str,
    ending: &mut Ending,
    letters: &Receiver<Letter>,
    spills: SpillFolder,
) -> Exit {
    let mut desk = desk::lock(desk);
    let at = desk.at_end();
    // Before the summary: whoever has closed our output wants none.
    desk.reporter.drain();
    let mut trouble = say_troubles(&mut desk.reporter, name) || ending.trouble;
    let halted = ending.halted();
    let counts = desk.reporter.run_finished(
        at,
        &RunEnd {
            halted,
            paused: ending.paused,
        },
    );
    // What could not be written while the end was written is trouble all the same.
    trouble |= say_troubles(&mut desk.reporter, name);
    let follow_ups = desk.follow_ups;
    if follow_ups.ended > 0 {
        let words = follow_ups.words();
        desk.reporter.say(&format!("{name}: {words}"));
    }
    let ended_badly = follow_ups.bad > 0
        || counts.failures() > 0
        || counts.of(Status::Skipped) > 0
        || counts.of(Status::Cancelled) > 0;
    if let Some(words) = spills.close() {
        desk.reporter.say(&format!("{name}: {words}"));
    }
    let exit = if trouble {
        Exit::Trouble
    } else if ending.stopped || counts.of(Status::NotRun) > 0 {
        Exit::Stopped
    } else if ended_badly {
        Exit::Failures
    } else if counts.total() == 0 {
        if ending.signal.is_none() {
            desk.reporter.say(&format!("{name}: there is no task"));
        }
        Exit::NoTasks
    } else {
        Exit::Success
    };
    desk.reporter.drain();
    ending.note_late_signals(letters);
    ending.signal.map_or(exit, Exit::Signal)
}

/// Says what could not be written, and answers whether that was anything.
fn say_troubles(reporter: &mut Reporter, name: &str) -> bool {
    let mut loud = false;
    while let Some(trouble) = reporter.take_trouble() {
        if watch::is_loud(&trouble) {
            reporter.say(&format!("{name}: {trouble}"));
            loud = true;
        } else {
            reporter.end_quietly();
        }
    }
    loud
}
