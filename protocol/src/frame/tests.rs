//! Frames survive every cut, and nonsense is an error.

use super::*;
use alloc::vec;

fn frame(kind: FrameKind, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = begin_frame(&mut out, kind);
    out.extend_from_slice(body);
    finish_frame(&mut out, start, DEFAULT_FRAME_LIMIT).expect("short");
    out
}

#[test]
fn golden_bytes() {
    assert_eq!(frame(FrameKind::Reply, b"ab"), [3, 0, 0, 0, 17, b'a', b'b']);
}

#[test]
fn every_cut_gives_the_same_frames() {
    let mut bytes = frame(FrameKind::Request, b"hello");
    bytes.extend(frame(FrameKind::Stop, b""));
    for cut in 0..=bytes.len() {
        let mut decoder = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
        let mut seen = vec![];
        for part in [&bytes[..cut], &bytes[cut..]] {
            decoder.push(part);
            while let Some(frame) = decoder.next_frame().expect("good") {
                seen.push((frame.kind, frame.body.to_vec()));
            }
        }
        assert_eq!(
            seen,
            [
                (FrameKind::Request, b"hello".to_vec()),
                (FrameKind::Stop, vec![])
            ]
        );
        assert_eq!(decoder.pending(), 0);
    }
}

#[test]
fn nonsense_is_refused_before_memory_is_taken() {
    let mut decoder = FrameDecoder::new(FrameLimit(16));
    decoder.push(&[17, 0, 0, 0]);
    assert_eq!(
        decoder.next_frame(),
        Err(FrameError::TooLong {
            length: 17,
            limit: 16
        })
    );
    let mut decoder = FrameDecoder::new(FrameLimit(16));
    decoder.push(&[0; 5]);
    assert_eq!(decoder.next_frame(), Err(FrameError::Empty));
    let mut decoder = FrameDecoder::new(FrameLimit(16));
    decoder.push(&[1, 0, 0, 0, 99]);
    assert_eq!(decoder.next_frame(), Err(FrameError::UnknownKind(99)));
}

#[test]
fn an_oversized_frame_is_taken_back() {
    let mut out = vec![7];
    let start = begin_frame(&mut out, FrameKind::Reply);
    out.extend_from_slice(&[0; 20]);
    assert!(finish_frame(&mut out, start, FrameLimit(16)).is_err());
    assert_eq!(out, [7]);
}

#[test]
fn kinds_and_bytes_agree() {
    for byte in 0..=u8::MAX {
        if let Some(kind) = FrameKind::from_byte(byte) {
            assert_eq!(kind as u8, byte);
        }
    }
}
