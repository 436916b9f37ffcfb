//! The life of a worker process: start, read, perform, answer, end.
//!
//! The thread that reads the requests performs them and writes the answers: with one request at a time an attempt costs
//! a read, a write and two looks at the clock. It knows no rule; those are in [`crate::session`].

mod family;
mod gather;
mod in_process;
mod outbox;
mod port;
mod start;
mod template;
mod watch;

pub use in_process::{Ends, Left, serve_in_process};
pub(crate) use port::{Port, now};

use crate::page::PageNote;
use crate::perform::{Received, Seat, Worker};
use crate::session::frames::{Incoming, garbled, incoming, payload_max};
use crate::session::{Ending, Event, Fault, Finished};
use farm_protocol::{
    DEFAULT_FRAME_LIMIT, FrameDecoder, Launch, RequestHeader, TemplateLaunch, WorkerName,
};
use port::{Home, Master, Step};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use start::Inherited;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The exit codes of a worker that ends by itself. `Stop` ends it with 0.
pub mod exit {
    /// A kind panicked; the master was told.
    pub const PANICKED: i32 = 101;
    /// A request could not be decoded; the master was told.
    pub const REFUSED: i32 = 102;
    /// The master broke the protocol; a line on standard error says how.
    pub const FAULT: i32 = 103;
    /// The worker could not start; a line on standard error says why.
    pub const UNSTARTED: i32 = 104;
}

/// Bytes taken from the requests pipe at a time: as much as a pipe holds.
const READ_BYTES: usize = 64 << 10;

/// Serves and never returns if this process was started as a worker, or as the template of workers: the last argument of
/// the program says so. Otherwise returns at once, and `make` is not called.
///
/// Call it before anything else: before threads are started, descriptors opened or arguments parsed.
pub fn run_if_asked(make: impl FnOnce() -> Worker) {
    let last = std::env::args_os().next_back();
    let last = last.as_deref().and_then(|argument| argument.to_str());
    let Some(last) = last else { return };
    let served = if let Some(launch) = Launch::from_last_argument(last) {
        serve(&launch, make)
    } else if let Some(launch) = TemplateLaunch::from_last_argument(last) {
        template::serve(&launch, make)
    } else {
        return;
    };
    match served {
        Ok(never) => match never {},
        Err(error) => {
            say(&format!("worker could not start: {error}"));
            std::process::exit(exit::UNSTARTED);
        }
    }
}

/// Never returned: the process ends instead.
enum Served {}

fn serve(launch: &Launch, make: impl FnOnce() -> Worker) -> io::Result<Served> {
    let inherited = start::take_over(launch)?;
    let master = Master::Parent(launch.master);
    work(inherited, master, launch.name, || {
        let mut worker = make();
        // A master that asks for a kind that is not there finds out from the hello.
        let _there = worker.warm(&launch.kind, false);
        worker
    })
}

/// Is a worker to its end.
fn work(
    inherited: Inherited,
    master: Master,
    name: WorkerName,
    make: impl FnOnce() -> Worker,
) -> io::Result<Served> {
    let Inherited {
        requests,
        control,
        answers,
        page,
        through,
        signals,
    } = inherited;
    let page = PageNote::new(page.as_ref())?;
    let port = Arc::new(Port::new(answers, through, Home::Process(master), name)?);
    // Before anything of the user's runs: a master that dies while a performer is made takes this process along.
    // It lives as long as the process.
    let _watcher = watch::spawn(Arc::clone(&port), control, Some(signals))?;
    let worker = make();
    port.greet(worker.hellos())?;
    let mut performing = Performing {
        port,
        page,
        seats: worker.into_seats(),
        response: Vec::new(),
    };
    let ending = performing.until_the_end(&requests);
    let ending = ending.expect("a process whose master is gone does not get here");
    if ending == Ending::Stopped {
        // Performers may have something to close. After a panic or a fault nobody knows what they would do.
        performing.seats.clear();
    }
    leave(&performing.port, &ending)
}

/// Sends what is unsent and ends the process as `ending` says.
fn leave(port: &Port, ending: &Ending) -> ! {
    port.flush();
    // Whoever has left our group can be found only as long as we live.
    family::end_own_descendants();
    let code = match ending {
        Ending::Stopped => 0,
        Ending::Panicked => exit::PANICKED,
        Ending::Refused => exit::REFUSED,
        Ending::Fault(fault) => {
            say(&format!(
                "worker ends, the master broke the protocol: {fault}"
            ));
            exit::FAULT
        }
    };
    std::process::exit(code);
}

/// A line on standard error, which is the worker's last words. Nobody is left to tell if that fails.
fn say(line: &str) {
    drop(writeln!(io::stderr(), "farm: {line}"));
}

