//! The record of a run: what the machine is told and the kinds answer, written down as it happens.
//!
//! It knows the bytes and their writer. What is in them is `farm_master::record`'s; what becomes
//! of the farm when they cannot be written (nothing) is the loop's.

use crate::shared::contained;
use crate::turn::Loop;
use farm_master::record::{EntryTooLong, RunEncoder};
use farm_master::{Actions, Config, Event, Kinds, Master, Recording};
use farm_protocol::Instant;
use std::io::{self, Write};

/// Which program recorded, for people.
const BUILD: &str = concat!("farm ", env!("CARGO_PKG_VERSION"));

/// So many bytes are written at once, unless the loop is about to sleep.
const WRITE_ABOVE: usize = 64 << 10;

/// A run that is being written down.
pub(crate) struct RunRecord {
    out: Box<dyn Write + Send>,
    encoder: RunEncoder,
}

impl RunRecord {
    /// Of a machine that is made from this. Nothing is written yet.
    pub(crate) fn new(out: Box<dyn Write + Send>, config: &Config) -> Self {
        let mut encoder = RunEncoder::new();
        let head = encoder.head(BUILD, config);
        head.expect("a configuration that fits in memory many times over");
        Self { out, encoder }
    }

    /// Has the machine handle an event, and writes both down. An error is about the record alone.
    pub(crate) fn handle(
        &mut self,
        master: &mut Master,
        now: Instant,
        event: Event<'_>,
        kinds: &mut dyn Kinds,
        actions: &mut Actions,
    ) -> io::Result<()> {
        self.encoder.begin(now, &event);
        let recording = &mut Recording::new(kinds, &mut self.encoder);
        master.handle(now, event, recording, actions);
        let finished = self.encoder.finish(actions);
        if finished.is_err() || self.encoder.bytes().len() >= WRITE_ABOVE {
            self.write()?;
        }
        finished.map_err(too_long)
    }

    /// Writes what is ready.
    fn write(&mut self) -> io::Result<()> {
        if self.encoder.bytes().is_empty() {
            return Ok(());
        }
        let Self { out, encoder } = self;
        let written = contained("the writer of the record", || {
            out.write_all(encoder.bytes()).and_then(|()| out.flush())
        });
        encoder.clear();
        written.unwrap_or_else(|| Err(io::Error::other("its writer panicked")))
    }

    /// The loop has ended, as it was told or by a panic.
    pub(crate) fn end(mut self, panicked: bool) -> io::Result<()> {
        let abandoned = self.encoder.abandon();
        if !panicked {
            self.encoder.end();
        }
        let written = self.write();
        let Self { out, .. } = self;
        contained("the drop of the record's writer", || drop(out));
        written?;
        abandoned.map_err(too_long)
    }
}

fn too_long(error: EntryTooLong) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl Loop {
    /// Writes what was recorded, before the loop sleeps: whoever kills us then finds it whole.
    pub(crate) fn flush_record(&mut self) {
        if let Some(record) = &mut self.record {
            let written = record.write();
            self.recorded(written);
        }
    }

    /// After a trouble nothing more is recorded; the farm goes on.
    pub(crate) fn recorded(&mut self, written: io::Result<()>) {
        let Err(error) = written else { return };
        if let Some(RunRecord { out, .. }) = self.record.take() {
            contained("the drop of the record's writer", || drop(out));
        }
        self.shared.note_record_trouble(error);
    }
}
