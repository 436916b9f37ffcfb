//! What a kind sees of the attempt it performs: its id, whether it is cancelled, and a way to say something meanwhile.
//!
//! Knows no session; it is one attempt's view of the port, or of a [`Detached`] stand-in where there is no master.

use crate::cancel::CancelFlag;
use crate::names::Names;
use crate::pace::Pace;
use crate::serve::Port;
use crate::wards::Ward;
use farm_protocol::{AttemptId, MarshalError, Progress, ReplyFlags, Schema, Wire};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which of the two output streams.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Schema,
)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Feedback that did not reach the master. The attempt goes on; it can still answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedbackError {
    /// It cannot be encoded, or is larger than a frame; send it in smaller pieces.
    #[error("feedback cannot be sent: {0}")]
    Marshal(#[from] MarshalError),
}

type OnFeedback<W> = Box<dyn Fn(&<W as Wire>::Feedback) + Send + Sync>;
type OnProgress = Box<dyn Fn(&Progress) + Send + Sync>;

/// Stands in for the master where a [`Perform`](crate::Perform) runs without one: in a test, or inside the master's process.
pub struct Detached<W: Wire> {
    cancel: CancelFlag,
    on_feedback: OnFeedback<W>,
    on_progress: OnProgress,
    owns_children: bool,
    names: Names,
}

impl<W: Wire> Detached<W> {
    /// Drops feedback and progress; the process may have children that are not the attempt's.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            cancel: CancelFlag::new()?,
            on_feedback: Box::new(|_| {}),
            on_progress: Box::new(|_| {}),
            owns_children: false,
            names: Names::of_nobody(),
        })
    }

    /// Hands feedback to `sink`.
    #[must_use]
    pub fn on_feedback(mut self, sink: impl Fn(&W::Feedback) + Send + Sync + 'static) -> Self {
        self.on_feedback = Box::new(sink);
        self
    }

    /// Hands progress to `sink`, each one.
    #[must_use]
    pub fn on_progress(mut self, sink: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Box::new(sink);
        self
    }

    /// States that whatever child this process has belongs to the attempt, as in a worker.
    #[must_use]
    pub const fn owning_children(mut self) -> Self {
        self.owns_children = true;
        self
    }

    /// Calls the process that it stands in for `name`, where one run is to give the same names as another.
    #[must_use]
    pub fn named(mut self, name: String) -> Self {
        self.names = Names::new(name);
        self
    }

    /// The attempt is over: the flag is lowered for the next one.
    pub fn rest(&mut self) {
        self.cancel.lower();
    }

    /// The flag by which the attempt is cancelled. It stays raised until [`Detached::rest`].
    #[must_use]
    pub const fn cancel(&self) -> &CancelFlag {
        &self.cancel
    }
}

impl<W: Wire> fmt::Debug for Detached<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached")
            .field("cancel", &self.cancel)
            .finish_non_exhaustive()
    }
}

/// Where an attempt's words go.
enum Link<'a, W: Wire> {
    /// The performer of a worker process.
    Master { port: &'a Port, number: u64 },
    /// Nobody but a stand-in.
    Detached(&'a Detached<W>),
}

/// One attempt as its kind sees it. May be shared with threads that end before `perform` does.
pub struct Context<'a, W: Wire> {
    id: AttemptId,
    heeded: AtomicBool,
    left_behind: AtomicBool,
    pace: Pace,
    link: Link<'a, W>,
}

impl<'a, W: Wire> Context<'a, W> {
    pub(crate) const fn of_master(id: AttemptId, number: u64, port: &'a Port) -> Self {
        Self::new(id, Link::Master { port, number })
    }

    /// For running a [`Perform`](crate::Perform) without a master.
    #[must_use]
    pub const fn detached(id: AttemptId, stand_in: &'a Detached<W>) -> Self {
        Self::new(id, Link::Detached(stand_in))
    }

    const fn new(id: AttemptId, link: Link<'a, W>) -> Self {
        Self {
            id,
            heeded: AtomicBool::new(false),
            left_behind: AtomicBool::new(false),
            pace: Pace::new(),
            link,
        }
    }

    /// Which attempt this is.
    #[must_use]
    pub const fn id(&self) -> AttemptId {
        self.id
    }

