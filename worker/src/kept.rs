//! A program that a worker keeps and asks again and again: a solver, a proof assistant, an interpreter.
//!
//! Owns its pipes and its end. Knows no language: what is asked, and which line ends an answer, is the kind's.

use crate::child::reap;
use crate::context::Context;
use farm_protocol::{Termination, Wire};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{ioctl_fionbio, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};
use std::io::{self, ErrorKind, PipeReader, Read as _, Write as _};
use std::mem::take;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};

/// How long an answer may be, in bytes, unless [`Kept::answer_max`] says otherwise.
pub const ANSWER_MAX: usize = 16 << 20;

/// How much is read at once, in bytes.
const BLOCK: usize = 16 << 10;

/// A running program that reads questions and says answers, as lines. Killed and collected when it is dropped.
///
/// A kind keeps one in its `self`, so that the next request finds it as this one left it; the request's time limit and
/// its cancellation end the wait for an answer.
///
/// ```
/// # use farm_worker::{Context, Kept, Unanswered, farm_protocol::Wire};
/// # use std::process::Command;
/// fn simplified(kept: &mut Option<Kept>, term: &str, context: &Context<'_, impl Wire>) -> Result<String, Unanswered> {
///     let solver = match kept {
///         Some(running) => running,
///         none => {
///             let mut command = Command::new("z3");
///             command.arg("-in");
///             none.insert(Kept::start(command, context)?)
///         }
///     };
///     // No solver says by itself that it has said all: it is asked to.
///     let answer = solver.ask(&format!("(simplify {term})\n(echo \"over\")\n"), |line| line == "over", context);
///     if answer.is_err() {
///         *kept = None; // the next request starts another one
///     }
///     answer
/// }
/// ```
#[derive(Debug)]
pub struct Kept {
    process: Process,
    input: ChildStdin,
    output: PipeReader,
    /// Its ending: a process that it leaves behind may hold its output open for ever.
    ending: OwnedFd,
    /// What it has said of which nobody was told.
    heard: Vec<u8>,
    answer_max: usize,
}

/// Why there is no answer. The program is killed and collected then, and a further question has none either.
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
    /// The system let nobody talk with it, or start it.
    #[error("cannot talk with it: {0}")]
    Pipes(#[from] io::Error),
}

impl Kept {
    /// Starts it. It reads what is asked; what it says on stdout and on stderr is heard in the order of its writing.
    ///
    /// It belongs to the worker and dies with it. Where the worker is no process of its own, it leads a process group
    /// that is in the farm's charge while it is asked.
    ///
    /// # Errors
    /// It cannot be started, or not be talked with. Nothing runs then.
    pub fn start<W: Wire>(mut command: Command, context: &Context<'_, W>) -> io::Result<Self> {
        let (output, theirs) = io::pipe()?;
        command.stdin(Stdio::piped()).stdout(theirs.try_clone()?);
        command.stderr(theirs);
        let leads = !context.owns_children();
        if leads {
            command.process_group(0);
        }
        let mut child = command.spawn()?;
        // It has ends for writing, with which the output would never end.
        drop(command);
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // From here on whatever fails ends it.
        let process = Process {
            pid: pid.expect("a started process has a positive id"),
            leads,
            how: None,
        };
        let input = child.stdin.take().expect("asked for above");
        // Waiting until it reads would be waiting for ever for one that waits until somebody hears it.
        ioctl_fionbio(&input, true)?;
        ioctl_fionbio(&output, true)?;
        Ok(Self {
            ending: pidfd_open(process.pid, PidfdFlags::empty())?,
            process,
            input,
            output,
            heard: Vec::new(),
            answer_max: ANSWER_MAX,
        })
    }

