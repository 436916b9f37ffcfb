//! What cannot be marshalled, in the four directions: each has its own end, says how large it was, and costs the worker
//! only where nobody knows what the other side made of it.

use super::Test;
use farm::protocol::{DEFAULT_FRAME_LIMIT, MarshalError, Never, Schema, Wire};
use farm::worker::{Context, Perform};
use farm::{Farm, Outcome, Pool, Program, TaskKind, TaskQueue, Verdict, WorkerStatus};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::{Arc, Mutex};

pub(crate) const TESTS: &[Test] = &[
    (
        "a_request_that_is_too_large_is_never_sent",
        request_too_large,
    ),
    (
        "a_request_that_the_worker_cannot_read_replaces_it",
        request_refused,
    ),
    (
        "a_response_that_is_too_large_leaves_the_worker",
        response_too_large,
    ),
    (
        "a_response_that_the_master_cannot_read_replaces_the_worker",
        response_garbled,
    ),
];

/// More than a frame takes, in bytes.
const LARGE: usize = 65 << 20;

/// Can be written, and never read.
#[derive(Clone, Debug, Serialize, Schema)]
pub(crate) struct Sealed(u64);

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("it is sealed"))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub(crate) enum Ask {
    Pid,
    Length(String),
    Sealed(Sealed),
    AnswerLarge,
    AnswerSealed,
}

#[derive(Debug, Serialize, Deserialize, Schema)]
pub(crate) enum Answer {
    Pid(u32),
    Large(String),
    Sealed(Sealed),
}

pub(crate) struct Letters;

impl Wire for Letters {
    const NAME: &'static str = "letters";
    const VERSION: u32 = 1;
    type Request = Ask;
    type Response = Answer;
    type Feedback = Never;
    type Context = Never;
}

pub(crate) struct Writer;

impl Perform for Writer {
    type Wire = Letters;

    fn perform(&mut self, request: Ask, _: &Context<'_, Letters>) -> Answer {
        match request {
            Ask::Pid | Ask::Length(_) | Ask::Sealed(_) => Answer::Pid(std::process::id()),
            Ask::AnswerLarge => Answer::Large("x".repeat(LARGE)),
            Ask::AnswerSealed => Answer::Sealed(Sealed(1)),
        }
    }
}

/// The master's half; it notes what it is told, and in which order.
struct Post {
    heard: Arc<Mutex<Vec<String>>>,
}

impl Post {
    fn hear(&self, what: String) {
        self.heard.lock().expect("whole").push(what);
    }
}

impl TaskKind for Post {
    type Wire = Letters;
    type Task = Ask;
    type Competence = ();
    type Output = Answer;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &Ask) -> Option<Ask> {
        Some(task.clone())
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Ask, answer: Answer) -> Verdict<Self> {
        Verdict::done(answer, ())
    }

    fn on_lost(&mut self, _: &Ask, outcome: &Outcome) {
        self.hear(format!("lost {}", outcome.status()));
    }

    fn on_marshal_error(&mut self, _: &Ask, error: &MarshalError) {
        self.hear(error.to_string());
    }
}

fn pid(queue: &TaskQueue<Post>) -> u32 {
    match queue.submit(Ask::Pid).wait().expect("admitted").outcome {
        Outcome::Done(Answer::Pid(pid)) => pid,
        other => panic!("{other:?}"),
    }
}

/// What became of one task: its outcome, what the kind was told, and whether the worker stayed.
struct End {
    outcome: Outcome<Answer, ()>,
    heard: Vec<String>,
    stayed: bool,
    executed: usize,
}

fn end(task: Ask) -> End {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut builder = Farm::builder();
    let kind = builder.kind(
        Post {
            heard: Arc::clone(&heard),
        },
        Pool::new(Program::this_executable(), 1),
    );
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let before = pid(&queue);
    let settled = queue.submit(task).wait().expect("admitted");
    let stayed = pid(&queue) == before;
    let heard = heard.lock().expect("whole").clone();
    End {
        outcome: settled.outcome,
        heard,
        stayed,
        executed: settled.attempts.len(),
    }
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

fn request_too_large() {
    let end = end(Ask::Length("x".repeat(LARGE)));
    let Outcome::RequestNotMarshallable(error) = &end.outcome else {
        panic!("{:?}", end.outcome)
    };
    // The text, its length, the variant, and the byte that says that no context comes before.
    let size = LARGE + 4 + 1 + 1;
    let limit = DEFAULT_FRAME_LIMIT.0 as usize;
    let expected = MarshalError::TooLarge {
        size,
        at_least: false,
        limit,
    };
    assert_eq!(*error, expected);
    says(
        &error.to_string(),
        &["68157446 bytes (65.0 MiB)", "67108864 bytes (64.0 MiB)"],
    );
    assert_eq!(end.outcome.status(), "failed");
    assert!(end.stayed, "nothing was sent to it");
    assert_eq!(end.executed, 0);
    assert_eq!(end.heard, [error.to_string(), "lost failed".to_owned()]);
}

fn request_refused() {
    let end = end(Ask::Sealed(Sealed(7)));
    let Outcome::RequestRefused(why) = &end.outcome else {
        panic!("{:?}", end.outcome)
    };
    says(why, &["cannot be decoded", "(in 2 bytes)"]);
    assert_eq!(end.outcome.status(), "failed");
    assert!(!end.stayed, "who knows what it made of it");
    assert_eq!(end.heard, ["lost failed"]);
}

fn response_too_large() {
    let end = end(Ask::AnswerLarge);
    let Outcome::ResponseNotMarshallable(why) = &end.outcome else {
        panic!("{:?}", end.outcome)
    };
    says(
        why,
        &[
            "68157445 bytes (65.0 MiB)",
            "67108736 bytes (63.9 MiB)",
            "pass a path",
        ],
    );
    assert_eq!(end.outcome.status(), "failed");
    assert!(end.stayed, "it can take the next");
    assert_eq!(end.executed, 1);
    assert_eq!(end.heard, ["lost failed"]);
}

fn response_garbled() {
    let end = end(Ask::AnswerSealed);
    let Outcome::ResponseGarbled(error) = &end.outcome else {
        panic!("{:?}", end.outcome)
    };
    says(&error.to_string(), &["cannot be decoded", "(in 2 bytes)"]);
    assert_eq!(end.outcome.status(), "crashed");
    assert!(!end.stayed, "who knows what else it says");
    assert_eq!(end.heard, [error.to_string(), "lost crashed".to_owned()]);
}
