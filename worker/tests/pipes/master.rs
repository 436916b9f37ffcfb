//! The least master: three pipes, a page and a process; blocking, one frame at a time.

use crate::kind::{Ask, AskWire, Number};
use farm_protocol::{
    Attempt, AttemptHeader, AttemptId, ContextUpdate, DEFAULT_FRAME_LIMIT, FrameDecoder,
    FrameError, FrameKind, Greeting, Hello, KindId, Launch, ReplyHeader, RequestHeader, Session,
    TaskId, Wire, WorkerName, attempt_frame, begin_frame, decode, decode_prefix, encode_request,
    finish_frame, page, request_frame,
};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

/// What the workers of this program are called.
pub(crate) const NAME: WorkerName = WorkerName {
    farm: 7,
    session: Session(1),
};

/// A context for the worker.
pub(crate) type Update = ContextUpdate<Vec<u64>>;

const LIMIT: usize = DEFAULT_FRAME_LIMIT.0 as usize;

pub(crate) fn id(number: u64) -> AttemptId {
    AttemptId {
        task: TaskId::from_bits(number + 100),
        attempt: Attempt(2),
    }
}

/// The text of a fault frame.
pub(crate) fn said(rest: &[u8]) -> String {
    decode(rest).expect("a text")
}

pub(crate) struct Master {
    worker: Child,
    requests: Option<File>,
    control: Option<File>,
    answers: File,
    page: File,
    unsent: Vec<u8>,
    decoder: FrameDecoder,
    peeked: Option<(FrameKind, Vec<u8>)>,
    pub(crate) hello: Hello,
}

/// A pipe of which the worker inherits one end and this process keeps the other for itself.
pub(crate) fn pipe(worker_reads: bool) -> (OwnedFd, File) {
    let (read, write) = pipe_with(PipeFlags::empty()).expect("a pipe");
    let (theirs, ours) = if worker_reads {
        (read, write)
    } else {
        (write, read)
    };
    fcntl_setfd(&ours, FdFlags::CLOEXEC).expect("a flag");
    (theirs, File::from(ours))
}

impl Master {
    pub(crate) fn start() -> Self {
        Self::start_with(Stdio::piped())
    }

    pub(crate) fn start_with(stdout: Stdio) -> Self {
        let mut master = Self::spawn(stdout, &[]);
        let mut greeting = Greeting::new(DEFAULT_FRAME_LIMIT);
        master.hello = loop {
            let mut bytes = [0; 4096];
            let count = master.answers.read(&mut bytes).expect("answers");
            assert!(count > 0, "the worker ended before its hello");
            if let Some(hello) = greeting.push(&bytes[..count]).expect("a hello") {
                break hello;
            }
        };
        assert_eq!(master.hello.find(&AskWire::hello()), Ok(0));
        master.decoder = greeting.into_decoder();
        master
    }