    /// The longest answer, in bytes.
    #[must_use]
    pub const fn answer_max(mut self, bytes: usize) -> Self {
        self.answer_max = bytes;
        self
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
        let answer = match self.process.how {
            Some(_) => Ok(None),
            None => {
                let leader = self.process.pid.as_raw_nonzero().get().unsigned_abs();
                let _ward = self.process.leads.then(|| context.ward(leader));
                self.converse(question.as_bytes(), &is_last, context)
            }
        };
        match answer {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {}
            Err(error) => {
                self.process.end();
                self.heard.clear();
                return Err(error);
            }
        }
        let (how, said) = (self.process.end(), take(&mut self.heard));
        let said = String::from_utf8_lossy(&said).into_owned();
        Err(Unanswered::Ended { how, said })
    }

    /// The answer; none if it has ended before the end of one.
    fn converse<W: Wire>(
        &mut self,
        mut unsaid: &[u8],
        is_last: &impl Fn(&str) -> bool,
        context: &Context<'_, W>,
    ) -> Result<Option<String>, Unanswered> {
        // Up to where there are whole lines that are not the last one.
        let (mut looked, mut mute) = (0, false);
        loop {
            if unsaid.is_empty()
                && let Some(answer) = self.answer(&mut looked, is_last)
            {
                return Ok(Some(answer));
            }
            if self.heard.len() > self.answer_max {
                let most = self.answer_max;
                return Err(Unanswered::TooLong { most });
            }
            let ended = self.wait(!unsaid.is_empty(), !mute, context)?;
            if context.cancelled() {
                return Err(Unanswered::Cancelled);
            }
            if !unsaid.is_empty() {
                match self.input.write(unsaid) {
                    Ok(count) => unsaid = &unsaid[count..],
                    Err(error) if is_for_later(&error) => {}
                    // It reads no more. What it says of that, or how it ends, is still to be heard.
                    Err(_) => unsaid = &[],
                }
            }
            let mut block = [0; BLOCK];
            match self.output.read(&mut block) {
                Ok(0) if ended => return Ok(None),
                Ok(0) => mute = true,
                Ok(count) => self.heard.extend_from_slice(&block[..count]),
                Err(error) if is_for_later(&error) && ended => return Ok(None),
                Err(error) if is_for_later(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until something can be said, heard or must be heeded. Whether it has ended.
    fn wait<W: Wire>(&self, says: bool, hears: bool, context: &Context<'_, W>) -> io::Result<bool> {
        let cancel = context.cancel_fd();
        let mut fds = vec![
            PollFd::new(&self.ending, PollFlags::IN),
            PollFd::new(&cancel, PollFlags::IN),
        ];
        // A pipe of which nothing is wanted is left out: that its other end is closed would be told at once, always.
        if says {
            fds.push(PollFd::new(&self.input, PollFlags::OUT));
        }
        if hears {
            fds.push(PollFd::new(&self.output, PollFlags::IN));
        }
        retry_on_intr(|| poll(&mut fds, None))?;
        Ok(!fds[0].revents().is_empty())
    }

    /// The answer, if its last line is there.
    fn answer(&mut self, looked: &mut usize, is_last: &impl Fn(&str) -> bool) -> Option<String> {
        while let Some(length) = self.heard[*looked..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.heard[*looked..*looked + length]);
            if is_last(&line) {
                let answer = String::from_utf8_lossy(&self.heard[..*looked]).into_owned();
                self.heard.drain(..=*looked + length);
                return Some(answer);
            }
            *looked += length + 1;
        }
        None
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// The process alone, so that none is left when something fails at its start.
#[derive(Debug)]
struct Process {
    pid: Pid,
    /// Whether it leads a group of its own.
    leads: bool,
    /// How it ended; `None`: it is not collected, so that its number is its own.
    how: Option<Termination>,
}

impl Process {
    /// Kills it, unless it has ended, and collects it.
    fn end(&mut self) -> Termination {
        let pid = self.pid;
        *self.how.get_or_insert_with(|| {
            let kill = [kill_process, kill_process_group][usize::from(self.leads)];
            // One that has ended stays as it ended.
            let _gone = kill(pid, Signal::KILL);
            let collected = reap(pid.as_raw_nonzero().get().unsigned_abs());
            collected.map_or(Termination::Lost, |(termination, _)| termination)
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
