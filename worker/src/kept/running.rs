//! One process that is asked: its start, a conversation with it, its end. Which process, and how often, is not its matter.

use super::Unanswered;
use crate::child::reap;
use crate::context::Context;
use farm_protocol::{Termination, Wire};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{ioctl_fionbio, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};
use std::io::{self, ErrorKind, PipeReader, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};

/// How much is read at once, in bytes.
const BLOCK: usize = 16 << 10;

/// One that runs. Killed and collected when it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    process: Process,
    input: ChildStdin,
    output: PipeReader,
    /// Its ending: a process that it leaves behind may hold its output open for ever.
    ending: OwnedFd,
    /// What it has said of which nobody was told.
    heard: Vec<u8>,
}

impl Running {
    pub(super) fn start<W: Wire>(
        command: &mut Command,
        context: &Context<'_, W>,
    ) -> Result<Self, Unanswered> {
        let (output, theirs) = io::pipe()?;
        command.stdin(Stdio::piped()).stdout(theirs.try_clone()?);
        command.stderr(theirs);
        let leads = !context.owns_children();
        if leads {
            command.process_group(0);
        }
        let spawned = command.spawn();
        // The command is kept, and would keep ends for writing, with which the output would never end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = spawned.map_err(|error| {
            let program = command.get_program().display().to_string();
            Unanswered::Start { program, error }
        })?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // From here on whatever fails ends it.
        let process = Process {
            pid: pid.expect("a started process has a positive id"),
            leads,
            how: None,
        };
        let input = child.stdin.take().expect("asked for above");
        // Waiting until it reads would be waiting for ever for one that waits until somebody hears it.
        ioctl_fionbio(&input, true).map_err(io::Error::from)?;
        ioctl_fionbio(&output, true).map_err(io::Error::from)?;
        let ending = pidfd_open(process.pid, PidfdFlags::empty()).map_err(io::Error::from)?;
        Ok(Self {
            process,
            input,
            output,
            ending,
            heard: Vec::new(),
        })
    }

    /// The answer; none if it has ended before the end of one. At most so many bytes are heard.
    pub(super) fn converse<W: Wire>(
        &mut self,
        mut unsaid: &[u8],
        is_last: &impl Fn(&str) -> bool,
        most: usize,
        context: &Context<'_, W>,
    ) -> Result<Option<String>, Unanswered> {
        let leader = self.process.pid.as_raw_nonzero().get().unsigned_abs();
        let _ward = self.process.leads.then(|| context.ward(leader));
        // Up to where there are whole lines that are not the last one.
        let (mut looked, mut mute) = (0, false);
        loop {
            if unsaid.is_empty()
                && let Some(answer) = self.answer(&mut looked, is_last)
            {
                return Ok(Some(answer));
            }
            if self.heard.len() > most {
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

    /// How it ended, and what it said of which nobody was told.
    pub(super) fn last_words(mut self) -> (Termination, String) {
        let said = String::from_utf8_lossy(&self.heard).into_owned();
        (self.process.end(), said)
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
