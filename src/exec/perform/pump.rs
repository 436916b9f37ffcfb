//! Waiting for a command while its pipes are served: one `poll` for its end, its output, its input and a cancellation.
//!
//! The command ends when its process exits. Its pipes are then read empty, not to their end: a descendant may hold
//! them for ever.

use super::capture::Capture;
use super::plumbing::{Capturing, Feed};
use super::{Captured, CommandWire};
use farm_worker::Context;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, ioctl_fionread, read, retry_on_intr};
use rustix::process::{Signal, pidfd_send_signal};
use std::os::fd::OwnedFd;

/// One captured stream while the command lives.
#[derive(Debug)]
struct Tap {
    /// Never at its end while we wait: a write end is kept open on our side.
    pipe: OwnedFd,
    capture: Capture,
}

/// Everything that is waited for.
#[derive(Debug)]
pub(super) struct Pump {
    pidfd: OwnedFd,
    feed: Option<Feed>,
    taps: [Option<Tap>; 2],
    /// The command has been told to end.
    told: bool,
    /// The master wants signs of life.
    signs: bool,
}

impl Pump {
    pub(super) fn new(
        pidfd: OwnedFd,
        feed: Option<Feed>,
        stdout: Option<Capturing>,
        stderr: Option<Capturing>,
    ) -> Self {
        let tap = |(pipe, capture)| Tap { pipe, capture };
        Self {
            pidfd,
            feed,
            taps: [stdout.map(tap), stderr.map(tap)],
            told: false,
            signs: false,
        }
    }

    /// The same, saying how much output came.
    pub(super) fn with_signs(mut self, signs: bool) -> Self {
        self.signs = signs;
        self
    }

    /// Serves the command until its process has ended and its pipes are empty. It is then still to be reaped.
    pub(super) fn until_exit(&mut self, context: &Context<'_, CommandWire>, buffer: &mut [u8]) {
        while !self.turn(context, buffer) {}
    }

    /// One wait and what it brought; `true` when the process has ended.
    fn turn(&mut self, context: &Context<'_, CommandWire>, buffer: &mut [u8]) -> bool {
        let ready = self.wait(context);
        let exited = !ready.pidfd.is_empty();
        if !ready.cancel.is_empty() && context.cancelled() {
            // Now and once. If it does not end, the master's ladder goes on from here.
            self.told = true;
            let _ = pidfd_send_signal(&self.pidfd, Signal::TERM);
            for tap in self.taps.iter_mut().flatten() {
                tap.capture.tell_head(context);
            }
        }
        for (tap, ready) in self.taps.iter_mut().zip(ready.taps) {
            if let Some(tap) = tap {
                tap.serve(ready, exited, context, buffer);
            }
        }
        let came = ready.taps.iter().any(|tap| tap.contains(PollFlags::IN));
        if self.signs && came {
            let taps = self.taps.iter().flatten();
            context.progress(taps.map(|tap| tap.capture.total()).sum(), None, "");
        }
        if !ready.feed.is_empty() && self.feed.as_mut().is_some_and(Feed::write) {
            self.feed = None;
        }
        exited
    }

    /// Waits until something is ready. The pidfd stands first and the kernel looks at them in order: when it reports
    /// the end of the process, what it says about the pipes was seen after that end, so nothing can be missed.
    fn wait(&self, context: &Context<'_, CommandWire>) -> Ready {
        let cancel = context.cancel_fd();
        let mut fds = Vec::with_capacity(5);
        fds.push(PollFd::new(&self.pidfd, PollFlags::IN));
        for tap in self.taps.iter().flatten() {
            fds.push(PollFd::new(&tap.pipe, PollFlags::IN));
        }
        if let Some(feed) = &self.feed {
            fds.push(PollFd::new(&feed.pipe, PollFlags::OUT));
        }
        if !self.told {
            fds.push(PollFd::new(&cancel, PollFlags::IN));
        }
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ready::default(),
            Err(error) => panic!("waiting for descriptors of our own cannot fail: {error}"),
        }
        // Taken off in the order in which they were put there.
        let mut found = fds.iter().map(PollFd::revents);
        let mut next = |there: bool| {
            let found = if there { found.next() } else { None };
            found.unwrap_or(PollFlags::empty())
        };
        Ready {
            pidfd: next(true),
            taps: self.taps.each_ref().map(|tap| next(tap.is_some())),
            feed: next(self.feed.is_some()),
            cancel: next(!self.told),
        }
    }

    /// What was captured of output and errors, and what was lost.
    pub(super) fn into_captured(self) -> (Captured, Captured, Option<String>) {
        let [out, err] = self
            .taps
            .map(|tap| tap.map(|tap| tap.capture.into_captured()));
        let (out, out_trouble) = out.unwrap_or_default();
        let (err, err_trouble) = err.unwrap_or_default();
        let trouble = match (out_trouble, err_trouble) {
            (Some(out), Some(err)) => Some(format!("{out}; {err}")),
            (out, err) => out.or(err),
        };
        (out, err, trouble)
    }
}

/// What a wait found, by place; empty for a place that was not waited for.
#[derive(Debug)]
struct Ready {
    pidfd: PollFlags,
    taps: [PollFlags; 2],
    feed: PollFlags,
    cancel: PollFlags,
}

impl Default for Ready {
    fn default() -> Self {
        let nothing = PollFlags::empty();
        Self {
            pidfd: nothing,
            taps: [nothing; 2],
            feed: nothing,
            cancel: nothing,
        }
    }
}

impl Tap {
    fn serve(
        &mut self,
        ready: PollFlags,
        exited: bool,
        context: &Context<'_, CommandWire>,
        buffer: &mut [u8],
    ) {
        if !ready.contains(PollFlags::IN) {
            return;
        }
        if exited {
            self.empty(context, buffer);
        } else {
            self.read(context, buffer);
        }
    }

    /// Takes what is there, at most a buffer full. Must not be called when nothing is: the pipe blocks, which saves
    /// the calls that would make it not to. Answers how much it was.
    fn read(&mut self, context: &Context<'_, CommandWire>, buffer: &mut [u8]) -> usize {
        match retry_on_intr(|| read(&self.pipe, &mut *buffer)) {
            Ok(count) => {
                self.capture.take(&buffer[..count], context);
                count
            }
            // Nothing there after all: the next wait says what is.
            Err(_) => 0,
        }
    }

    /// Takes exactly what is in the pipe now. A descendant that goes on writing must not keep us here.
    fn empty(&mut self, context: &Context<'_, CommandWire>, buffer: &mut [u8]) {
        let there = ioctl_fionread(&self.pipe).unwrap_or(0);
        let mut left = usize::try_from(there).unwrap_or(0);
        while left > 0 {
            let most = left.min(buffer.len());
            match self.read(context, &mut buffer[..most]) {
                0 => return,
                count => left = left.saturating_sub(count),
            }
        }
    }
}
