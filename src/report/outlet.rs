//! Writers that report their first trouble and are then silent, so that one full disk never costs the other outputs; and
//! our two streams, from which the bar is taken away before anything else is written to the terminal.

use super::progress::Bar;
use super::record::Stream;
use super::relay::Relay;
use super::spool::CopyError;
use super::trouble::{Troubles, WriteTarget};
use std::fmt::{self, Debug, Formatter};
use std::io::{self, Write};
use std::path::Path;

/// How bytes reach their place.
pub enum Sink {
    /// They are written where they are given.
    Direct(Box<dyn Write + Send>),
    /// Somebody reads them at the other end, and is not waited for.
    Relayed(Relay),
}

impl Sink {
    const fn relay(&self) -> Option<&Relay> {
        match self {
            Self::Direct(_) => None,
            Self::Relayed(relay) => Some(relay),
        }
    }

    /// Whether both go through the same relay.
    pub(crate) fn is_shared_with(&self, other: &Self) -> bool {
        match (self.relay(), other.relay()) {
            (Some(one), Some(other)) => one.is_same(other),
            (None, _) | (_, None) => false,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Direct(writer) => writer.write(bytes),
            Self::Relayed(relay) => relay.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Direct(writer) => writer.flush(),
            Self::Relayed(relay) => relay.flush(),
        }
    }
}

impl Debug for Sink {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct(_) => "Direct",
            Self::Relayed(_) => "Relayed",
        })
    }
}

/// A target and its writer, which goes at the first trouble.
pub(crate) struct Outlet {
    target: WriteTarget,
    writer: Option<Sink>,
    mid_line: bool,
}

impl Outlet {
    pub(crate) fn new(target: WriteTarget, writer: Sink) -> Self {
        Self {
            target,
            writer: Some(writer),
            mid_line: false,
        }
    }

    /// Whether bytes written here still go anywhere.
    pub(crate) const fn is_open(&self) -> bool {
        self.writer.is_some()
    }

    /// Whether the last byte written was not a line end.
    pub(crate) const fn is_mid_line(&self) -> bool {
        self.mid_line
    }

    /// Writes all of `bytes`, or notes the trouble and closes.
    pub(crate) fn write(&mut self, bytes: &[u8], troubles: &mut Troubles) {
        let (Some(writer), Some(last)) = (&mut self.writer, bytes.last()) else {
            return;
        };
        self.mid_line = *last != b'\n';
        if let Err(error) = writer.write_all(bytes).and_then(|()| writer.flush()) {
            troubles.note(&self.target, error);
            self.writer = None;
        }
    }

    /// The relay through which it writes, if it does.
    pub(crate) fn relay(&self) -> Option<&Relay> {
        self.writer.as_ref().and_then(Sink::relay)
    }

    /// Notes a trouble that a relay has had with earlier bytes, and closes then.
    pub(crate) fn look(&mut self, troubles: &mut Troubles) {
        if let Some(error) = self.relay().and_then(Relay::error) {
            troubles.note(&self.target, error);
            self.writer = None;
        }
    }
}

/// Both our streams, the bar that may be drawn on the second, and the troubles met so far.
pub(crate) struct Outlets {
    pub(crate) out: Outlet,
    pub(crate) err: Outlet,
    /// Whether `out` is a terminal, taken to be the one on which the bar is drawn.
    pub(crate) out_is_terminal: bool,
    /// None where no bar is ever drawn.
    pub(crate) bar: Option<Bar>,
    pub(crate) troubles: Troubles,
}

impl Outlets {
    /// One of the streams, to be written to.
    pub(crate) fn pour(&mut self, stream: Stream) -> Pour<'_> {
        let (outlet, same_screen) = match stream {
            Stream::Stdout => (&mut self.out, self.out_is_terminal),
            Stream::Stderr => (&mut self.err, true),
        };
        Pour {
            outlet,
            bar: self.bar.as_mut().filter(|_| same_screen),
            troubles: &mut self.troubles,
        }
    }

    /// Writes to one of the streams.
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        self.pour(stream).put(bytes);
    }

    /// Takes the bar off the screen until it is drawn again.
    pub(crate) fn hide_bar(&mut self) {
        if let Some(bar) = &mut self.bar {
            bar.hide();
        }
    }

    /// Ends an incomplete line on the terminal, so that what comes next is not painted over it.
    pub(crate) fn end_lines(&mut self) {
        if self.out_is_terminal && self.out.is_mid_line() {
            self.write(Stream::Stdout, b"\n");
        }
        if self.err.is_mid_line() {
            self.write(Stream::Stderr, b"\n");
        }
    }

    /// Notes what went wrong with output that lay in `path`.
    pub(crate) fn note_spill(&mut self, path: &Path, outcome: Result<(), CopyError>) {
        match outcome {
            Ok(()) => {}
            Err(CopyError::Read(error) | CopyError::Write(error)) => {
                self.troubles
                    .note(&WriteTarget::Spill(path.to_owned()), error);
            }
        }
    }
}

/// One of our streams as a `Write` that never fails, for code that copies. Its troubles have been noted.
pub(crate) struct Pour<'a> {
    outlet: &'a mut Outlet,
    bar: Option<&'a mut Bar>,
    troubles: &'a mut Troubles,
}

impl Pour<'_> {
    pub(crate) const fn is_open(&self) -> bool {
        self.outlet.is_open()
    }

    pub(crate) const fn is_mid_line(&self) -> bool {
        self.outlet.is_mid_line()
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Some(bar) = &mut self.bar {
            bar.hide();
        }
        self.outlet.write(bytes, self.troubles);
    }
}

impl Write for Pour<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
