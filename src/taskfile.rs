//! The task file: what `farm run tasks.json` reads.
//!
//! Owns the three spellings (a JSON array, a document, JSON Lines), the fields of a task, and error reports that show
//! the place. It does not know what is done with a task, and opens no file that a task names.
//!
//! * An **array** or a **document** `{version, defaults, limits, tasks}` is read whole; all its errors come at once,
//!   and needs may point forward. **JSON Lines** are read lazily; needs name earlier tasks, and reading ends with the
//!   first bad line.
//! * The spelling is told from the content, see [`detect::Form`]. One line such as `["a", "b"]` with nothing after it
//!   could be one JSON Lines task or an array of two shell lines: it is an **array**, unless the form is given. Only
//!   for a first line that is a whole array does detection wait for a second line; a producer that writes one such
//!   task and waits should have its form given.
//! * Relative paths (`cwd`, `stdin.file`, `stdout`, `stderr`) start at the folder of the task file, not of the caller;
//!   on standard input at the current directory. In `stdout` and `stderr` the words `capture`, `inherit`, `null` (and
//!   for `stderr` also `stdout`) are not paths: a file of that name is `./null`.
//! * A program made with [`main!`](crate::main) reads tasks of its own kinds: `{"kind": …, "input": …}` and every field
//!   that is not about commands. `kind` may stand in `defaults`, and be left out where there is one kind. The input is
//!   read into the kind's own task type: what that type takes is what a file may say, and each error shows its place.
//! * Paths in reports count tasks from 0, as JSON paths do; positions and default ids count from 1.

mod detect;
mod diagnostic;
mod document;
mod duration;
mod fields;
mod findings;
mod graph;
mod ids;
mod input;
mod lines;
mod scan;
mod shape;
mod size;
mod spec;
mod suggest;
mod text;
mod values;
mod whole;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read};
use std::num::NonZeroU32;
use std::path::PathBuf;

pub use detect::{Form, UnknownForm};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use duration::{DurationError, MAX_DURATION, parse_duration};
pub use findings::MAX_DIAGNOSTICS;
pub use ids::MAX_ID_BYTES;
pub(crate) use input::from_text;
pub use lines::{LineReader, MAX_LINE_BYTES};
pub use shape::{InputShape, Shapes};
pub use size::{SizeError, parse_bytes};
pub use spec::{IdKind, KindTask, Need, Run, Settings, Stderr, Stdin, Stdout, TaskSpec};
pub(crate) use suggest::closest;

/// The largest array or document accepted, in bytes: it is held whole. JSON Lines have no such limit.
pub const MAX_INPUT_BYTES: usize = 1 << 30;

/// What a task file is read with, besides its text.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Where relative paths start: the folder of the task file; empty for the current directory.
    pub base_dir: PathBuf,
    /// The limits declared on the command line, which `limit` may name besides those of the document.
    pub limits: BTreeSet<Box<str>>,
    /// What a task may be.
    pub shapes: Shapes,
}

/// A whole task file: every need exists, no task needs itself through others, ids are unique.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskList {
    /// The tasks in the order of the file; the task at index `i` has `seq` = `i + 1`.
    pub tasks: Vec<TaskSpec>,
    /// The document's `limits` in its order: name and how many may run at once.
    pub limits: Vec<(Box<str>, NonZeroU32)>,
    /// Indexes into `tasks`, each once, every needed task before those that need it; otherwise in file order.
    pub order: Vec<u32>,
}

/// Where tasks come from, once the spelling is known.
#[derive(Debug)]
pub enum TaskSource<R> {
    /// An array or a document: read, checked.
    Whole(TaskList),
    /// JSON Lines: nothing is read yet but what telling the spelling took. Boxed, because it is large.
    Lines(Box<LineReader<Resumed<R>>>),
}

/// A reader whose beginning was read already to tell the spelling.
pub type Resumed<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// Tells the spelling of `input` (unless `form` gives it), and reads it whole or prepares to read it line by line.
/// `name` is what reports call it.
///
/// # Errors
/// All that is wrong with an array or document, or why the input cannot be read. Errors of JSON Lines come from the
/// reader.
pub fn open<R: BufRead>(
    mut input: R,
    name: &str,
    options: ReadOptions,
    form: Option<Form>,
) -> Result<TaskSource<R>, Diagnostics> {
    let unreadable = |error: io::Error| {
        Diagnostics::about_input(name, format!("cannot read the task file: {error}"), None)
    };
    let (form, mut seen) = match form {
        Some(form) => (form, Vec::new()),
        None => detect::detect(&mut input).map_err(unreadable)?,
    };
    match form {
        Form::Lines => {
            let resumed = io::Cursor::new(seen).chain(input);
            Ok(TaskSource::Lines(Box::new(LineReader::new(
                resumed, name, options,
            ))))
        }
        Form::Array | Form::Document => {
            let room = (MAX_INPUT_BYTES + 1).saturating_sub(seen.len());
            input
                .take(room as u64)
                .read_to_end(&mut seen)
                .map_err(unreadable)?;
            read_eager(name, &seen, &options, Some(form)).map(TaskSource::Whole)
        }
    }
}

/// Reads and checks a whole task file of any form, JSON Lines too, without running anything: for `farm check`, and for
/// files that are in memory. `None` tells the form from the content.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text.
pub fn read_eager(
    name: &str,
    bytes: &[u8],
    options: &ReadOptions,
    form: Option<Form>,
) -> Result<TaskList, Diagnostics> {
    let form = match form {
        Some(form) => form,
        None => detect::detect(&mut &*bytes).expect("memory can be read").0,
    };
    if form != Form::Lines && bytes.len() > MAX_INPUT_BYTES {
        let message = format!("the task file is larger than {} MiB", MAX_INPUT_BYTES >> 20);
        let help = "JSON Lines (one task per line) may have any size".to_owned();
        return Err(Diagnostics::about_input(name, message, Some(help)));
    }
    match form {
        Form::Array => document::read_array(name, text::decode(bytes, name, 1)?, options),
        Form::Document => document::read_document(name, text::decode(bytes, name, 1)?, options),
        Form::Lines => lines::read_all(name, bytes, options),
    }
}
