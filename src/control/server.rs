//! The socket of a run: a thread that accepts, and one for each of a few connections.
//!
//! It bounds everything that whoever connects could make long: how many are served at once, how long one may take to
//! say what it wants and to read what it is told, and how much that is. The others wait in the kernel's line.

use super::lines::{REQUEST_MAX, read_line, write_line};
use super::place::{Place, PlaceError, Where};
use super::words::{Answer, Code, Request, VERSION};
use interprocess::local_socket::traits::{Listener as _, StreamCommon as _};
use interprocess::local_socket::{Listener, Stream};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::geteuid;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many connections are served at once.
const AT_ONCE: usize = 8;

/// How long somebody may take to say what they want, and again to read the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the end of the run waits for answers that are being written.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long nobody is taken after the system refused one.
const REST: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// Does what is asked, in a bounded time, and says what became of it.
pub(crate) type Clerk = Arc<dyn Fn(Request) -> Answer + Send + Sync>;

/// A control socket that takes nobody yet.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: Listener,
    place: Place,
}

/// A served control socket. Dropped, it takes nobody any more, lets answers that are being given go out, and is gone.
#[derive(Debug)]
pub(crate) struct Server {
    room: Arc<Room>,
    thread: Option<JoinHandle<()>>,
    /// Removes it.
    _place: Place,
}

/// What the threads share.
#[derive(Debug)]
struct Room {
    /// Rung when the accepting thread is to look again: heard at one end, rung at the other.
    bell: (PipeReader, PipeWriter),
    guests: Mutex<Guests>,
    /// One has left.
    left: Condvar,
}

#[derive(Debug, Default)]
struct Guests {
    closing: bool,
    last: u64,
    /// Who is being served, to be cut off when the run ends.
    streams: BTreeMap<u64, Arc<Stream>>,
}

impl Socket {
    /// Opens it; `None`: none is wanted.
    ///
    /// # Errors
    /// [`PlaceError`]; nothing is left then.
    pub(crate) fn open(wanted: &Where) -> Result<Option<Self>, PlaceError> {
        let opened = Place::open(wanted)?;
        Ok(opened.map(|(listener, place)| Self { listener, place }))
    }

