//! The tasks' own output on our stdout and stderr: grouped by task, line by line or not at all, in input order if wanted.
//!
//! It never mixes two tasks in one line, and grouped never mixes them at all. It does not know how the tasks ended.

use super::line::LineBuffer;
use super::options::StdoutMode;
use super::ordered::{Held, HeldStream, Ordered, Parcel};
use super::outlet::Outlets;
use super::record::{Captured, Stream};
use super::spool::{CopyError, Spool, copy_range};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a running task of `--keep-order` says before its turn may take this much memory per stream.
const WAITING_STREAM_MEMORY: usize = 64 * 1024;

/// One stream of a running task in line mode.
#[derive(Debug)]
struct Voice {
    line: LineBuffer,
    /// What was said before the task's turn.
    waiting: Spool,
    /// Whether the last byte of `waiting` is not a line end.
    mid_line: bool,
    /// Whether any byte came as it was said. If none did, the record's captured output is shown instead.
    heard: bool,
}

impl Voice {
    fn new(folder: &Arc<Path>) -> Self {
        Self {
            line: LineBuffer::new(Arc::clone(folder)),
            waiting: Spool::new(WAITING_STREAM_MEMORY, Arc::clone(folder)),
            mid_line: false,
            heard: false,
        }
    }

    fn wait(&mut self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        match self.waiting.append(bytes) {
            Ok(()) => {
                self.mid_line = bytes.last() != Some(&b'\n');
                Ok(())
            }
            Err(error) => {
                // Out of turn rather than never.
                let _same_disk = self.drain(out);
                let _same_disk = self.line.feed(bytes, out);
                Err(error)
            }
        }
    }

    /// Its turn has come: what waited goes out, line by line.
    fn drain(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut lines = LineWriter {
            line: &mut self.line,
            out,
        };
        let copied = self.waiting.copy_to(&mut lines);
        self.waiting.clear();
        self.mid_line = false;
        match copied {
            Ok(_) => Ok(()),
            Err(CopyError::Read(error) | CopyError::Write(error)) => Err(error),
        }
    }

    /// Ends an incomplete line, wherever it waits.
    fn end_line(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.mid_line {
            self.wait(b"\n", out)?;
        }
        self.line.end(out)
    }
}

struct LineWriter<'a> {
    line: &'a mut LineBuffer,
    out: &'a mut dyn Write,
}

impl Write for LineWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.feed(bytes, self.out)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Voices {
    stdout: Voice,
    stderr: Voice,
}

