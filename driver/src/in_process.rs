//! A worker that is a thread of this process: its start, what is asked of it, and its end.
//!
//! It speaks the same protocol over the same pipes as a process. What a signal would do to a process, here the
//! hang-up of its requests and its wards do, as far as that goes: nobody can kill a thread.

pub use crate::wards::Wards;

use crate::body::Body;
use crate::depth;
use crate::link::{Incoming, Outgoing};
use crate::message::{Message, Post};
use crate::process::{Parts, Place};
use crate::reap::{Reaped, block_sigpipe};
use crate::spawn::SpawnFault;
use crate::system::thread_time;
use crate::usage::Used;
use farm_protocol::{Termination, WorkerName};
use rustix::process::{Pid, Signal};
use rustix::thread::gettid;
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};

/// As much as the first thread of a process has on most systems: a kind that works in a worker process must not
/// run out of stack here. It is reserved, and only what is used is taken.
const STACK_BYTES: usize = 8 << 20;

/// The code of a worker that panics outside of any kind; of no other.
const BROKEN: i32 = 70;

/// A worker's ends of its pipes, and what else it has of its master.
#[derive(Debug)]
pub struct Ends {
    /// Requests are read here. Its end without a `Stop` means that the worker is to go at once.
    pub requests: OwnedFd,
    /// Cancellations and revocations are read here.
    pub control: OwnedFd,
    /// Answers are written here.
    pub answers: OwnedFd,
    /// What the worker is called.
    pub name: WorkerName,
    /// The kind that it is for.
    pub kind: String,
    /// Where the process groups go that it starts.
    pub wards: Wards,
}

/// How a worker in this process has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// With which a process would have exited.
    pub code: i32,
    /// Its last words, for people; empty when there is nothing to say.
    pub words: String,
}

/// What a worker inside this process does: it serves on the ends that it is given until it is told to stop, or
/// until its requests end. Clones are the same.
#[derive(Clone)]
pub struct InProcess(Arc<dyn Fn(Ends) -> Left + Send + Sync>);

