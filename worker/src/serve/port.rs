//! What the performing thread and the watcher share: the session, the unsent answers and the cancel flag.
//!
//! One lock, held for a few loads and a non-blocking write at most, so that a cancellation is never stuck behind a
//! master that reads slowly. Frames stand in the outbox in the order in which the session said them.

use super::family::{is_parent, kill_own_group};
use super::outbox::{Outbox, Written};
use crate::cancel::CancelFlag;
use crate::context::Stream;
use crate::names::Names;
use crate::session::frames::append_answer;
use crate::session::{Action, Ending, Event, Fault, Finished, Session};
use crate::wards::Wards;
use farm_protocol::{
    AttemptHeader, AttemptId, DEFAULT_FRAME_LIMIT, FrameError, FrameKind, Hello, KindHello,
    MarshalError, PREAMBLE, Progress, RequestHeader, WorkerName, attempt_frame_body, begin_frame,
    encode_into, finish_frame,
};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Unsent answers above this are written although more requests are at hand, in bytes.
const FLUSH_BYTES: usize = 32 << 10;
/// Unsent answers older than this are written after the attempt that just ended, in nanoseconds.
const FLUSH_AFTER: u64 = 100_000;
/// Unsent answers older than this are written by the watcher while a longer attempt executes, in nanoseconds.
pub(super) const WATCHER_FLUSHES_AFTER: u64 = 1_000_000;
/// What a progress may take, in bytes: its note and two numbers.
const PROGRESS_MAX: usize = Progress::NOTE_MAX + 64;
/// What a feedback frame may hold besides its payload, in bytes.
const FEEDBACK_HEAD: usize = 128;

/// The monotonic clock, in nanoseconds.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds * 1_000_000_000 + nanos
}

/// Waits for one of `fds`, at most for `timeout`. Answers how many are ready; 0 also when a signal came.
pub(super) fn wait(fds: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> usize {
    match poll(fds, timeout) {
        Ok(count) => count,
        Err(Errno::INTR) => 0,
        Err(error) => panic!("waiting for descriptors of our own cannot fail: {error}"),
    }
}

/// What an event came to, for the thread that performs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Perform this.
    Begin(RequestHeader),
    /// All is done.
    Done,
    /// Leave.
    End(Ending),
    /// Leave, and say nothing: nobody wants this worker any more. Never in a process, which does not live to see it.
    Gone,
}

/// Where a worker lives.
#[derive(Debug)]
pub(super) enum Home {
    /// In a process of its own.
    Process(Master),
    /// In its master's process, where somebody else signals what it starts.
    Thread(Arc<dyn Wards>),
}

#[derive(Debug)]
struct Shared {
    session: Session,
    /// Kept for its memory; empty between two events.
    actions: Vec<Action>,
    outbox: Outbox,
    /// The hello is said. Before it the worker may be busy making its performers, for as long as that takes.
    greeted: bool,
    /// The watcher has been told to look after unsent answers and has not yet gone back to waiting without end.
    watched: bool,
    /// The master has hung up on a thread, which it cannot kill.
    gone: bool,
    /// The performing thread is through, and the watcher may go.
    over: bool,
}

/// The shared part of a worker process.
#[derive(Debug)]
pub(crate) struct Port {
    shared: Mutex<Shared>,
    answers: OwnedFd,
    wake: OwnedFd,
    cancel: CancelFlag,
    through: Option<[OwnedFd; 2]>,
    home: Home,
    names: Names,
}

/// Who the master is, and how it is known whether it lives.
#[derive(Debug)]
pub(super) enum Master {
    /// It has started this process: as long as it lives, it is the parent.
    Parent(u32),
    /// A template has forked this process. The descriptor is of the master's process: readable once that is gone.
    Watched(OwnedFd),
}

impl Master {
    fn lives(&self) -> bool {
        match self {
            Self::Parent(pid) => is_parent(*pid),
            Self::Watched(process) => {
                let at_once = Timespec::default();
                wait(&mut [PollFd::new(process, PollFlags::IN)], Some(&at_once)) == 0
            }
        }
    }
}

impl Port {
    /// Says nothing yet. `answers` must not block.
    pub(super) fn new(
        answers: OwnedFd,
        through: Option<[OwnedFd; 2]>,
        home: Home,
        name: WorkerName,
    ) -> io::Result<Self> {
        let shared = Shared {
            session: Session::new(0),
            actions: Vec::new(),
            outbox: Outbox::default(),
            greeted: false,
            watched: false,
            gone: false,
            over: false,
        };
        Ok(Self {
            shared: Mutex::new(shared),
            answers,
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            cancel: CancelFlag::new()?,
            through,
            home,
            names: Names::new(name.to_string()),
        })
    }

