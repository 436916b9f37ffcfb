//! Over real pipes: full ones, empty ones, closed ones.

use super::*;

fn pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = os_pipe::pipe().expect("a pipe");
    (reader.into(), writer.into())
}

#[test]
fn a_full_pipe_keeps_the_rest_in_order() {
    let (reader, writer) = pipe();
    let mut out = Outgoing::new(writer).expect("link");
    let mut input = Incoming::new(reader).expect("link");
    let sent: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    out.append(&sent);
    out.flush();
    assert!(out.full);
    let mut space = vec![0; 16 << 10];
    let mut got = Vec::new();
    while got.len() < sent.len() {
        let (count, _) = input.read(&mut space);
        got.extend_from_slice(&space[..count]);
        out.writable();
        out.flush();
    }
    assert!(got == sent, "bytes changed on their way");
    assert!(!out.full && out.buffer.is_empty());
}

#[test]
fn a_gone_reader_swallows() {
    let (reader, writer) = pipe();
    drop(reader);
    let mut out = Outgoing::new(writer).expect("link");
    out.append(b"to nobody");
    out.flush();
    assert!(!out.full && out.buffer.is_empty());
}

#[test]
fn what_nobody_has_read_is_known() {
    let (reader, writer) = pipe();
    let mut out = Outgoing::new(writer).expect("link");
    let mut input = Incoming::new(reader).expect("link");
    assert!(!out.has_unread());
    out.append(b"request");
    assert!(out.has_unread(), "it was not written");
    out.flush();
    if cfg!(target_os = "linux") {
        assert!(out.has_unread(), "it waits in the pipe");
    }
    assert_eq!(input.read(&mut [0; 16]).0, 7);
    assert!(!out.has_unread(), "it was read");
    drop(input);
    assert!(!out.has_unread(), "and stays so");
    out.append(b"another");
    out.flush();
    assert!(out.has_unread(), "there was nobody to read it");
}

#[test]
fn reading_says_how_it_ended() {
    let (reader, writer) = pipe();
    let mut input = Incoming::new(reader).expect("link");
    let mut writer = File::from(writer);
    let mut space = [0; 8];
    assert_eq!(input.read(&mut space), (0, Reading::Drained));
    writer.write_all(b"12345678").expect("room");
    assert_eq!(input.read(&mut space), (8, Reading::More));
    assert_eq!(input.read(&mut space), (0, Reading::Drained));
    writer.write_all(b"123").expect("room");
    drop(writer);
    assert_eq!(input.read(&mut space), (3, Reading::Drained));
    assert_eq!(input.read(&mut space), (0, Reading::Ended));
}

#[test]
fn a_hung_up_pipe_is_read_to_its_end_at_once() {
    let (reader, writer) = pipe();
    let mut input = Incoming::new(reader).expect("link");
    File::from(writer).write_all(b"123").expect("room");
    input.hang_up();
    assert_eq!(input.read(&mut [0; 8]), (3, Reading::Ended));
}

#[test]
fn last_words_are_the_last() {
    let mut words = LastWords::default();
    words.hear(b"early");
    words.hear(&vec![b'x'; LastWords::KEPT - 2]);
    assert_eq!(words.bytes().len(), LastWords::KEPT);
    assert_eq!(&words.bytes()[..3], b"lyx");
    words.hear(&vec![b'y'; 3 * LastWords::KEPT]);
    assert!(words.bytes() == vec![b'y'; LastWords::KEPT]);
}

#[test]
fn a_pipe_that_is_never_empty_does_not_keep_what_it_has_swallowed() {
    let (reader, writer) = pipe();
    let mut out = Outgoing::new(writer).expect("link");
    let mut input = Incoming::new(reader).expect("link");
    let mut space = vec![0; 64 << 10];
    out.append(&vec![7; 4 * KEEP_BUFFER]);
    for _ in 0..200 {
        out.append(&vec![7; 64 << 10]);
        out.writable();
        out.flush();
        assert!(out.full, "the pipe is meant to stay full");
        let (count, _) = input.read(&mut space);
        assert!(count > 0);
    }
    let backlog = out.buffer.len() - out.start;
    assert!(
        out.start <= KEEP_BUFFER,
        "{} bytes kept for {backlog} that wait",
        out.start
    );
}
