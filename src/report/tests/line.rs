//! Whole lines out of chunks.

use super::kit::Remember;
use crate::report::line::LineBuffer;
use std::io;
use std::path::Path;

fn buffer(limit: usize) -> LineBuffer {
    LineBuffer::with_memory(limit, std::env::temp_dir().into())
}

#[test]
fn lines_come_out_whole_whatever_the_chunks() {
    let text = b"one\n\ntwo three\nfour five six seven eight nine\nlast";
    for limit in [1, 4, 5, 6, 64] {
        for size in 1..=text.len() {
            let (mut line, mut out) = (buffer(limit), Vec::new());
            for chunk in text.chunks(size) {
                line.feed(chunk, &mut out).unwrap();
                assert!(
                    out.is_empty() || out.ends_with(b"\n"),
                    "limit {limit}, chunks of {size}"
                );
            }
            line.end(&mut out).unwrap();
            line.end(&mut out).unwrap();
            assert_eq!(
                out,
                [&text[..], b"\n"].concat(),
                "limit {limit}, chunks of {size}"
            );
        }
    }
}

#[test]
fn a_short_line_in_two_chunks_is_one_write() {
    let mut out = Remember::default();
    let mut line = buffer(64);
    line.feed(b"one ", &mut out).unwrap();
    line.feed(b"two\nthr", &mut out).unwrap();
    assert_eq!((out.text().as_str(), out.count()), ("one two\n", 1));
    line.end(&mut out).unwrap();
    assert_eq!((out.text().as_str(), out.count()), ("one two\nthr\n", 2));
}

#[test]
fn an_endless_line_waits_on_disk_and_comes_in_pieces() {
    let mut out = Remember::default();
    let mut line = buffer(4096);
    for _ in 0..4000 {
        line.feed(&[b'x'; 1000], &mut out).unwrap();
    }
    assert_eq!(out.count(), 0);
    line.feed(b"\n", &mut out).unwrap();
    assert_eq!(out.text().len(), 4_000_001);
    assert!(
        out.longest() <= 64 * 1024,
        "a piece of {} bytes",
        out.longest()
    );
}

#[test]
fn a_full_disk_breaks_the_line_and_loses_nothing() {
    let mut line = LineBuffer::with_memory(4, Path::new("/nowhere/at/all").into());
    let mut out = Vec::new();
    line.feed(b"abc", &mut out).unwrap();
    assert!(out.is_empty());
    assert_eq!(
        line.feed(b"defg", &mut out).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    line.feed(b"h\n", &mut out).unwrap();
    assert_eq!(out, b"abcdefgh\n");
}
