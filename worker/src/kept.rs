//! A program that a worker keeps and asks again and again: a solver, a proof assistant, an interpreter.
//!
//! Owns its pipes and its end. Knows no language: what is asked, and which line ends an answer, is the kind's.

mod running;

use crate::context::Context;
use farm_protocol::{Termination, Wire};
use running::Running;
use std::io;
use std::process::Command;

/// How long an answer may be, in bytes, unless [`Kept::answer_max`] says otherwise.
pub const ANSWER_MAX: usize = 16 << 20;

/// A program that reads questions and says answers, as lines. It is started when it is asked and does not run; killed
/// and collected when this is dropped.
///
/// A kind has one in its `self`, so that the next request finds it as this one left it. The request's time limit and its
/// cancellation end the wait for an answer.
///
/// ```
/// # use farm_worker::{Context, Kept, Unanswered, farm_protocol::Wire};
/// struct Simplifier {
///     solver: Kept, // Kept::new(Command::new("z3")), with its arguments
/// }
///
/// impl Simplifier {
///     fn simplified(&mut self, term: &str, context: &Context<'_, impl Wire>) -> Result<String, Unanswered> {
///         if !self.solver.runs() {
///             self.solver.ask("(declare-const x Int) (echo \"over\")\n", |line| line == "over", context)?;
///         }
///         // No solver says by itself that it has said all.
///         self.solver.ask(&format!("(simplify {term}) (echo \"over\")\n"), |line| line == "over", context)
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Kept {
    command: Command,
    running: Option<Running>,
    answer_max: usize,
}

/// Why there is no answer. The program is killed and collected then; the next question starts it anew.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The attempt was cancelled meanwhile.
    #[error("cancelled")]
    Cancelled,
    /// It ended by itself, or by somebody else, and said this before.
    #[error("{how}{}{}", if said.is_empty() { "" } else { ": " }, said.trim_end())]
    Ended {
        /// How.
        how: Termination,
        /// What it said of the answer: its last words.
        said: String,
    },
    /// It said more than it may.
    #[error("it says more than {most} bytes in one answer")]
    TooLong {
        /// The limit, in bytes.
        most: usize,
    },
    /// It could not be started.
    #[error("cannot start {program}: {error}")]
    Start {
        /// What.
        program: String,
        /// Why not.
        error: io::Error,
    },
    /// The system did not let it be heard.
    #[error("cannot hear it: {0}")]
    Pipes(#[from] io::Error),
}

impl Kept {
    /// What `command` starts, each time that it has to be started. It reads what is asked; what it says on stdout and on
    /// stderr is heard in the order of its writing.
    ///
    /// It belongs to the worker and dies with it. Where the worker is no process of its own, it leads a process group
    /// that is in the farm's charge while it is asked.
    #[must_use]
    pub const fn new(command: Command) -> Self {
        Self {
            command,
            running: None,
            answer_max: ANSWER_MAX,
        }
    }

    /// The longest answer, in bytes.
    #[must_use]
    pub const fn answer_max(mut self, bytes: usize) -> Self {
        self.answer_max = bytes;
        self
    }

    /// Whether it is as the last answer left it. Else a new one would be asked, which knows nothing.
    #[must_use]
    pub const fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Kills it, if it runs, and collects it.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Says `question`, all of it, and gives what it says up to the first line that `is_last`, which is left out. What
    /// it says behind that line belongs to its next answer. What is no UTF-8 is replaced.
    ///
    /// # Errors
    /// [`Unanswered`]; it runs no more.
    pub fn ask<W: Wire>(
        &mut self,
        question: &str,
        is_last: impl Fn(&str) -> bool,
        context: &Context<'_, W>,
    ) -> Result<String, Unanswered> {
        // It is back in its place only after an answer.
        let mut running = match self.running.take() {
            Some(running) => running,
            None => Running::start(&mut self.command, context)?,
        };
        let question = question.as_bytes();
        let Some(answer) = running.converse(question, &is_last, self.answer_max, context)? else {
            let (how, said) = running.last_words();
            return Err(Unanswered::Ended { how, said });
        };
        self.running = Some(running);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;