impl InProcess {
    /// Workers that call `serve`, each in a thread of its own, anew for each worker.
    #[must_use]
    pub fn new(serve: impl Fn(Ends) -> Left + Send + Sync + 'static) -> Self {
        Self(Arc::new(serve))
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

/// How far the thread is.
#[derive(Debug)]
enum Life {
    /// As far as is known it runs.
    Running(JoinHandle<()>),
    /// It has returned, or is given up; there is nothing to wait for.
    Over,
}

/// What the thread says of itself.
#[derive(Debug, Default)]
struct Notes {
    tid: OnceLock<Pid>,
    left: OnceLock<Left>,
}

/// The thread behind a place.
#[derive(Debug)]
pub(crate) struct Thread {
    life: Life,
    notes: Arc<Notes>,
    wards: Wards,
    /// The other ends of requests and control: to end them is all that can be done to it.
    lines: [UnixStream; 2],
    /// It is to go.
    hung_up: bool,
    /// It had wards then, which have been killed: whatever it did was done by them.
    killed: bool,
}

/// Starts a worker in a thread of this process. Its end is told to `post`.
pub(crate) fn start(
    launcher: &InProcess,
    place: Place,
    name: WorkerName,
    kind: &str,
    depth: u32,
    post: &Post,
) -> Result<Parts, SpawnFault> {
    let pipes = |source| SpawnFault::Pipes { source };
    let (lines, theirs, answers, requests, control) = lay().map_err(pipes)?;
    let wards = Wards::default();
    let notes = Arc::new(Notes::default());
    let [their_requests, their_control, their_answers] = theirs;
    let ends = Ends {
        requests: their_requests,
        control: their_control,
        answers: their_answers,
        name,
        kind: kind.to_owned(),
        wards: wards.clone(),
    };
    let (of_thread, post, launcher) = (Arc::clone(&notes), post.clone(), launcher.clone());
    let thread = Builder::new()
        .name("farm-in-process".to_owned())
        .stack_size(STACK_BYTES);
    let thread = thread.spawn(move || {
        // Set once, here.
        let _first = of_thread.tid.set(gettid());
        depth::enter(depth);
        // Its watcher begins with the same mask.
        block_sigpipe();
        let left = catch_unwind(AssertUnwindSafe(|| (launcher.0)(ends)));
        drop(launcher);
        let left = left.unwrap_or_else(|_| Left {
            code: BROKEN,
            words: "the worker in this process has panicked outside of any kind".to_owned(),
        });
        let _first = of_thread.left.set(left);
        // Without a listener nobody needs to know.
        let _gone = post.push(Message::Exited(place));
    });
    let handle = thread.map_err(|source| SpawnFault::Thread { source })?;
    Ok(Parts {
        body: Body::Thread(Thread {
            life: Life::Running(handle),
            notes,
            wards,
            lines,
            hung_up: false,
            killed: false,
        }),
        page: None,
        requests,
        control,
        answers,
        stdout: Incoming::none(),
        stderr: Incoming::none(),
    })
}

type Lines = ([UnixStream; 2], [OwnedFd; 3], Incoming, Outgoing, Outgoing);

/// Sockets towards the worker: other than of a pipe, the end of one can be told without closing the descriptor, of
/// which a process that is just being started elsewhere may hold a copy.
fn lay() -> io::Result<Lines> {
    let (our_requests, requests) = UnixStream::pair()?;
    let (our_control, control) = UnixStream::pair()?;
    let (our_answers, answers) = os_pipe::pipe()?;
    let lines = [our_requests.try_clone()?, our_control.try_clone()?];
    Ok((
        lines,
        [requests.into(), control.into(), answers.into()],
        Incoming::new(our_answers.into())?,
        Outgoing::new(our_requests.into())?,
        Outgoing::new(our_control.into())?,
    ))
}

impl Thread {
    /// Whether it has returned.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.life, Life::Over) || self.notes.left.get().is_some()
    }

    /// Signals its wards; what would kill a process has it go as soon as it can.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if signal == Signal::KILL && !self.hung_up {
            self.hung_up = true;
            // Before its wards die: what it has to say of that comes too late, as from a worker that was killed.
            for line in &self.lines {
                // It fails when the other side is gone already.
                let _gone = line.shutdown(Shutdown::Both);
            }
        }
        // Asked before: whoever waits for a ward may return while the others are being signalled.
        let ran = !self.has_ended();
        let any = self.wards.signal(signal);
        self.killed |= ran && any && signal == Signal::KILL;
    }

    /// Whether it was told to go and has not.
    pub(crate) fn lingers(&self) -> bool {
        self.hung_up && !self.has_ended()
    }

    /// Collects it if it has returned, and otherwise leaves it to itself: to wait could be for ever.
    pub(crate) fn collect(&mut self) -> Reaped {
        self.signal(Signal::KILL);
        let life = std::mem::replace(&mut self.life, Life::Over);
        let (Life::Running(handle), Some(left)) = (life, self.notes.left.get()) else {
            return Reaped::lost();
        };
        // It has nothing left to do but to return.
        let _no_panic = handle.join();
        let termination = if self.killed {
            Termination::Signaled {
                signal: Signal::KILL.as_raw(),
                core_dumped: false,
            }
        } else {
            Termination::Exited(left.code)
        };
        Reaped {
            termination,
            peak_bytes: 0,
        }
    }

    /// It is not waited for any more.
    pub(crate) fn give_up(&mut self) {
        self.life = Life::Over;
    }

    /// Whether there is nothing left to collect.
    pub(crate) const fn is_collected(&self) -> bool {
        matches!(self.life, Life::Over)
    }

    /// Its last words.
    pub(crate) fn words(&self) -> &[u8] {
        self.notes
            .left
            .get()
            .map_or(&[], |left| left.words.as_bytes())
    }

    /// Its wards: its own memory is this process's.
    pub(crate) fn leaders(&self) -> Vec<Pid> {
        self.wards.leaders()
    }

    /// What it uses: of itself only the time, because its memory is this process's; of its wards both.
    pub(crate) fn used(&self) -> Used {
        let mut used = self.wards.used();
        let own = self.notes.tid.get().filter(|_| !self.has_ended());
        used.cpu += own.map(|tid| thread_time(*tid)).unwrap_or_default();
        used
    }
}