impl Voices {
    const fn of(&mut self, stream: Stream) -> &mut Voice {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

const STREAMS: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

/// Shows what tasks say.
#[derive(Debug)]
pub(crate) struct TaskPrinter {
    mode: StdoutMode,
    order: Option<Ordered>,
    /// Running tasks that have said something; in line mode only.
    voices: BTreeMap<u64, Voices>,
    folder: Arc<Path>,
    keep_spills: bool,
}

impl TaskPrinter {
    pub(crate) fn new(
        mode: StdoutMode,
        keep_order: bool,
        folder: Arc<Path>,
        keep_spills: bool,
    ) -> Self {
        let ordered = keep_order && mode != StdoutMode::Quiet;
        Self {
            mode,
            order: ordered.then(|| Ordered::new(Arc::clone(&folder))),
            voices: BTreeMap::new(),
            folder,
            keep_spills,
        }
    }

    fn is_turn_of(&self, seq: u64) -> bool {
        self.order.as_ref().is_none_or(|order| order.turn() == seq)
    }

    /// A running task says something.
    pub(crate) fn output(&mut self, seq: u64, stream: Stream, bytes: &[u8], outlets: &mut Outlets) {
        if self.mode != StdoutMode::Line || bytes.is_empty() {
            return;
        }
        let its_turn = self.is_turn_of(seq);
        let folder = &self.folder;
        let voices = self.voices.entry(seq).or_insert_with(|| Voices {
            stdout: Voice::new(folder),
            stderr: Voice::new(folder),
        });
        let voice = voices.of(stream);
        voice.heard = true;
        let mut pour = outlets.pour(stream);
        let outcome = if its_turn {
            voice.line.feed(bytes, &mut pour)
        } else {
            voice.wait(bytes, &mut pour)
        };
        outlets.note_spill(folder, outcome.map_err(CopyError::Write));
    }

    /// An attempt of `seq` ended: the next one begins on a new line.
    pub(crate) fn attempt_ended(&mut self, seq: u64, outlets: &mut Outlets) {
        let Some(voices) = self.voices.get_mut(&seq) else {
            return;
        };
        for stream in STREAMS {
            let outcome = voices.of(stream).end_line(&mut outlets.pour(stream));
            outlets.note_spill(&self.folder, outcome.map_err(CopyError::Write));
        }
    }

    /// A task ended with this output. In line mode a stream that was heard while it spoke is not shown again.
    pub(crate) fn finished(
        &mut self,
        seq: u64,
        stdout: Captured,
        stderr: Captured,
        outlets: &mut Outlets,
    ) {
        if self.mode == StdoutMode::Quiet {
            self.dispose(stdout.rest, outlets);
            self.dispose(stderr.rest, outlets);
            return;
        }
        self.attempt_ended(seq, outlets);
        let mut voices = self.voices.remove(&seq);
        let parcel = Parcel {
            stdout: self.hold_stream(voices.as_mut(), Stream::Stdout, stdout, outlets),
            stderr: self.hold_stream(voices.as_mut(), Stream::Stderr, stderr, outlets),
        };
        self.pass_on(seq, parcel, outlets);
    }

    /// `seq` will never finish: it is not part of this run.
    pub(crate) fn left_out(&mut self, seq: u64, outlets: &mut Outlets) {
        if self.order.is_some() {
            let nothing = || HeldStream::memory(Vec::new(), None);
            let parcel = Parcel {
                stdout: nothing(),
                stderr: nothing(),
            };
            self.pass_on(seq, parcel, outlets);
        }
    }

    /// The run is over: everything that still waits is shown, in order.
    pub(crate) fn end(&mut self, outlets: &mut Outlets) {
        while let Some(parcel) = self.order.as_mut().and_then(Ordered::first_waiting) {
            if let Some(parcel) = parcel {
                self.show(parcel, outlets);
            }
        }
        let mut voices = std::mem::take(&mut self.voices);
        for voices in voices.values_mut() {
            for stream in STREAMS {
                let voice = voices.of(stream);
                let mut pour = outlets.pour(stream);
                let outcome = voice
                    .drain(&mut pour)
                    .and_then(|()| voice.line.end(&mut pour));
                outlets.note_spill(&self.folder, outcome.map_err(CopyError::Write));
            }
        }
    }

    fn hold_stream(
        &mut self,
        voices: Option<&mut Voices>,
        stream: Stream,
        captured: Captured,
        outlets: &mut Outlets,
    ) -> HeldStream {
        let voice = voices
            .map(|voices| voices.of(stream))
            .filter(|voice| voice.heard);
        let Some(voice) = voice else {
            return HeldStream::memory(captured.head, captured.rest);
        };
        self.dispose(captured.rest, outlets);
        let settled = match &mut self.order {
            Some(order) => order.settle(&mut voice.waiting),
            None => Ok(Held::Memory(Vec::new())),
        };
        let bytes = settled.unwrap_or_else(|error| {
            outlets.note_spill(&self.folder, Err(CopyError::Write(error)));
            let drained = voice.drain(&mut outlets.pour(stream));
            outlets.note_spill(&self.folder, drained.map_err(CopyError::Read));
            Held::Memory(Vec::new())
        });
        HeldStream { bytes, rest: None }
    }

    fn pass_on(&mut self, seq: u64, parcel: Parcel, outlets: &mut Outlets) {
        match &mut self.order {
            None => self.show(parcel, outlets),
            Some(order) if order.turn() == seq => {
                order.pass();
                self.show(parcel, outlets);
                self.advance(outlets);
            }
            Some(order) => {
                if let Err((parcel, error)) = order.hold(seq, parcel) {
                    outlets.note_spill(&self.folder, Err(CopyError::Write(error)));
                    self.show(parcel, outlets);
                }
            }
        }
    }

    /// Shows all whose turn has come, up to one that still runs; that one may speak from now on.
    fn advance(&mut self, outlets: &mut Outlets) {
        while let Some(parcel) = self.order.as_mut().and_then(Ordered::next_finished) {
            if let Some(parcel) = parcel {
                self.show(parcel, outlets);
            }
        }
        let turn = self.order.as_ref().map(Ordered::turn);
        if let Some(voices) = turn.and_then(|turn| self.voices.get_mut(&turn)) {
            for stream in STREAMS {
                let outcome = voices.of(stream).drain(&mut outlets.pour(stream));
                outlets.note_spill(&self.folder, outcome.map_err(CopyError::Read));
            }
        }
    }

    fn show(&mut self, parcel: Parcel, outlets: &mut Outlets) {
        self.show_stream(Stream::Stdout, parcel.stdout, outlets);
        self.show_stream(Stream::Stderr, parcel.stderr, outlets);
    }

    fn show_stream(&mut self, stream: Stream, held: HeldStream, outlets: &mut Outlets) {
        if held.is_empty() {
            return;
        }
        let mut pour = outlets.pour(stream);
        let copied = match (held.bytes, &mut self.order) {
            (Held::Memory(bytes), _) => {
                pour.put(&bytes);
                Ok(())
            }
            (stored @ Held::Stored(_), Some(order)) => order.show(stored, &mut pour),
            (Held::Stored(_), None) => unreachable!("only the order of tasks stores output"),
        };
        let copied_rest = match &held.rest {
            Some(rest) if pour.is_open() => copy_file(rest, &mut pour),
            Some(_) | None => Ok(()),
        };
        if self.mode == StdoutMode::Line && pour.is_mid_line() {
            pour.put(b"\n");
        }
        outlets.note_spill(&self.folder, copied);
        if let Some(rest) = &held.rest {
            outlets.note_spill(rest, copied_rest);
        }
        self.dispose(held.rest, outlets);
    }

    fn dispose(&self, rest: Option<PathBuf>, outlets: &mut Outlets) {
        let Some(rest) = rest.filter(|_| !self.keep_spills) else {
            return;
        };
        match fs::remove_file(&rest) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => outlets.note_spill(&rest, Err(CopyError::Write(error))),
        }
    }
}

fn copy_file(path: &Path, out: &mut dyn Write) -> Result<(), CopyError> {
    let file = File::open(path).map_err(CopyError::Read)?;
    let length = file.metadata().map_err(CopyError::Read)?.len();
    copy_range(&file, 0, length, out)
}