    /// Has everybody answered by this clerk.
    ///
    /// # Errors
    /// When the system refuses a thread; nothing is left then.
    pub(crate) fn serve(self, clerk: Clerk) -> io::Result<Server> {
        let Self { listener, place } = self;
        let room = Room::new()?;
        let shared = Arc::clone(&room);
        let thread = thread::Builder::new()
            .name("farm-control".into())
            .spawn(move || accept_all(&shared, &listener, &clerk))?;
        Ok(Server {
            room,
            thread: Some(thread),
            _place: place,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut guests = self.room.lock();
        guests.closing = true;
        for stream in guests.streams.values() {
            // Whoever has not said what they want has no time any more; an answer still goes out.
            let _gone = socket(stream).shutdown(Shutdown::Read);
        }
        self.room.ring();
        let until = Instant::now() + LAST_WORDS;
        while !guests.streams.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.room.left.wait_timeout(guests, left);
            guests = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(guests);
        if let Some(thread) = self.thread.take() {
            // It calls nothing that could panic.
            let _ended = thread.join();
        }
    }
}

impl Room {
    fn new() -> io::Result<Arc<Self>> {
        let bell = pipe()?;
        ioctl_fionbio(&bell.0, true)?;
        ioctl_fionbio(&bell.1, true)?;
        Ok(Arc::new(Self {
            bell,
            guests: Mutex::default(),
            left: Condvar::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        // Full, it rings already.
        let _rings = (&self.bell.1).write(&[1]);
    }

    fn enters(&self, stream: &Arc<Stream>) -> Option<u64> {
        let mut guests = self.lock();
        if guests.closing {
            return None;
        }
        guests.last += 1;
        let number = guests.last;
        guests.streams.insert(number, Arc::clone(stream));
        Some(number)
    }

    fn leaves(&self, number: u64) {
        self.lock().streams.remove(&number);
        self.left.notify_all();
        self.ring();
    }
}

/// Until the run is over.
fn accept_all(room: &Arc<Room>, listener: &Listener, clerk: &Clerk) {
    let Listener::UdSocket(inner) = listener;
    // The process had no descriptor left for the last who came: to look again at once would take a processor.
    let mut tired = false;
    loop {
        let guests = room.lock();
        if guests.closing {
            return;
        }
        let full = guests.streams.len() >= AT_ONCE || tired;
        drop(guests);
        let mut wait = [
            PollFd::from_borrowed_fd(room.bell.0.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(inner.as_fd(), PollFlags::IN),
        ];
        let wanted = if full { 1 } else { 2 };
        let limit = tired.then_some(&REST);
        tired = false;
        if poll(&mut wait[..wanted], limit).is_err() {
            // Interrupted.
            continue;
        }
        let (rung, come) = (!wait[0].revents().is_empty(), !wait[1].revents().is_empty());
        if rung {
            // How often does not matter.
            let _count = (&room.bell.0).read(&mut [0; 64]);
        }
        if !full && come {
            match listener.accept() {
                Ok(stream) => serve(room, stream, clerk),
                Err(error) if is_of_one(&error) => {}
                Err(error) => {
                    log::warn!("the control socket takes nobody for now: {error}");
                    tired = true;
                }
            }
        }
    }
}

/// Whether only one connection failed.
fn is_of_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Interrupted | ErrorKind::ConnectionAborted | ErrorKind::WouldBlock
    )
}

/// Answers one connection, on a thread of its own.
fn serve(room: &Arc<Room>, stream: Stream, clerk: &Clerk) {
    let stream = Arc::new(stream);
    let Some(number) = room.enters(&stream) else {
        return;
    };
    let (shared, clerk) = (Arc::clone(room), Arc::clone(clerk));
    let thread = thread::Builder::new()
        .name("farm-control-1".into())
        .spawn(move || {
            let _leaves = Leaves(&shared, number);
            if let Some(answer) = answer(&stream, &clerk) {
                let line = serde_json::to_vec(&answer).expect("texts as keys");
                // Whoever does not read it does not want it.
                let _unread = write_line(&stream, line, Instant::now() + PATIENCE);
            }
        });
    if let Err(error) = thread {
        log::warn!("nobody answers at the control socket: {error}");
        room.leaves(number);
    }
}

/// Takes the guest out, also after a panic of the clerk.
struct Leaves<'a>(&'a Room, u64);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.leaves(self.1);
    }
}

/// What to answer; `None`: nothing, because nothing was asked.
fn answer(stream: &Stream, clerk: &Clerk) -> Option<Answer> {
    let peer = stream.peer_creds().ok().and_then(|peer| peer.euid());
    if peer != Some(geteuid().as_raw()) {
        return Some(Answer::refused(
            Code::NotYours,
            "this run is somebody else's",
        ));
    }
    let line = match read_line(stream, REQUEST_MAX, Instant::now() + PATIENCE) {
        Ok(line) if line.is_empty() => return None,
        Ok(line) => line,
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            let words = format!("a request has at most {REQUEST_MAX} bytes");
            return Some(Answer::refused(Code::BadRequest, words));
        }
        Err(error) if error.kind() == ErrorKind::TimedOut => {
            let words = format!("no whole request has come within {PATIENCE:?}");
            return Some(Answer::refused(Code::BadRequest, words));
        }
        Err(_) => return None,
    };
    Some(match serde_json::from_slice::<Versioned>(&line) {
        Ok(Versioned { v: VERSION }) => match serde_json::from_slice(&line) {
            Ok(request) => clerk(request),
            Err(error) => Answer::refused(Code::BadRequest, format!("this is no request: {error}")),
        },
        Ok(Versioned { v }) => {
            let words = format!("this run speaks version {VERSION} of the protocol, not {v}");
            Answer::refused(Code::Version, words)
        }
        Err(error) => Answer::refused(Code::BadRequest, format!("this is no request: {error}")),
    })
}

/// What every version has.
#[derive(serde::Deserialize)]
struct Versioned {
    v: u32,
}

fn socket(stream: &Stream) -> &std::os::unix::net::UnixStream {
    let Stream::UdSocket(inner) = stream;
    inner.inner()
}
