//! Where the bytes of one captured stream go: the head, then the spill file or nowhere, and the feedback.
//!
//! Takes whatever comes in bounded memory and never fails: a command must not be blocked because a disk is full.

use super::{Captured, CommandWire, Stream};
use crate::exec::wire::CommandFeedback;
use farm_worker::Context;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// The most bytes of output in one feedback.
const LIVE_BYTES: usize = 32 << 10;

/// What becomes of the bytes behind the head.
#[derive(Debug)]
enum Rest {
    /// Counted and dropped.
    Dropped,
    /// Nothing came yet; the file does not exist.
    Awaited(PathBuf),
    /// Into this file.
    Spilled(PathBuf, File),
    /// The file could not be created or written to its end; dropped from then on. The path if it was created.
    Broken(Option<PathBuf>),
}

/// One captured stream.
#[derive(Debug)]
pub(super) struct Capture {
    stream: Stream,
    head: Vec<u8>,
    head_limit: usize,
    total: u64,
    rest: Rest,
    live: bool,
    /// The head is relayed as it fills: the command was asked to end, and a worker that is killed answers nothing.
    telling: bool,
    trouble: Option<String>,
}

impl Capture {
    /// Keeps `head_limit` bytes; puts the rest into a file beginning with `spill`.
    pub(super) fn new(stream: Stream, head_limit: usize, spill: Option<&[u8]>, live: bool) -> Self {
        let rest = spill.map_or(Rest::Dropped, |prefix| {
            let mut path = OsStr::from_bytes(prefix).to_owned();
            path.push(match stream {
                Stream::Stdout => ".stdout",
                Stream::Stderr => ".stderr",
            });
            Rest::Awaited(path.into())
        });
        Self {
            stream,
            head: Vec::new(),
            head_limit,
            total: 0,
            rest,
            live,
            telling: false,
            trouble: None,
        }
    }

    /// How many bytes came.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// Takes in the next bytes of the stream.
    pub(super) fn take(&mut self, bytes: &[u8], context: &Context<'_, CommandWire>) {
        self.total += bytes.len() as u64;
        if self.live {
            self.relay(bytes, context);
        }
        let room = self.head_limit - self.head.len();
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        if self.telling && !head.is_empty() {
            self.relay(head, context);
        }
        self.head.extend_from_slice(head);
        if !rest.is_empty() {
            self.spill(rest);
        }
    }

    /// Relays the head so far, and what comes into it from now on.
    pub(super) fn tell_head(&mut self, context: &Context<'_, CommandWire>) {
        if self.live || self.telling {
            return;
        }
        self.telling = true;
        let head = std::mem::take(&mut self.head);
        self.relay(&head, context);
        self.head = head;
    }

    fn relay(&mut self, bytes: &[u8], context: &Context<'_, CommandWire>) {
        for piece in bytes.chunks(LIVE_BYTES) {
            let output = CommandFeedback::Output {
                stream: self.stream,
                bytes: piece.to_vec(),
            };
            if let Err(error) = context.feedback(&output) {
                let what = format!("output could not be relayed: {error}");
                self.trouble.get_or_insert(what);
            }
        }
    }

    fn spill(&mut self, bytes: &[u8]) {
        if let Rest::Awaited(path) = &mut self.rest {
            let path = std::mem::take(path);
            self.rest = match File::create(&path) {
                Ok(file) => Rest::Spilled(path, file),
                Err(error) => {
                    self.complain(path, &error);
                    Rest::Broken(None)
                }
            };
        }
        if let Rest::Spilled(path, file) = &mut self.rest
            && let Err(error) = file.write_all(bytes)
        {
            let path = std::mem::take(path);
            self.complain(path.clone(), &error);
            self.rest = Rest::Broken(Some(path));
        }
    }

    fn complain(&mut self, path: PathBuf, error: &io::Error) {
        let what = format!(
            "the output after its first {} bytes could not be written to {path:?}: {error}",
            self.head_limit
        );
        self.trouble.get_or_insert(what);
    }

    /// What the response says of the stream, and what was lost.
    pub(super) fn into_captured(self) -> (Captured, Option<String>) {
        let rest = match self.rest {
            Rest::Dropped | Rest::Awaited(_) | Rest::Broken(None) => None,
            Rest::Spilled(path, _) | Rest::Broken(Some(path)) => Some(path),
        };
        let captured = Captured {
            head: self.head,
            total: self.total,
            rest: rest.map(|path| path.into_os_string().into_vec()),
        };
        (captured, self.trouble)
    }
}
