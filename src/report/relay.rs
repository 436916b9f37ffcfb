//! Writing to a pipe or socket without waiting for its reader: what it does not take at once waits in a backlog, and one
//! thread writes it.
//!
//! Whoever writes is the farm's loop, and a reader that is a pager must not hold the farm's timeouts up. It does not know
//! what the bytes say or what a trouble means for the run; its watcher is told that there is something to look at.

mod backlog;

use super::ends::FileIdentity;
use super::patience::{PatientWriter, hurry};
use backlog::Backlog;
use rustix::fd::AsFd;
use std::fmt::{self, Debug, Formatter};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// How much may wait where; all in bytes.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// In memory. What the thread has in its hands counts once more. Not 0.
    memory: usize,
    /// In one file, before the next one is begun.
    piece: u64,
    /// In all, before the run should start nothing more; it goes on when half of it is left.
    behind: u64,
    /// In all, before a writer has to wait after all: a disk is not endless.
    full: u64,
}

const LIMITS: Limits = Limits {
    memory: 1 << 20,
    piece: 32 << 20,
    behind: 64 << 20,
    full: 1 << 30,
};

/// Called, on any thread, when a relay has failed, is too far behind, or no longer is. It must not wait for anything.
pub type Watcher = Arc<dyn Fn() + Send + Sync>;

/// A stream with a reader, written without waiting for it. Clones write to the same backlog, so their order holds.
///
/// A write fails with the error that an earlier one met when its turn came. Only a full disk, or a reader that is a
/// gigabyte behind, makes it wait. The last clone that is dropped waits until all is written or nothing more can be.
#[derive(Clone)]
pub struct Relay {
    line: Arc<Line>,
}

/// What the clones share: the thread ends with it.
struct Line {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    limits: Limits,
    state: Mutex<State>,
    /// The thread may have something to do.
    work: Condvar,
    /// There is more room, less to write, or an error.
    progress: Condvar,
}

struct State {
    backlog: Backlog,
    /// Bytes that the thread has taken and not written yet.
    in_hand: u64,
    /// Why nothing more is written. The backlog is empty then.
    error: Option<io::Error>,
    behind: bool,
    /// Nobody will write any more.
    closing: bool,
    watcher: Option<Watcher>,
}

impl Relay {
    /// A relay to `fd`; what waits in files waits in `folder`. None where nobody reads what is written: files, devices
    /// and terminals take it directly.
    ///
    /// # Errors
    /// When the system refuses the thread.
    pub(crate) fn to<F>(fd: F, folder: Arc<Path>) -> io::Result<Option<Self>>
    where
        F: AsFd + Send + 'static,
    {
        match FileIdentity::of_stream(&fd) {
            Some(_) => Self::start(PatientWriter::new(fd), LIMITS, folder).map(Some),
            None => Ok(None),
        }
    }

    fn start<W>(writer: W, limits: Limits, folder: Arc<Path>) -> io::Result<Self>
    where
        W: Write + Send + 'static,
    {
        let shared = Arc::new(Shared {
            limits,
            state: Mutex::new(State {
                backlog: Backlog::new(limits, folder),
                in_hand: 0,
                error: None,
                behind: false,
                closing: false,
                watcher: None,
            }),
            work: Condvar::new(),
            progress: Condvar::new(),
        });
        let carried = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("farm-relay".into())
            .spawn(move || carried.carry(writer))?;
        let thread = Some(thread);
        Ok(Self {
            line: Arc::new(Line { shared, thread }),
        })
    }

