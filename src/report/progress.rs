//! How far the run is: a bar where a person watches, a line every ten seconds where a log is kept.
//!
//! It counts; the bar itself is in `progress/bar.rs`. It has no thread and reads no clock: `tick` is called by the loop,
//! costs a comparison when nothing is due, and `deadline` says when something will be.

mod bar;

pub(crate) use bar::Bar;
pub use bar::BarPlace;

use super::ends::Terminal;
use super::options::ReportOptions;
use super::outlet::Outlets;
use super::plain::clock_face;
use super::record::{Status, Stream};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

/// Between two counter lines.
const COUNTER_EVERY: Duration = Duration::from_secs(10);
/// Between two redraws of the bar: 20 a second.
const REDRAW_EVERY: Duration = Duration::from_millis(50);
/// No bar before: it would only flicker in a run that is over by then.
const FIRST_DRAW: Duration = Duration::from_millis(300);
/// Running tasks shown below the bar.
const OLDEST_SHOWN: usize = 4;

/// How the progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar on a capable terminal, the counter elsewhere.
    #[default]
    Auto,
    /// A bar; without a terminal the counter.
    Bar,
    /// A line every ten seconds.
    Counter,
    /// Nothing.
    None,
}

impl FromStr for ProgressMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "bar" => Ok(Self::Bar),
            "counter" => Ok(Self::Counter),
            "none" => Ok(Self::None),
            other => Err(format!("`{other}` is none of auto, bar, counter and none")),
        }
    }
}

impl ProgressMode {
    /// What `self` comes to on this terminal. Never `Auto`.
    pub(crate) const fn decide(self, terminal: Terminal) -> Self {
        match self {
            Self::Auto if terminal.stderr && !terminal.dumb && !terminal.ci => Self::Bar,
            Self::Bar if terminal.stderr && !terminal.dumb => Self::Bar,
            Self::Auto | Self::Bar | Self::Counter => Self::Counter,
            Self::None => Self::None,
        }
    }
}

enum Show {
    /// Drawn at `next` or later.
    Bar { next: Duration },
    /// Printed at `next` or later.
    Counter { next: Duration },
    /// Never shown; nothing is counted either.
    Nothing,
}

struct Running {
    since: Duration,
    /// Empty when no bar will show it.
    label: Box<str>,
}

/// The progress of one run.
pub(crate) struct Progress {
    show: Show,
    /// Who speaks.
    program: &'static str,
    total: Option<u64>,
    done: u64,
    failed: u64,
    running: BTreeMap<u64, Running>,
    /// The same tasks, oldest first; kept for a bar only.
    oldest: BTreeSet<(Duration, u64)>,
    measured: u64,
    measured_wall: Duration,
    paused: bool,
}

impl Progress {
    pub(crate) fn new(options: &ReportOptions, terminal: Terminal) -> Self {
        let show = match options.progress.decide(terminal) {
            ProgressMode::Bar => Show::Bar { next: FIRST_DRAW },
            ProgressMode::Counter | ProgressMode::Auto => Show::Counter {
                next: COUNTER_EVERY,
            },
            ProgressMode::None => Show::Nothing,
        };
        Self {
            show,
            program: options.program,
            total: options.total,
            done: 0,
            failed: 0,
            running: BTreeMap::new(),
            oldest: BTreeSet::new(),
            measured: 0,
            measured_wall: Duration::ZERO,
            paused: false,
        }
    }

    /// The number of tasks has become known.
    pub(crate) const fn set_total(&mut self, total: Option<u64>) {
        self.total = total;
    }

    /// A person has paused the run, or has let it go on.
    pub(crate) const fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    pub(crate) fn task_started(&mut self, at: Duration, seq: u64, label: &str) {
        self.task_paused(seq);
        let label = match self.show {
            Show::Nothing => return,
            Show::Counter { .. } => Box::default(),
            Show::Bar { .. } => {
                self.oldest.insert((at, seq));
                label.into()
            }
        };
        self.running.insert(seq, Running { since: at, label });
    }

    /// The task runs no more, for now or for good.
    pub(crate) fn task_paused(&mut self, seq: u64) {
        if let Some(running) = self.running.remove(&seq) {
            self.oldest.remove(&(running.since, seq));
        }
    }

    /// `ran` is how long the last attempt took, if one began.
    pub(crate) fn task_finished(&mut self, seq: u64, status: Status, ran: Option<Duration>) {
        self.task_paused(seq);
        self.done += 1;
        self.failed += u64::from(status.is_failure());
        if let Some(wall) = ran {
            self.measured += 1;
            self.measured_wall += wall;
        }
    }

    /// When `tick` has something to do next.
    pub(crate) const fn deadline(&self) -> Option<Duration> {
        match &self.show {
            Show::Bar { next } | Show::Counter { next } => Some(*next),
            Show::Nothing => None,
        }
    }

    /// Shows what is due.
    pub(crate) fn tick(&mut self, at: Duration, outlets: &mut Outlets) {
        if self.deadline().is_none_or(|deadline| at < deadline) {
            return;
        }
        match &mut self.show {
            Show::Bar { next } => {
                *next = at + REDRAW_EVERY;
                outlets.end_lines();
                if let Some(bar) = &mut outlets.bar {
                    self.draw(at, bar);
                }
            }
            Show::Counter { next } => {
                *next = at + COUNTER_EVERY;
                outlets.write(Stream::Stderr, self.counter_line(at).as_bytes());
            }
            Show::Nothing => {}
        }
    }

    fn draw(&self, at: Duration, bar: &mut Bar) {
        let counts = bar::Counts {
            total: self.total,
            done: self.done,
            failed: self.failed,
            running: self.running.len(),
            eta: self.eta(at).filter(|_| !self.paused),
            paused: self.paused,
        };
        let oldest = self.oldest.iter().take(OLDEST_SHOWN).map(|(since, seq)| {
            let label = self.running.get(seq).map_or("", |running| &*running.label);
            (at.saturating_sub(*since), label)
        });
        bar.draw(&counts, oldest);
    }

    fn counter_line(&self, at: Duration) -> String {
        let of = self
            .total
            .map_or_else(String::new, |total| format!("/{total}"));
        let (done, failed, running) = (self.done, self.failed, self.running.len());
        let paused = if self.paused { "paused, " } else { "" };
        format!(
            "{}: {done}{of} done, {failed} failed, {running} running, {paused}{}\n",
            self.program,
            clock_face(at)
        )
    }

    /// From the mean time of the tasks so far and how many run side by side now; unknown until one has ended.
    fn eta(&self, at: Duration) -> Option<Duration> {
        let left = self.total?.checked_sub(self.done)?;
        if self.measured == 0 || self.running.is_empty() {
            return None;
        }
        let mean = self.measured_wall.as_secs_f64() / self.measured as f64;
        let running = self.running.len() as u64;
        let spent: f64 = self
            .oldest
            .iter()
            .map(|(since, _)| at.saturating_sub(*since).as_secs_f64().min(mean))
            .sum();
        let work = (left as f64).mul_add(mean, -spent).max(0.0);
        Duration::try_from_secs_f64(work / running as f64).ok()
    }

    /// Nothing is shown any more.
    pub(crate) const fn end(&mut self) {
        self.show = Show::Nothing;
    }

    /// Whether a bar is wanted.
    pub(crate) const fn wants_bar(&self) -> bool {
        matches!(self.show, Show::Bar { .. })
    }
}
