//! A template by hand: what it forks is a worker like any other, and what it is told wrongly costs no worker.

use crate::kind::{Ask, AskWire, Number};
use crate::master::{NAME, id, pipe};
use farm_protocol::{
    DEFAULT_FRAME_LIMIT, FrameError, FrameKind, Greeting, KindId, PREAMBLE, ReplyHeader,
    RequestHeader, TEMPLATE_MESSAGE_MAX, TemplateAnswer, TemplateLaunch, TemplateOrder,
    Termination, Wire, begin_frame, decode, decode_prefix, encode, encode_request, finish_frame,
    request_frame,
};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

struct Template {
    process: Child,
    socket: Option<OwnedFd>,
}

impl Template {
    fn start() -> Self {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::empty(),
            None,
        )
        .expect("a socket");
        fcntl_setfd(&ours, FdFlags::CLOEXEC).expect("a flag");
        let launch = TemplateLaunch {
            socket: theirs.as_raw_fd(),
            master: std::process::id(),
            kind: AskWire::NAME.to_owned(),
        };
        let process = Command::new(std::env::current_exe().expect("a path of this program"))
            .arg(launch.to_string())
            .process_group(0)
            .spawn()
            .expect("the template starts");
        drop(theirs);
        let template = Self {
            process,
            socket: Some(ours),
        };
        assert_eq!(template.hear().0, PREAMBLE);
        template
    }

    /// What it says next, and whether a descriptor came with it.
    fn hear(&self) -> (Vec<u8>, bool) {
        let mut bytes = vec![0; TEMPLATE_MESSAGE_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let socket = self.socket.as_ref().expect("open");
        let message =
            recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC).expect("a message");
        let fds = control.drain().any(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => fds.count() == 1,
            _ => false,
        });
        bytes.truncate(message.bytes);
        (bytes, fds)
    }

    fn ask(&self, order: TemplateOrder, fds: &[BorrowedFd<'_>]) -> (TemplateAnswer, bool) {
        let bytes = encode(&order, TEMPLATE_MESSAGE_MAX).expect("it is short");
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
        let socket = self.socket.as_ref().expect("open");
        sendmsg(
            socket,
            &[IoSlice::new(&bytes)],
            &mut control,
            SendFlags::empty(),
        )
        .expect("sent");
        let (bytes, fd) = self.hear();
        (decode(&bytes).expect("an answer"), fd)
    }

    fn fork(&self) -> Worker {
        let (requests_read, requests) = pipe(true);
        let (control_read, control) = pipe(true);
        let (answers_write, answers) = pipe(false);
        let (stdout_write, stdout) = pipe(false);
        let theirs = [&requests_read, &control_read, &answers_write, &stdout_write];
        let mut theirs = theirs.map(AsFd::as_fd).to_vec();
        theirs.push(stdout_write.as_fd());
        let (answer, pidfd) = self.ask(FORK, &theirs);
        let TemplateAnswer::Forked { pid, shared_bytes } = answer else {
            panic!("{answer:?}")
        };
        assert!(pidfd && shared_bytes > 0);
        Worker {
            pid,
            requests,
            control: Some(control),
            answers,
            stdout,
        }
    }

    fn collect(&self, pid: u32) -> Termination {
        match self.ask(TemplateOrder::Collect { pid }, &[]).0 {
            TemplateAnswer::Collected { termination, .. } => termination,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        self.process.wait().expect("ours");
    }
}

const FORK: TemplateOrder = TemplateOrder::Fork {
    name: NAME,
    page: false,
    through: false,
};

struct Worker {
    pid: u32,
    requests: File,
    control: Option<File>,
    answers: File,
    stdout: File,
}

impl Worker {
    /// Asks for the first time: the hello comes before the answer.
    fn echo(&mut self, number: u64) -> u64 {
        let mut greeting = Greeting::new(DEFAULT_FRAME_LIMIT);
        let hello = loop {
            let mut bytes = [0; 4096];
            let count = self.answers.read(&mut bytes).expect("answers");
            assert!(count > 0, "the worker ended before its hello");
            if let Some(hello) = greeting.push(&bytes[..count]).expect("a hello") {
                break hello;
            }
        };
        assert_eq!(hello.pid, self.pid);
        let header = RequestHeader {
            number: 1,
            id: id(number),
            kind: KindId(0),
        };
        let (mut payload, mut request) = (Vec::new(), Vec::new());
        encode_request::<Vec<u64>, _>(None, &Ask::Echo(number), &mut payload, 4096)
            .expect("it can be encoded");
        request_frame(&mut request, &header, DEFAULT_FRAME_LIMIT, |out| {
            out.extend_from_slice(&payload);
            Ok::<(), FrameError>(())
        })
        .expect("it is short");
        self.requests.write_all(&request).expect("it reads");
        let mut decoder = greeting.into_decoder();
        loop {
            if let Some(frame) = decoder.next_frame().expect("frames") {
                assert_eq!(frame.kind, FrameKind::Reply);
                let (_, body): (ReplyHeader, _) = decode_prefix(frame.body).expect("a reply");
                let Number(number) = decode(body).expect("a number");
                return number;
            }
            let mut bytes = [0; 4096];
            let count = self.answers.read(&mut bytes).expect("answers");
            assert!(count > 0, "the worker ended before its answer");
            decoder.push(&bytes[..count]);
        }
    }

    fn stop(&mut self) {
        let mut out = Vec::new();
        let frame = begin_frame(&mut out, FrameKind::Stop);
        finish_frame(&mut out, frame, DEFAULT_FRAME_LIMIT).expect("it is short");
        self.requests.write_all(&out).expect("it reads");
        self.wait();
    }

    /// Waits until nobody holds its streams.
    fn wait(&mut self) {
        let mut rest = Vec::new();
        self.stdout.read_to_end(&mut rest).expect("the end");
    }
}

/// Forks, performs and collects; orders that make no sense are answered.
pub(crate) fn a_template_forks_workers_and_collects_them() {
    let template = Template::start();
    let mut one = template.fork();
    let mut two = template.fork();
    assert_eq!((one.echo(7), two.echo(8)), (7, 8));
    one.stop();
    assert_eq!(template.collect(one.pid), Termination::Exited(0));
    assert_eq!(template.collect(one.pid), Termination::Lost, "once");
    let (refused, pidfd) = template.ask(FORK, &[]);
    assert!(matches!(refused, TemplateAnswer::NotForked { .. }) && !pidfd);
    // The end of its control pipe is the end of its master.
    drop(two.control.take());
    two.wait();
    assert_eq!(template.collect(two.pid).signal(), Some(9));
}

/// A worker does not need its template, and a template does not outlive its master.
pub(crate) fn a_template_and_its_worker_end_apart() {
    let mut template = Template::start();
    let mut worker = template.fork();
    drop(template.socket.take());
    template.process.wait().expect("ours");
    assert_eq!(worker.echo(9), 9);
    worker.stop();
}
