//! A queue of bytes that may grow while somebody else reads slowly: the oldest in memory up to a limit, what comes behind
//! them in files without a name, which the system removes even if the process is killed.
//!
//! It knows nothing of threads or of where the bytes go.

use super::Limits;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

/// Bytes put into a file or read back at once, so that neither holds the other side up.
const AT_ONCE: usize = 64 * 1024;

/// A file and which part of it still waits.
#[derive(Debug)]
struct Piece {
    file: File,
    taken: u64,
    written: u64,
}

/// Bytes in the order in which they came: `memory` first, then the pieces.
#[derive(Debug)]
pub(super) struct Backlog {
    limits: Limits,
    folder: Arc<Path>,
    memory: Vec<u8>,
    /// None of them is empty. While there is one, nothing goes to memory: it would overtake.
    pieces: VecDeque<Piece>,
    len: u64,
}

impl Backlog {
    pub(super) fn new(limits: Limits, folder: Arc<Path>) -> Self {
        assert!(limits.memory > 0, "without memory nothing could ever wait");
        Self {
            limits,
            folder,
            memory: Vec::new(),
            pieces: VecDeque::new(),
            len: 0,
        }
    }

    /// How many bytes wait.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds the first bytes of `bytes` at the end, and answers how many.
    ///
    /// # Errors
    /// When a file cannot be made or written. The backlog then holds what it held before. An empty one never fails.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = if self.pieces.is_empty() {
            self.limits.memory - self.memory.len()
        } else {
            0
        };
        let count = if room > 0 {
            let count = room.min(bytes.len());
            self.memory.extend_from_slice(&bytes[..count]);
            count
        } else {
            let count = bytes.len().min(AT_ONCE);
            self.append_to_file(&bytes[..count])?;
            count
        };
        self.len += count as u64;
        Ok(count)
    }

    /// A write that fails half-way leaves bytes that do not count, and the next one goes over them.
    fn append_to_file(&mut self, bytes: &[u8]) -> io::Result<()> {
        let last = self.pieces.back_mut();
        if let Some(piece) = last.filter(|piece| piece.written < self.limits.piece) {
            piece.file.write_all_at(bytes, piece.written)?;
            piece.written += bytes.len() as u64;
            return Ok(());
        }
        // A new one, so that what has been read gives its place on the disk back while the backlog never gets empty.
        let file = tempfile::tempfile_in(&self.folder)?;
        file.write_all_at(bytes, 0)?;
        self.pieces.push_back(Piece {
            file,
            taken: 0,
            written: bytes.len() as u64,
        });
        Ok(())
    }

    /// Moves the oldest bytes into `chunk`, whose old content goes.
    ///
    /// # Errors
    /// When a file cannot be read back. The bytes stay.
    pub(super) fn take(&mut self, chunk: &mut Vec<u8>) -> io::Result<()> {
        chunk.clear();
        if !self.memory.is_empty() {
            std::mem::swap(&mut self.memory, chunk);
        } else if let Some(piece) = self.pieces.front_mut() {
            let left = usize::try_from(piece.written - piece.taken).unwrap_or(AT_ONCE);
            chunk.resize(left.min(AT_ONCE), 0);
            piece.file.read_exact_at(chunk, piece.taken)?;
            piece.taken += chunk.len() as u64;
            if piece.taken == piece.written {
                self.pieces.pop_front();
            }
        }
        self.len -= chunk.len() as u64;
        Ok(())
    }

    /// Forgets everything, and gives memory and files back.
    pub(super) fn clear(&mut self) {
        self.memory = Vec::new();
        self.pieces.clear();
        self.len = 0;
    }
}