    /// Greets the master with `kinds`. The session begins here.
    pub(super) fn greet(&self, kinds: Vec<KindHello>) -> io::Result<()> {
        let count = u16::try_from(kinds.len()).expect("registration limits the kinds");
        let hello = Hello {
            pid: std::process::id(),
            build: concat!("farm-worker ", env!("CARGO_PKG_VERSION")).to_owned(),
            kinds,
        };
        let limit = DEFAULT_FRAME_LIMIT;
        let mut out = PREAMBLE.to_vec();
        let start = begin_frame(&mut out, FrameKind::Hello);
        encode_into(&hello, &mut out, limit.0 as usize).map_err(io::Error::other)?;
        finish_frame(&mut out, start, limit).map_err(io::Error::other)?;
        {
            let mut shared = self.lock();
            shared.session = Session::new(count);
            shared.greeted = true;
            shared.outbox.bytes.extend_from_slice(&out);
        }
        self.flush();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect(
            "no code of a kind runs under this lock, and a broken rule has ended the process",
        )
    }

    /// Tells the session what happened and does what it says.
    pub(super) fn tell(&self, event: Event) -> Step {
        let mut shared = self.lock();
        if shared.gone {
            return Step::Gone;
        }
        let step = self.perform_actions(&mut shared, &[], |session, actions| {
            session.handle(event, actions);
        });
        // Answers wait here while the next attempt executes, which may take an hour: have the watcher look after them.
        let leave = matches!(step, Step::Begin(_)) && !shared.outbox.is_empty();
        if leave && !shared.watched {
            shared.watched = true;
            drop(shared);
            self.ring();
        }
        step
    }

    /// Tells the session that the attempt is over at `ended`, and writes the answers when they are many or old.
    pub(super) fn finished(&self, finished: Finished, response: &[u8], ended: u64) -> Step {
        let mut shared = self.lock();
        if shared.gone {
            return Step::Gone;
        }
        let step = self.perform_actions(&mut shared, response, |session, actions| {
            session.handle(Event::Finished(finished), actions);
        });
        let outbox = &mut shared.outbox;
        let since = *outbox.since.get_or_insert(ended);
        if outbox.len() > FLUSH_BYTES || ended.saturating_sub(since) >= FLUSH_AFTER {
            drop(shared);
            self.flush();
        }
        step
    }

    /// Ends the session because a pipe makes no sense; `None` when it has ended already.
    pub(super) fn fail(&self, fault: Fault) -> Option<Ending> {
        let mut shared = self.lock();
        let step = self.perform_actions(&mut shared, &[], |session, actions| {
            session.fail(fault, actions);
        });
        match step {
            Step::End(ending) => Some(ending),
            Step::Begin(_) | Step::Done | Step::Gone => None,
        }
    }

    fn perform_actions(
        &self,
        shared: &mut Shared,
        response: &[u8],
        handle: impl FnOnce(&mut Session, &mut Vec<Action>),
    ) -> Step {
        handle(&mut shared.session, &mut shared.actions);
        let mut step = Step::Done;
        for action in shared.actions.drain(..) {
            match action {
                Action::Begin(header) => {
                    self.cancel.lower();
                    step = Step::Begin(header);
                }
                Action::Skip(_) => {}
                Action::RaiseCancel => self.cancel.raise(),
                Action::Answer(answer) => {
                    let out = &mut shared.outbox.bytes;
                    append_answer(out, &answer, response, DEFAULT_FRAME_LIMIT).expect(
                        "a response is encoded under a limit that leaves room for its head",
                    );
                }
                Action::End(ending) => step = Step::End(ending),
            }
        }
        step
    }

    /// Sends a feedback frame now.
    pub(crate) fn feedback(
        &self,
        number: u64,
        id: AttemptId,
        feedback: &impl Serialize,
    ) -> Result<(), MarshalError> {
        // Encoded before the lock is taken: it runs code of the kind.
        let limit = DEFAULT_FRAME_LIMIT;
        let max = limit.0 as usize - FEEDBACK_HEAD;
        let payload = farm_protocol::encode(feedback, max)?;
        let header = AttemptHeader { number, id };
        {
            let out = &mut self.lock().outbox.bytes;
            let append = |out: &mut Vec<u8>| {
                out.extend_from_slice(&payload);
                Ok::<(), FrameError>(())
            };
            attempt_frame_body(out, FrameKind::Feedback, &header, limit, append)
                .expect("a payload is encoded under a limit that leaves room for its head");
        }
        self.flush();
        Ok(())
    }

    /// Sends a progress frame without waiting. While the pipe is full it is dropped: whoever reads late
    /// wants the newest, and what nobody reads must not pile up here.
    pub(crate) fn progress(&self, number: u64, id: AttemptId, progress: &Progress) {
        let header = AttemptHeader { number, id };
        if self.write_some() {
            return;
        }
        let append = |out: &mut Vec<u8>| {
            encode_into(progress, out, PROGRESS_MAX).expect("its note is cut");
            Ok::<(), FrameError>(())
        };
        {
            let out = &mut self.lock().outbox.bytes;
            attempt_frame_body(
                out,
                FrameKind::Progress,
                &header,
                DEFAULT_FRAME_LIMIT,
                append,
            )
            .expect("it is short");
        }
        if self.write_some() {
            // The watcher writes the rest once there is room, if it looks.
            self.ring();
        }
    }

