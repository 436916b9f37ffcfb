//! The workers' half: commands, with a note at the begin and at the end of each.
//!
//! A note is a file as long as the command runs, named after the worker and the task. Right after its own, a worker
//! counts the notes of workers that live. A folder is listed as it is at one instant, and who lives later has lived
//! then, so that the count is never too high.

use super::process::{MARK, Process};
use farm::exec::{CommandRequest, CommandResponse, CommandWire, Commands};
use farm::worker::{Context, Perform};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The variable that names the folder of the notes. Without it, nothing is noted.
pub(crate) const FOLDER: &str = "FARM_STORM_NOTES";

/// In that folder: those that run, and what there was to say so far.
const NOW: &str = "now";
const LOG: &str = "log";

/// Performs commands and takes notes.
#[derive(Default)]
pub(crate) struct Noting(Commands);

impl Perform for Noting {
    type Wire = CommandWire;

    fn perform(
        &mut self,
        request: CommandRequest,
        context: &Context<'_, CommandWire>,
    ) -> CommandResponse {
        let Some(folder) = std::env::var_os(FOLDER) else {
            return self.0.perform(request, context);
        };
        let mark = request.env.iter().find(|(name, _)| name == MARK);
        let task = mark.and_then(|(_, task)| task.parse().ok());
        let own = i32::try_from(std::process::id()).expect("as the system counts");
        let note = Note {
            worker: Process::of(own).expect("this one lives"),
            task: task.expect("each has a mark"),
        };
        let folder = PathBuf::from(folder);
        note.begin(&folder);
        let said = self.0.perform(request, context);
        note.end(&folder);
        said
    }
}

/// That a worker executes a task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    pub(crate) worker: Process,
    pub(crate) task: u64,
}

impl Note {
    fn path(self, folder: &Path) -> PathBuf {
        let Process { pid, start } = self.worker;
        folder
            .join(NOW)
            .join(format!("{pid}.{start}.{}", self.task))
    }

    fn of(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let worker = Process {
            pid: parts.next()?.parse().ok()?,
            start: parts.next()?.parse().ok()?,
        };
        let task = parts.next()?.parse().ok()?;
        Some(Self { worker, task })
    }

    fn begin(self, folder: &Path) {
        File::create(self.path(folder)).expect("a note");
        let count = running(folder).len();
        log(folder, &format!("begin {count}\n"));
    }

    fn end(self, folder: &Path) {
        fs::remove_file(self.path(folder)).expect("the note");
        log(folder, "end\n");
    }

    /// Whether it has not ended. One whose worker has died stays.
    pub(crate) fn stands(self, folder: &Path) -> bool {
        self.path(folder).exists()
    }
}

fn log(folder: &Path, line: &str) {
    let file = OpenOptions::new().append(true).open(folder.join(LOG));
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.expect("a line of the log");
}

/// Makes a folder ready for notes.
pub(crate) fn prepare(folder: &Path) {
    fs::create_dir(folder.join(NOW)).expect("a folder");
    File::create(folder.join(LOG)).expect("a log");
}

/// What runs, as the workers that live have noted it.
pub(crate) fn running(folder: &Path) -> Vec<Note> {
    all(folder)
        .into_iter()
        .filter(|note| note.worker.lives())
        .collect()
}

/// The same, and clears away what is left of dead workers.
pub(crate) fn tidied(folder: &Path) -> Vec<Note> {
    let (live, dead): (Vec<_>, Vec<_>) = all(folder)
        .into_iter()
        .partition(|note| note.worker.lives());
    for note in dead {
        fs::remove_file(note.path(folder)).expect("nobody else clears away");
    }
    live
}

/// All notes, as the folder is at one instant.
fn all(folder: &Path) -> Vec<Note> {
    let entries = fs::read_dir(folder.join(NOW)).expect("the notes");
    let entries: Vec<_> = entries.flatten().collect();
    let names = entries.iter().map(fs::DirEntry::file_name);
    names.filter_map(|name| Note::of(name.to_str()?)).collect()
}

/// What the log says: how many began, how many of these said that they ended, and the most at a time.
pub(crate) fn told(folder: &Path) -> [usize; 3] {
    let text = fs::read_to_string(folder.join(LOG)).expect("the log");
    let begins = text.lines().filter_map(|line| line.strip_prefix("begin "));
    let counts: Vec<usize> = begins.filter_map(|count| count.parse().ok()).collect();
    let ends = text.lines().filter(|line| *line == "end").count();
    [counts.len(), ends, counts.into_iter().max().unwrap_or(0)]
}