    fn names(&self) -> &'a Names {
        match &self.link {
            Link::Master { port, .. } => port.names(),
            Link::Detached(stand_in) => &stand_in.names,
        }
    }

    /// What this worker process is called, and no other: not in another pool, farm or program, not before it and not
    /// after it. Made of `a` to `z`, `0` to `9` and `_`, beginning with a letter, at most
    /// [`WORKER_NAME_MAX`](farm_protocol::WORKER_NAME_MAX) bytes: what begins with it (a file, a section, an
    /// identifier) collides with nobody else's.
    #[must_use]
    pub fn worker(&self) -> &'a str {
        self.names().own()
    }

    /// A name that begins with [`Context::worker`] and `_`, and is given once: at most 21 bytes longer, of the same
    /// characters.
    #[must_use]
    pub fn fresh_name(&self) -> String {
        self.names().fresh()
    }

    fn flag(&self) -> &'a CancelFlag {
        match &self.link {
            Link::Master { port, .. } => port.cancel(),
            Link::Detached(stand_in) => stand_in.cancel(),
        }
    }

    /// Whether the attempt should end soon. Costs one load. A kind that once saw `true` is taken to have heeded it: its
    /// response then counts as an acknowledgement, and the worker stays.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        let cancelled = self.flag().is_raised();
        if cancelled {
            self.heeded.store(true, Ordering::Relaxed);
        }
        cancelled
    }

    /// Readable once [`Context::cancelled`] says `true`; for kinds that wait on descriptors. To be polled, never read.
    #[must_use]
    pub fn cancel_fd(&self) -> BorrowedFd<'a> {
        self.flag().fd()
    }

    /// Says something to the master now. Blocks while the master does not read.
    ///
    /// # Errors
    /// [`FeedbackError`]; nothing was sent. A master that is gone ends the process, not this call.
    pub fn feedback(&self, feedback: &W::Feedback) -> Result<(), FeedbackError> {
        match &self.link {
            Link::Master { port, number } => {
                port.feedback(*number, self.id, feedback)?;
            }
            Link::Detached(stand_in) => (stand_in.on_feedback)(feedback),
        }
        Ok(())
    }

    /// Says how far the attempt is, in whatever the kind counts; `note` is a line for people, of which
    /// [`Progress::NOTE_MAX`] bytes go out. Each one that goes out is a sign of life for a `stall` limit.
    ///
    /// To be called as often as is convenient: at most one in 50 ms goes out, besides the first and the one that
    /// completes the total. One that comes too early, or while the master does not read, is dropped, not kept: the
    /// next one says more. It never blocks.
    pub fn progress(&self, done: u64, total: Option<u64>, note: &str) {
        match &self.link {
            Link::Master { port, number } => {
                if self.pace.admits(crate::serve::now(), total == Some(done)) {
                    port.progress(*number, self.id, &Progress::new(done, total, note));
                }
            }
            Link::Detached(stand_in) => {
                (stand_in.on_progress)(&Progress::new(done, total, note));
            }
        }
    }

    /// The farm's own standard output or error, if the master lent it: what is written there reaches the terminal
    /// unchanged and is in no result. `None` also without a master: the process's own streams are the farm's then.
    #[must_use]
    pub fn through(&self, stream: Stream) -> Option<BorrowedFd<'a>> {
        match &self.link {
            Link::Master { port, .. } => port.through(stream),
            Link::Detached(_) => None,
        }
    }

    /// Whether every child of this process belongs to this attempt, so that
    /// [`has_other_children`](crate::child::has_other_children) may be asked. True in a worker process; false in a
    /// worker inside its master's process.
    #[must_use]
    pub const fn owns_children(&self) -> bool {
        match &self.link {
            Link::Master { port, .. } => port.is_process(),
            Link::Detached(stand_in) => stand_in.owns_children,
        }
    }

    /// Puts a process group that this attempt has started into the master's charge: `leader` is an uncollected child
    /// that leads it. The group is then signalled wherever the worker's group would be, until the answer is dropped.
    ///
    /// For kinds that start processes and are to work inside their master's process as well, where
    /// [`Context::owns_children`] is false: there is no group that is the worker's, so what they start needs one of its
    /// own. In a worker process this does nothing: there what is started is to stay in the worker's group.
    #[must_use = "the group is signalled only until this is dropped"]
    pub fn ward(&self, leader: u32) -> Ward<'a> {
        let wards = match &self.link {
            Link::Master { port, .. } => port.wards(),
            Link::Detached(_) => None,
        };
        Ward::new(wards, leader)
    }

    /// States that the attempt leaves processes behind. The reply says so and the worker is replaced, free of charge.
    pub fn mark_left_behind(&self) {
        self.left_behind.store(true, Ordering::Relaxed);
    }

    /// What the reply will say besides the response.
    #[must_use]
    pub fn flags(&self) -> ReplyFlags {
        ReplyFlags {
            heeded_cancel: self.heeded.load(Ordering::Relaxed),
            left_behind: self.left_behind.load(Ordering::Relaxed),
        }
    }
}

impl<W: Wire> fmt::Debug for Context<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.id)
            .field("flags", &self.flags())
            .finish_non_exhaustive()
    }
}
