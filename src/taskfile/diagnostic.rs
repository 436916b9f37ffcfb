//! What is shown to the person who wrote a bad task file.
//!
//! Owns the public [`Diagnostic`] and how it is printed, without colours. It does not know what can be wrong.

use std::fmt;

/// One error in a task file, with the place to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file's name, as the user gave it (or a word for standard input).
    pub file: String,
    /// The line, from 1; 0 when the error belongs to no line (the file could not be read).
    pub line: usize,
    /// The column in characters, from 1; 0 together with `line`.
    pub column: usize,
    /// Which field it is about, like `tasks[3].timeout` (tasks count from 0 here, as in JSON paths); may be empty.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The source line, cut around the column when long, unprintable characters replaced; empty when there is none.
    pub excerpt: String,
    /// What to underline in `excerpt`: the first character (from 0) and how many, in characters.
    pub caret: (usize, usize),
    /// Another place that the message speaks of: line and column, both from 1.
    pub also: Option<(usize, usize)>,
    /// What to do instead.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        let number = if self.line == 0 {
            String::new()
        } else {
            self.line.to_string()
        };
        let gutter = " ".repeat(number.len());
        write!(f, "\n{gutter}--> {}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, " ({})", self.path)?;
        }
        if self.line > 0 && !self.excerpt.is_empty() {
            let (start, width) = self.caret;
            write!(f, "\n{gutter} |\n{number} | {}", self.excerpt)?;
            write!(
                f,
                "\n{gutter} | {}{}",
                " ".repeat(start),
                "^".repeat(width.max(1))
            )?;
        }
        if let Some((line, column)) = self.also {
            write!(f, "\n{gutter} = also: {}:{line}:{column}", self.file)?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n{gutter} = help: {help}")?;
        }
        Ok(())
    }
}

/// All that is wrong with a task file, in the order of the file; at least one error. Nothing of the file may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// The first errors found, at most [`MAX_DIAGNOSTICS`](super::MAX_DIAGNOSTICS).
    pub shown: Vec<Diagnostic>,
    /// How many more there are.
    pub more: usize,
}

impl Diagnostics {
    /// One error about the whole input, such as one that cannot be read.
    pub(super) fn about_input(file: &str, message: String, help: Option<String>) -> Self {
        Self {
            shown: vec![Diagnostic::about_input(file, message, help)],
            more: 0,
        }
    }
}

impl Diagnostic {
    fn about_input(file: &str, message: String, help: Option<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            path: String::new(),
            message,
            excerpt: String::new(),
            caret: (0, 0),
            also: None,
            help,
        }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.shown.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        match self.more {
            0 => Ok(()),
            1 => f.write_str("\n\nerror: and 1 more error"),
            more => write!(f, "\n\nerror: and {more} more errors"),
        }
    }
}

impl std::error::Error for Diagnostics {}
