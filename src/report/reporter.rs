//! The reporter: one call per happening, and each output gets its share.
//!
//! A call never fails. What could not be written waits as a trouble for [`Reporter::take_trouble`], and whether the run
//! goes on is for the caller to say. Memory stays flat over any number of tasks: counters, twenty failures, the running
//! tasks, and with `keep_order` those that wait for their turn.

use super::clock::RunClock;
use super::ends::Ends;
use super::events::{RunEvent, StopReason, TaskRef};
use super::joblog;
use super::open::{OpenTrouble, OpenedFile, OpenedFiles, open_files};
use super::options::{ReportOptions, ResultsTarget, StdoutMode};
use super::outlet::{Outlet, Outlets, Sink};
use super::progress::{Bar, Progress};
use super::record::{AttemptRecord, Stream, TaskRecord};
use super::relay::{Relay, Watcher};
use super::results;
use super::stdout::TaskPrinter;
use super::summary::{RunCounts, RunEnd, Summary};
use super::trouble::{Troubles, WriteTarget, WriteTrouble};
use std::fmt::{self, Debug, Formatter};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A line buffer that grew beyond this many bytes for one long output is given back.
const LINE_MEMORY: usize = 512 * 1024;

/// Writes all reports of one run. Every `at` is the monotonic time since the start of the run.
pub struct Reporter {
    clock: RunClock,
    outlets: Outlets,
    results: Results,
    joblog: Option<Outlet>,
    events: Option<Outlet>,
    /// Opened here like every file of the run, written by the farm; until somebody takes it.
    record: Option<File>,
    record_path: PathBuf,
    printer: TaskPrinter,
    progress: Progress,
    summary: Summary,
    with_summary: bool,
    with_text: bool,
    keep_spills: bool,
    workers: u32,
    total: Option<u64>,
    line: Vec<u8>,
    text: String,
}

enum Results {
    /// Nobody wants them.
    No,
    /// They go to our standard output, and the tasks' output does not.
    Stdout,
    /// They go to a file.
    File(Outlet),
}

impl Reporter {
    /// Opens the files that `options` names and takes over the streams of this process.
    ///
    /// # Errors
    /// When a file cannot be used; nothing has been emptied or written then.
    pub fn open(options: &ReportOptions) -> Result<Self, OpenTrouble> {
        Self::with_ends(options, Ends::process(&options.spill_folder))
    }

    /// The same with other streams.
    ///
    /// # Errors
    /// As [`Reporter::open`].
    pub fn with_ends(options: &ReportOptions, ends: Ends) -> Result<Self, OpenTrouble> {
        let OpenedFiles {
            results,
            joblog,
            events,
            record,
        } = open_files(options, ends.taken)?;
        let to_stdout = options.results == Some(ResultsTarget::Stdout);
        let mode = if to_stdout {
            StdoutMode::Quiet
        } else {
            options.stdout
        };
        let folder: Arc<Path> = options.spill_folder.as_path().into();
        let progress = Progress::new(options, ends.terminal);
        let err_target = if ends.stderr.is_shared_with(&ends.stdout) {
            // One pipe: whoever closes it has seen enough of the output, not refused our messages.
            WriteTarget::Stdout
        } else {
            WriteTarget::Stderr
        };
        let mut outlets = Outlets {
            out_is_terminal: ends.terminal.stdout,
            bar: progress.wants_bar().then(|| Bar::new(ends.bar)),
            out: Outlet::new(WriteTarget::Stdout, ends.stdout),
            err: Outlet::new(err_target, ends.stderr),
            troubles: Troubles::default(),
        };
        let results = match results {
            Some(file) => Results::File(outlet(file, WriteTarget::Results, &folder)),
            None if to_stdout => Results::Stdout,
            None => Results::No,
        };
        let joblog = joblog.map(|file| {
            let fresh = file.fresh;
            let mut joblog = outlet(file, WriteTarget::Joblog, &folder);
            if fresh {
                joblog.write(joblog::HEADER.as_bytes(), &mut outlets.troubles);
            }
            joblog
        });
        let events = events.map(|file| outlet(file, WriteTarget::Events, &folder));
        let (record, record_path) = record.map(|opened| (opened.file, opened.path)).unzip();
        Ok(Self {
            clock: RunClock::new(options.anchor),
            outlets,
            results,
            joblog,
            events,
            record,
            record_path: record_path.unwrap_or_default(),
            printer: TaskPrinter::new(mode, options.keep_order, folder, options.keep_spills),
            progress,
            summary: Summary::default(),
            with_summary: options.summary,
            with_text: mode == StdoutMode::Line,
            keep_spills: options.keep_spills,
            workers: options.workers,
            total: options.total,
            line: Vec::new(),
            text: String::new(),
        })
    }

