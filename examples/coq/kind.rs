//! The kind: a task is a file, a worker has one `coqc` check it, and what that said comes back as notes with places.
//! Knows no other file and no order: what the file needs must have been compiled before.

use farm::prelude::*;
use farm::protocol::Termination;
use farm::worker::child::reap;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, Read as _};
use std::process::{Command, Stdio};

/// How much of what one `coqc` says is kept, in bytes.
const SAID_MAX: usize = 256 << 10;

/// The arguments of a `coqc`, its file last.
type Words = Vec<String>;

/// How it ended and what it said: an error among it, unless the file is right.
type Said = (Termination, Vec<Note>);

pub(crate) struct Coq;

impl Wire for Coq {
    const NAME: &'static str = "coq";
    const VERSION: u32 = 1;
    type Request = Words;
    type Response = Said;
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Coq {
    type Wire = Self;
    type Task = Words;
    type Competence = ();
    type Output = Vec<Note>;
    type Failure = Vec<Note>;

    fn request_of_task(&mut self, _: &WorkerStatus<()>, words: &Words) -> Option<Words> {
        Some(words.clone())
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Words, said: Said) -> Verdict<Self> {
        match said.0 {
            Termination::Exited(0) => Verdict::done(said.1, ()),
            // A file that is wrong stays wrong; a `coqc` that somebody killed says nothing about its file.
            Termination::Exited(_) | Termination::Lost => Verdict::failed(said.1, ()).fatal(),
            Termination::Signaled { .. } => Verdict::failed(said.1, ()),
        }
    }
}

impl Perform for Coq {
    type Wire = Self;

    fn perform(&mut self, words: Words, context: &Context<'_, Self>) -> Said {
        let (ended, said) = run(&words, context).unwrap_or_else(|error| {
            let said = format!("Error: `coqc` cannot be run: {error}");
            (Termination::Lost, said.into_bytes())
        });
        let file = words.last().map_or("", String::as_str);
        let mut notes = notes_of(file, &String::from_utf8_lossy(&said));
        if ended != Termination::Exited(0) && !notes.iter().any(|note| note.error) {
            notes.push(Note::of_file(
                file,
                format!("`coqc` gave no error: {ended}"),
            ));
        }
        (ended, notes)
    }
}

/// Runs `coqc` to its end, or kills it as soon as the attempt is cancelled.
fn run(words: &Words, context: &Context<'_, Coq>) -> io::Result<(Termination, Vec<u8>)> {
    let (mut reader, writer) = io::pipe()?;
    let mut command = Command::new("coqc");
    command.args(words).stdin(Stdio::null());
    let mut coqc = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // With our own ends for writing: the pipe ends with `coqc`.
    drop(command);
    let (mut said, mut buffer) = (Vec::new(), [0; 8 << 10]);
    loop {
        let cancel = context.cancel_fd();
        let mut fds = [
            PollFd::new(&reader, PollFlags::IN),
            PollFd::new(&cancel, PollFlags::IN),
        ];
        retry_on_intr(|| poll(&mut fds, None))?;
        if context.cancelled() {
            break coqc.kill()?;
        }
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        said.extend_from_slice(&buffer[..count.min(SAID_MAX - said.len())]);
    }
    reap(coqc.id()).map(|(termination, _)| (termination, said))
}

/// An error or a warning.
#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub(crate) struct Note {
    /// `file:line:column`, both from 1, the column in bytes; without them: the whole file.
    place: String,
    pub(crate) error: bool,
    text: String,
}

impl Note {
    /// An error that has no line.
    pub(crate) fn of_file(file: &str, text: String) -> Self {
        let (place, error) = (file.to_owned(), true);
        Self { place, error, text }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.error { "error" } else { "warning" };
        let text = self.text.trim().replace('\n', "\n    ");
        write!(f, "{}: {word}: {text}", self.place)
    }
}

/// The notes in `said`. What is in none is output of the file (`Print`, `Compute`), and left out.
fn notes_of(file: &str, said: &str) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    let (mut place, mut open) = (file.to_owned(), false);
    for line in said.lines() {
        let warning = line.strip_prefix("Warning:");
        if let Some(found) = place_of(line) {
            (place, open) = (found, false);
        } else if let Some(text) = warning.or_else(|| line.strip_prefix("Error:")) {
            let (place, error, text) = (place.clone(), warning.is_none(), text.to_owned());
            notes.push(Note { place, error, text });
            open = true;
        } else if let Some(note) = notes.last_mut().filter(|_| open) {
            note.text += &format!("\n{line}");
            // A warning ends with its name, and the file goes on. An error is the last that is said.
            open = note.error || !line.ends_with(']');
        }
    }
    notes
}

/// `File "./a/B.v", line 3, characters 4-9:`, also with `lines 3-5`.
fn place_of(line: &str) -> Option<String> {
    let (file, rest) = line.strip_prefix("File \"")?.split_once("\", line")?;
    let (lines, columns) = rest.split_once(", characters ")?;
    let first = |range: &str| range.split('-').next()?.parse::<u32>().ok();
    let line = first(lines.trim_start_matches(['s', ' ']))?;
    let (file, column) = (file.trim_start_matches("./"), first(columns)? + 1);
    Some(format!("{file}:{line}:{column}"))
}
