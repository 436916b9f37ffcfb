//! Typed access to parsed JSON, with every disappointment noted at its place.
//!
//! Owns the wording of "expected this, found that" and the path of a value. It does not know what the fields of a
//! task mean.

mod compact;
mod members;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseError;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::duration;
use super::findings::{Finding, Findings};
use super::shape::Shapes;
use super::suggest::{Where, suggest};

pub(super) use members::Member;

/// The way from the top of the file to a value; costs nothing until it is printed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trail<'t> {
    /// The document itself.
    Document,
    /// The task at this index, from 0.
    Task(u64),
    /// A member of an object.
    Key(&'t Self, &'t str),
    /// An element of an array.
    Index(&'t Self, usize),
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => Ok(()),
            Self::Task(index) => write!(f, "tasks[{index}]"),
            Self::Index(of, index) => write!(f, "{of}[{index}]"),
            Self::Key(of, key) => {
                let plain = !key.is_empty()
                    && key
                        .chars()
                        .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
                match (of, plain) {
                    (Self::Document, true) => f.write_str(key),
                    (_, true) => write!(f, "{of}.{key}"),
                    (_, false) => write!(f, "{of}[{key:?}]"),
                }
            }
        }
    }
}

/// What is needed to read values, and what was found wrong so far.
#[derive(Debug)]
pub(super) struct Reading<'r> {
    pub(super) findings: Findings,
    /// The offset in the whole text of the value being read: it was parsed by itself.
    pub(super) base: usize,
    /// Where relative paths start.
    pub(super) base_dir: &'r Path,
    /// The names that `limit` may have.
    pub(super) limits: &'r BTreeSet<Box<str>>,
    /// What a task may be.
    pub(super) shapes: &'r Shapes,
}

impl<'r> Reading<'r> {
    pub(super) fn new(
        base_dir: &'r Path,
        limits: &'r BTreeSet<Box<str>>,
        shapes: &'r Shapes,
    ) -> Self {
        Self {
            findings: Findings::default(),
            base: 0,
            base_dir,
            limits,
            shapes,
        }
    }

