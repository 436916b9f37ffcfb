//! What comes before the hello.
use super::*;
use crate::{Context, Perform};
use farm_protocol::{Never, Session, Wire};
use std::io::Read;
use std::os::unix::net::UnixStream;

struct Number;

impl Wire for Number {
    const NAME: &'static str = "number";
    const VERSION: u32 = 1;
    type Request = u64;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

struct Cold;

impl Perform for Cold {
    type Wire = Number;

    fn warm(&mut self) {
        panic!("it cannot be warm");
    }

    fn perform(&mut self, request: u64, _context: &Context<'_, Number>) -> u64 {
        request
    }
}

#[derive(Debug)]
struct NoWards;

impl Wards for NoWards {
    fn add(&self, _leader: u32) {}

    fn remove(&self, _leader: u32) {}
}

#[test]
fn who_cannot_be_warmed_says_no_hello() {
    let (_control, control) = UnixStream::pair().expect("a socket");
    let (mut said, answers) = UnixStream::pair().expect("a socket");
    // Nobody asks it for anything: one that has said hello returns at once.
    let (_, requests) = UnixStream::pair().expect("a socket");
    let ends = Ends {
        requests: requests.into(),
        control: control.into(),
        answers: answers.into(),
        name: WorkerName {
            farm: 1,
            session: Session(1),
        },
        kind: "number".to_owned(),
        wards: Arc::new(NoWards),
    };
    let left = serve_in_process(ends, || Worker::new().with(Cold));
    let mut hello = Vec::new();
    said.read_to_end(&mut hello).expect("a socket");
    assert_eq!(hello, b"", "what it cannot do is no task's fault");
    assert_eq!(left.code, exit::PANICKED);
    assert!(left.words.contains("it cannot be warm"), "{left:?}");
}
