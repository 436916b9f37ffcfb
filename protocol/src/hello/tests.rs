//! Each wrong hello has its own fault.

use super::*;
use crate::frame::{DEFAULT_FRAME_LIMIT, begin_frame, finish_frame};
use crate::marshal::encode_into;
use crate::wire::Wire;
use alloc::vec;

struct Double;
impl Wire for Double {
    const NAME: &'static str = "double";
    const VERSION: u32 = 2;
    type Request = u64;
    type Response = u64;
    type Feedback = crate::wire::Never;
    type Context = crate::wire::Never;
}

fn hello_bytes(kinds: Vec<KindHello>) -> Vec<u8> {
    let mut out = PREAMBLE.to_vec();
    let start = begin_frame(&mut out, FrameKind::Hello);
    let hello = Hello {
        pid: 7,
        build: "test".to_string(),
        kinds,
    };
    encode_into(&hello, &mut out, 1000).expect("encodes");
    finish_frame(&mut out, start, DEFAULT_FRAME_LIMIT).expect("short");
    out
}

#[test]
fn a_hello_in_single_bytes() {
    let bytes = hello_bytes(vec![Double::hello()]);
    let mut greeting = Greeting::new(DEFAULT_FRAME_LIMIT);
    let (last, first) = bytes.split_last().expect("not empty");
    for byte in first {
        assert_eq!(greeting.push(&[*byte]), Ok(None));
    }
    let hello = greeting.push(&[*last]).expect("good").expect("whole");
    assert_eq!(hello.pid, 7);
    assert_eq!(hello.find(&Double::hello()), Ok(0));
}

#[test]
fn garbage_is_quoted() {
    let mut greeting = Greeting::new(DEFAULT_FRAME_LIMIT);
    let Err(HelloFault::Garbage { quoted }) = greeting.push(b"Usage: cat [FILE]\n") else {
        panic!("garbage was taken")
    };
    assert_eq!(quoted, "Usage: cat [FILE]\n");
}

#[test]
fn another_version_is_named() {
    let mut bytes = hello_bytes(vec![]);
    bytes[4] = 9;
    let mut greeting = Greeting::new(DEFAULT_FRAME_LIMIT);
    assert_eq!(
        greeting.push(&bytes),
        Err(HelloFault::WrongVersion {
            ours: PROTOCOL_VERSION,
            theirs: 9
        })
    );
}

#[test]
fn another_frame_first_is_malformed() {
    let mut bytes = hello_bytes(vec![]);
    bytes[12] = FrameKind::Reply as u8;
    let mut greeting = Greeting::new(DEFAULT_FRAME_LIMIT);
    assert!(matches!(
        greeting.push(&bytes),
        Err(HelloFault::Malformed(_))
    ));
}

#[test]
fn kinds_must_match() {
    let ours = Double::hello();
    let with = |kinds| Hello {
        pid: 1,
        build: String::new(),
        kinds,
    };
    assert!(matches!(
        with(vec![]).find(&ours),
        Err(HelloFault::MissingKind { .. })
    ));
    let older = KindHello {
        version: 1,
        ..ours.clone()
    };
    assert!(matches!(
        with(vec![older]).find(&ours),
        Err(HelloFault::WrongKindVersion { .. })
    ));
    let other = KindHello {
        schema: ours.schema ^ 1,
        ..ours.clone()
    };
    assert!(matches!(
        with(vec![other]).find(&ours),
        Err(HelloFault::WrongSchema { .. })
    ));
}

#[test]
fn the_schema_tells_types_apart() {
    struct Triple;
    impl Wire for Triple {
        const NAME: &'static str = "double";
        const VERSION: u32 = 2;
        type Request = u64;
        type Response = String;
        type Feedback = crate::wire::Never;
        type Context = crate::wire::Never;
    }
    assert_ne!(Double::schema_hash(), Triple::schema_hash());
}