    /// Parses the value at `span` of `text`; strict JSON. `None` after noting why it is none.
    pub(super) fn parse<'t>(
        &mut self,
        text: &'t str,
        span: Range<usize>,
        trail: &Trail<'_>,
    ) -> Option<Value<'t>> {
        self.base = span.start;
        match strict(&text[span.clone()]) {
            Ok(value) => value,
            Err(error) => {
                let mut message = error.kind().to_string();
                if let Some(first) = message.get_mut(..1) {
                    first.make_ascii_lowercase();
                }
                let at = error.range();
                let span = span.start + at.start..span.start + at.end;
                self.findings
                    .push(Finding::new(span, trail.to_string(), message));
                None
            }
        }
    }

    /// The place of `of` in the whole text.
    pub(super) fn span(&self, of: &impl Ranged) -> Range<usize> {
        self.base + of.start()..self.base + of.end()
    }

    /// Notes that something is wrong with `of`.
    pub(super) fn wrong(
        &mut self,
        of: &impl Ranged,
        trail: &Trail<'_>,
        message: impl Into<String>,
    ) {
        self.findings
            .push(Finding::new(self.span(of), trail.to_string(), message));
    }

    /// Notes that something is wrong with `of`, and what to do.
    pub(super) fn wrong_but(
        &mut self,
        of: &impl Ranged,
        trail: &Trail<'_>,
        message: impl Into<String>,
        help: &str,
    ) {
        self.findings
            .push(Finding::new(self.span(of), trail.to_string(), message).help(help));
    }

    /// Notes that `value` is of the wrong type.
    pub(super) fn unexpected(
        &mut self,
        value: &Value<'_>,
        trail: &Trail<'_>,
        expected: &str,
        help: Option<&str>,
    ) {
        let message = format!("expected {expected}, found {}", type_of(value));
        let finding = Finding::new(self.span(value), trail.to_string(), message);
        self.findings.push(match help {
            Some(help) => finding.help(help),
            None => finding,
        });
    }

    /// A string, whatever it holds.
    pub(super) fn text<'v>(&mut self, value: &'v Value<'_>, trail: &Trail<'_>) -> Option<&'v str> {
        match value {
            Value::StringLit(literal) => Some(&literal.value),
            Value::NumberLit(_) | Value::BooleanLit(_) => {
                self.unexpected(value, trail, "a string", Some("put it in double quotes"));
                None
            }
            Value::Object(_) | Value::Array(_) | Value::NullKeyword(_) => {
                self.unexpected(value, trail, "a string", None);
                None
            }
        }
    }

    /// A string that a system call can take.
    pub(super) fn plain_text<'v>(
        &mut self,
        value: &'v Value<'_>,
        trail: &Trail<'_>,
    ) -> Option<&'v str> {
        let text = self.text(value, trail)?;
        if text.contains('\0') {
            self.wrong(value, trail, "a NUL byte cannot be passed to a command");
            return None;
        }
        Some(text)
    }

    /// A path that is not empty, joined to the folder of the file.
    pub(super) fn path(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<PathBuf> {
        let text = self.plain_text(value, trail)?;
        if text.is_empty() {
            self.wrong(value, trail, "an empty path");
            return None;
        }
        Some(self.base_dir.join(text))
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<bool> {
        if let Value::BooleanLit(literal) = value {
            return Some(literal.value);
        }
        self.unexpected(value, trail, "true or false", None);
        None
    }

    /// An integer within a range.
    pub(super) fn integer(
        &mut self,
        value: &Value<'_>,
        trail: &Trail<'_>,
        range: (i64, i64),
    ) -> Option<i64> {
        let (low, high) = range;
        let Value::NumberLit(literal) = value else {
            let expected = format!("an integer from {low} to {high}");
            self.unexpected(value, trail, &expected, None);
            return None;
        };
        match literal.value.parse::<i64>() {
            Ok(number) if (low..=high).contains(&number) => Some(number),
            Ok(_) | Err(_) => {
                let message = format!(
                    "expected an integer from {low} to {high}, found {}",
                    literal.value
                );
                self.wrong(value, trail, message);
                None
            }
        }
    }

    /// A length of time: a number of seconds, or text with units.
    pub(super) fn duration(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<Duration> {
        let parsed = match value {
            Value::NumberLit(literal) => duration::seconds_of_number(literal.value),
            Value::StringLit(literal) => duration::parse_duration(&literal.value),
            Value::BooleanLit(_) | Value::Object(_) | Value::Array(_) | Value::NullKeyword(_) => {
                self.unexpected(value, trail, "a duration", Some(DURATION_HELP));
                return None;
            }
        };
        match parsed {
            Ok(length) => Some(length),
            Err(error) => {
                self.wrong_but(value, trail, error.to_string(), DURATION_HELP);
                None
            }
        }
    }

    /// The elements of an array.
    pub(super) fn list<'v, 't>(
        &mut self,
        value: &'v Value<'t>,
        trail: &Trail<'_>,
        of: &str,
    ) -> Option<&'v [Value<'t>]> {
        if let Value::Array(array) = value {
            return Some(&array.elements);
        }
        self.unexpected(
            value,
            trail,
            &format!("an array of {of}"),
            Some("put it in brackets: [ … ]"),
        );
        None
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        value: &Value<'_>,
        trail: &Trail<'_>,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let Value::StringLit(literal) = value else {
            self.unexpected(value, trail, &one_of(words), None);
            return None;
        };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == literal.value) {
            return Some(*meaning);
        }
        let names: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
        let mut message = format!(
            "expected {}, found `{}`",
            one_of(words),
            literal.value.escape_debug()
        );
        if let Some(meant) = suggest(&literal.value, Where::Elsewhere, &names).meant {
            message.push_str(&format!(" — did you mean `{meant}`?"));
        }
        self.wrong(value, trail, message);
        None
    }
}

/// Parses strict JSON; `None` for a text of blanks.
pub(super) fn strict(text: &str) -> Result<Option<Value<'_>>, ParseError> {
    let options = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options)?;
    Ok(parsed.value)
}

const DURATION_HELP: &str =
    "write a number of seconds, or text such as \"250ms\", \"1m 30s\", \"2h\"";

fn one_of<T>(words: &[(&'static str, T)]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|(word, _)| format!("\"{word}\""))
        .collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some(_) | None => quoted.concat(),
    }
}

/// What a value is, in words.
pub(super) fn type_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::StringLit(_) => "a string",
        Value::NumberLit(_) => "a number",
        Value::BooleanLit(literal) if literal.value => "true",
        Value::BooleanLit(_) => "false",
        Value::Object(_) => "an object",
        Value::Array(_) => "an array",
        Value::NullKeyword(_) => "null",
    }
}
