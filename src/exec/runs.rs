//! The master's half for embedders: any task of theirs that is done by running a command.
//!
//! It knows no task file. What is run for a task, and when that went well, it is told at its making.

use super::wire::{CommandRequest, CommandResponse, CommandWire, Ended};
use farm_master::{Cause, TaskKind, Verdict, WorkerStatus};
use std::fmt;

/// Tasks of type `T`, each of which is a command. The worker's half is [`Commands`](super::Commands).
///
/// Output and failure are both how the command ended and what it said. Which failures are tried again is
/// [`Retries::on`](crate::Retries::on): an exit code is [`Cause::Exit`], a kill [`Cause::Crash`], want of memory
/// [`Cause::Resource`].
///
/// ```no_run
/// use farm::exec::{CommandRequest, Commands, Runs, StderrPlan};
/// use farm::{Farm, Outcome, Pool, Program, worker};
///
/// worker::run_if_asked(|| worker::Worker::new().with(Commands::new()));
/// let gzip = |file: &String| CommandRequest {
///     argv: vec!["gzip".to_owned(), file.clone()],
///     stderr: StderrPlan::Stdout,
///     head_limit: 64 << 10, // more is dropped
///     ..CommandRequest::default()
/// };
/// let mut builder = Farm::builder();
/// let kind = builder.kind(Runs::new(gzip), Pool::new(Program::this_executable(), 2));
/// let farm = builder.start().expect("a farm");
/// for (_, end) in farm.queue(kind).submit_all(["a.txt".to_owned(), "b.txt".to_owned()]) {
///     let end = end.expect("admitted");
///     match end.outcome {
///         Outcome::Done(_) => println!("{}.gz", end.task),
///         Outcome::Failed(said) => println!("{}: {}: {}", end.task, said.ended, said.text()),
///         other => println!("{}: {}", end.task, other.status()),
///     }
/// }
/// ```
pub struct Runs<T> {
    request: Ask<T>,
    judge: Judge<T>,
}

type Ask<T> = Box<dyn FnMut(&T) -> CommandRequest + Send>;
type Judge<T> = Box<dyn FnMut(&T, &CommandResponse) -> Option<Cause> + Send>;

impl<T> Runs<T> {
    /// Tasks that are done by the command that `request` makes of each, and done well when it exits with 0.
    #[must_use]
    pub fn new(request: impl FnMut(&T) -> CommandRequest + Send + 'static) -> Self {
        Self {
            request: Box::new(request),
            judge: Box::new(|_, said| said.failure()),
        }
    }

    /// The same, where `judge` says whether it failed, and in which way; [`CommandResponse::failure`] is how it is
    /// judged otherwise.
    #[must_use]
    pub fn judged(
        mut self,
        judge: impl FnMut(&T, &CommandResponse) -> Option<Cause> + Send + 'static,
    ) -> Self {
        self.judge = Box::new(judge);
        self
    }
}

impl<T> fmt::Debug for Runs<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> TaskKind for Runs<T> {
    type Wire = CommandWire;
    type Task = T;
    type Competence = ();
    type Output = CommandResponse;
    type Failure = CommandResponse;

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &T) -> Option<CommandRequest> {
        Some((self.request)(task))
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        task: &T,
        said: CommandResponse,
    ) -> Verdict<Self> {
        match (self.judge)(task, &said) {
            None => Verdict::done(said, ()),
            Some(cause) => Verdict::failed(said, ()).because(cause),
        }
    }
}

impl CommandResponse {
    /// In which way it failed; `None`: it exited with 0.
    #[must_use]
    pub const fn failure(&self) -> Option<Cause> {
        match self.ended {
            Ended::Exited(0) => None,
            // A retry for want of memory is another wish than one for a bug.
            Ended::Exited(_) | Ended::Signaled { .. } | Ended::Lost { .. }
                if self.out_of_memory.is_some() =>
            {
                Some(Cause::Resource)
            }
            Ended::Exited(_) | Ended::NotStarted { .. } => Some(Cause::Exit),
            Ended::Signaled { .. } | Ended::Lost { .. } => Some(Cause::Crash),
        }
    }
}

#[cfg(test)]
mod tests;