    /// The file of the record, for the farm to write, once.
    pub const fn take_record(&mut self) -> Option<File> {
        self.record.take()
    }

    /// The farm could not write the record.
    pub fn record_failed(&mut self, error: io::Error) {
        let target = WriteTarget::Record(self.record_path.clone());
        self.outlets.troubles.note(&target, error);
    }

    /// The run begins.
    pub fn run_started(&mut self, at: Duration) {
        let (total, workers) = (self.total, self.workers);
        self.event(at, &RunEvent::RunStarted { total, workers });
    }

    /// The number of tasks has become known, or has changed.
    pub const fn set_total(&mut self, total: Option<u64>) {
        self.total = total;
        self.progress.set_total(total);
    }

    /// When the run began, as RFC 3339 in UTC with milliseconds.
    #[must_use]
    pub fn began(&self) -> String {
        let mut text = Vec::new();
        self.clock.rfc3339(Duration::ZERO, &mut text);
        String::from_utf8(text).expect("digits and signs")
    }

    /// How many tasks there are, when that is known.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many tasks ended in which way so far.
    #[must_use]
    pub const fn counts(&self) -> &RunCounts {
        self.summary.counts()
    }

    /// A person has paused the run, or has let it go on.
    pub const fn set_paused(&mut self, paused: bool) {
        self.progress.set_paused(paused);
    }

    /// A worker process is there.
    pub fn worker_started(&mut self, at: Duration, worker: u32, pid: Option<u32>) {
        self.event(at, &RunEvent::WorkerStarted { worker, pid });
    }

    /// A worker process is gone.
    pub fn worker_stopped(
        &mut self,
        at: Duration,
        worker: u32,
        pid: Option<u32>,
        reason: StopReason,
        ended: (Option<i32>, Option<i32>),
    ) {
        if reason == StopReason::Died {
            self.summary.worker_died();
        }
        let (exit, signal) = ended;
        let event = RunEvent::WorkerStopped {
            worker,
            pid,
            reason,
            exit,
            signal,
        };
        self.event(at, &event);
    }

    /// An attempt begins.
    pub fn task_started(&mut self, at: Duration, task: TaskRef<'_>) {
        let label = task.name.or(task.command).unwrap_or_else(|| task.id.text());
        self.progress.task_started(at, task.seq, label);
        self.event(at, &RunEvent::TaskStarted(task));
    }

    /// A task says something. Shown in line mode only; the other modes may leave the call out.
    pub fn task_output(
        &mut self,
        at: Duration,
        seq: u64,
        attempt: u32,
        stream: Stream,
        bytes: &[u8],
    ) {
        let event = RunEvent::TaskOutput {
            seq,
            attempt,
            stream,
            bytes,
            with_text: self.with_text,
        };
        self.event(at, &event);
        if self.with_text {
            self.printer.output(seq, stream, bytes, &mut self.outlets);
        }
    }

    /// An attempt ended. The task may have another one; if not, `task_finished` follows.
    pub fn attempt_finished(&mut self, at: Duration, seq: u64, attempt: &AttemptRecord) {
        self.progress.task_paused(seq);
        self.event(at, &RunEvent::AttemptFinished { seq, attempt });
        if self.with_text {
            self.printer.attempt_ended(seq, &mut self.outlets);
        }
    }

    /// A task ended. Called once for each `seq`, also for those that never ran.
    pub fn task_finished(&mut self, at: Duration, task: TaskRecord) {
        let ran = task.started.map(|_| task.wall);
        self.progress.task_finished(task.seq, task.status, ran);
        self.summary.note(&task);
        self.write_results(&task);
        if let Some(joblog) = &mut self.joblog {
            self.text.clear();
            joblog::write_line(&mut self.text, &task, &self.clock);
            joblog.write(self.text.as_bytes(), &mut self.outlets.troubles);
        }
        let event = RunEvent::Result {
            task: &task,
            name_rest: self.keep_spills,
        };
        self.event(at, &event);
        let seq = task.seq;
        let (stdout, stderr) = task.into_shown();
        self.printer
            .finished(seq, stdout, stderr, &mut self.outlets);
    }

    /// A task that has ended had waited so long for the start of its first attempt.
    pub fn task_waited(&mut self, wait: Duration) {
        self.summary.waited(wait);
    }

    /// `seq` is not part of this run, so with `keep_order` nobody waits for it. No output mentions it.
    pub fn task_left_out(&mut self, seq: u64) {
        self.printer.left_out(seq, &mut self.outlets);
    }

    /// Draws or prints the progress when that is due.
    pub fn tick(&mut self, at: Duration) {
        self.progress.tick(at, &mut self.outlets);
    }

    /// When `tick` will have something to do; earlier calls cost a comparison.
    #[must_use]
    pub const fn deadline(&self) -> Option<Duration> {
        self.progress.deadline()
    }

