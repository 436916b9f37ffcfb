//! Whole lines out of chunks: what one stream of one task says is passed on line by line, and a line that is not complete
//! waits, in memory while it is short and in an unnamed file beyond that.

use super::spool::{CopyError, Spool};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// An incomplete line may take this many bytes of memory.
pub(crate) const LINE_MEMORY: usize = 64 * 1024;

/// The incomplete last line of one stream.
#[derive(Debug)]
pub(crate) struct LineBuffer {
    partial: Spool,
    memory_limit: usize,
}

impl LineBuffer {
    pub(crate) fn new(folder: Arc<Path>) -> Self {
        Self::with_memory(LINE_MEMORY, folder)
    }

    pub(crate) fn with_memory(memory_limit: usize, folder: Arc<Path>) -> Self {
        Self {
            partial: Spool::new(memory_limit, folder),
            memory_limit,
        }
    }

    /// Takes a chunk and writes all lines that it completes to `out`, which must not fail.
    ///
    /// # Errors
    /// When the waiting line could not be kept on disk or read back. What could be saved of it has then been written
    /// as it was, so that a full disk breaks a line in two but loses nothing that was still in memory.
    pub(crate) fn feed(&mut self, chunk: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let complete = chunk
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let (lines, partial) = chunk.split_at(complete);
        let mut outcome = Ok(());
        if !lines.is_empty() {
            outcome = self.finish_line(lines, out);
        }
        if !partial.is_empty()
            && let Err(error) = self.partial.append(partial)
        {
            let _read_back = self.flush(out);
            out.write_all(partial)?;
            outcome = Err(error);
        }
        outcome
    }

    fn finish_line(&mut self, lines: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if self.partial.is_empty() {
            return out.write_all(lines);
        }
        // One write for the common short line: fewer system calls, and a reader of our pipe never sees half of it.
        let fits = self.partial.len() + lines.len() as u64 <= self.memory_limit as u64;
        if fits && !self.partial.is_spilled() {
            self.partial.append(lines)?;
            return self.flush(out);
        }
        let flushed = self.flush(out);
        out.write_all(lines)?;
        flushed
    }

    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let copied = self.partial.copy_to(out);
        self.partial.rewind();
        match copied {
            Ok(_) => Ok(()),
            Err(CopyError::Read(error) | CopyError::Write(error)) => Err(error),
        }
    }

    /// Writes what is left and ends its line, because the next line written belongs to somebody else.
    ///
    /// # Errors
    /// When the waiting line could not be read back.
    pub(crate) fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.partial.is_empty() {
            return Ok(());
        }
        if self.partial.is_spilled() || self.partial.len() == self.memory_limit as u64 {
            let flushed = self.flush(out);
            out.write_all(b"\n")?;
            return flushed;
        }
        self.partial.append(b"\n")?;
        self.flush(out)
    }
}
