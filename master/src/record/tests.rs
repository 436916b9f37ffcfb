//! A recorded run replays to the same actions without its kinds; another run is noticed.

mod format;
mod hostile;

use super::*;
use crate::lane::{AdapterMode, Boundary, Entry};
use crate::{
    Action, Actions, Config, Event, KindConfig, Master, Registry, Staffing, TaskKind, TaskOptions,
    Verdict, WorkerStatus,
};
use farm_protocol::{
    Attempt, AttemptId, DEFAULT_FRAME_LIMIT, FrameError, FrameKind, Hello, Instant, KindId, Never,
    PREAMBLE, ReplyFlags, ReplyHeader, Session, Wire, begin_frame, encode_into, finish_frame,
    reply_frame,
};

struct Doubles;

impl Wire for Doubles {
    const NAME: &'static str = "double";
    const VERSION: u32 = 1;
    type Request = u64;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

struct Double;

impl TaskKind for Double {
    type Wire = Doubles;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<u64> {
        Some(*task)
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, response: u64) -> Verdict<Self> {
        Verdict::done(response, ())
    }
}

fn config() -> Config {
    let kind = KindConfig {
        hello: Doubles::hello(),
        slots: 1,
        boundary: Boundary::new(AdapterMode::PushPull, 1, 10, 0).expect("valid"),
        credit_cap: 0,
        injection_limit: 0,
        decode_above: 1000,
        hello_timeout: None,
        staffing: Staffing::default(),
        defaults: TaskOptions::default(),
    };
    Config {
        kinds: vec![kind],
        ..Config::default()
    }
}

fn hello() -> Vec<u8> {
    let mut out = PREAMBLE.to_vec();
    let start = begin_frame(&mut out, FrameKind::Hello);
    let hello = Hello {
        pid: 1,
        build: String::new(),
        kinds: vec![Doubles::hello()],
    };
    encode_into(&hello, &mut out, 1000).expect("encodes");
    finish_frame(&mut out, start, DEFAULT_FRAME_LIMIT).expect("short");
    out
}

fn reply(id: AttemptId) -> Vec<u8> {
    let mut out = Vec::new();
    let header = ReplyHeader {
        id,
        flags: ReplyFlags::default(),
        ran_nanos: 5,
    };
    let frame = reply_frame::<FrameError>(&mut out, &header, DEFAULT_FRAME_LIMIT, |out| {
        out.push(14);
        Ok(())
    });
    frame.expect("short");
    out
}

/// The same events every time; only the kinds differ.
fn play(kinds: &mut dyn Kinds, task: TaskId) -> (Vec<Action>, Vec<u8>) {
    let mut master = Master::new(config());
    let mut actions = Actions::new();
    let place = (SlotId(0), Session(1));
    let id = AttemptId {
        task,
        attempt: Attempt(1),
    };
    let (hello, reply) = (hello(), reply(id));
    let events = [
        Event::Submit {
            task,
            kind: KindId(0),
            entry: Entry::Push,
            options: None,
            scope: None,
        },
        Event::Spawned {
            slot: place.0,
            session: place.1,
            page: true,
        },
        Event::Bytes {
            slot: place.0,
            session: place.1,
            bytes: &hello,
        },
        Event::Bytes {
            slot: place.0,
            session: place.1,
            bytes: &reply,
        },
    ];
    for event in events {
        master.handle(Instant::START, event, kinds, &mut actions);
    }
    (actions.as_slice().to_vec(), actions.bytes.clone())
}

fn record() -> (TaskId, Vec<KindAnswer>, (Vec<Action>, Vec<u8>)) {
    let mut registry = Registry::new();
    let kind = registry.register(Double);
    let task = registry.insert(kind, Box::new(crate::Held::<Double>::new(7, None)));
    let mut answers = Vec::new();
    let played = play(&mut Recording::new(&mut registry, &mut answers), task);
    (task, answers, played)
}

#[test]
fn a_record_replays_to_the_same_actions_byte_for_byte() {
    let (task, answers, recorded) = record();
    let calls = "affinity, matches of a fresh worker, matches, request, response";
    assert_eq!(answers.len(), 5, "{calls}");
    let mut replaying = Replaying::new(answers);
    assert_eq!(play(&mut replaying, task), recorded);
    assert_eq!((replaying.diverged(), replaying.left()), (None, 0));
}

#[test]
fn a_call_that_was_not_recorded_is_named() {
    let (task, mut answers, _) = record();
    answers.remove(3);
    let mut replaying = Replaying::new(answers);
    play(&mut replaying, task);
    let why = replaying.diverged().expect("the request is missing");
    assert!(
        why.starts_with("request(t0#1, w0) was called where"),
        "{why}"
    );
}
