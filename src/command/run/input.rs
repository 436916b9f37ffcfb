//! Where the tasks come from: opens the file, tells its spelling, reads the eager ones whole.

use crate::taskfile::{
    Form, LineReader, ReadOptions, Resumed, Shapes, TaskList, TaskSource, open as open_tasks,
};
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal as _, stdin};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// Bytes read at a time.
const READ_BYTES: usize = 64 << 10;

/// The name of standard input in reports.
const STDIN: &str = "<stdin>";

type Reader = Box<dyn BufRead + Send>;

/// The tasks of a run.
pub(in crate::command) struct Input {
    /// The file, unless it is standard input: nothing may write to it.
    pub(super) path: Option<PathBuf>,
    pub(in crate::command) tasks: Tasks,
}

/// Read, or to be read.
pub(in crate::command) enum Tasks {
    Whole(TaskList),
    Lines(Box<LineReader<Resumed<Reader>>>),
}

/// Opens and detects; an eager form is read and checked whole. `command` is what was typed before the file.
///
/// # Errors
/// Everything that is wrong, as text for people.
pub(in crate::command) fn open(
    file: Option<&Path>,
    form: Option<Form>,
    command: &str,
    limits: &[(Box<str>, NonZeroU32)],
    shapes: Shapes,
) -> Result<Input, String> {
    let path = file
        .filter(|path| path.as_os_str() != "-")
        .map(Path::to_path_buf);
    let (reader, title, base_dir): (Reader, String, PathBuf) = match &path {
        Some(path) => (
            Box::new(BufReader::with_capacity(READ_BYTES, open_file(path)?)),
            path.display().to_string(),
            path.parent().map(Path::to_path_buf).unwrap_or_default(),
        ),
        None => {
            if file.is_none() && stdin().is_terminal() {
                return Err(format!(
                    "error: no task file; name one, or give tasks on standard input \
                     (`{command} tasks.json`, `… | {command} -`)"
                ));
            }
            let reader = BufReader::with_capacity(READ_BYTES, stdin());
            (Box::new(reader), STDIN.to_string(), PathBuf::new())
        }
    };
    let options = ReadOptions {
        base_dir,
        limits: limits.iter().map(|(name, _)| name.clone()).collect(),
        shapes,
    };
    let source =
        open_tasks(reader, &title, options, form).map_err(|diagnostics| diagnostics.to_string())?;
    let tasks = match source {
        TaskSource::Whole(list) => Tasks::Whole(list),
        TaskSource::Lines(reader) => Tasks::Lines(reader),
    };
    Ok(Input { path, tasks })
}

fn open_file(path: &Path) -> Result<File, String> {
    let opened = File::open(path).and_then(|file| {
        if file.metadata()?.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        Ok(file)
    });
    opened.map_err(|error| {
        format!(
            "error: cannot read the task file {}: {error}",
            path.display()
        )
    })
}

impl Input {
    /// How many tasks there are, when that is known.
    pub(super) fn total(&self) -> Option<u64> {
        match &self.tasks {
            Tasks::Whole(list) => Some(list.tasks.len() as u64),
            Tasks::Lines(_) => None,
        }
    }

    /// How many tasks must be able to wait in the farm. A list whose tasks differ in when they may
    /// start must be there whole: otherwise a window full of tasks that wait for one would hide
    /// others that could run. `None`: any window will do.
    pub(super) fn wanted_window(&self) -> Option<usize> {
        let Tasks::Whole(list) = &self.tasks else {
            return None;
        };
        let special = list.tasks.iter().any(|task| {
            let settings = &task.settings;
            !task.needs.is_empty() || settings.priority != 0 || settings.limit.is_some()
        });
        special.then_some(list.tasks.len())
    }

    /// The document's limits and those of the command line, which win.
    pub(super) fn all_limits(
        &self,
        mut declared: Vec<(Box<str>, NonZeroU32)>,
    ) -> Vec<(Box<str>, NonZeroU32)> {
        if let Tasks::Whole(list) = &self.tasks {
            for (name, cap) in &list.limits {
                if !declared.iter().any(|(other, _)| other == name) {
                    declared.push((name.clone(), *cap));
                }
            }
        }
        declared
    }
}
