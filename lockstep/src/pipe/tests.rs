//! A pipe alone: how old what lies in it is, and that it does not grow.

use super::*;

const NOW: VTime = VTime::START;

fn pipe(capacity: usize) -> Pipe {
    Pipe::new(CandidateId(1), Pid(0), Pid(1), capacity)
}

/// The buffer holds at most twice what may be in flight, and a moment at most per byte.
#[test]
fn a_pipe_that_never_runs_dry_does_not_grow() {
    let mut pipe = pipe(10);
    let mut out = Vec::new();
    for round in 0..1_000 {
        pipe.write(b"0123456789", VTime(round));
        out.clear();
        pipe.take(3, &mut out);
        assert_eq!(out.len(), 3);
        assert!(
            pipe.bytes.len() <= 20 && pipe.moments.len() <= 10,
            "{pipe:?}"
        );
    }
}

#[test]
fn what_is_left_is_as_old_as_its_oldest_byte() {
    let mut pipe = pipe(100);
    assert_eq!(pipe.ready_since(), None);
    pipe.write(b"abc", VTime(1));
    pipe.write(b"de", VTime(1));
    pipe.write(b"fg", VTime(2));
    let mut out = Vec::new();
    pipe.take(4, &mut out);
    assert_eq!(pipe.ready_since(), Some(VTime(1)));
    pipe.take(1, &mut out);
    assert_eq!(pipe.ready_since(), Some(VTime(2)));
    pipe.close(VTime(3));
    assert_eq!(pipe.ready_since(), Some(VTime(2)));
    pipe.take(2, &mut out);
    assert_eq!(pipe.ready_since(), Some(VTime(3)));
    pipe.tell_end();
    assert_eq!(
        (pipe.ready_since(), out.as_slice()),
        (None, &b"abcdefg"[..])
    );
}

/// While nobody looks, nothing is overtaken.
#[test]
fn what_lay_there_unread_is_ready_since_the_reader_looks() {
    let mut pipe = pipe(100);
    pipe.write(b"abc", VTime(1));
    pipe.listen(false, VTime(2));
    assert_eq!(pipe.ready_since(), None);
    pipe.listen(true, VTime(5));
    pipe.listen(true, VTime(6));
    assert_eq!(pipe.ready_since(), Some(VTime(5)));
}

#[test]
fn a_pipe_without_a_reader_or_closed_swallows_everything() {
    let (mut orphaned, mut closed) = (pipe(1), pipe(1));
    assert_eq!(orphaned.write(b"ab", NOW), 1);
    assert!(orphaned.orphan(), "the writer waits for room");
    assert_eq!(orphaned.write(b"abc", NOW), 3);
    closed.close(NOW);
    assert_eq!(closed.write(b"abc", NOW), 3);
    assert_eq!((orphaned.in_flight(), closed.in_flight()), (0, 0));
}
