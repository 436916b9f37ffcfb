//! Finds where a JSON value ends, without building it.
//!
//! Owns brackets, strings and blanks: enough to cut a file into its tasks, each of which is then parsed by itself, so
//! that a file of a million tasks is never a tree in memory. It is stricter than the parser about characters (only
//! JSON's four blanks, no raw control characters) and bounds the depth, on which the parser recurses. It does not
//! check the grammar inside a value: the parser does.

use std::ops::Range;

/// The deepest nesting of arrays and objects accepted.
pub(super) const MAX_DEPTH: usize = 128;

/// Where and why a text is not JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// The bytes to point at.
    pub(super) span: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
    /// Another place that explains it, as a byte offset.
    pub(super) also: Option<usize>,
    /// Whether the text merely ended too early, so that more of it could mend it.
    pub(super) incomplete: bool,
}

impl Flaw {
    fn at(text: &str, at: usize, message: impl Into<String>) -> Self {
        let width = text[at..].chars().next().map_or(0, char::len_utf8);
        Self {
            span: at..at + width,
            message: message.into(),
            also: None,
            incomplete: false,
        }
    }
}

/// A place in a text, moving forward over blanks and values.
#[derive(Clone, Debug)]
pub(super) struct Scan<'t> {
    text: &'t str,
    /// The byte offset; always at a character's start.
    pub(super) at: usize,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }

    /// Moves over JSON's blanks and answers the byte after them.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Moves over blanks and over `byte`, if it is next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// A flaw at this place: what was expected, and what is there.
    pub(super) fn expected(&mut self, what: &str) -> Flaw {
        self.peek();
        let rest = &self.text[self.at..];
        let Some(found) = rest.chars().next() else {
            let message = format!("expected {what}, found the end of the text");
            return Flaw {
                incomplete: true,
                ..Flaw::at(self.text, self.at, message)
            };
        };
        let message = if rest.starts_with("//") || rest.starts_with("/*") || found == '#' {
            format!("expected {what}; JSON has no comments")
        } else {
            format!("expected {what}, found `{}`", visible(found))
        };
        Flaw::at(self.text, self.at, message)
    }

    /// Moves over one value and answers its bytes.
    pub(super) fn value(&mut self) -> Result<Range<usize>, Flaw> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => self.string()?,
            Some(b'[' | b'{') => self.container()?,
            Some(b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => self.word()?,
            Some(_) | None => return Err(self.expected("a value")),
        }
        Ok(start..self.at)
    }

    /// Moves over a number, `true`, `false` or `null`; whether the number is well formed is the parser's to say.
    fn word(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        while bytes
            .get(self.at)
            .is_some_and(|b| b.is_ascii_alphanumeric() || b"+-._".contains(b))
        {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        if word.starts_with(|first: char| first.is_ascii_alphabetic())
            && !["true", "false", "null"].contains(&word)
        {
            let message = format!("`{word}` is not JSON: text stands in double quotes");
            return Err(Flaw {
                span: start..self.at,
                ..Flaw::at(self.text, start, message)
            });
        }
        Ok(())
    }

    /// Moves over a string, of which the opening quote is next.
    fn string(&mut self) -> Result<(), Flaw> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        self.at += 1;
        loop {
            match bytes.get(self.at) {
                Some(b'"') => break,
                // The escaped byte is looked at only if it cannot end or break the string; the parser judges escapes.
                Some(b'\\')
                    if bytes
                        .get(self.at + 1)
                        .is_some_and(|b| matches!(b, b'"' | b'\\')) =>
                {
                    self.at += 2;
                }
                Some(b'\n' | b'\r') | None => {
                    let incomplete = self.at >= bytes.len();
                    let flaw = Flaw::at(self.text, start, "this string is not closed on its line");
                    return Err(Flaw {
                        span: start..self.at,
                        incomplete,
                        ..flaw
                    });
                }
                Some(byte) if *byte < 0x20 => {
                    let message =
                        format!("a raw control character in a string: write it as \\u{byte:04x}");
                    return Err(Flaw::at(self.text, self.at, message));
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Moves over an array or object, of which the opening bracket is next.
    fn container(&mut self) -> Result<(), Flaw> {
        let bytes = self.text.as_bytes();
        let mut open: Vec<usize> = Vec::new();
        loop {
            match bytes.get(self.at) {
                Some(b'[' | b'{') => {
                    if open.len() == MAX_DEPTH {
                        let message = format!("nested deeper than {MAX_DEPTH} levels");
                        return Err(Flaw::at(self.text, self.at, message));
                    }
                    open.push(self.at);
                    self.at += 1;
                }
                Some(&close @ (b']' | b'}')) => {
                    let opened = open
                        .pop()
                        .expect("the loop ends when the last bracket is closed");
                    // In ASCII each closing bracket is two above its opening one.
                    if bytes[opened] + 2 != close {
                        let message = format!(
                            "`{}` cannot close `{}`",
                            char::from(close),
                            char::from(bytes[opened])
                        );
                        return Err(Flaw {
                            also: Some(opened),
                            ..Flaw::at(self.text, self.at, message)
                        });
                    }
                    self.at += 1;
                    if open.is_empty() {
                        return Ok(());
                    }
                }
                Some(b'"') => self.string()?,
                Some(b' ' | b'\t' | b'\n' | b'\r' | 0x21..=0x7e) => self.at += 1,
                Some(_) => {
                    let found = self.text[self.at..].chars().next().unwrap_or_default();
                    let message =
                        format!("`{}` is not part of JSON outside a string", visible(found));
                    return Err(Flaw::at(self.text, self.at, message));
                }
                None => {
                    let opened = *open
                        .last()
                        .expect("the loop ends when the last bracket is closed");
                    let message = format!("`{}` is never closed", char::from(bytes[opened]));
                    return Err(Flaw {
                        incomplete: true,
                        ..Flaw::at(self.text, opened, message)
                    });
                }
            }
        }
    }
}

/// A character as a report can name it: one that is a blank or invisible, by its number.
fn visible(found: char) -> String {
    if found.is_ascii_graphic() || found.is_alphanumeric() {
        found.to_string()
    } else {
        found.escape_unicode().to_string()
    }
}

/// Moves over an array element by element: call [`ArrayWalk::next`] until it answers `None`.
#[derive(Debug)]
pub(super) struct ArrayWalk {
    started: bool,
}

impl ArrayWalk {
    /// Enters the array that is next.
    pub(super) fn enter(scan: &mut Scan<'_>) -> Result<Self, Flaw> {
        if scan.take(b'[') {
            Ok(Self { started: false })
        } else {
            Err(scan.expected("`[`"))
        }
    }

    /// The next element's bytes; `None` after moving over the closing bracket.
    pub(super) fn next(&mut self, scan: &mut Scan<'_>) -> Result<Option<Range<usize>>, Flaw> {
        if self.started {
            if scan.take(b']') {
                return Ok(None);
            }
            if !scan.take(b',') {
                return Err(scan.expected("`,` or `]`"));
            }
            if scan.peek() == Some(b']') {
                return Err(Flaw::at(
                    scan.text,
                    scan.at,
                    "a comma before `]`: JSON allows none after the last element",
                ));
            }
        } else if scan.take(b']') {
            return Ok(None);
        }
        self.started = true;
        scan.value().map(Some)
    }
}

/// The bytes of a member's key (with its quotes) and of its value.
pub(super) type CutMember = (Range<usize>, Range<usize>);

/// The members of the object that is next.
pub(super) fn members(scan: &mut Scan<'_>) -> Result<Vec<CutMember>, Flaw> {
    if !scan.take(b'{') {
        return Err(scan.expected("`{`"));
    }
    let mut members = Vec::new();
    if scan.take(b'}') {
        return Ok(members);
    }
    loop {
        if scan.peek() == Some(b'}') {
            return Err(Flaw::at(
                scan.text,
                scan.at,
                "a comma before `}`: JSON allows none after the last member",
            ));
        }
        if scan.peek() != Some(b'"') {
            return Err(scan.expected("a key in double quotes"));
        }
        let key = scan.value()?;
        if !scan.take(b':') {
            return Err(scan.expected("`:`"));
        }
        let value = scan.value()?;
        members.push((key, value));
        if scan.take(b'}') {
            return Ok(members);
        }
        if !scan.take(b',') {
            return Err(scan.expected("`,` or `}`"));
        }
    }
}
