//! What a person may choose about the reports of a run.

use super::progress::ProgressMode;
use std::path::PathBuf;
use std::time::SystemTime;

/// How the tasks' output reaches our stdout and stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdoutMode {
    /// All of a task's output when the task ends, byte for byte.
    Grouped,
    /// Each line as soon as it is complete; a last line without an end gets one.
    Line,
    /// Not at all.
    Quiet,
}

/// Where the results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultsTarget {
    /// Our standard output, which then carries nothing else.
    Stdout,
    /// A file.
    File(PathBuf),
}

impl ResultsTarget {
    /// The target that `text` names on the command line: `-` is standard output.
    #[must_use]
    pub fn named(text: PathBuf) -> Self {
        if text.as_os_str() == "-" {
            Self::Stdout
        } else {
            Self::File(text)
        }
    }
}

/// Everything chosen about the reports of one run.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// Where one JSON line per finished task goes.
    pub results: Option<ResultsTarget>,
    /// Where the table in GNU parallel's format goes.
    pub joblog: Option<PathBuf>,
    /// Where the events go.
    pub events: Option<PathBuf>,
    /// Where the record goes from which the run replays. It is opened here and written by the farm.
    pub record: Option<PathBuf>,
    /// Add to these files (but the record, which is of one run) instead of beginning them anew: for
    /// a run that goes on where another ended.
    pub append: bool,
    /// Files that must not be written to: what the run reads.
    pub inputs: Vec<PathBuf>,
    /// How the tasks' output is shown.
    pub stdout: StdoutMode,
    /// Show it in the order of the input.
    pub keep_order: bool,
    /// Leave the files with the rest of long outputs where they are and name them in the results. Otherwise each is
    /// deleted as soon as it has been shown. Wanted when the results go anywhere.
    pub keep_spills: bool,
    /// The folder for output that waits.
    pub spill_folder: PathBuf,
    /// How the progress is shown.
    pub progress: ProgressMode,
    /// Write the summary at the end.
    pub summary: bool,
    /// How many tasks there are, when that is known.
    pub total: Option<u64>,
    /// How many workers may run at once.
    pub workers: u32,
    /// The name of our program, before what it says on stderr.
    pub program: &'static str,
    /// The date at which the run's monotonic time was zero.
    pub anchor: SystemTime,
}

impl ReportOptions {
    /// Grouped output, automatic progress, a summary and no files, for a run that began at `anchor`.
    #[must_use]
    pub fn new(anchor: SystemTime) -> Self {
        Self {
            results: None,
            joblog: None,
            events: None,
            record: None,
            append: false,
            inputs: Vec::new(),
            stdout: StdoutMode::Grouped,
            keep_order: false,
            keep_spills: false,
            spill_folder: std::env::temp_dir(),
            progress: ProgressMode::Auto,
            summary: true,
            total: None,
            workers: 1,
            program: "farm",
            anchor,
        }
    }
}