    /// Whether both write to the same backlog.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.line, &other.line)
    }

    /// From now on `watcher` is told; at once if there is something already.
    pub(crate) fn watched_by(&self, watcher: Watcher) {
        let mut state = self.line.shared.lock();
        let something = state.error.is_some() || state.behind;
        state.watcher = Some(Arc::clone(&watcher));
        drop(state);
        if something {
            watcher();
        }
    }

    /// Why nothing more is written, if so.
    pub(crate) fn error(&self) -> Option<io::Error> {
        self.line.shared.lock().error.as_ref().map(again)
    }

    /// Whether so much waits that nothing new should be begun.
    pub(crate) fn is_behind(&self) -> bool {
        self.line.shared.lock().behind
    }

    /// Waits until everything is written or nothing more can be. As patient as the reader is slow, except in a hurry.
    pub(crate) fn drain(&self) {
        let shared = &self.line.shared;
        let state = shared.lock();
        drop(
            shared
                .progress
                .wait_while(state, |state| state.waiting() > 0)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

impl Write for Relay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let shared = &self.line.shared;
        let mut state = shared.lock();
        loop {
            if let Some(error) = &state.error {
                return Err(again(error));
            }
            if bytes.is_empty() {
                return Ok(0);
            }
            let was_idle = state.waiting() == 0;
            if state.waiting() < shared.limits.full {
                // Where there is no place for more than the memory, late is better than lost.
                if let Ok(count) = state.backlog.append(bytes) {
                    let watcher = state.change_of_level(shared.limits);
                    drop(state);
                    if was_idle {
                        shared.work.notify_one();
                    }
                    tell(watcher);
                    return Ok(count);
                }
            }
            // Not idle: the thread has something to write, and will tell.
            assert!(!was_idle, "an empty backlog takes at least a byte");
            state = shared
                .progress
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Debug for Relay {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").finish_non_exhaustive()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if thread::panicking() {
            // The panic is to be seen, also by people whose reader has stopped.
            hurry();
        }
        self.shared.lock().closing = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            // A broken invariant of its own has been printed; here it would only hide another one.
            let _ended = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: writes until nobody writes any more, or nothing more can be written.
    fn carry(&self, mut writer: impl Write) {
        let mut chunk = Vec::new();
        loop {
            let outcome = match self.next(&mut chunk) {
                Ok(true) => writer.write_all(&chunk).and_then(|()| writer.flush()),
                Ok(false) => return,
                Err(error) => Err(error),
            };
            let mut state = self.lock();
            state.in_hand = 0;
            let failed = outcome.is_err();
            let watcher = match outcome {
                Ok(()) => state.change_of_level(self.limits),
                Err(error) => {
                    state.backlog.clear();
                    state.behind = false;
                    state.error = Some(error);
                    state.watcher.clone()
                }
            };
            drop(state);
            self.progress.notify_all();
            tell(watcher);
            if failed {
                return;
            }
        }
    }

    /// Waits for the next bytes; false when there will be none.
    fn next(&self, chunk: &mut Vec<u8>) -> io::Result<bool> {
        let mut state = self
            .work
            .wait_while(self.lock(), |state| {
                state.backlog.is_empty() && !state.closing
            })
            .unwrap_or_else(PoisonError::into_inner);
        if state.backlog.is_empty() {
            return Ok(false);
        }
        state.backlog.take(chunk)?;
        state.in_hand = chunk.len() as u64;
        drop(state);
        // A writer may have waited for the room that these bytes took.
        self.progress.notify_all();
        Ok(true)
    }
}

impl State {
    /// Bytes that are not written yet.
    const fn waiting(&self) -> u64 {
        self.backlog.len() + self.in_hand
    }

    /// Notes whether too much waits; whom to tell if that has changed. To be called without the lock, which the watcher
    /// may want.
    fn change_of_level(&mut self, limits: Limits) -> Option<Watcher> {
        let limit = if self.behind {
            limits.behind / 2
        } else {
            limits.behind
        };
        let behind = self.waiting() > limit;
        if behind == self.behind {
            return None;
        }
        self.behind = behind;
        self.watcher.clone()
    }
}

fn tell(watcher: Option<Watcher>) {
    if let Some(watcher) = watcher {
        watcher();
    }
}

/// The same error once more.
fn again(error: &io::Error) -> io::Error {
    error
        .raw_os_error()
        .map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests;
