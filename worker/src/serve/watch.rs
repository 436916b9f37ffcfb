//! The watcher thread: cancellations and revocations at once, SIGTERM, the master's death, answers left behind.
//!
//! Sleeps in one `poll`; while nothing is asked of it, it costs nothing. It performs nothing and decides nothing.

use super::leave;
use super::port::{Port, Step, WATCHER_FLUSHES_AFTER, wait};
use crate::session::Ending;
use crate::session::Event;
use crate::session::frames::{control as control_event, garbled};
use farm_protocol::{DEFAULT_FRAME_LIMIT, FrameDecoder};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Bytes taken from the control pipe at a time; one frame has about twenty.
const READ_BYTES: usize = 4096;

const LOOK_AGAIN: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: WATCHER_FLUSHES_AFTER.cast_signed(),
};

/// A worker without its watcher would outlive its master: it must not go on.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Starts the thread. It lives as long as its process; beside a worker in its master's process, until it is sent home.
pub(super) fn spawn(
    port: Arc<Port>,
    control: OwnedFd,
    signals: Option<UnixStream>,
) -> io::Result<JoinHandle<()>> {
    let watcher = Watcher {
        port,
        control,
        signals,
        decoder: FrameDecoder::new(DEFAULT_FRAME_LIMIT),
        listening: true,
    };
    let builder = std::thread::Builder::new().name("farm-watcher".to_owned());
    builder.spawn(move || {
        // Made only where it is wanted: its drop is what it does.
        let guard = watcher.port.is_process().then(|| AbortOnUnwind);
        watcher.run();
        std::mem::forget(guard);
    })
}

struct Watcher {
    port: Arc<Port>,
    control: OwnedFd,
    /// Readable after a SIGTERM; none beside a worker in its master's process, whose signals are not its own.
    signals: Option<UnixStream>,
    decoder: FrameDecoder,
    /// The control pipe is open and makes sense. Not after a living master's `Stop`.
    listening: bool,
}

impl Watcher {
    fn run(mut self) {
        let mut looking = false;
        let port = Arc::clone(&self.port);
        while !port.is_over() {
            let (wake, answers) = (port.wake(), port.answers());
            let in_if = |on: bool| {
                if on {
                    PollFlags::IN
                } else {
                    PollFlags::empty()
                }
            };
            // A pipe at its end is always "ready": one that is not listened to must not be in the set.
            let control = if self.listening {
                self.control.as_fd()
            } else {
                wake
            };
            let signals = self.signals.as_ref();
            let master = port.master();
            let mut fds = [
                PollFd::new(&wake, PollFlags::IN),
                PollFd::from_borrowed_fd(
                    signals.map_or(wake, AsFd::as_fd),
                    in_if(signals.is_some()),
                ),
                PollFd::from_borrowed_fd(control, in_if(self.listening)),
                PollFd::from_borrowed_fd(master.unwrap_or(wake), in_if(master.is_some())),
                PollFd::from_borrowed_fd(answers, PollFlags::OUT),
            ];
            let count = if port.stuck() { 5 } else { 4 };
            let ready = wait(&mut fds[..count], looking.then_some(&LOOK_AGAIN));
            let [woken, signalled, spoken, orphaned, writable] =
                fds.each_ref().map(|fd| !fd.revents().is_empty());
            if ready == 0 {
                looking = looking && port.look_after();
                continue;
            }
            if orphaned {
                port.lost();
            }
            if woken {
                let mut count = [0; 8];
                let _ = rustix::io::read(wake, &mut count);
                looking = true;
            }
            if signalled {
                self.signal();
            }
            if self.listening && spoken {
                self.listen();
            }
            if count == 5 && writable {
                port.write_some();
            }
        }
    }

    fn signal(&self) {
        let Some(signals) = &self.signals else {
            return;
        };
        let mut bytes = [0; 64];
        // One event for any number of signals.
        let _ = rustix::io::read(signals, &mut bytes);
        // Before the hello there is no attempt to cancel: the signal means what it means to any program.
        if !self.port.master_lives() || !self.port.greeted() {
            self.port.lost();
        }
        // Otherwise nothing is to be done. A signal names no attempt, and the next one may have begun before it is
        // noticed; the attempt that the ladder means was told by a frame before, and a command, being in the group, has
        // had the signal itself.
    }

    fn listen(&mut self) {
        let mut bytes = [0; READ_BYTES];
        match rustix::io::read(&self.control, &mut bytes) {
            Ok(0) => return self.end_of_file(),
            Ok(count) => self.decoder.push(&bytes[..count]),
            Err(Errno::INTR | Errno::AGAIN) => return,
            Err(_) => return self.hang_up(),
        }
        loop {
            let event = match self.decoder.next_frame() {
                Ok(Some(frame)) => control_event(frame),
                Ok(None) => break,
                Err(error) => Err(garbled("control", error)),
            };
            match event {
                Ok(event) => self.tell(event),
                Err(fault) => match self.port.fail(fault) {
                    Some(ending) => return self.end(&ending),
                    None => return self.listening = false,
                },
            }
        }
        self.port.write_some();
    }

    fn tell(&mut self, event: Event) {
        match self.port.tell(event) {
            Step::Done => {}
            Step::Begin(_) => unreachable!("only a request begins something"),
            Step::End(ending) => self.end(&ending),
            Step::Gone => self.listening = false,
        }
    }

    /// The session is over: so is the process, or the thread as soon as it can be.
    fn end(&mut self, ending: &Ending) {
        if self.port.is_process() {
            leave(&self.port, ending);
        }
        self.hang_up();
    }

    fn hang_up(&mut self) {
        self.listening = false;
        self.port.lost();
    }

    fn end_of_file(&mut self) {
        // After `Stop` a living master may close its ends while performers close theirs. Else it is gone.
        if self.port.ended() && self.port.master_lives() {
            self.listening = false;
        } else {
            self.hang_up();
        }
    }
}
