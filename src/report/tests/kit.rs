//! What the tests share: streams that remember, streams that fail, records with every field filled.

use crate::report::{
    AttemptRecord, BarPlace, Captured, Ends, ReportOptions, Reporter, Sink, Status, TaskIdText,
    TaskRecord, Terminal, WriteTrouble,
};
use indicatif::ProgressDrawTarget;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// 2026-01-02T03:04:05.678Z
pub(super) fn anchor() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_323_045_678)
}

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A stream that remembers each write.
#[derive(Clone, Debug, Default)]
pub(super) struct Remember {
    writes: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Remember {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.writes.lock().unwrap().concat()).unwrap()
    }

    pub(super) fn count(&self) -> usize {
        self.writes.lock().unwrap().len()
    }

    pub(super) fn longest(&self) -> usize {
        self.writes
            .lock()
            .unwrap()
            .iter()
            .map(Vec::len)
            .max()
            .unwrap_or(0)
    }
}

impl Write for Remember {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that always fails in the same way, and counts how often it was asked.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) kind: io::ErrorKind,
    pub(super) asked: Arc<Mutex<u32>>,
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        *self.asked.lock().unwrap() += 1;
        Err(self.kind.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn ends(
    stdout: impl Write + Send + 'static,
    stderr: impl Write + Send + 'static,
) -> Ends {
    Ends {
        stdout: Sink::Direct(Box::new(stdout)),
        stderr: Sink::Direct(Box::new(stderr)),
        taken: [None, None],
        terminal: Terminal::default(),
        bar: BarPlace::new(ProgressDrawTarget::hidden(), Box::new(|| None)),
    }
}

/// A reporter with its two streams, and options changed by `change`.
pub(super) fn reporter(change: impl FnOnce(&mut ReportOptions)) -> (Reporter, Remember, Remember) {
    let (out, err) = (Remember::default(), Remember::default());
    let mut options = ReportOptions::new(anchor());
    options.summary = false;
    change(&mut options);
    let reporter = Reporter::with_ends(&options, ends(out.clone(), err.clone())).unwrap();
    (reporter, out, err)
}

pub(super) fn troubles(reporter: &mut Reporter) -> Vec<WriteTrouble> {
    std::iter::from_fn(|| reporter.take_trouble()).collect()
}

pub(super) fn bare(seq: u64, status: Status) -> TaskRecord {
    TaskRecord::bare(seq, TaskIdText::position(seq), status)
}

pub(super) fn said(seq: u64, stdout: &str, stderr: &str) -> TaskRecord {
    TaskRecord {
        stdout: Captured::whole(stdout.into()),
        stderr: Captured::whole(stderr.into()),
        ..bare(seq, Status::Ok)
    }
}

/// A stream whose head is `head` and whose other bytes lie in a new file of `folder`.
pub(super) fn spilled(folder: &Path, name: &str, head: &[u8], rest: &[u8]) -> Captured {
    let path = folder.join(name);
    std::fs::write(&path, rest).unwrap();
    Captured {
        head: head.to_vec(),
        total: (head.len() + rest.len()) as u64,
        rest: Some(path),
    }
}

/// The example of the format's description.
pub(super) fn full() -> TaskRecord {
    TaskRecord {
        exit: None,
        signal: Some(15),
        attempt: 2,
        attempts: vec![AttemptRecord {
            attempt: 1,
            worker: Some(4),
            pid: Some(812),
            status: Status::Crashed,
            exit: None,
            signal: Some(11),
            wall: ms(800),
        }],
        worker: Some(5),
        started: Some(ms(322)),
        finished: ms(30_400),
        wall: ms(30_010),
        cpu: Some(ms(29_700)),
        max_rss: Some(73_400_320),
        stdout: Captured::whole(b"out\n".to_vec()),
        stderr: Captured::whole(b"err\n".to_vec()),
        command: "./prove c.v".into(),
        ..TaskRecord::bare(3, TaskIdText::new("c", false), Status::Timeout)
    }
}
