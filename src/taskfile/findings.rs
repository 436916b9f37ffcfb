//! Collects what is wrong while a text is read, and turns byte offsets into lines, columns and excerpts at the end.
//!
//! Owns the cap on reported errors and the arithmetic of places. It does not know what can be wrong. A text without
//! errors pays nothing here: lines are counted only for a report.

use std::ops::Range;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::scan::Flaw;

/// Errors reported at once; further ones are only counted.
pub const MAX_DIAGNOSTICS: usize = 100;

/// Characters of a long line shown before and from the place of an error on.
const EXCERPT_BEFORE: usize = 50;
const EXCERPT_AFTER: usize = 60;

/// The second place of an error.
#[derive(Clone, Copy, Debug)]
pub(super) enum Also {
    /// A byte offset in the same text.
    Offset(usize),
    /// A line and a column, both from 1: a place that was read long ago and is gone.
    Place(usize, usize),
}

/// One error, by byte offsets.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) span: Range<usize>,
    pub(super) path: String,
    pub(super) message: String,
    pub(super) also: Option<Also>,
    pub(super) help: Option<String>,
}

impl Finding {
    pub(super) fn new(span: Range<usize>, path: String, message: impl Into<String>) -> Self {
        Self {
            span,
            path,
            message: message.into(),
            also: None,
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn also(mut self, also: Also) -> Self {
        self.also = Some(also);
        self
    }

    /// A text that is not JSON.
    pub(super) fn syntax(flaw: Flaw, path: String) -> Self {
        Self {
            also: flaw.also.map(Also::Offset),
            ..Self::new(flaw.span, path, flaw.message)
        }
    }
}

/// All errors of one text so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    more: usize,
}

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        if !self.count_if_full() {
            self.list.push(finding);
        }
    }

    /// How many errors there are so far.
    pub(super) fn count(&self) -> usize {
        self.list.len() + self.more
    }

    /// Counts one more error if it would not be shown anyway; spares the caller the work of describing it.
    pub(super) fn count_if_full(&mut self) -> bool {
        let full = self.is_full();
        self.more += usize::from(full);
        full
    }

    /// Whether further errors would not be shown.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MAX_DIAGNOSTICS
    }

    /// The report, or `Ok` when nothing was found. `text` starts with line `first_line` (from 1) of `file`.
    pub(super) fn report(
        self,
        file: &str,
        text: &str,
        first_line: usize,
    ) -> Result<(), Diagnostics> {
        if self.list.is_empty() {
            return Ok(());
        }
        let mut list = self.list;
        list.sort_by_key(|finding| finding.span.start);
        let mut offsets: Vec<usize> = list.iter().map(|finding| finding.span.start).collect();
        offsets.extend(list.iter().filter_map(|finding| match finding.also {
            Some(Also::Offset(offset)) => Some(offset),
            Some(Also::Place(..)) | None => None,
        }));
        offsets.sort_unstable();
        offsets.dedup();
        let places = places(text, first_line, &offsets);
        let place = |offset: usize| {
            let index = offsets
                .binary_search(&offset)
                .expect("every offset used was listed");
            &places[index]
        };
        let shown = list
            .into_iter()
            .map(|finding| {
                let here = place(finding.span.start);
                let also = finding.also.map(|also| match also {
                    Also::Offset(offset) => (place(offset).line, place(offset).column),
                    Also::Place(line, column) => (line, column),
                });
                let (excerpt, caret) = excerpt(text, here.line_start, &finding.span);
                Diagnostic {
                    file: file.to_owned(),
                    line: here.line,
                    column: here.column,
                    path: finding.path,
                    message: finding.message,
                    excerpt,
                    caret,
                    also,
                    help: finding.help,
                }
            })
            .collect();
        Err(Diagnostics {
            shown,
            more: self.more,
        })
    }
}

struct Place {
    line: usize,
    column: usize,
    line_start: usize,
}

/// The places of sorted `offsets`, in one pass: a file may be one line of a gigabyte.
fn places(text: &str, first_line: usize, offsets: &[usize]) -> Vec<Place> {
    let bytes = text.as_bytes();
    let (mut at, mut line, mut column, mut line_start) = (0, first_line, 1, 0);
    offsets
        .iter()
        .map(|&offset| {
            while at < offset.min(bytes.len()) {
                if bytes[at] == b'\n' {
                    (line, column, line_start) = (line + 1, 1, at + 1);
                } else if text.is_char_boundary(at + 1) {
                    column += 1;
                }
                at += 1;
            }
            Place {
                line,
                column,
                line_start,
            }
        })
        .collect()
}

/// The source line around `span`, and what to underline in it. A span over several lines is underlined in its first.
fn excerpt(text: &str, line_start: usize, span: &Range<usize>) -> (String, (usize, usize)) {
    let mut start = span.start.min(text.len());
    // The parser's spans are trusted for the report, not with our life.
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let before: Vec<char> = text[line_start..start]
        .chars()
        .rev()
        .take(EXCERPT_BEFORE + 1)
        .collect();
    let mut shown = String::new();
    let mut caret = before.len();
    if before.len() > EXCERPT_BEFORE {
        shown.push('…');
        shown.extend(before[..EXCERPT_BEFORE].iter().rev().map(|&c| printable(c)));
        caret = EXCERPT_BEFORE + 1;
    } else {
        shown.extend(before.iter().rev().map(|&c| printable(c)));
    }
    let mut width = 0;
    let mut after = text[start..].char_indices();
    for (offset, found) in after.by_ref().take(EXCERPT_AFTER) {
        if found == '\n' || found == '\r' {
            return (shown, (caret, width.max(1)));
        }
        shown.push(printable(found));
        width += usize::from(start + offset < span.end);
    }
    if after
        .next()
        .is_some_and(|(_, found)| found != '\n' && found != '\r')
    {
        shown.push('…');
    }
    (shown, (caret, width.max(1)))
}

/// One printed column per character, and nothing that a terminal would obey.
fn printable(found: char) -> char {
    match found {
        '\t' => ' ',
        _ if found.is_control() => '\u{fffd}',
        _ => found,
    }
}
