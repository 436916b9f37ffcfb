//! Our own streams.

use crate::report::patience::PatientWriter;
use crate::report::{FileIdentity, Reporter, Status};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::thread;

#[test]
fn a_full_pipe_that_does_not_block_is_waited_for() {
    let (mut reader, writer) = io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let sender = thread::spawn(move || PatientWriter::new(writer).write_all(&sent));
    let mut got = Vec::new();
    reader.read_to_end(&mut got).unwrap();
    sender.join().unwrap().unwrap();
    assert!(got == expected, "{} bytes came", got.len());
}

#[test]
fn files_and_pipes_have_an_identity_and_devices_have_none() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let again = File::open(file.path()).unwrap();
    assert!(FileIdentity::of(&file).is_some());
    assert_eq!(FileIdentity::of(&file), FileIdentity::of(again));
    let (reader, writer) = io::pipe().unwrap();
    assert!(FileIdentity::of(&reader).is_some());
    assert_eq!(FileIdentity::of(reader), FileIdentity::of(writer));
    assert_eq!(FileIdentity::of(File::open("/dev/null").unwrap()), None);
}

#[test]
fn the_reporter_may_move_to_the_loop_thread() {
    fn moves<T: Send>() {}
    moves::<Reporter>();
}

#[test]
fn statuses_are_listed_in_their_order() {
    for (index, status) in Status::ALL.into_iter().enumerate() {
        assert_eq!(status as usize, index, "counts are kept by this number");
    }
}
