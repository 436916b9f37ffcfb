//! Watches a folder and checks each version of its files, but for those that a newer one has overtaken.
//!
//! One named worker for each file, with a box that holds the newest version. `README.md` says how it is used.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks")]

mod checker;
mod demo;

use checker::Checker;
use clap::Parser;
use farm::{Closed, Crash, Dropbox, Farm, LaunchOptions, Pool, Program, Put, Shut};
use farm::{ShutdownMode, Timing, WorkerKind, WorkerRef, WorkerTable, WorkerVerdict};
use farm::{prelude::Host, worker::Worker, worker::run_if_asked};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};
use std::{error::Error, fs, process::ExitCode};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Checks the files of a folder (.json, .c and .sh) whenever they change.
#[derive(Parser)]
struct Options {
    /// The folder; without it one of its own, in which somebody is at work
    folder: Option<String>,
    /// Ends when everything is checked: 0 if all is fine, 1 if not
    #[arg(long)]
    once: bool,
    /// Milliseconds between two looks at the folder
    #[arg(long, default_value_t = 50)]
    interval: u64,
    /// How many files are watched at most, each by a process of its own
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    files: u32,
}

/// Two changes within a tick of the file system's clock have one time: a file is looked at when that time is past.
const SETTLED: Duration = Duration::from_millis(20);

/// A time so far ahead is from another clock, and is not waited for.
const FUTURE: Duration = Duration::from_secs(2);

/// What is heard of a file: which version was checked and what is wrong with it, or why its checker died.
type News = (String, std::result::Result<(u32, Option<String>), Crash>);

/// The master's half of a checker. When it has ended nobody wants to know what it has to tell.
struct Desk(Sender<News>);

impl WorkerKind for Desk {
    type Named = Checker;

    fn on_completion(
        &self,
        worker: &WorkerRef<Self>,
        version: &u32,
        wrong: &Option<String>,
        _: &Timing,
    ) -> WorkerVerdict {
        let checked = Ok((*version, wrong.clone()));
        let _over = self.0.send((worker.name().to_owned(), checked));
        WorkerVerdict::Continue
    }

    fn on_close(&self, worker: &WorkerRef<Self>, closed: &Closed) {
        if let Some(crash) = closed.crash.clone() {
            let _over = self.0.send((worker.name().to_owned(), Err(crash)));
        }
    }
}

/// By what a version is known: its time, its length, its inode.
type Stamp = (SystemTime, u64, u64);

/// A file that is there.
#[derive(Default)]
struct Watched {
    stamp: Option<Stamp>,
    /// The versions that were seen, put into the box, and judged last.
    seen: u32,
    told: u32,
    judged: u32,
    /// With which a checker crashed once.
    crashed: u32,
    is_fine: bool,
}

struct Watcher {
    folder: String,
    table: WorkerTable<Desk, Dropbox<Checker>>,
    news: Receiver<News>,
    files: BTreeMap<String, Watched>,
    /// Of all files, also of those that are gone.
    versions: u32,
    checks: u32,
}

impl Watcher {
    /// Looks at the folder, has a worker for each file and none besides, and tells each the newest version. Answers
    /// whether nothing is left to be checked.
    fn look(&mut self) -> Result<bool> {
        let settled = self.scan();
        let settled = settled.map_err(|e| format!("{}: {e}", self.folder))?;
        let names = self.files.keys();
        let wanted = names.map(|name| (name.clone(), self.folder.clone()));
        let options = LaunchOptions::default();
        let report = self.table.reconcile(wanted, &options, ShutdownMode::Drop)?;
        // Who is launched anew has crashed before: first things first.
        while let Ok(news) = self.news.try_recv() {
            self.hear(news);
        }
        for name in report.stopped {
            println!("{name}: gone");
        }
        for (name, error) in report.failed {
            let file = self.files.get_mut(&name).expect("it was wanted");
            if file.judged < file.seen {
                println!("{name}: nobody checks it: {error}");
            }
            // Once there is room for it, it is.
            (file.told, file.judged) = (0, file.seen);
        }
        for worker in report.launched.iter().chain(&report.kept) {
            let file = self.files.get_mut(worker.name()).expect("it was wanted");
            // If it has died since, the next look has another one for it.
            let put = |version| matches!(worker.put(version), Put::Stored | Put::Replaced);
            if file.told < file.seen && put(file.seen) {
                file.told = file.seen;
            }
        }
        Ok(settled && self.files.values().all(|file| file.judged == file.seen))
    }

