//! `farm run`: reads the tasks, runs them, reports.

mod desk;
mod feed;
mod input;
mod options;
mod record;
mod said;
mod signals;
mod spills;
mod watch;

pub(super) use options::{AFTER_HELP, Arguments, EXAMPLES};

use super::exit::Exit;
use crate::exec::{CommandKind, Settings};
use crate::report::{
    ProgressMode, ReportOptions, Reporter, ResultsTarget, RunEnd, Status, StdoutMode, Watcher,
};
use crate::taskfile::parse_duration;
use desk::{Desk, SharedDesk};
use farm_driver::{Farm, Pool, Program};
use farm_master::TaskOptions;
use farm_master::lane::{AdapterMode, Boundary};
use feed::Feed;
use input::Tasks;
use spills::SpillFolder;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use watch::{Ending, Letter, Watch};

/// How many tasks of an endless input wait in the farm.
const WINDOW: usize = 1024;

/// The default budget from asking a task to end until it is killed.
const GRACE: Duration = Duration::from_secs(3);

pub(super) fn run(arguments: Arguments) -> Exit {
    match try_run(&arguments) {
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
fn complain(message: &str) {
    eprintln!("{}", message.trim_end());
}

fn try_run(arguments: &Arguments) -> Result<Exit, String> {
    let grace = match &arguments.grace {
        Some(text) => parse_duration(text).map_err(|error| format!("error: --grace: {error}"))?,
        None => GRACE,
    };
    let limits = arguments.limits()?;
    let input = input::open(arguments, &limits)?;
    if matches!(&input.tasks, Tasks::Whole(list) if list.tasks.is_empty()) {
        complain("farm: there is no task");
        return Ok(Exit::NoTasks);
    }
    let spills = SpillFolder::new(arguments.results.as_deref(), arguments.events.is_some())?;
    let mut reporter = open_reporter(arguments, &input, &spills)?;
    let workers = arguments.workers.count();
    let limits = input.all_limits(limits);
    let record = reporter.take_record();
    let (post, letters) = channel();
    let live = arguments.output == StdoutMode::Line && !arguments.results_to_stdout();
    let bell = post.clone();
    let watcher: Watcher = Arc::new(move || {
        let _run_over = bell.send(Letter::Look);
    });
    reporter.watched_by(&watcher);
    let desk = Desk::new(reporter, post.clone(), spills.folder.clone());
    let desk: SharedDesk = Arc::new(Mutex::new(desk));
    let settings = Settings {
        // What has been shown line by line needs no file, unless the results are to name it.
        spill_folder: (!live || spills.keep).then(|| spills.folder.clone()),
        live,
    };
    let mut builder = Farm::builder();
    let kind = CommandKind::new(settings, Box::new(desk::Ears(Arc::clone(&desk), live)));
    let pool = Pool {
        boundary: Some(boundary(workers, &input, grace)?),
        defaults: TaskOptions::default(),
        ..Pool::new(Program::this_executable(), workers)
    };
    let kind = builder.kind(kind, pool);
    builder.limits(limits.iter().map(|(_, cap)| *cap).collect());
    builder.through(true);
    builder.observer(Box::new(desk::Eyes(Arc::clone(&desk))));
    if let Some(file) = record {
        builder.record(file);
    }
    let signals = signals::catch(post.clone())
        .map_err(|error| format!("error: cannot catch signals: {error}"))?;
    let farm = builder.start().map_err(|error| format!("error: {error}"))?;
    let names = limits.into_iter().map(|(name, _)| name).collect();
    let (feed, reader) = Feed::new(input.tasks, Arc::clone(&desk), names);
    let waker = farm.feed(kind, feed);
    reader
        .start(waker)
        .map_err(|error| format!("error: cannot start a thread: {error}"))?;
    let mut ending = Watch {
        farm: &farm,
        kind,
        letters: &letters,
        post,
        desk: &desk,
        grace,
    }
    .until_stopped();
    if let Some(error) = farm.take_record_trouble() {
        desk::lock(&desk).reporter.record_failed(error);
    }
    let exit = finish(&desk, &mut ending, &letters, spills);
    // Only now: until the last byte is written an interrupt must be heard.
    drop(signals);
    Ok(exit)
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
    options.workers = arguments.workers.count();
    Reporter::open(&options).map_err(|error| format!("error: {error}"))
}

/// Shows what is left to show, and decides how the command ends.
fn finish(
    desk: &SharedDesk,
    ending: &mut Ending,
    letters: &Receiver<Letter>,
    spills: SpillFolder,
) -> Exit {
    let mut desk = desk::lock(desk);
    let at = desk.at_end();
    // Before the summary: whoever has closed our output wants none.
    desk.reporter.drain();
    let mut trouble = say_troubles(&mut desk.reporter) || ending.trouble;
    let halted = ending.halted();
    let counts = desk.reporter.run_finished(at, &RunEnd { halted });
    // What could not be written while the end was written is trouble all the same.
    trouble |= say_troubles(&mut desk.reporter);
    let ended_badly =
        counts.failures() > 0 || counts.of(Status::Skipped) > 0 || counts.of(Status::Cancelled) > 0;
    if let Some(words) = spills.close() {
        desk.reporter.say(&words);
    }
    let exit = if trouble {
        Exit::Trouble
    } else if ending.stopped || counts.of(Status::NotRun) > 0 {
        Exit::Stopped
    } else if ended_badly {
        Exit::Failures
    } else if counts.total() == 0 {
        if ending.signal.is_none() {
            desk.reporter.say("farm: there is no task");
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
fn say_troubles(reporter: &mut Reporter) -> bool {
    let mut loud = false;
    while let Some(trouble) = reporter.take_trouble() {
        if watch::is_loud(&trouble) {
            reporter.say(&format!("farm: {trouble}"));
            loud = true;
        } else {
            reporter.end_quietly();
        }
    }
    loud
}
