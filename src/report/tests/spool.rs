//! Bytes that wait: the same ones come out, whatever they waited in.

use crate::report::spool::Spool;
use crate::report::store::SpillStore;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

fn folder() -> (tempfile::TempDir, Arc<Path>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().into();
    (folder, path)
}

fn content(spool: &Spool) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(spool.copy_to(&mut out).unwrap(), out.len() as u64);
    out
}

#[test]
fn order_is_kept_across_memory_and_file() {
    let (_keep, path) = folder();
    let mut spool = Spool::new(10, path);
    let mut expected = Vec::new();
    for round in 0..50_u8 {
        let piece = vec![round; usize::from(round) % 17];
        spool.append(&piece).unwrap();
        expected.extend(piece);
        assert_eq!(spool.len(), expected.len() as u64);
    }
    assert!(spool.is_spilled());
    assert_eq!(content(&spool), expected);
    assert_eq!(content(&spool), expected, "copying takes nothing away");
    spool.clear();
    assert!(spool.is_empty() && !spool.is_spilled());
    spool.append(b"again").unwrap();
    assert_eq!(content(&spool), b"again");
}

#[test]
fn it_needs_no_file_up_to_its_limit_and_leaves_none_behind() {
    let (keep, path) = folder();
    let mut spool = Spool::new(4, path);
    spool.append(b"1234").unwrap();
    assert!(!spool.is_spilled());
    spool.append(b"5").unwrap();
    assert!(spool.is_spilled());
    assert_eq!(content(&spool), b"12345");
    assert_eq!(
        std::fs::read_dir(keep.path()).unwrap().count(),
        0,
        "the file has no name"
    );
}

#[test]
fn a_refused_append_changes_nothing() {
    let mut spool = Spool::new(4, Path::new("/nowhere/at/all").into());
    spool.append(b"123").unwrap();
    assert_eq!(
        spool.append(b"45").unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    assert_eq!(content(&spool), b"123");
    spool.append(b"4").unwrap();
    assert_eq!(content(&spool), b"1234");
}

struct Count(u64, usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        self.1 = self.1.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_hundred_megabytes_pass_in_small_pieces() {
    let (_keep, path) = folder();
    let mut spool = Spool::new(4096, path);
    let piece = [b'x'; 1000];
    for _ in 0..100_000 {
        spool.append(&piece).unwrap();
    }
    let mut count = Count(0, 0);
    spool.copy_to(&mut count).unwrap();
    assert_eq!(count.0, 100_000_000);
    assert!(count.1 <= 64 * 1024, "read back {} bytes at once", count.1);
}

#[test]
fn a_store_gives_files_back_when_nothing_in_them_waits() {
    let (keep, path) = folder();
    let mut store = SpillStore::with_segments(path, 10);
    let mut all = Vec::new();
    for round in 0..20_u8 {
        let mut extents = Vec::new();
        store.put(&mut extents, &[round; 3]).unwrap();
        store.put(&mut extents, &[round; 3]).unwrap();
        all.push(extents);
    }
    assert!(store.open_files() > 5);
    for (round, extents) in (0_u8..).zip(all) {
        let mut out = Vec::new();
        for extent in &extents {
            store.copy_to(extent, &mut out).unwrap();
        }
        assert_eq!(out, [round; 6]);
        store.release(extents);
    }
    assert_eq!(store.open_files(), 0);
    let mut extents = Vec::new();
    store.put(&mut extents, b"later").unwrap();
    assert_eq!(extents.len(), 1);
    assert_eq!(std::fs::read_dir(keep.path()).unwrap().count(), 0);
}
