//! What does not fit says how large it is, and costs its limit.

use super::*;
use alloc::vec;
use serde::Serializer;
use serde::ser::SerializeSeq;

#[track_caller]
fn too_large(value: &impl Serialize, limit: usize) -> (usize, bool) {
    let mut out = b"before".to_vec();
    let error = encode_into(value, &mut out, limit).expect_err("it is too large");
    assert_eq!(out, b"before");
    match error {
        MarshalError::TooLarge {
            size,
            at_least,
            limit: said,
        } => {
            assert_eq!(said, limit);
            (size, at_least)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_limit_is_the_last_that_fits() {
    let text = "a".repeat(100);
    assert_eq!(encode(&text, 101).map(|bytes| bytes.len()), Ok(101));
    for limit in [0, 1, 99, 100] {
        assert_eq!(too_large(&text, limit), (101, false));
    }
    assert_eq!(too_large(&vec![7_u8; 500], 10), (502, false));
}

/// A sequence of as many zeros as it says, held by nobody.
struct Zeros(usize);

impl Serialize for Zeros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0))?;
        for _ in 0..self.0 {
            seq.serialize_element(&0_u8)?;
        }
        seq.end()
    }
}

#[test]
fn the_counting_of_what_has_no_end_has_one() {
    assert_eq!(too_large(&Zeros(60_000), 100), (60_003, false));
    let (size, at_least) = too_large(&Zeros(usize::MAX), 100);
    assert!(at_least && size > COUNT_MIN, "{size}");
    let mut out = vec![];
    assert!(encode_into(&Zeros(usize::MAX), &mut out, 1000).is_err());
    assert!(out.capacity() < 10_000, "{}", out.capacity());
}

#[test]
fn sizes_are_said_exactly_and_in_short() {
    let error = |size, at_least| MarshalError::TooLarge {
        size,
        at_least,
        limit: 64 << 20,
    };
    assert_eq!(
        error((70 << 20) + (1 << 19), false).to_string(),
        "the value takes 73924608 bytes (70.5 MiB), and 67108864 bytes (64.0 MiB) is the limit of a frame: \
         pass a path to it, or smaller pieces"
    );
    assert!(
        error(1 << 30, true)
            .to_string()
            .contains("at least 1073741824 bytes (1.0 GiB)")
    );
    for (size, text) in [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1024 bytes (1.0 KiB)"),
        ((1 << 20) - 1, "1048575 bytes (1023.9 KiB)"),
        (usize::MAX, "18446744073709551615 bytes (16777215.9 TiB)"),
    ] {
        assert_eq!(Size(size).to_string(), text);
    }
}

#[test]
fn what_cannot_be_read_says_how_much_there_was() {
    let error = decode::<(u64, u64)>(&[1]).expect_err("too short");
    assert!(error.to_string().ends_with("(in 1 bytes)"), "{error}");
    let error = decode::<u8>(&[1, 2, 3]).expect_err("too long");
    assert_eq!(error, MarshalError::LeftOver { count: 2, size: 3 });
    assert_eq!(
        error.to_string(),
        "2 bytes are left over after the value, of 3 bytes"
    );
}
