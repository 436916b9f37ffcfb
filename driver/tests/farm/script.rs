//! A worker by hand: does what each request says, also what no worker should do.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a worker's own output is what some tests are about"
)]

use farm_protocol::{
    DEFAULT_FRAME_LIMIT, FrameDecoder, FrameError, FrameKind, Hello, Launch, MarshalError, Never,
    PREAMBLE, ReplyFlags, ReplyHeader, RequestHeader, Wire, begin_frame, decode, decode_prefix,
    encode_into, finish_frame, page, reply_frame, split_request,
};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio, exit};

/// What crosses the pipe: an order and a number; a text comes back.
pub(crate) struct Script;

impl Wire for Script {
    const NAME: &'static str = "script";
    const VERSION: u32 = 1;
    type Request = (String, u64);
    type Response = String;
    type Feedback = Never;
    type Context = Never;
}

/// The descriptor `number`, opened again through the system's own names for it.
fn opened(number: i32, write: bool) -> File {
    let path = format!("/dev/fd/{number}");
    OpenOptions::new()
        .read(!write)
        .write(write)
        .open(path)
        .expect("an inherited descriptor")
}

/// Runs as a worker to the end of the requests.
pub(crate) fn work(launch: Launch) {
    let mut answers = opened(launch.answers, true);
    let start = std::env::args().nth(1).unwrap_or_default();
    match start.as_str() {
        "die" => {
            eprintln!("no licence found");
            exit(3);
        }
        "garbage" => {
            answers
                .write_all(b"Usage: nothing of the sort\n")
                .expect("written");
            hang();
        }
        "mute" => hang(),
        "heavy" => eat(60),
        _ => {}
    }
    let mut hello = PREAMBLE.to_vec();
    if start == "future" {
        hello[4] += 1;
    }
    let begin = begin_frame(&mut hello, FrameKind::Hello);
    let said = Hello {
        pid: std::process::id(),
        build: "by hand".to_owned(),
        kinds: vec![Script::hello()],
    };
    encode_into(&said, &mut hello, 4096).expect("encodes");
    finish_frame(&mut hello, begin, DEFAULT_FRAME_LIMIT).expect("short");
    answers.write_all(&hello).expect("written");
    serve(&launch, &mut answers);
}

fn serve(launch: &Launch, answers: &mut File) {
    let mut requests = opened(launch.requests, false);
    let page = launch.page.map(|number| opened(number, true));
    let mut decoder = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
    let mut space = vec![0; 64 << 10];
    loop {
        while let Some(frame) = decoder.next_frame().expect("frames") {
            if frame.kind == FrameKind::Stop {
                return;
            }
            assert_eq!(frame.kind, FrameKind::Request);
            let (header, payload): (RequestHeader, _) = decode_prefix(frame.body).expect("header");
            note(page.as_ref(), header.id.task.to_bits(), header.id.attempt.0);
            let (_, request) = split_request::<Never>(payload).expect("payload");
            let (order, number): (String, u64) = decode(request).expect("request");
            let response = obey(&order, number);
            let head = ReplyHeader {
                id: header.id,
                flags: ReplyFlags::default(),
                ran_nanos: 1,
            };
            let mut reply = Vec::new();
            reply_frame(&mut reply, &head, DEFAULT_FRAME_LIMIT, |out| {
                encode_into(&response, out, 64 << 20).map_err(Fault::from)
            })
            .expect("encodes");
            if order == "half" {
                answers
                    .write_all(&reply[..reply.len() / 2])
                    .expect("written");
                kill_self();
            }
            answers.write_all(&reply).expect("written");
            // Not before the answer is out: who dies in between has executed it.
            note(page.as_ref(), page::NOTHING, 0);
            if order == "weary" {
                // The next request is longer than what is read of it and what its pipe takes.
                requests.read_exact(&mut space[..4096]).expect("read");
                kill_self();
            }
        }
        let count = requests.read(&mut space).expect("read");
        if count == 0 {
            return;
        }
        decoder.push(&space[..count]);
    }
}

/// Both ways in which a reply may not be writable.
#[derive(Debug)]
struct Fault;

impl From<MarshalError> for Fault {
    fn from(_: MarshalError) -> Self {
        Self
    }
}

impl From<FrameError> for Fault {
    fn from(_: FrameError) -> Self {
        Self
    }
}

fn note(page: Option<&File>, task: u64, attempt: u32) {
    let Some(page) = page else { return };
    let put = |word: usize, value: u64| {
        page.write_all_at(&value.to_ne_bytes(), 8 * word as u64)
            .expect("a page");
    };
    put(page::ATTEMPT, u64::from(attempt));
    put(page::STARTED, 1);
    put(page::TASK, task);
}

/// Keeps so many megabytes for ever.
fn eat(megabytes: u64) {
    let size = usize::try_from(megabytes).expect("a size") * 1_000_000;
    std::mem::forget(std::hint::black_box(vec![1_u8; size]));
}

fn obey(order: &str, number: u64) -> String {
    match order {
        "double" => (2 * number).to_string(),
        "eat" => {
            eat(number);
            "eaten".to_owned()
        }
        "say" => {
            println!("out {number}");
            eprintln!("err {number}");
            "said".to_owned()
        }
        "flood" => {
            let line = [b'x'; 1024];
            for _ in 0..number {
                std::io::stdout().write_all(&line).expect("written");
            }
            std::io::stdout().flush().expect("written");
            "flooded".to_owned()
        }
        "pid" | "weary" => std::process::id().to_string(),
        "big" | "half" => "y".repeat(usize::try_from(number).expect("a size")),
        "hang" => hang(),
        "exit" => {
            println!("leaving");
            exit(i32::try_from(number).expect("a code"))
        }
        "kill" => {
            eprintln!("last words {number}");
            kill_self()
        }
        "grandchild" => {
            // It keeps the worker's streams, so their end never comes while it lives.
            let child = Command::new("/bin/sleep")
                .arg("1000")
                .stdin(Stdio::null())
                .spawn();
            let pid = child.expect("sleep").id();
            println!("left {pid}");
            if number > 0 {
                exit(9);
            }
            pid.to_string()
        }
        // Says that it runs, and goes on when somebody hangs up.
        _ if order.starts_with('/') => {
            let mut line = UnixStream::connect(order).expect("somebody listens");
            line.write_all(b"!").expect("heard");
            line.read_to_end(&mut Vec::new()).expect("hung up");
            "released".to_owned()
        }
        _ if order.starts_with("weigh") => order.len().to_string(),
        _ => panic!("unknown order {order}"),
    }
}

fn kill_self() -> ! {
    let own = std::process::id().to_string();
    let done = Command::new("/bin/sh")
        .args(["-c", "kill -9 $1", "sh", &own])
        .status();
    panic!("still alive: {done:?}")
}

fn hang() -> ! {
    loop {
        std::thread::park();
    }
}
