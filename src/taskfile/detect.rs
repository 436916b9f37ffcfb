//! Tells the spelling of a task file from its beginning.
//!
//! Owns the rules, and how much must be read for them: one line, or for a first line that is a whole array, also the
//! next line that is not blank. It does not judge whether the text is right.

use std::io::{self, BufRead, Read};
use std::str::FromStr;

use thiserror::Error;

use super::lines::MAX_LINE_BYTES;
use super::scan::{Scan, members};
use super::text;

/// A spelling of the task file.
///
/// The content tells it: a first line that is a whole JSON value and has another line after it begins JSON Lines, and
/// so does a string, and an object on one line without the keys of a document. An array, also one of a single line
/// with nothing after it, is an array. Any other object is a document. Blank lines do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// A JSON array of tasks.
    Array,
    /// A JSON object with `tasks`, and perhaps `version`, `defaults` and `limits`.
    Document,
    /// One JSON task per line.
    Lines,
}

impl Form {
    /// Every form with the word for it on the command line.
    pub const WORDS: [(&'static str, Self); 3] = [
        ("array", Self::Array),
        ("document", Self::Document),
        ("lines", Self::Lines),
    ];
}

/// A word that names no form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a form of task file: expected array, document or lines")]
pub struct UnknownForm(String);

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(word: &str) -> Result<Self, UnknownForm> {
        let found = Self::WORDS.iter().find(|(name, _)| *name == word);
        found
            .map(|(_, form)| *form)
            .ok_or_else(|| UnknownForm(word.to_owned()))
    }
}

/// What the first line that is not blank tells.
enum FirstLine {
    Is(Form),
    /// A whole array: one task if a further line follows, otherwise the whole list.
    WholeArray,
}

/// The form of `input`, and what was read of it.
pub(super) fn detect(input: &mut impl BufRead) -> io::Result<(Form, Vec<u8>)> {
    let mut seen = Vec::new();
    let Some(start) = next_line(input, &mut seen)? else {
        return Ok((Form::Lines, seen));
    };
    match judge(&String::from_utf8_lossy(&seen[start..])) {
        FirstLine::Is(form) => Ok((form, seen)),
        FirstLine::WholeArray => {
            let further = next_line(input, &mut seen)?;
            Ok((
                if further.is_some() {
                    Form::Lines
                } else {
                    Form::Array
                },
                seen,
            ))
        }
    }
}

/// Reads on over blank lines and one that is not (or the beginning of one longer than any task), and answers where it
/// starts; `None` at the end, and also after too many blanks to keep, which only JSON Lines can carry on from.
fn next_line(input: &mut impl BufRead, seen: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let limit = seen.len() + MAX_LINE_BYTES;
    loop {
        let start = seen.len();
        input
            .take(MAX_LINE_BYTES as u64 + 1)
            .read_until(b'\n', seen)?;
        if seen.len() == start {
            return Ok(None);
        }
        let line = if start == 0 {
            text::without_mark(seen)
        } else {
            &seen[start..]
        };
        if !text::is_blank(line) || seen.len() > limit {
            return Ok(Some(seen.len() - line.len()));
        }
    }
}

fn judge(line: &str) -> FirstLine {
    let line = line.trim_end_matches(['\n', '\r', ' ', '\t']);
    let mut scan = Scan::new(line, 0);
    match scan.peek() {
        Some(b'[') => match scan.value() {
            Ok(_) if scan.peek().is_none() => FirstLine::WholeArray,
            Ok(_) | Err(_) => FirstLine::Is(Form::Array),
        },
        Some(b'{') => {
            let mut whole = scan.clone();
            match whole.value() {
                Ok(_) => {
                    let keys = members(&mut scan).unwrap_or_default();
                    let has = |word: &str| {
                        keys.iter()
                            .any(|(key, _)| line[key.clone()].trim_matches('"') == word)
                    };
                    let runs = ["command", "shell", "kind", "input"].into_iter().any(has);
                    let document = has("tasks")
                        || (!runs && (has("version") || has("defaults") || has("limits")));
                    FirstLine::Is(if document {
                        Form::Document
                    } else {
                        Form::Lines
                    })
                }
                Err(flaw) if flaw.incomplete => FirstLine::Is(Form::Document),
                Err(_) => FirstLine::Is(Form::Lines),
            }
        }
        Some(_) | None => FirstLine::Is(Form::Lines),
    }
}
