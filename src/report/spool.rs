//! A queue of bytes in constant memory: the first ones in memory, and beyond a limit all of them in a file without a
//! name, which the system removes with the spool even if the process is killed.
//!
//! It knows nothing of tasks or lines.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

/// Bytes read back at once.
const COPY_CHUNK: usize = 64 * 1024;

/// Bytes that wait to be written somewhere.
///
/// What it holds is the `in_file` first bytes of its file, then its memory.
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    memory_limit: usize,
    folder: Arc<Path>,
    file: Option<File>,
    in_file: u64,
}

/// Why a spool could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Its own file could not be read back.
    #[error("cannot read spilled output back: {0}")]
    Read(#[source] io::Error),
    /// The place it was copied to refused.
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
}

impl Spool {
    /// An empty spool that holds at most `memory_limit` bytes in memory and makes its file, when it needs one, in
    /// `folder`.
    #[must_use]
    pub fn new(memory_limit: usize, folder: Arc<Path>) -> Self {
        Self {
            memory: Vec::new(),
            memory_limit,
            folder,
            file: None,
            in_file: 0,
        }
    }

    /// How many bytes it holds.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.in_file + self.memory.len() as u64
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether some of its bytes are in a file.
    #[must_use]
    pub fn is_spilled(&self) -> bool {
        self.in_file > 0
    }

    /// Adds `bytes` at the end.
    ///
    /// # Errors
    /// When the file cannot be made or written. The spool then holds what it held before, and none of `bytes`.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.memory.len() + bytes.len() > self.memory_limit {
            self.spill()?;
        }
        if bytes.len() > self.memory_limit {
            return self.write_to_file(bytes);
        }
        let needed = self.memory.len() + bytes.len();
        if needed > self.memory.capacity() {
            // Doubling on its own would take up to twice the limit.
            let capacity = needed
                .max(2 * self.memory.capacity())
                .min(self.memory_limit);
            self.memory.reserve_exact(capacity - self.memory.len());
        }
        self.memory.extend_from_slice(bytes);
        Ok(())
    }

    /// Moves what is in memory to the file.
    ///
    /// # Errors
    /// When the file cannot be made or written. The spool still holds what it held.
    pub fn spill(&mut self) -> io::Result<()> {
        if self.memory.is_empty() {
            return Ok(());
        }
        let memory = std::mem::take(&mut self.memory);
        let written = self.write_to_file(&memory);
        self.memory = memory;
        if written.is_ok() {
            self.memory.clear();
        }
        written
    }

    /// Writes behind the bytes that count. A write that fails half-way leaves bytes that do not count, and the next one
    /// goes over them.
    fn write_to_file(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.folder)?),
        };
        file.write_all_at(bytes, self.in_file)?;
        self.in_file += bytes.len() as u64;
        Ok(())
    }

    /// Writes everything it holds to `out` and keeps it.
    ///
    /// # Errors
    /// When its file cannot be read or `out` fails; `out` has then had some of the bytes.
    pub fn copy_to(&self, out: &mut dyn Write) -> Result<u64, CopyError> {
        if let Some(file) = &self.file {
            copy_range(file, 0, self.in_file, out)?;
        }
        if !self.memory.is_empty() {
            out.write_all(&self.memory).map_err(CopyError::Write)?;
        }
        Ok(self.len())
    }

    /// Forgets everything it holds, and gives file and memory back.
    pub fn clear(&mut self) {
        self.file = None;
        self.in_file = 0;
        self.memory = Vec::new();
    }

    /// Forgets everything but keeps its memory for the next bytes, when it needed no file.
    pub(crate) fn rewind(&mut self) {
        if self.file.is_some() {
            self.clear();
        } else {
            self.memory.clear();
        }
    }

    /// What it holds when all of it is in memory; the spool is then empty.
    pub(crate) fn take_memory(&mut self) -> Option<Vec<u8>> {
        (!self.is_spilled()).then(|| std::mem::take(&mut self.memory))
    }
}

/// Copies `length` bytes of `file` from `offset` on.
pub(crate) fn copy_range(
    file: &File,
    mut offset: u64,
    length: u64,
    out: &mut dyn Write,
) -> Result<(), CopyError> {
    let end = offset + length;
    let mut chunk =
        vec![0; usize::try_from(length).map_or(COPY_CHUNK, |length| length.min(COPY_CHUNK))];
    while offset < end {
        let want = usize::try_from(end - offset).map_or(chunk.len(), |left| left.min(chunk.len()));
        let got = match file.read_at(&mut chunk[..want], offset) {
            Ok(0) => return Err(CopyError::Read(io::ErrorKind::UnexpectedEof.into())),
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        out.write_all(&chunk[..got]).map_err(CopyError::Write)?;
        offset += got as u64;
    }
    Ok(())
}