/// How long a worker that has answered looks for the next request before it goes to sleep: about
/// the time in which a master with something to do sends it.
const LINGER: Duration = Duration::from_micros(40);

/// A turn of lingering that takes longer than this has let somebody else run.
const WANTED: Duration = Duration::from_micros(8);

/// Looks for a request for a little while, giving the processor to whoever wants it.
///
/// To sleep at once and be woken over there costs more than the whole way through the master: with
/// two workers on two processors, lists of short commands take a tenth longer without this, and
/// more processor time, not less, because tasks and their caches wander. A worker that finds
/// nothing sleeps like any other.
fn linger(requests: &OwnedFd) {
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let begun = Instant::now();
    let mut last = Duration::ZERO;
    while last < LINGER {
        let mut fds = [PollFd::new(requests, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&at_once)) {
            Ok(0) => std::thread::yield_now(),
            // Something to read, or something that the reading will explain.
            Ok(_) | Err(_) => return,
        }
        let now = begun.elapsed();
        // Somebody else had the processor meanwhile: there are more who want it than there are.
        if now - last > WANTED {
            return;
        }
        last = now;
    }
}

struct Performing {
    port: Arc<Port>,
    page: PageNote,
    seats: Vec<Box<dyn Seat>>,
    /// The encoded response; kept for its memory.
    response: Vec<u8>,
}

impl Performing {
    /// Serves until the session ends; `None`: until nobody wants this worker any more, which a process does not live
    /// to see.
    fn until_the_end(&mut self, requests: &OwnedFd) -> Option<Ending> {
        let mut decoder = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
        let mut chunk = vec![0; READ_BYTES];
        loop {
            let frame = match decoder.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    // Nothing more at hand: an answer must not wait for the next request.
                    self.port.flush();
                    // Not before the answer is out: a worker that dies in between has executed it.
                    self.page.clear();
                    linger(requests);
                    let Some(count) = self.read(requests, &mut chunk) else {
                        self.port.lost();
                        return None;
                    };
                    decoder.push(&chunk[..count]);
                    continue;
                }
                Err(error) => return self.fail(garbled("requests", error)),
            };
            let step = match incoming(frame) {
                Ok(Incoming::Request(header, payload)) => self.request(header, payload, requests),
                Ok(Incoming::Stop) => self.port.tell(Event::Stop),
                Err(fault) => return self.fail(fault),
            };
            match step {
                Step::End(ending) => return Some(ending),
                Step::Gone => return None,
                Step::Begin(_) | Step::Done => {}
            }
        }
    }

    fn request(&mut self, header: RequestHeader, payload: &[u8], requests: &OwnedFd) -> Step {
        match self.port.tell(Event::Request(header)) {
            Step::Begin(header) => self.perform(header, payload, requests),
            other @ (Step::Done | Step::End(_) | Step::Gone) => other,
        }
    }

    fn perform(&mut self, header: RequestHeader, payload: &[u8], requests: &OwnedFd) -> Step {
        let RequestHeader { number, id, kind } = header;
        let started = now();
        self.page.begin(id, started);
        self.response.clear();
        let received = Received {
            id,
            number,
            payload,
            port: &self.port,
            response_max: payload_max(DEFAULT_FRAME_LIMIT),
        };
        let seat = &mut self.seats[usize::from(kind.0)];
        let (how, flags) = seat.execute(&received, &mut self.response);
        let ended = now();
        self.port.notice_hang_up(requests);
        let finished = Finished {
            how,
            flags,
            ran_nanos: ended.saturating_sub(started),
        };
        let step = self.port.finished(finished, &self.response, ended);
        self.page.look(ended);
        // One huge response must not hold its memory for ever.
        self.response.shrink_to(READ_BYTES * 16);
        step
    }

    fn fail(&self, fault: Fault) -> Option<Ending> {
        let ending = self.port.fail(fault);
        if ending.is_none() {
            // The watcher has ended the session for a fault of its own, and is about to end the process.
            self.port.await_the_end();
        }
        ending
    }

    /// At least one byte of requests; `None` at their end, which without a `Stop` means that the master is gone.
    fn read(&self, requests: &OwnedFd, chunk: &mut [u8]) -> Option<usize> {
        loop {
            match rustix::io::read(requests, &mut *chunk) {
                Ok(0) => return None,
                Ok(count) => return Some(count),
                Err(Errno::INTR) => {}
                // The master may have handed over its end non-blocking.
                Err(Errno::AGAIN) => {
                    let mut fds = [PollFd::new(requests, PollFlags::IN)];
                    port::wait(&mut fds, None);
                }
                Err(_) => return None,
            }
        }
    }
}
