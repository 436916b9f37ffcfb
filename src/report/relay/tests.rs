//! Nothing is lost, nothing overtakes, nobody waits who need not, and whoever must know is told.

use super::{LIMITS, Limits, Relay, Watcher};
use crate::report::ends::sinks;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// A reader that takes one write per turn, and everything once nobody gives turns any more.
struct Reader {
    turns: Receiver<()>,
    got: Arc<Mutex<Vec<u8>>>,
}

impl io::Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _no_more_turns = self.turns.recv();
        self.got.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const TINY: Limits = Limits {
    memory: 10,
    piece: 50,
    behind: 100,
    full: 1 << 30,
};

fn folder() -> Arc<Path> {
    std::env::temp_dir().into()
}

fn slow(limits: Limits, folder: Arc<Path>) -> (Relay, Sender<()>, Arc<Mutex<Vec<u8>>>) {
    let (turn, turns) = channel();
    let got = Arc::default();
    let reader = Reader {
        turns,
        got: Arc::clone(&got),
    };
    let relay = Relay::start(reader, limits, folder).unwrap();
    (relay, turn, got)
}

fn watched(relay: &Relay) -> Receiver<()> {
    let (ring, rung) = channel();
    let watcher: Watcher = Arc::new(move || ring.send(()).unwrap());
    relay.watched_by(watcher);
    rung
}

/// Through memory, several files, back to memory, while the reader takes now and then.
#[test]
fn the_order_holds_and_dropping_waits_for_all() {
    let (mut relay, turn, got) = slow(TINY, folder());
    let mut expected = Vec::new();
    for round in 0..3 {
        for number in 0..500 {
            let line = format!("{round} {number}\n");
            relay.write_all(line.as_bytes()).unwrap();
            expected.extend_from_slice(line.as_bytes());
            if number % 7 == 0 {
                turn.send(()).unwrap();
            }
        }
        // Empty once: the next round begins in memory again.
        for _ in 0..2000 {
            turn.send(()).unwrap();
        }
        relay.drain();
        assert!(*got.lock().unwrap() == expected, "round {round}");
    }
    relay.write_all(b"the last words").unwrap();
    expected.extend_from_slice(b"the last words");
    drop(turn);
    drop(relay);
    assert!(*got.lock().unwrap() == expected);
}

#[test]
fn a_reader_that_is_gone_is_told_at_once_and_to_the_next_write() {
    let (reader, writer) = io::pipe().unwrap();
    let mut relay = Relay::to(writer, folder()).unwrap().expect("a pipe");
    let rung = watched(&relay);
    drop(reader);
    relay.write_all(b"x").expect("nobody knows yet");
    rung.recv().expect("told without another write");
    let gone = io::ErrorKind::BrokenPipe;
    assert_eq!(relay.error().map(|error| error.kind()), Some(gone));
    assert_eq!(relay.write(b"y").unwrap_err().kind(), gone);
    relay.drain();
    watched(&relay).recv().expect("also who comes late");
}

#[test]
fn far_behind_is_told_and_so_is_its_end() {
    let (mut relay, turn, _) = slow(TINY, folder());
    let rung = watched(&relay);
    relay.write_all(&[b'x'; 100]).unwrap();
    assert!(!relay.is_behind());
    rung.try_recv().expect_err("nothing to tell");
    relay.write_all(b"x").unwrap();
    assert!(relay.is_behind());
    rung.try_recv().expect("told by the writer");
    drop(turn);
    rung.recv().expect("told by the thread");
    relay.drain();
    assert!(!relay.is_behind());
}

#[test]
fn both_streams_of_one_pipe_keep_their_order() {
    let (mut reader, writer) = io::pipe().unwrap();
    // Streams of a process are open for its whole life.
    let writer: &'static io::PipeWriter = Box::leak(Box::new(writer));
    let [mut out, mut err] = sinks(writer.as_fd(), writer.as_fd(), &folder());
    assert!(out.is_shared_with(&err));
    let mut expected = Vec::new();
    for number in 0..5000 {
        let (out_line, err_line) = (format!("out {number}\n"), format!("err {number}\n"));
        out.write_all(out_line.as_bytes()).unwrap();
        err.write_all(err_line.as_bytes()).unwrap();
        expected.extend_from_slice(out_line.as_bytes());
        expected.extend_from_slice(err_line.as_bytes());
    }
    let mut got = vec![0; expected.len()];
    reader.read_exact(&mut got).unwrap();
    assert!(got == expected);
    let (other, own) = io::pipe().unwrap();
    let own: &'static io::PipeWriter = Box::leak(Box::new(own));
    let [out, err] = sinks(writer.as_fd(), own.as_fd(), &folder());
    assert!(!out.is_shared_with(&err));
    drop(other);
}

/// A disk without room, and one limit for all: late, but whole.
#[test]
fn without_a_place_to_wait_the_writer_waits() {
    let nowhere: Arc<Path> = Path::new("/nonexistent/folder").into();
    let full = Limits { full: 20, ..TINY };
    for (limits, folder) in [(TINY, nowhere), (full, folder())] {
        let (mut relay, turn, got) = slow(limits, folder);
        let writing = thread::spawn(move || relay.write_all(&[b'x'; 1000]));
        drop(turn);
        writing.join().unwrap().unwrap();
        assert_eq!(got.lock().unwrap().len(), 1000);
    }
}

#[test]
fn files_and_devices_are_written_directly() {
    assert!(
        Relay::to(tempfile::tempfile().unwrap(), folder())
            .unwrap()
            .is_none()
    );
    let null = std::fs::File::create("/dev/null").unwrap();
    assert!(Relay::to(null, folder()).unwrap().is_none());
    let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    assert!(Relay::to(socket, folder()).unwrap().is_some());
    assert!(LIMITS.memory as u64 + LIMITS.piece < LIMITS.behind && LIMITS.behind < LIMITS.full);
}