    /// Which files there are, and which have changed. Answers whether all of them are at rest.
    fn scan(&mut self) -> std::io::Result<bool> {
        let (mut there, mut settled) = (BTreeSet::new(), true);
        for entry in fs::read_dir(&self.folder)? {
            let (entry, now) = (entry?, SystemTime::now());
            // It may be gone since.
            let metadata = fs::metadata(entry.path()).ok();
            let metadata = metadata.filter(fs::Metadata::is_file);
            let name = entry.file_name().into_string();
            let (Ok(name), Some(metadata)) = (name, metadata) else {
                continue;
            };
            if checker::program(&name).is_none() {
                continue;
            }
            let time = metadata.modified()?;
            if time > now - SETTLED && time < now + FUTURE {
                settled = false;
            } else {
                let stamp = Some((time, metadata.len(), metadata.ino()));
                let file = self.files.entry(name.clone()).or_default();
                if file.stamp != stamp {
                    file.stamp = stamp;
                    file.seen += 1;
                    self.versions += 1;
                }
            }
            there.insert(name);
        }
        self.files.retain(|name, _| there.contains(name));
        Ok(settled)
    }

    fn hear(&mut self, (name, news): News) {
        self.checks += u32::from(news.is_ok());
        let Some(file) = self.files.get_mut(&name) else {
            return;
        };
        match news {
            Ok((version, wrong)) => {
                let overtaken = match version.saturating_sub(file.judged + 1) {
                    0 => String::new(),
                    overtaken => format!(" ({overtaken} before it overtaken)"),
                };
                let verdict = wrong.as_deref().unwrap_or("fine");
                println!("{name}: version {version}{overtaken}: {verdict}");
                file.judged = version;
                file.is_fine = wrong.is_none();
            }
            Err(crash) => {
                println!("{name}: its checker crashed: {crash}");
                if file.crashed == file.told && file.told > file.judged {
                    println!("{name}: version {}: given up", file.told);
                    (file.judged, file.is_fine) = (file.told, false);
                } else {
                    // It may have been chance.
                    (file.crashed, file.told) = (file.told, file.judged);
                }
            }
        }
    }
}

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(Host::<checker::File>::new()));
    let code = watch(&Options::parse()).unwrap_or_else(|error| {
        eprintln!("watcher: {error}");
        2
    });
    ExitCode::from(code)
}

fn watch(options: &Options) -> Result<u8> {
    let is_own = options.folder.is_none();
    if is_own {
        fs::create_dir_all(demo::FOLDER)?;
    }
    let editor = is_own.then(|| thread::spawn(demo::work));
    let mut builder = Farm::builder();
    let checkers = builder.named::<Checker>(Pool::new(Program::this_executable(), options.files));
    let farm = builder.start()?;
    let (tell, news) = channel();
    let newest = Dropbox::newest();
    let mut watcher = Watcher {
        folder: options.folder.clone().unwrap_or(demo::FOLDER.to_owned()),
        table: farm.worker_table(checkers, Desk(tell), newest),
        news,
        files: BTreeMap::new(),
        versions: 0,
        checks: 0,
    };
    loop {
        let may_end = options.once || editor.as_ref().is_some_and(JoinHandle::is_finished);
        if watcher.look()? && may_end {
            break;
        }
        let next = Instant::now() + Duration::from_millis(options.interval);
        while let Ok(news) = watcher.news.recv_timeout(next - Instant::now()) {
            watcher.hear(news);
        }
    }
    if let Some(Err(error)) = editor.and_then(|editor| editor.join().ok()) {
        return Err(format!("{}: {error}", demo::FOLDER).into());
    }
    watcher.table.shutdown_all(ShutdownMode::Drop)?;
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    let (files, versions, checks) = (watcher.files.len(), watcher.versions, watcher.checks);
    let wrong = watcher.files.values().filter(|file| !file.is_fine).count();
    println!("{files} files, {wrong} not fine; {versions} versions seen, {checks} checked");
    Ok(u8::from(wrong > 0))
}