    /// Writes all unsent answers, waiting without the lock while the pipe is full.
    pub(super) fn flush(&self) {
        while self.write_some() {
            let mut fds = [PollFd::new(&self.answers, PollFlags::OUT)];
            wait(&mut fds, None);
        }
    }

    /// Writes what fits without waiting; answers whether something is left.
    pub(super) fn write_some(&self) -> bool {
        let mut shared = self.lock();
        match shared.outbox.write(self.answers.as_fd()) {
            Written::All => false,
            Written::Some => true,
            Written::Broken => {
                shared.outbox = Outbox::default();
                drop(shared);
                self.lost();
                false
            }
        }
    }

    /// The watcher's look after its waiting time is over: writes old answers; answers whether to look again.
    pub(super) fn look_after(&self) -> bool {
        let mut shared = self.lock();
        if shared.outbox.is_empty() {
            shared.watched = false;
            return false;
        }
        let since = *shared.outbox.since.get_or_insert_with(now);
        drop(shared);
        if now().saturating_sub(since) >= WATCHER_FLUSHES_AFTER {
            self.write_some();
        }
        true
    }

    /// Whether a write stopped in the middle, so that the pipe's becoming writable matters.
    pub(super) fn stuck(&self) -> bool {
        self.lock().outbox.stuck()
    }

    /// Whether the session is over.
    pub(super) fn ended(&self) -> bool {
        self.lock().session.ended()
    }

    /// Whether the hello is said.
    pub(super) fn greeted(&self) -> bool {
        self.lock().greeted
    }

    fn ring(&self) {
        // Already rung is as good: the count never nears its limit because the watcher takes all of it.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// The descriptor by which the watcher is woken.
    pub(super) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// The write end of the answers.
    pub(super) fn answers(&self) -> BorrowedFd<'_> {
        self.answers.as_fd()
    }

    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) const fn cancel(&self) -> &CancelFlag {
        &self.cancel
    }

    pub(crate) fn through(&self, stream: Stream) -> Option<BorrowedFd<'_>> {
        let [out, err] = self.through.as_ref()?;
        Some(match stream {
            Stream::Stdout => out.as_fd(),
            Stream::Stderr => err.as_fd(),
        })
    }

    /// Whether the master is there.
    pub(super) fn master_lives(&self) -> bool {
        match &self.home {
            Home::Process(master) => master.lives(),
            Home::Thread(_) => !self.lock().gone,
        }
    }

    /// Readable once the master is gone, where a descriptor says so.
    pub(super) fn master(&self) -> Option<BorrowedFd<'_>> {
        match &self.home {
            Home::Process(Master::Watched(process)) => Some(process.as_fd()),
            Home::Process(Master::Parent(_)) | Home::Thread(_) => None,
        }
    }

    /// Nobody wants this worker any more. A process takes its whole group along and does not come back from here:
    /// nothing it started may outlive the master. A thread tells the performer, and begins nothing any more.
    pub(super) fn lost(&self) {
        match &self.home {
            Home::Process(_) => kill_own_group(),
            Home::Thread(_) => {
                let mut shared = self.lock();
                shared.gone = true;
                // Under the lock: nobody lowers it meanwhile.
                self.cancel.raise();
            }
        }
    }

    /// Asked by a thread whose attempt has ended: a master that has hung up meanwhile is told nothing more, whether the
    /// watcher has noticed yet or not. It has killed what the attempt had started, and that is not how the attempt
    /// would have ended.
    pub(super) fn notice_hang_up(&self, requests: &OwnedFd) {
        let at_once = Timespec::default();
        let mut fds = [PollFd::new(requests, PollFlags::empty())];
        if !self.is_process() && wait(&mut fds, Some(&at_once)) > 0 {
            self.lost();
        }
    }

    /// Waits for the watcher to end the process, where there is one of our own.
    pub(super) fn await_the_end(&self) {
        while self.is_process() {
            std::thread::park();
        }
    }

    /// Whether the worker has a process of its own.
    pub(crate) const fn is_process(&self) -> bool {
        match self.home {
            Home::Process(_) => true,
            Home::Thread(_) => false,
        }
    }

    /// Who signals what this worker starts, unless it has a group of its own for that.
    pub(crate) fn wards(&self) -> Option<&dyn Wards> {
        match &self.home {
            Home::Process(_) => None,
            Home::Thread(wards) => Some(&**wards),
        }
    }

    /// Sends the watcher home.
    pub(super) fn end_watch(&self) {
        // Not through `lock`: what has panicked under it must not keep the watcher here.
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.over = true;
        drop(shared);
        self.ring();
    }

    /// Whether the watcher may go.
    pub(super) fn is_over(&self) -> bool {
        self.lock().over
    }
}