    /// Writes a line of the command's own to our standard error, clear of the bar. `line` has no line end.
    pub fn say(&mut self, line: &str) {
        self.text.clear();
        self.text.push_str(line);
        self.text.push('\n');
        self.outlets.write(Stream::Stderr, self.text.as_bytes());
    }

    /// The end is to be without a summary.
    pub const fn end_quietly(&mut self) {
        self.with_summary = false;
    }

    /// Runs `other`, which writes to the terminal itself, with the bar out of its way.
    pub fn suspend<R>(&mut self, other: impl FnOnce() -> R) -> R {
        self.outlets.hide_bar();
        other()
    }

    /// The run is over: shows what still waits, writes the last event and the summary, and waits until all is written.
    pub fn run_finished(&mut self, at: Duration, end: &RunEnd) -> RunCounts {
        self.progress.end();
        self.outlets.hide_bar();
        self.printer.end(&mut self.outlets);
        let counts = self.summary.counts().clone();
        let waits = self.summary.waits().clone();
        let event = RunEvent::RunFinished {
            counts: &counts,
            waits: &waits,
            end,
        };
        self.event(at, &event);
        if self.with_summary {
            // After a task's last line without an end, the summary begins on its own.
            self.outlets.end_lines();
            let text = self.summary.text(at, end);
            self.outlets.write(Stream::Stderr, text.as_bytes());
        }
        self.drain();
        counts
    }

    /// Waits until everything has left this process or never will, for as long as the readers take; in a hurry only while
    /// they take something. To be called before the process ends.
    pub fn drain(&self) {
        self.relays().for_each(Relay::drain);
    }

    /// From now on `watcher` is called whenever a reader is gone, too far behind or no longer so: then
    /// [`Reporter::take_trouble`] and [`Reporter::is_behind`] are to be asked. It may be called from within a call.
    pub fn watched_by(&self, watcher: &Watcher) {
        self.relays()
            .for_each(|relay| relay.watched_by(Arc::clone(watcher)));
    }

    /// Whether so much output waits for its reader that nothing new should be begun.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.relays().any(Relay::is_behind)
    }

    fn relays(&self) -> impl Iterator<Item = &Relay> {
        let results = match &self.results {
            Results::No | Results::Stdout => None,
            Results::File(outlet) => Some(outlet),
        };
        let files = [results, self.joblog.as_ref(), self.events.as_ref()];
        [&self.outlets.out, &self.outlets.err]
            .into_iter()
            .chain(files.into_iter().flatten())
            .filter_map(Outlet::relay)
    }

    /// The oldest trouble that has not been taken. To be asked after every batch of calls.
    pub fn take_trouble(&mut self) -> Option<WriteTrouble> {
        let Outlets {
            out, err, troubles, ..
        } = &mut self.outlets;
        let results = match &mut self.results {
            Results::No | Results::Stdout => None,
            Results::File(outlet) => Some(outlet),
        };
        let files = [results, self.joblog.as_mut(), self.events.as_mut()];
        for outlet in [out, err].into_iter().chain(files.into_iter().flatten()) {
            outlet.look(troubles);
        }
        troubles.take()
    }

    fn event(&mut self, at: Duration, event: &RunEvent<'_>) {
        if let Some(events) = self.events.as_mut().filter(|events| events.is_open()) {
            fresh(&mut self.line);
            event.write(&mut self.line, &self.clock, at);
            events.write(&self.line, &mut self.outlets.troubles);
        }
    }

    fn write_results(&mut self, task: &TaskRecord) {
        let outlet = match &mut self.results {
            Results::No => return,
            Results::Stdout => &mut self.outlets.out,
            Results::File(outlet) => outlet,
        };
        if outlet.is_open() {
            fresh(&mut self.line);
            results::write_line(&mut self.line, task, &self.clock, None, self.keep_spills);
            outlet.write(&self.line, &mut self.outlets.troubles);
        }
    }
}

fn outlet(opened: OpenedFile, target: fn(PathBuf) -> WriteTarget, folder: &Arc<Path>) -> Outlet {
    let copy = opened.file.try_clone();
    let sink = match copy.and_then(|copy| Relay::to(copy, Arc::clone(folder))) {
        Ok(Some(relay)) => Sink::Relayed(relay),
        Ok(None) | Err(_) => Sink::Direct(Box::new(opened.file)),
    };
    Outlet::new(target(opened.path), sink)
}

fn fresh(line: &mut Vec<u8>) {
    line.clear();
    line.shrink_to(LINE_MEMORY);
}

impl Debug for Reporter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter")
            .field("clock", &self.clock)
            .field("counts", self.summary.counts())
            .finish_non_exhaustive()
    }
}