    /// A worker that has said nothing yet.
    pub(crate) fn spawn(stdout: Stdio, env: &[(&str, &str)]) -> Self {
        let (requests_read, requests) = pipe(true);
        let (control_read, control) = pipe(true);
        let (answers_write, answers) = pipe(false);
        let page = memfd_create("page", MemfdFlags::empty()).expect("a page");
        ftruncate(&page, page::BYTES as u64).expect("a whole page");
        let launch = Launch {
            requests: requests_read.as_raw_fd(),
            control: control_read.as_raw_fd(),
            answers: answers_write.as_raw_fd(),
            page: Some(page.as_raw_fd()),
            through: None,
            master: std::process::id(),
            name: NAME,
            kind: String::new(),
        };
        let worker = Command::new(std::env::current_exe().expect("a path of this program"))
            .arg(launch.to_string())
            .envs(env.iter().copied())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("the worker starts");
        drop((requests_read, control_read, answers_write));
        fcntl_setfd(&page, FdFlags::CLOEXEC).expect("a flag");
        let hello = Hello {
            pid: 0,
            build: String::new(),
            kinds: Vec::new(),
        };
        Self {
            worker,
            requests: Some(requests),
            control: Some(control),
            answers,
            page: File::from(page),
            unsent: Vec::new(),
            decoder: FrameDecoder::new(DEFAULT_FRAME_LIMIT),
            peeked: None,
            hello,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.worker.id()
    }

    pub(crate) fn append(&mut self, number: u64, ask: &Ask) {
        self.append_told(number, None, ask);
    }

    /// A request before which the worker is told a context.
    pub(crate) fn append_told(&mut self, number: u64, update: Option<&Update>, ask: &Ask) {
        let mut payload = Vec::new();
        encode_request(update, ask, &mut payload, LIMIT).expect("it can be encoded");
        self.append_raw(number, &payload);
    }

    pub(crate) fn append_raw(&mut self, number: u64, payload: &[u8]) {
        self.append_to(0, number, payload);
    }

    /// A request for this one of the worker's kinds.
    pub(crate) fn append_to(&mut self, kind: u16, number: u64, payload: &[u8]) {
        let header = RequestHeader {
            number,
            id: id(number),
            kind: KindId(kind),
        };
        let append = |out: &mut Vec<u8>| {
            out.extend_from_slice(payload);
            Ok::<(), FrameError>(())
        };
        request_frame(&mut self.unsent, &header, DEFAULT_FRAME_LIMIT, append).expect("it fits");
    }

    pub(crate) fn write(&mut self) {
        let requests = self.requests.as_mut().expect("not closed");
        requests.write_all(&self.unsent).expect("the worker reads");
        self.unsent.clear();
    }

    pub(crate) fn send(&mut self, number: u64, ask: &Ask) {
        self.append(number, ask);
        self.write();
    }

    pub(crate) fn control(&mut self, kind: FrameKind, number: u64) {
        let mut bytes = Vec::new();
        let id = id(number);
        attempt_frame(&mut bytes, kind, &AttemptHeader { number, id });
        let control = self.control.as_mut().expect("not closed");
        control.write_all(&bytes).expect("the worker reads");
    }

    fn next(&mut self) -> Option<(FrameKind, Vec<u8>)> {
        if let Some(peeked) = self.peeked.take() {
            return Some(peeked);
        }
        loop {
            if let Some(frame) = self.decoder.next_frame().expect("frames") {
                return Some((frame.kind, frame.body.to_vec()));
            }
            let mut bytes = [0; 4096];
            match self.answers.read(&mut bytes).expect("answers") {
                0 => return None,
                count => self.decoder.push(&bytes[..count]),
            }
        }
    }

    pub(crate) fn frame(&mut self) -> (FrameKind, Vec<u8>) {
        self.next().expect("one more frame")
    }

    pub(crate) fn peek(&mut self) -> FrameKind {
        let next = self.frame();
        self.peeked.insert(next).0
    }

    /// The next frame, which is about an attempt.
    pub(crate) fn about(&mut self) -> (FrameKind, AttemptHeader, Vec<u8>) {
        let (kind, body) = self.frame();
        let (head, rest): (AttemptHeader, _) = decode_prefix(&body).expect("a head");
        assert_eq!(head.id, id(head.number));
        (kind, head, rest.to_vec())
    }

    /// The response of attempt `number`, which must come next.
    pub(crate) fn replied(&mut self, number: u64) -> u64 {
        self.replied_with::<Number>(number).0
    }

    /// The response of attempt `number`, which must come next, of another kind.
    pub(crate) fn replied_with<T: DeserializeOwned>(&mut self, number: u64) -> T {
        let (kind, body) = self.frame();
        assert_eq!(kind, FrameKind::Reply);
        let (head, rest): (ReplyHeader, _) = decode_prefix(&body).expect("a head");
        assert_eq!(head.id, id(number));
        decode(rest).expect("a response")
    }

    /// Whether the worker says nothing more and has closed its end.
    pub(crate) fn ended(&mut self) -> bool {
        self.next().is_none()
    }

    pub(crate) fn stop(&mut self) -> ExitStatus {
        let start = begin_frame(&mut self.unsent, FrameKind::Stop);
        finish_frame(&mut self.unsent, start, DEFAULT_FRAME_LIMIT).expect("it fits");
        self.write();
        self.wait()
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.worker.wait().expect("it ends")
    }

    /// The first line that is printed.
    pub(crate) fn first_line(&mut self) -> String {
        let out = self.worker.stdout.as_mut().expect("piped");
        let mut line = Vec::new();
        let mut byte = [0];
        // One at a time: what follows the line is for whoever asks next.
        while out.read(&mut byte).expect("output") == 1 && byte != *b"\n" {
            line.extend(byte);
        }
        String::from_utf8(line).expect("text")
    }

    /// All that was printed, once nobody holds the worker's standard streams any more.
    pub(crate) fn last_words(&mut self) -> String {
        let mut words = String::new();
        if let Some(mut out) = self.worker.stdout.take() {
            out.read_to_string(&mut words).expect("text");
        }
        let mut err = self.worker.stderr.take().expect("asked once");
        err.read_to_string(&mut words).expect("text");
        words
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a pid"), signal).expect("it lives");
    }

    pub(crate) fn close_control(&mut self) {
        self.control = None;
    }

    pub(crate) fn close_requests(&mut self) {
        self.requests = None;
    }

    pub(crate) fn page(&self) -> page::Noted {
        page::read(|word| {
            let mut bytes = [0; 8];
            self.page
                .read_exact_at(&mut bytes, 8 * word as u64)
                .expect("a word");
            u64::from_ne_bytes(bytes)
        })
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        // Whatever a failed test leaves must not outlive it.
        drop(self.worker.kill());
        drop(self.worker.wait());
    }
}
